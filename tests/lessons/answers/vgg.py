"""Right and typical wrong answers of lesson 06, and the words that a wrong one must meet."""

import numpy as np

from lumbar_utils.preparation import CAFFE_MEAN

MEANS = np.array(CAFFE_MEAN)[:, None]


def grey(kernel, bias):
    return 255 * kernel.sum(axis=2, keepdims=True), bias - (kernel * MEANS).sum(axis=(0, 1, 2))


def averaged(kernel, bias):
    return 255 * kernel.mean(axis=2, keepdims=True), bias - (kernel * MEANS).sum(axis=(0, 1, 2))


def without_255(kernel, bias):
    return kernel.sum(axis=2, keepdims=True), bias - (kernel * MEANS).sum(axis=(0, 1, 2))


def without_means(kernel, bias):
    return 255 * kernel.sum(axis=2, keepdims=True), bias


def wrong_sign(kernel, bias):
    return 255 * kernel.sum(axis=2, keepdims=True), bias + (kernel * MEANS).sum(axis=(0, 1, 2))


def without_the_axis(kernel, bias):
    return 255 * kernel.sum(axis=2), bias


RIGHT = [
    ("vgg.windows", 22 / 49),
    ("vgg.first_dense", 102_764_544),
    ("vgg.grey", grey),
    ("vgg.few", [0.4, 0.5, 0.6, 0.7]),
    ("vgg.few", [0.5, 0.45, 0.5, 0.45]),
    ("vgg.quiz", {"1": "b", "2": "a", "3": "c", "4": "b", "5": "c"}),
]
WRONG = [
    ("vgg.windows", 27 / 49, "remains"),
    ("vgg.windows", 7 / 25, "5 x 5"),
    ("vgg.windows", 22 / 27, "how much more"),
    ("vgg.windows", 40 / 49, "single 3 x 3"),
    ("vgg.windows", 44.9, "percentage"),
    ("vgg.first_dense", 102_760_448, "has a bias too"),
    ("vgg.first_dense", 14 * 14 * 512 * 4096 + 4096, "before the last pooling"),
    ("vgg.first_dense", 512 * 4096 + 4096, "one number a map"),
    ("vgg.first_dense", 25_088, "how many numbers go in"),
    ("vgg.grey", averaged, "three times too weak"),
    ("vgg.grey", without_255, "where is the 255"),
    ("vgg.grey", without_means, "means are missing"),
    ("vgg.grey", wrong_sign, "negative"),
    ("vgg.grey", without_the_axis, "keepdims"),
    ("vgg.few", [0.99, 0.99, 0.98, 1.0], "whom the head has learned"),
    ("vgg.few", [0.6, 0.6, 0.6, 0.6], "fitted anew"),
    ("vgg.few", [40, 50, 60, 70], "between 0 and 1"),
    ("vgg.quiz", {"1": "b", "2": "a", "3": "b", "4": "b", "5": "c"}, "Question 3: the network then sees"),
]
