"""The end that all course networks share, from the last maps to the logits."""

import keras
import numpy as np
from keras import layers


def course_head(x, num_classes: int):
    """Return logits (N, num_classes) from the last maps (N, h, w, C): pooled, standardised, one dense layer.

    A lesion fills two or three cells of some hundred and moves the mean of its map a little. Divided by how much that
    mean varies from picture to picture, it counts as much as the rest; without, the dense layer's weights would have to
    grow for thousands of steps. There is nothing to learn in the standardisation that the dense layer could not.
    """
    x = layers.GlobalAveragePooling2D(name="features")(x)  # (N, C)
    x = layers.BatchNormalization(momentum=0.9, center=False, scale=False, name="standardised")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    return layers.Dense(num_classes, name="logits")(x)


def head_kernel(model: keras.Model) -> np.ndarray:
    """Return (C, K) float32: what the mean of each of the last maps adds to each logit.

    Between pooling and logits stands nothing but a standardisation and a dense layer, so that is all there is to know.
    """
    pooled = model.get_layer("features").output
    head = keras.Model(pooled, model.outputs[0])
    means = np.concatenate([np.zeros((1, pooled.shape[-1])), np.eye(pooled.shape[-1])]).astype(np.float32)
    logits = keras.ops.convert_to_numpy(head(means, training=False))
    return logits[1:] - logits[:1]
