"""The plain convolutional network, the first one a student meets and the one that the dashboard carries."""

import keras
from keras import layers

# The paper names no layout for its CNN: the widths below are ours. Every block but the last two halves the grid.
COURSE_WIDTHS = (16, 32, 64, 128, 128)
PAPER_WIDTHS = (32, 64, 128, 256, 256)


def conv_block(x, filters: int, *, pool: bool, name: str):
    """Convolution 3 x 3, perhaps halving, batch normalisation, ReLU: (N, H, W, C) to (N, H, W or half, filters).

    The maximum is taken before the normalisation: three quarters of the numbers need none, and an epoch takes a
    third less time.
    """
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    if pool:
        x = layers.MaxPooling2D(name=f"{name}_pool")(x)
    # Keras's own momentum of 0.99 needs hundreds of steps to settle; a lesson has dozens.
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def build_cnn(input_shape, num_classes: int, *, preset: str = "course", variant=None) -> keras.Model:
    """Return five convolution blocks, global average pooling and one dense layer of logits.

    `input_shape` is (H, W, C) with values in [0, 1]; the last maps are H/8 x W/8.
    """
    widths = COURSE_WIDTHS if preset == "course" else PAPER_WIDTHS
    pictures = keras.Input(input_shape, name="pictures")
    x = pictures  # (N, H, W, C)
    for number, filters in enumerate(widths, start=1):
        x = conv_block(x, filters, pool=number <= len(widths) - 2, name=f"block{number}")
    x = layers.GlobalAveragePooling2D(name="features")(x)  # (N, 128)
    x = layers.Dropout(0.3, name="dropout")(x)
    logits = layers.Dense(num_classes, name="logits")(x)  # (N, K)
    return keras.Model(pictures, logits)
