"""VGG16: nothing but 3 x 3 convolutions, more maps after each pooling.

Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015.
"""

import keras
from keras import layers

# (maps, convolutions) of each block. The course network does not halve the grid after blocks 4 and 5.
PAPER_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
COURSE_BLOCKS = ((16, 1), (32, 1), (64, 2), (96, 2), (96, 2))


def build_vgg16(input_shape, num_classes: int, *, preset: str = "course", variant=None) -> keras.Model:
    """Return VGG16, ending in logits (N, num_classes): 138,357,544 parameters with 1000 classes and 224 x 224 x 3.

    124 million of them stand in the three dense layers. The course network has batch normalisation after each
    convolution, which the original lacks, and one dense layer after global average pooling.
    """
    pictures = keras.Input(input_shape, name="pictures")
    convolution = course_convolution if preset == "course" else paper_convolution
    x = pictures
    for number, (maps, depth) in enumerate(blocks_of(preset), start=1):
        for index in range(1, depth + 1):
            x = convolution(x, maps, block=f"block{number}", index=index)
        x = pool(x, number, preset)
    return keras.Model(pictures, head(x, num_classes, preset))


def blocks_of(preset: str) -> tuple[tuple[int, int], ...]:
    """Return (maps, convolutions) of the five blocks."""
    return COURSE_BLOCKS if preset == "course" else PAPER_BLOCKS


def paper_convolution(x, maps: int, *, block: str, index: int):
    """Convolution 3 x 3 with bias, ReLU."""
    return layers.Conv2D(maps, 3, padding="same", activation="relu", name=f"{block}_conv{index}")(x)


def course_convolution(x, maps: int, *, block: str, index: int):
    """Convolution 3 x 3, batch normalisation, ReLU."""
    x = layers.Conv2D(maps, 3, padding="same", use_bias=False, name=f"{block}_conv{index}")(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{block}_bn{index}")(x)
    return layers.ReLU(name=f"{block}_relu{index}")(x)


def pool(x, number: int, preset: str):
    """Halve the grid after block `number`; at course size only after the first three."""
    if preset == "course" and number > 3:
        return x
    return layers.MaxPooling2D(2, name=f"block{number}_pool")(x)


def head(x, num_classes: int, preset: str):
    """Return the logits: three dense layers as published, or average pooling and one at course size."""
    if preset == "course":
        x = layers.GlobalAveragePooling2D(name="features")(x)  # (N, 96)
        x = layers.Dropout(0.3, name="dropout")(x)
        return layers.Dense(num_classes, name="logits")(x)
    x = layers.Flatten(name="flatten")(x)  # (N, 25088) from 224 x 224 pixels
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    return layers.Dense(num_classes, name="logits")(x)
