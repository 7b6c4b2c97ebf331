"""DenseNet121: each layer sees the maps of all layers before it in its block, and adds a few of its own.

Huang, Liu, van der Maaten, Weinberger, Densely Connected Convolutional Networks, CVPR 2017. Layer names are those of
`keras.applications`, so that its weights fit.
"""

import keras
from keras import layers

PAPER_BLOCKS, PAPER_GROWTH = (6, 12, 24, 16), 32
COURSE_BLOCKS, COURSE_GROWTH = (2, 4, 8), 16


def build_densenet121(input_shape, num_classes: int, *, preset: str = "course", variant=None) -> keras.Model:
    """Return DenseNet121, ending in logits (N, num_classes): 8,062,504 parameters with 1000 classes.

    The course network has blocks of 2, 4 and 8 layers that add 16 maps each, 32 layers with weights in all, and no
    pooling at its entry, so that its last maps have an eighth of the picture's side.
    """
    course = preset == "course"
    momentum = 0.9 if course else 0.99
    blocks, growth = (COURSE_BLOCKS, COURSE_GROWTH) if course else (PAPER_BLOCKS, PAPER_GROWTH)
    pictures = keras.Input(input_shape, name="pictures")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(pictures)
    x = layers.Conv2D(2 * growth, 7, strides=2, use_bias=False, name="conv1_conv")(x)  # (N, H/2, W/2, 64)
    x = normalise_relu(x, momentum, name="conv1_")
    if not course:
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)  # (N, H/4, W/4, 64)
    for number, depth in enumerate(blocks, start=2):
        for index in range(1, depth + 1):
            x = dense_layer(x, growth, momentum=momentum, name=f"conv{number}_block{index}")
        if number <= len(blocks):
            x = transition(x, momentum=momentum, name=f"pool{number}")
    x = normalise_relu(x, momentum)  # (N, H/32, W/32, 1024)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    if course:
        x = layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(pictures, layers.Dense(num_classes, name="logits")(x))


def dense_layer(x, growth: int, *, momentum: float, name: str):
    """Return x with `growth` more maps: 1 x 1 to 4 * growth maps, 3 x 3 to growth, normalised before each."""
    new = normalise_relu(x, momentum, name=f"{name}_0_")
    new = layers.Conv2D(4 * growth, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = normalise_relu(new, momentum, name=f"{name}_1_")
    new = layers.Conv2D(growth, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def transition(x, *, momentum: float, name: str):
    """Return half as many maps on a grid half as high and wide."""
    x = normalise_relu(x, momentum, name=f"{name}_")
    x = layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def normalise_relu(x, momentum: float, *, name: str = ""):
    """Batch normalisation with the epsilon of the published weights, ReLU."""
    x = layers.BatchNormalization(momentum=momentum, epsilon=1.001e-5, name=f"{name}bn")(x)
    return layers.ReLU(name=f"{name}relu")(x)
