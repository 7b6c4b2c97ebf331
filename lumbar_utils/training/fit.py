"""One function that trains any network of the course, with a live curve and honest refusals."""

from __future__ import annotations

import time

import keras
import numpy as np
import pandas as pd

from ..dataset import LumbarError
from ..memory import peak_memory_mb
from .arithmetic import PRECISIONS, reproducible, training_precision
from .callbacks import LiveCurve
from .inputs import Batches, LabelledPictures, check_ends_in_logits, labelled_pictures_for


def fit(
    model: keras.Model,
    train: LabelledPictures,
    validation: LabelledPictures,
    *,
    epochs: int = 100,
    batch_size: int = 16,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
    patience: int = 15,
    class_weight: str | None = "balanced",
    augment=None,
    seed: int = 0,
    precision: str = "float32",
    deterministic: bool = False,
    live: bool = True,
) -> pd.DataFrame:
    """Train `model` in place with Adam and cross-entropy, and leave it with its best weights.

    Parameters
    ----------
    model : ends in logits (N, K).
    train, validation : datasets, or (x, y) with x (N, H, W, C) prepared or (N, H, W) pictures, and y (N,) int.
    epochs, patience : at most `epochs`; stops after `patience` epochs without a lower validation loss.
    learning_rate : a number or a Keras schedule (counted in steps).
    class_weight : "balanced" weighs each class by N / (K * its count), None not at all.
    augment : a Keras layer or a function, (B, H, W, C) to the same shape, for training pictures only.
    seed : order of the pictures, dropout and augmentation; weights were drawn when the model was built.
    precision : "float32", or "bfloat16" to multiply in half the bits while training; weights, logits and loss stay
        float32. On a processor with bfloat16 instructions a step of wide 3 x 3 convolutions took half the time and
        that of the course's CNN two thirds, but one of depthwise convolutions a third more: measure it.
    deterministic : the same network, data and seed give the same history to the last bit, in this process and in
        the next, on the same machine with as many threads.
    live : show the curve while training (a line of text in a terminal).

    Returns
    -------
    DataFrame with columns epoch (from 1), loss, accuracy, val_loss, val_accuracy; its `.attrs` hold seconds,
    peak_mb (highest memory of this process so far), best_epoch, and stopped: "all epochs", "early" or
    "interrupted" (Ctrl-C or the stop button keeps what was learned).

    Raises
    ------
    LumbarError : before the first step for data that does not fit the network; later if the loss stops
        being a number.
    """
    check_ends_in_logits(model)
    if class_weight not in ("balanced", None):
        raise LumbarError(f"class_weight is {class_weight!r}; give 'balanced' or None.")
    if precision not in PRECISIONS:
        raise LumbarError(f"precision is {precision!r}; give {' or '.join(map(repr, PRECISIONS))}.")
    x, y = labelled_pictures_for(model, train, "training")
    validation_data = labelled_pictures_for(model, validation, "validation")

    keras.utils.set_random_seed(seed)
    compile_for(model, learning_rate)

    early = keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
    curve = LiveCurve(epochs, show=live)
    started, stopped = time.perf_counter(), "all epochs"
    try:
        with training_precision(model, precision), reproducible(deterministic):
            model.fit(
                Batches(x, y, batch_size=batch_size, augment=augment, seed=seed),
                validation_data=validation_data,
                validation_batch_size=64,
                epochs=epochs,
                class_weight=balanced_weights(y) if class_weight == "balanced" else None,
                callbacks=[early, keras.callbacks.TerminateOnNaN(), curve],
                verbose=0,
            )
        if early.stopped_epoch:
            stopped = "early"
    except KeyboardInterrupt:
        stopped = "interrupted"
        if early.best_weights is not None:
            model.set_weights(early.best_weights)
    history = curve.history
    if not np.isfinite(history[["loss", "val_loss"]].to_numpy(dtype=float)).all():
        raise LumbarError(
            f"The loss of {model.name} stopped being a number in epoch {len(history)}; lower learning_rate "
            f"(it was {learning_rate})."
        )
    history.attrs.update(
        seconds=round(time.perf_counter() - started, 1),
        peak_mb=round(peak_memory_mb()),
        best_epoch=int(history["epoch"][history["val_loss"].idxmin()]) if len(history) else 0,
        stopped=stopped,
    )
    return history


def compile_for(
    model: keras.Model, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule
) -> None:
    """Compile `model` for Adam, cross-entropy of logits and accuracy, so that its first step is traced once."""
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(
        optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    # Adam's moments made now and not inside the first step: else Keras traces that step twice.
    optimizer.build(model.trainable_variables)


def balanced_weights(y: np.ndarray) -> dict[int, float]:
    """Return the weight of each class that occurs, N / (K * count), so that all classes weigh the same in sum."""
    classes, counts = np.unique(y, return_counts=True)
    return {int(c): float(len(y) / (len(classes) * n)) for c, n in zip(classes, counts, strict=True)}
