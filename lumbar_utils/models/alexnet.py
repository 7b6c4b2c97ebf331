"""AlexNet: five convolutions and three dense layers, the network that began deep learning on pictures in 2012.

Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012.
"""

import keras
from keras import layers

VARIANTS = ("one_tower", "two_groups")


def build_alexnet(input_shape, num_classes: int, *, preset: str = "course", variant: str | None = None):
    """Return AlexNet, ending in logits (N, num_classes).

    `variant` "one_tower" (default) has 62,378,344 parameters with 1000 classes. "two_groups" has 60,965,224: the
    authors split the second, fourth and fifth convolution over two graphics cards, and each half sees only the maps
    on its own card. Their local response normalisation is left out: VGG's authors found that it changes nothing.
    """
    groups = 2 if variant == "two_groups" else 1
    pictures = keras.Input(input_shape, name="pictures")
    build = _course if preset == "course" else _paper
    return keras.Model(pictures, build(pictures, num_classes, groups))


def _paper(pictures, num_classes, groups):
    """As published; the shapes are those of a 224 x 224 picture."""
    x = layers.ZeroPadding2D(((2, 1), (2, 1)), name="pad")(pictures)  # (N, 227, 227, C)
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1")(x)  # (N, 55, 55, 96)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)  # (N, 27, 27, 96)
    x = layers.Conv2D(256, 5, padding="same", groups=groups, activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(x)  # (N, 13, 13, 256)
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.Conv2D(384, 3, padding="same", groups=groups, activation="relu", name="conv4")(x)
    x = layers.Conv2D(256, 3, padding="same", groups=groups, activation="relu", name="conv5")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)  # (N, 6, 6, 256)
    x = layers.Flatten(name="flatten")(x)  # (N, 9216)
    for name in ("fc6", "fc7"):
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
        x = layers.Dense(4096, activation="relu", name=name)(x)
    return layers.Dense(num_classes, name="logits")(x)


def _course(pictures, num_classes, groups):
    """Narrower, batch-normalised (ours), pooled instead of dense; the shapes are those of a 128 x 128 picture."""
    x = conv_block(pictures, 32, 11, strides=2, name="conv1")  # (N, 64, 64, 32)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = conv_block(x, 64, 5, groups=groups, name="conv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool2")(x)  # (N, 16, 16, 64)
    x = conv_block(x, 96, 3, name="conv3")
    x = conv_block(x, 96, 3, groups=groups, name="conv4")
    x = conv_block(x, 96, 3, groups=groups, name="conv5")
    x = layers.GlobalAveragePooling2D(name="features")(x)  # (N, 96)
    x = layers.Dropout(0.3, name="dropout")(x)
    return layers.Dense(num_classes, name="logits")(x)


def conv_block(x, filters: int, size: int, *, name: str, strides: int = 1, groups: int = 1):
    """Convolution, batch normalisation, ReLU."""
    x = layers.Conv2D(
        filters, size, strides=strides, padding="same", groups=groups, use_bias=False, name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
