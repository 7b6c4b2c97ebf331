"""How each network of the zoo is trained: small pictures first, then whole ones, with one recipe for all."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pandas as pd

from ..models import build_model, mode_of
from ..preparation import scale_values
from ..training import SmallChanges, fit
from .export import round_weights
from .patients import Part

RECIPE = {
    "batch_size": 32,
    # A network first sees pictures of half the height and width, where a step costs a quarter, then whole ones, in
    # steps half as long: they shall refine what was learned (progressive resizing; Tan and Le, EfficientNetV2, 2021).
    "parts_of_size": (0.5, 1.0),
    "learning_rates": (5e-3, 2.5e-3),
    "warm_up": 0.1,
    # less than a lesson's: the columns already stand upright and in the middle
    "augment": {"rotation_degrees": 4.0, "shift": 0.03, "zoom": 0.06, "contrast": 0.15, "brightness": 0.08},
}
# At half size and at whole size; the networks that take longest stand first. Many patients, each seen few times: the
# VGG shown 6,000 of them 32 times learned them by heart. The slow networks get fewer epochs: by the time that
# a step of each was measured to take, the whole zoo needs some 70 minutes on two quiet cores, in two processes.
EPOCHS = {
    "densenet121": (10, 4),
    "involution_vgg16": (12, 5),
    "vgg16": (12, 6),
    "resnet50": (12, 6),
    "mobilenet": (12, 5),
    "alexnet": (10, 8),
    "cnn": (10, 8),
}
SLOWER_IN_BFLOAT16 = {"involution_vgg16", "mobilenet"}  # measured on a processor that has its instructions


def train_network(name: str, parts: dict[str, Part], epochs: tuple[int, int], precision: str, seed: int):
    """Return a network, its weights rounded as they ship, and the history of its training."""
    labels = {part: parts[part].dataset.labels for part in ("training", "validation")}
    keras.utils.set_random_seed(seed)
    weights, histories = None, []
    for stage, lasting in enumerate(epochs):
        if not lasting:
            continue
        x = {part: _at_size(parts[part].frames.pictures, RECIPE["parts_of_size"][stage]) for part in labels}
        model = build_model(
            name,
            input_shape=(*x["training"].shape[1:], 1),
            num_classes=len(parts["training"].dataset.class_names),
        )
        if weights is not None:
            model.set_weights(weights)
        history = fit(
            model,
            *((scale_values(x[part], mode=mode_of(model)), labels[part]) for part in labels),
            epochs=lasting,
            patience=lasting,
            batch_size=RECIPE["batch_size"],
            learning_rate=_schedule(
                -(-len(labels["training"]) // RECIPE["batch_size"]) * lasting, RECIPE["learning_rates"][stage]
            ),
            augment=SmallChanges(seed=seed + stage, **RECIPE["augment"]),
            seed=seed + stage,
            precision=precision,
            live=False,
        )
        weights = model.get_weights()
        histories.append(history.assign(height=x["training"].shape[1]))
    round_weights(model)
    return model, _joined(histories)


def _at_size(pictures: np.ndarray, part: float) -> np.ndarray:
    """Return (N, h, w) pictures of `part` of the height and width, each pixel the mean of those it replaces."""
    if part == 1:
        return pictures
    size = (round(pictures.shape[2] * part), round(pictures.shape[1] * part))
    return np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in pictures])


def _joined(histories: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the stages' histories as one, epochs counted on; the best epoch is the last stage's."""
    joined = pd.concat(histories, ignore_index=True)
    before = len(joined) - len(histories[-1])
    joined["epoch"] = np.arange(1, len(joined) + 1)
    attributes = [history.attrs for history in histories]
    joined.attrs = {
        "seconds": round(sum(each["seconds"] for each in attributes), 1),
        "peak_mb": attributes[-1]["peak_mb"],
        "best_epoch": before + attributes[-1]["best_epoch"],
        "stopped": attributes[-1]["stopped"],
    }
    return joined


def _schedule(steps: int, highest: float) -> keras.optimizers.schedules.CosineDecay:
    """Return a rate that rises to `highest` over the first tenth of the steps and then falls along a cosine."""
    warm_up = max(1, round(steps * RECIPE["warm_up"]))
    return keras.optimizers.schedules.CosineDecay(
        highest / 10, max(1, steps - warm_up), alpha=0.01, warmup_target=highest, warmup_steps=warm_up
    )
