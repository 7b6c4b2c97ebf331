"""MobileNet: each convolution split in two, one that looks (a window a map) and one that mixes (1 x 1).

Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, 2017. Layer names are
those of `keras.applications`, so that its weights fit.
"""

import keras
from keras import layers

# (maps, stride) of each separable convolution
PAPER_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
COURSE_BLOCKS = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 1), (256, 1), (256, 1))


def build_mobilenet(input_shape, num_classes: int, *, preset: str = "course", variant=None) -> keras.Model:
    """Return MobileNet (width 1), ending in logits (N, num_classes): 4,253,864 parameters with 1000 classes.

    The course network has half the width, 8 separable convolutions instead of 13 (18 layers with weights), and last
    maps of an eighth of the picture's side.
    """
    course = preset == "course"
    momentum = 0.9 if course else 0.99
    pictures = keras.Input(input_shape, name="pictures")
    x = layers.Conv2D(16 if course else 32, 3, strides=2, padding="same", use_bias=False, name="conv1")(
        pictures
    )  # (N, H/2, W/2, 32)
    x = normalise_relu(x, momentum, name="conv1")
    for number, (maps, stride) in enumerate(COURSE_BLOCKS if course else PAPER_BLOCKS, start=1):
        x = separable(x, maps, stride=stride, momentum=momentum, number=number)
    x = layers.GlobalAveragePooling2D(name="features")(x)  # (N, 1024)
    x = layers.Dropout(0.3 if course else 0.001, name="dropout")(x)
    return keras.Model(pictures, layers.Dense(num_classes, name="logits")(x))


def separable(x, maps: int, *, stride: int, momentum: float, number: int):
    """Depthwise 3 x 3 and pointwise 1 x 1 convolution, each normalised: (N, H / stride, W / stride, maps).

    9 * C + C * maps weights, where one 3 x 3 convolution would have 9 * C * maps.
    """
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = normalise_relu(x, momentum, name=f"conv_dw_{number}")
    x = layers.Conv2D(maps, 1, use_bias=False, name=f"conv_pw_{number}")(x)
    return normalise_relu(x, momentum, name=f"conv_pw_{number}")


def normalise_relu(x, momentum: float, *, name: str):
    """Batch normalisation, ReLU cut off at 6."""
    x = layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)
