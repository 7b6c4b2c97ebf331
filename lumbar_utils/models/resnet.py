"""ResNet50: blocks that add to what comes in, so that a gradient finds its way through fifty layers.

He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016. Layer names, and the biases that the
normalisation makes superfluous, are those of `keras.applications`, so that its weights fit.
"""

import keras
from keras import layers

# (maps inside the bottleneck, blocks, stride of the first block)
PAPER_STACKS = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
COURSE_STACKS = ((24, 1, 1), (32, 1, 2), (64, 1, 1), (96, 1, 1))


def build_resnet50(input_shape, num_classes: int, *, preset: str = "course", variant=None) -> keras.Model:
    """Return ResNet50, ending in logits (N, num_classes): 25,636,712 parameters with 1000 classes.

    The course network keeps the entry and the bottleneck blocks, one a stack: 14 layers with weights, and last maps
    of an eighth of the picture's side instead of a thirty-second.
    """
    course = preset == "course"
    momentum = 0.9 if course else 0.99
    pictures = keras.Input(input_shape, name="pictures")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(pictures)
    x = layers.Conv2D(24 if course else 64, 7, strides=2, name="conv1_conv")(x)  # (N, H/2, W/2, 64)
    x = normalise(x, momentum, name="conv1_bn")
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)  # (N, H/4, W/4, 64)
    for number, (maps, depth, stride) in enumerate(COURSE_STACKS if course else PAPER_STACKS, start=2):
        x = bottleneck(x, maps, stride=stride, project=True, momentum=momentum, name=f"conv{number}_block1")
        for index in range(2, depth + 1):
            x = bottleneck(x, maps, momentum=momentum, name=f"conv{number}_block{index}")
    x = layers.GlobalAveragePooling2D(name="features")(x)  # (N, 2048)
    if course:
        x = layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(pictures, layers.Dense(num_classes, name="logits")(x))


def bottleneck(x, maps: int, *, momentum: float, name: str, stride: int = 1, project: bool = False):
    """Return ReLU(shortcut + F(x)), (N, H / stride, W / stride, 4 * maps).

    F narrows by a 1 x 1, looks by a 3 x 3 and widens by a 1 x 1 convolution. The shortcut is x itself or, where the
    shape changes (`project`), a 1 x 1 convolution of it.
    """
    shortcut = x
    if project:
        shortcut = layers.Conv2D(4 * maps, 1, strides=stride, name=f"{name}_0_conv")(x)
        shortcut = normalise(shortcut, momentum, name=f"{name}_0_bn")
    x = layers.Conv2D(maps, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = normalise(x, momentum, name=f"{name}_1_bn")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = layers.Conv2D(maps, 3, padding="same", name=f"{name}_2_conv")(x)
    x = normalise(x, momentum, name=f"{name}_2_bn")
    x = layers.ReLU(name=f"{name}_2_relu")(x)
    x = layers.Conv2D(4 * maps, 1, name=f"{name}_3_conv")(x)
    x = normalise(x, momentum, name=f"{name}_3_bn")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=f"{name}_out")(x)


def normalise(x, momentum: float, *, name: str):
    """Batch normalisation with the epsilon of the published weights."""
    return layers.BatchNormalization(momentum=momentum, epsilon=1.001e-5, name=name)(x)
