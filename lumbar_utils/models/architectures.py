"""The table of architectures: what the package knows about each family of networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import keras

from ..dataset import LumbarError
from .alexnet import VARIANTS as ALEXNET_VARIANTS
from .alexnet import build_alexnet
from .cnn import build_cnn
from .densenet import build_densenet121
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
