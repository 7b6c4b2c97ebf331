"""Which architectures there are, and how to build one by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf

from ..dataset import PAPER4, LumbarError
from .cnn import build_cnn


@dataclass(frozen=True)
class Architecture:
    """What the package knows about a family of networks.

    Attributes
    ----------
    name : how `build_model` finds it.
    display_name, input_shape : by preset; a course network is called so wherever it is shown.
    builder : called as builder(input_shape, num_classes, preset=…, variant=…), ends in logits.
    mode : how `prepare` scales pictures for it ("unit" is [0, 1]).
    cam_layer : the layer whose maps a heat map explains, normally the last before the pooling.
    citation : whom to cite for the layout.
    """

    name: str
    display_name: Mapping[str, str]
    input_shape: Mapping[str, tuple[int, int, int]]
    builder: Callable[..., keras.Model]
    mode: str
    cam_layer: str
    citation: str
    variants: tuple[str, ...] = ()


ARCHITECTURES = {
    "cnn": Architecture(
        name="cnn",
        display_name={"course": "CNN, course size", "paper": "CNN, 224 px (layout ours)"},
        input_shape={"course": (128, 128, 1), "paper": (224, 224, 3)},
        builder=build_cnn,
        mode="unit",
        cam_layer="block5_relu",
        citation="Layout ours: the paper does not describe its CNN.",
    ),
}


def architecture_named(name: str, preset: str = "course") -> Architecture:
    """Return the registered architecture, or raise `LumbarError` naming those there are."""
    if name not in ARCHITECTURES:
        raise LumbarError(f"There is no architecture {name!r}; choose one of {', '.join(ARCHITECTURES)}.")
    architecture = ARCHITECTURES[name]
    if preset not in architecture.input_shape:
        raise LumbarError(
            f"{name} has no preset {preset!r}; choose one of {', '.join(architecture.input_shape)}."
        )
    return architecture


def architecture_of(model: keras.Model) -> Architecture | None:
    """Return the architecture that `build_model` made `model` from, or None for a network built by hand."""
    return ARCHITECTURES.get(model.name.rpartition("_")[0])


def display_name_of(model: keras.Model) -> str:
    """Return the name to show for `model`: the registry's, else Keras's own."""
    architecture = architecture_of(model)
    preset = model.name.rpartition("_")[2]
    return architecture.display_name[preset] if architecture else model.name


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
    input_shape : (H, W, C), by default the preset's own.
    weights : None (random, from `keras.utils.set_random_seed`), "phantom" (the shipped checkpoint, trained
        on phantoms) or the path of a `.weights.h5` file.

    Raises
    ------
    LumbarError : unknown name, preset or variant; a checkpoint of other classes, size or phantom version.
    """
    architecture = architecture_named(name, preset)
    if variant is not None and variant not in architecture.variants:
        offered = ", ".join(architecture.variants) or "none"
        raise LumbarError(f"{name} has no variant {variant!r}; its variants are: {offered}.")
    input_shape = tuple(input_shape or architecture.input_shape[preset])
    model = architecture.builder(input_shape, num_classes, preset=preset, variant=variant)
    model.name = f"{name}_{preset}"
    if weights is not None:
        _load_weights(model, weights)
    return model


def _load_weights(model: keras.Model, weights: str | Path) -> None:
    path = Path(weights)
    if weights == "phantom":
        from ..checkpoints import read_checkpoint

        checkpoint = read_checkpoint(model.name)
        found = (tuple(model.input_shape[1:]), model.output_shape[-1])
        wanted = (tuple(checkpoint.card["input_shape"]), len(checkpoint.card["class_names"]))
        if found != wanted:
            raise LumbarError(
                f"The checkpoint of {model.name} was trained with input {wanted[0]} and {wanted[1]} classes, asked "
                f"for {found[0]} and {found[1]}; leave input_shape and num_classes out, or train with weights=None."
            )
        path = checkpoint.file("weights.weights.h5")
    if not path.is_file():
        raise LumbarError(
            f"There is no weights file {path}; give None, 'phantom' or a file that save_weights wrote."
        )
    model.load_weights(path)


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


def count_parameters(name: str, preset: str = "course", variant: str | None = None) -> int:
    """Return the number of parameters, moving averages included, of the network with four classes.

    The network is built in a graph, where no array is allocated: VGG16 costs as little memory as a small one.
    """
    with tf.Graph().as_default():
        return build_model(name, preset, variant).count_params()
