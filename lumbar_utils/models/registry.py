"""Builds networks by name, fills them with weights, and says what is known about a built one."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from ..checkpoints import WEIGHTS, read_checkpoint
from ..dataset import PAPER4, LumbarError
from .architectures import ARCHITECTURES, Architecture, architecture_named
from .imagenet import PUBLISHED, is_published, load_file, load_imagenet


def architecture_of(model: keras.Model) -> Architecture | None:
    """Return the architecture that `build_model` made `model` from, or None for a network built by hand."""
    return ARCHITECTURES.get(model.name.rpartition("_")[0])


def _preset_of(model: keras.Model) -> str:
    return model.name.rpartition("_")[2]


def display_name_of(model: keras.Model) -> str:
    """Return the name to show for `model`: the registry's, else Keras's own."""
    architecture = architecture_of(model)
    return architecture.display_name[_preset_of(model)] if architecture else model.name


def cam_layer_of(model: keras.Model) -> str | None:
    """Return the registered layer whose maps a heat map explains, or None for a network built by hand."""
    architecture = architecture_of(model)
    return architecture.cam_layer[_preset_of(model)] if architecture else None


def mode_of(model: keras.Model) -> str:
    """Return how `prepare` scales pictures for `model`: "unit" at course size and for networks built by hand.

    At paper size it is what the published weights expect. Where that means three means and one channel is given, it
    is "tf", [-1, 1]: `load_imagenet` turns the first convolution accordingly.
    """
    architecture = architecture_of(model)
    if architecture is None or _preset_of(model) == "course":
        return "unit"
    if model.input_shape[-1] == 1 and architecture.mode in ("caffe", "torch"):
        return "tf"
    return architecture.mode


def crop_of(model: keras.Model) -> str | None:
    """Return what `prepare` cuts out for `model`: "column" for a network that sees an upright frame, else None.

    The spine's column is twice as tall as wide, a whole slice is square: the input's shape says which one is meant.
    """
    height, width = model.input_shape[1:3]
    return "column" if height is not None and width is not None and height > width else None


def build_model(
    name: str,
    preset: str = "course",
    variant: str | None = None,
    *,
    input_shape: tuple[int, int, int] | None = None,
    num_classes: int = len(PAPER4),
    weights: str | Path | None = None,
) -> keras.Model:
    """Return a Keras network that ends in logits (N, num_classes).

    Parameters
    ----------
    name, preset, variant : see `list_models`. "course" trains on a laptop, "paper" is full size.
    input_shape : (H, W, C), by default the preset's own, and with weights="phantom" that of the checkpoint; C is 1
        (grey) or 3. A square network is shown whole pictures, an upright one the column of the spine (`crop_of`).
    weights : None (random, from `keras.utils.set_random_seed`), "phantom" (the shipped checkpoint, trained
        on phantoms), "imagenet" (VGG16, ResNet50, DenseNet121 and MobileNet at paper size: the published weights,
        the top left random), or the path of a `.weights.h5` file or of a published file without top.

    Raises
    ------
    LumbarError : unknown name, preset or variant; too small an input, fewer than two classes; a checkpoint of other
        classes, size or phantom version; weights of another architecture, or none to be had.
    """
    architecture = architecture_named(name, preset)
    if variant is not None and variant not in architecture.variants:
        offered = ", ".join(architecture.variants) or "none"
        raise LumbarError(f"{name} has no variant {variant!r}; its variants are: {offered}.")
    if weights == "phantom" and input_shape is None:
        input_shape = read_checkpoint(f"{name}_{preset}").card["input_shape"]
    input_shape = _checked_shape(architecture, preset, input_shape)
    if not isinstance(num_classes, int | np.integer) or num_classes < 2:
        raise LumbarError(
            f"num_classes is {num_classes!r}, wanted a whole number from 2; a network that tells disease from health "
            "has two outputs."
        )
    model = architecture.builder(input_shape, num_classes, preset=preset, variant=variant)
    model.name = f"{name}_{preset}"
    if weights is not None:
        _load_weights(model, weights)
    return model


def _checked_shape(architecture: Architecture, preset: str, shape) -> tuple[int, int, int]:
    shape, least = tuple(shape or architecture.input_shape[preset]), architecture.least_size[preset]
    whole = all(isinstance(number, int | np.integer) for number in shape)
    if len(shape) != 3 or not whole or shape[2] not in (1, 3):
        raise LumbarError(
            f"input_shape is {shape}, wanted (height, width, channels) in whole numbers with 1 (grey) or 3 channels; "
            f"give {architecture.input_shape[preset]}, for instance."
        )
    if min(shape[:2]) < least:
        raise LumbarError(
            f"input_shape is {shape}, and {architecture.display_name[preset]} needs pictures of at least {least} x "
            f"{least} pixels; enlarge them" + (" or take the course preset." if preset == "paper" else ".")
        )
    return tuple(int(number) for number in shape)


def _load_weights(model: keras.Model, weights: str | Path) -> None:
    name, path = model.name.rpartition("_")[0], Path(weights)
    at_paper_size = name in PUBLISHED and _preset_of(model) == "paper"
    if weights == "imagenet":
        if not at_paper_size:
            raise LumbarError(
                f"There are no ImageNet weights for {display_name_of(model)}; they fit {', '.join(PUBLISHED)} with "
                'preset="paper".'
            )
        load_imagenet(model, name, ARCHITECTURES[name].mode)
        return
    if weights == "phantom":
        path = _phantom_weights(model)
    if not path.is_file():
        raise LumbarError(
            f"There is no weights file {path}; give None, 'phantom', 'imagenet' or a file that save_weights wrote."
        )
    if at_paper_size and is_published(path):
        load_imagenet(model, name, ARCHITECTURES[name].mode, path)
    else:
        load_file(model, path, f"weights of {display_name_of(model)} that save_weights wrote")


def _phantom_weights(model: keras.Model) -> Path:
    checkpoint = read_checkpoint(model.name)
    found = (tuple(model.input_shape[1:]), model.output_shape[-1])
    wanted = (tuple(checkpoint.card["input_shape"]), len(checkpoint.card["class_names"]))
    if found != wanted:
        raise LumbarError(
            f"The checkpoint of {model.name} was trained with input {wanted[0]} and {wanted[1]} classes, asked "
            f"for {found[0]} and {found[1]}; leave input_shape and num_classes out, or train with weights=None."
        )
    return checkpoint.file(WEIGHTS)


def list_models() -> pd.DataFrame:
    """Return one row an architecture and preset: name, preset, display_name, input_shape, parameters, citation."""
    return pd.DataFrame(
        [
            {
                "name": architecture.name,
                "preset": preset,
                "display_name": display_name,
                "input_shape": architecture.input_shape[preset],
                "parameters": count_parameters(architecture.name, preset),
                "citation": architecture.citation,
            }
            for architecture in ARCHITECTURES.values()
            for preset, display_name in architecture.display_name.items()
        ]
    )


def count_parameters(
    name: str,
    preset: str = "course",
    variant: str | None = None,
    *,
    input_shape: tuple[int, int, int] | None = None,
    num_classes: int = len(PAPER4),
) -> int:
    """Return the number of parameters of a network, moving averages included.

    The network is built in a graph, where no array is allocated: VGG16 costs as little memory as a small one. The
    published counts are those with num_classes=1000.
    """
    with tf.Graph().as_default():
        model = build_model(name, preset, variant, input_shape=input_shape, num_classes=num_classes)
        return model.count_params()
