"""Right and typical wrong answers of lesson 15, and the words that a wrong one must meet."""

import numpy as np


def scaled(evidence, *, axis=(1, 2)):
    peak = evidence.max(axis=axis, keepdims=True)
    return evidence / np.where(peak > 0, peak, 1)


def layer_cam(maps, gradients):
    return scaled((np.maximum(gradients, 0) * maps).sum(axis=-1))


def hires_cam(maps, gradients):
    return scaled(np.maximum((gradients * maps).sum(axis=-1), 0))


def grad_cam(maps, gradients):
    return scaled(np.maximum((gradients.mean(axis=(1, 2), keepdims=True) * maps).sum(axis=-1), 0))


def with_nan(maps, gradients):
    evidence = (np.maximum(gradients, 0) * maps).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return evidence / evidence.max(axis=(1, 2), keepdims=True)


RIGHT = [
    ("gradcam.sure", 0.25 / (0.99 * 0.01)),
    ("gradcam.ceiling", 48 / 1024),
    ("gradcam.layercam", layer_cam),
    ("gradcam.intervene", (0.05, 0.7)),
    ("gradcam.choose", (0.08, 0.07)),
    ("gradcam.choose", (0.07, 0.08)),
    ("gradcam.quiz", {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"}),
]
WRONG = [
    ("gradcam.sure", 0.0396, "upside down"),
    ("gradcam.sure", 0.0099, "at 0.5 by it"),
    ("gradcam.sure", 50, "1-p alone"),
    ("gradcam.sure", 1.98, "two probabilities"),
    ("gradcam.sure", 99, "odds"),
    ("gradcam.sure", 7, "0.99 · 0.01"),
    ("gradcam.ceiling", 48 / 224**2, "chance"),
    ("gradcam.ceiling", 1, "whole cell"),
    ("gradcam.ceiling", 1 / 49, "lesion's share of the cell"),
    ("gradcam.ceiling", 1024 / 48, "turned the fraction over"),
    ("gradcam.ceiling", 4.69, "percentage"),
    ("gradcam.ceiling", 1.5, "by a side"),
    ("gradcam.ceiling", 0.3, "count pixels"),
    ("gradcam.layercam", hires_cam, "HiResCAM"),
    ("gradcam.layercam", lambda maps, gradients: (gradients * maps).sum(axis=-1), "HiResCAM"),
    ("gradcam.layercam", grad_cam, "averaged the gradient"),
    ("gradcam.layercam", with_nan, "0 by 0"),
    ("gradcam.layercam", lambda maps, gradients: np.maximum(gradients, 0) * maps, "add them up"),
    (
        "gradcam.layercam",
        lambda maps, gradients: layer_cam(maps, gradients).max(axis=0),
        "a number for each cell",
    ),
    (
        "gradcam.layercam",
        lambda maps, gradients: (np.maximum(gradients, 0) * maps).sum(axis=-1),
        "its own maximum",
    ),
    (
        "gradcam.layercam",
        lambda maps, gradients: scaled((np.maximum(gradients, 0) * maps).sum(axis=-1), axis=(0, 1, 2)),
        "whole batch",
    ),
    ("gradcam.layercam", lambda maps, gradients: layer_cam(maps, np.abs(gradients)), "counts for it"),
    ("gradcam.layercam", lambda maps, gradients: layer_cam(np.ones_like(maps), gradients), "gradients alone"),
    ("gradcam.layercam", lambda maps, gradients: layer_cam(maps**2, gradients), "divide each picture"),
    ("gradcam.layercam", 0.5, "a function"),
    ("gradcam.intervene", (0.05, 0.05), "marked copy"),
    ("gradcam.intervene", (0.7, 0.05), "order asked"),
    ("gradcam.intervene", (4, 40), "between 0 and 1"),
    ("gradcam.choose", (0.08, 0.08), "other half"),
    ("gradcam.choose", (0.9, 0.8), "ceiling"),
    ("gradcam.choose", (0.01, 0.01001), "about chance"),
    ("gradcam.choose", (8, 7), "between 0 and 1"),
    ("gradcam.quiz", {"1": "a", "2": "c", "3": "a", "4": "b", "5": "a"}, "Question 5: deletion never"),
]
