"""VGG16 with involution.

After the Inv-VGG of Abuhayi et al. (2023), which the paper names. The sources leave open where the involutions stand:
both placements here are ours, and neither claims to be theirs.
"""

import keras
from keras import layers

from . import vgg
from .involution import Involution2D

VARIANTS = ("stem", "block5")


def build_involution_vgg16(
    input_shape, num_classes: int, *, preset: str = "course", variant: str | None = None
):
    """Return VGG16 with involution, ending in logits (N, num_classes).

    `variant` "stem" (default) sets an involution before VGG16, which is whole. "block5" makes the 3 x 3 convolutions
    of the last block 3 x 3 involutions: there maps are many and places few, and 2,359,808 parameters of each become
    103,200 (102,944 of them trained). At course size the stem halves the grid, as RedNet's does, in the place of the
    first pooling: a kernel of 49 numbers at each pixel of the whole picture would take three times as long as all the
    rest.
    """
    pictures = keras.Input(input_shape, name="pictures")
    convolution = vgg.course_convolution if preset == "course" else vgg.paper_convolution
    halved = preset == "course" and variant != "block5"
    x = stem(pictures, strides=2 if halved else 1) if variant != "block5" else pictures
    for number, (maps, depth) in enumerate(vgg.blocks_of(preset), start=1):
        for index in range(1, depth + 1):
            if variant == "block5" and number == 5:
                x = involution_unit(x, preset, index=index)
            else:
                x = convolution(x, maps, block=f"block{number}", index=index)
        if number == 5:
            x = layers.Activation("linear", name="block5_maps")(
                x
            )  # one name for the last maps of both variants
        if not (halved and number == 1):
            x = vgg.pool(x, number, preset)
    return keras.Model(pictures, vgg.head(x, num_classes, preset))


def stem(x, strides: int):
    """Convolution 3 x 3 to 16 maps, involution 7 x 7, each normalised and with ReLU, as at the entry of RedNet.

    The convolution comes first because one grey value would be all that a kernel of the involution could be made of.
    """
    x = layers.Conv2D(16, 3, strides=strides, padding="same", use_bias=False, name="stem_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, name="stem_bn1")(x)
    x = layers.ReLU(name="stem_relu1")(x)
    x = Involution2D(7, name="stem_involution")(x)  # (N, H / strides, W / strides, 16)
    x = layers.BatchNormalization(momentum=0.9, name="stem_bn2")(x)
    return layers.ReLU(name="stem_relu2")(x)


def involution_unit(x, preset: str, *, index: int):
    """Involution 3 x 3 and ReLU; batch normalisation in between where the convolutions of the preset have it."""
    x = Involution2D(3, name=f"block5_involution{index}")(x)
    if preset == "course":
        x = layers.BatchNormalization(momentum=0.9, name=f"block5_bn{index}")(x)
    return layers.ReLU(name=f"block5_relu{index}")(x)
