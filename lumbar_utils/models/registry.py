"""Which architectures there are, and how to build one by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from ..dataset import PAPER4, LumbarError
from .alexnet import VARIANTS as ALEXNET_VARIANTS
from .alexnet import build_alexnet
from .cnn import build_cnn
from .densenet import build_densenet121
from .imagenet import PUBLISHED, is_published, load_file, load_imagenet
from .involution_vgg import VARIANTS as INVOLUTION_VARIANTS
from .involution_vgg import build_involution_vgg16
from .mobilenet import build_mobilenet
from .resnet import build_resnet50
from .vgg import build_vgg16

INPUT_SHAPE = {"course": (128, 128, 1), "paper": (224, 224, 3)}


@dataclass(frozen=True)
class Architecture:
    """What the package knows about a family of networks.

    Attributes
    ----------
    name : how `build_model` finds it.
    display_name, input_shape, least_size : by preset; a course network is called so wherever it is shown, and
        smaller pictures leave no maps.
    builder : called as builder(input_shape, num_classes, preset=…, variant=…), ends in logits.
    mode : how `prepare` scales colour pictures for it at paper size (`mode_of` says it of a network).
    cam_layer : by preset, the layer whose maps a heat map explains, the last before the pooling.
    citation : whom to cite for the layout.
    variants : the first is the default.
    """

    name: str
    display_name: Mapping[str, str]
    builder: Callable[..., keras.Model]
    cam_layer: Mapping[str, str]
    least_size: Mapping[str, int]
    citation: str
    mode: str = "unit"
    variants: tuple[str, ...] = ()
    input_shape: Mapping[str, tuple[int, int, int]] = field(default_factory=lambda: dict(INPUT_SHAPE))


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="cnn",
            display_name={"course": "CNN, course size", "paper": "CNN, 224 px (layout ours)"},
            builder=build_cnn,
            cam_layer={"course": "block5_relu", "paper": "block5_relu"},
            least_size={"course": 8, "paper": 8},
            citation="Layout ours: the paper does not describe its CNN.",
        ),
        Architecture(
            name="alexnet",
            display_name={"course": "AlexNet, course size, 6 layers", "paper": "AlexNet"},
            builder=build_alexnet,
            cam_layer={"course": "conv5_relu", "paper": "conv5"},
            least_size={"course": 16, "paper": 64},
            citation="Krizhevsky, Sutskever, Hinton, NIPS 2012.",
            variants=ALEXNET_VARIANTS,
        ),
        Architecture(
            name="vgg16",
            display_name={"course": "VGG, course size, 9 layers", "paper": "VGG16"},
            builder=build_vgg16,
            cam_layer={"course": "block5_relu2", "paper": "block5_conv3"},
            least_size={"course": 16, "paper": 32},
            citation="Simonyan, Zisserman, ICLR 2015.",
            mode="caffe",
        ),
        Architecture(
            name="involution_vgg16",
            display_name={
                "course": "VGG with involution, course size (placement ours)",
                "paper": "VGG16 with involution (placement ours)",
            },
            builder=build_involution_vgg16,
            cam_layer={"course": "block5_maps", "paper": "block5_maps"},
            least_size={"course": 16, "paper": 32},
            citation="After Abuhayi et al., 2023; involution: Li et al., CVPR 2021. Placement ours: the source leaves "
            "it open.",
            variants=INVOLUTION_VARIANTS,
        ),
        Architecture(
            name="resnet50",
            display_name={"course": "ResNet, course size, 14 layers", "paper": "ResNet50"},
            builder=build_resnet50,
            cam_layer={"course": "conv5_block1_out", "paper": "conv5_block3_out"},
            least_size={"course": 16, "paper": 32},
            citation="He, Zhang, Ren, Sun, CVPR 2016.",
            mode="caffe",
        ),
        Architecture(
            name="densenet121",
            display_name={"course": "DenseNet, course size, 32 layers", "paper": "DenseNet121"},
            builder=build_densenet121,
            cam_layer={"course": "relu", "paper": "relu"},
            least_size={"course": 16, "paper": 32},
            citation="Huang, Liu, van der Maaten, Weinberger, CVPR 2017.",
            mode="torch",
        ),
        Architecture(
            name="mobilenet",
            display_name={"course": "MobileNet, course size, 18 layers", "paper": "MobileNet"},
            builder=build_mobilenet,
            cam_layer={"course": "conv_pw_8_relu", "paper": "conv_pw_13_relu"},
            least_size={"course": 16, "paper": 32},
            citation="Howard et al., arXiv 1704.04861, 2017.",
            mode="tf",
        ),
    )
}


def architecture_named(name: str, preset: str = "course") -> Architecture:
    """Return the registered architecture, or raise `LumbarError` naming those there are."""
    if name not in ARCHITECTURES:
        raise LumbarError(f"There is no architecture {name!r}; choose one of {', '.join(ARCHITECTURES)}.")
    architecture = ARCHITECTURES[name]
    if preset not in architecture.display_name:
        raise LumbarError(
            f"{name} has no preset {preset!r}; choose one of {', '.join(architecture.display_name)}."
        )
    return architecture


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
    input_shape : (H, W, C), by default the preset's own; C is 1 (grey) or 3.
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
    from ..checkpoints import read_checkpoint

    checkpoint = read_checkpoint(model.name)
    found = (tuple(model.input_shape[1:]), model.output_shape[-1])
    wanted = (tuple(checkpoint.card["input_shape"]), len(checkpoint.card["class_names"]))
    if found != wanted:
        raise LumbarError(
            f"The checkpoint of {model.name} was trained with input {wanted[0]} and {wanted[1]} classes, asked "
            f"for {found[0]} and {found[1]}; leave input_shape and num_classes out, or train with weights=None."
        )
    return checkpoint.file("weights.weights.h5")


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
