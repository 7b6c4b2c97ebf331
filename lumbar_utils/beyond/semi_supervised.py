"""Learning from few labelled and many unlabelled pictures: FixMatch, and what SeCoFixMatch's abstract adds to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import pandas as pd

from ..dataset import LumbarDataset, LumbarError
from ..memory import peak_memory_mb
from ..training.arithmetic import reproducible
from ..training.callbacks import LiveCurve
from ..training.fit import balanced_weights
from ..training.inputs import LabelledPictures, check_ends_in_logits, labelled_pictures_for, pictures_for
from ..training.predict import predict
from .semi_step import Learner
from .weak_strong import StrongChanges, weak_changes

METHODS = ("supervised", "fixmatch", "secofixmatch")
_EXTRA = ["unlabelled_loss", "accepted", "pseudo_accuracy"]
Change = Callable[[np.ndarray], np.ndarray]


def fit_semi_supervised(
    model: keras.Model,
    labelled: LabelledPictures,
    unlabelled: LumbarDataset | np.ndarray,
    validation: LabelledPictures | None = None,
    *,
    method: str = "fixmatch",
    truth: np.ndarray | None = None,
    epochs: int = 15,
    steps_per_epoch: int = 100,
    batch_size: int = 16,
    mu: int = 3,
    learning_rate: float = 2e-3,
    threshold: float = 0.95,
    max_uncertainty: float = 0.4,
    ema: float = 0.99,
    weak: Change | None = None,
    strong: Change | None = None,
    seed: int = 0,
    deterministic: bool = False,
    live: bool = True,
) -> pd.DataFrame:
    """Train `model` in place for a fixed number of steps, and leave it with the moving mean of its weights.

    FixMatch (Sohn et al., NeurIPS 2020) takes what the network is sure of on a weakly changed picture for its label,
    and teaches this label on a strongly changed copy. "secofixmatch" also asks for little Dirichlet uncertainty, and
    draws accepted pictures towards labelled ones of their class; only the abstract of SeCoFixMatch (Hai et al., Comput
    Biol Med 2024;178:108754) is public, so its formulas, weights and thresholds are ours. "supervised" takes the same
    steps on the labelled pictures alone, each changed weakly and strongly: what strong changes bring is in it too. No
    epoch is chosen: with few labels there is nobody to choose by.

    Unlike the published FixMatch: Adam, not SGD; few unlabelled pictures a step; weak copies are labelled without
    dropout and by the running means of batch normalisation.

    Parameters
    ----------
    model : ends in logits (N, K).
    labelled : a dataset, or (x, y), as in `fit`. Rare classes weigh more, as in `fit`.
    unlabelled : a dataset, whose labels are *not* looked at, or pictures.
    validation : watched, never used; its losses stand in the history.
    truth : (M,) labels of the unlabelled, where a study knows them, only to measure how many pseudo-labels are right.
    epochs, steps_per_epoch : the history has a row an epoch.
    batch_size, mu : labelled pictures a step, and unlabelled ones a labelled one.
    learning_rate : of Adam; it falls along 7/16 of a cosine's period.
    threshold : least probability of a pseudo-label. max_uncertainty : see `dirichlet_uncertainty`, for "secofixmatch".
    ema : of the moving mean of weights, which starts shorter.
    weak, strong : functions on (B, H, W, C); by default `weak_changes` and `StrongChanges`.
    seed : order of the pictures, changes, dropout. deterministic : the same to the last bit, as in `fit`.
    live : show the curve while training, where there is a validation set.

    Returns
    -------
    DataFrame as of `fit`, and the columns unlabelled_loss, accepted (share of pseudo-labels taken) and
    pseudo_accuracy (share of these that are right; nan without `truth`, or where none was taken). `loss` is that of
    the labelled pictures; val_loss and val_accuracy are of the moving mean. `.attrs`: method, seconds, peak_mb,
    steps, stopped ("all epochs" or "interrupted").

    Raises
    ------
    LumbarError : another method or number than described, data that do not fit the network, a class without a
        labelled picture, a loss that stops being a number.
    """
    _check_recipe(method, threshold, max_uncertainty, ema, (epochs, steps_per_epoch, batch_size, mu))
    check_ends_in_logits(model)
    x, y = labelled_pictures_for(model, labelled, "labelled")
    _check_every_class_is_labelled(model, y)
    pictures = _unlabelled_for(model, unlabelled, truth)
    watched = None if validation is None else labelled_pictures_for(model, validation, "validation")

    keras.utils.set_random_seed(seed)
    learner = Learner(
        model,
        [balanced_weights(y)[k] for k in range(model.output_shape[-1])],
        steps=epochs * steps_per_epoch,
        learning_rate=learning_rate,
        threshold=threshold,
        max_uncertainty=max_uncertainty if method == "secofixmatch" else None,
        semantic=method == "secofixmatch",
        ema=ema,
    )
    weak, strong = weak or weak_changes(seed), strong or StrongChanges(seed=seed)
    changes = (weak, strong) if method == "supervised" else (weak,)
    known = _labelled_batches(x, y, batch_size, changes, seed)
    unknown = _unlabelled_batches(pictures, mu * batch_size, weak, strong, seed + 1)
    curve, extras = LiveCurve(epochs, show=live and watched is not None), []
    started, stopped = time.perf_counter(), "all epochs"
    try:
        with reproducible(deterministic):
            for epoch in range(epochs):
                if method == "supervised":
                    row = _labelled_epoch(learner, known, steps_per_epoch)
                else:
                    row = _epoch(learner, known, unknown, steps_per_epoch, truth)
                if not np.isfinite(row["loss"]):
                    raise LumbarError(
                        f"The loss of {model.name} stopped being a number in epoch {epoch + 1}; lower learning_rate "
                        f"(it was {learning_rate})."
                    )
                extras.append({name: row.pop(name) for name in _EXTRA})
                curve.on_epoch_end(epoch, row | _watch(model, learner, watched))
    except KeyboardInterrupt:
        stopped = "interrupted"
    model.set_weights(learner.mean_weights())
    curve.on_train_end()
    history = curve.history.join(pd.DataFrame(extras[: len(curve.history)], columns=_EXTRA))
    history.attrs.update(
        method=method,
        seconds=round(time.perf_counter() - started, 1),
        peak_mb=round(peak_memory_mb()),
        steps=len(history) * steps_per_epoch,
        stopped=stopped,
    )
    return history


def _labelled_epoch(learner: Learner, known: Iterator, steps: int) -> dict[str, float]:
    sums = np.zeros(2)
    for _ in range(steps):
        sums += [float(each) for each in learner.learn_labelled(*next(known))]
    return dict(zip(("loss", "accuracy"), sums / steps, strict=True)) | dict.fromkeys(_EXTRA, np.nan)


def _epoch(learner: Learner, known: Iterator, unknown: Iterator, steps: int, truth) -> dict[str, float]:
    """Take the steps of an epoch; return its means."""
    sums, taken, right, seen = np.zeros(3), 0, 0, 0
    for _ in range(steps):
        rows, weak, strong = next(unknown)
        *means, guesses, accepted = learner.learn(*next(known), weak, strong)
        sums += [float(each) for each in means]
        accepted = accepted.numpy() > 0
        taken, seen = taken + accepted.sum(), seen + len(rows)
        if truth is not None:
            right += np.sum(accepted & (guesses.numpy() == np.asarray(truth)[rows]))
    return dict(zip(("loss", "accuracy", "unlabelled_loss"), sums / steps, strict=True)) | {
        "accepted": taken / seen,
        "pseudo_accuracy": right / taken if taken and truth is not None else np.nan,
    }


def _watch(model: keras.Model, learner: Learner, watched) -> dict[str, float]:
    """Return loss and accuracy of the moving mean on the validation set; the weights stay as they are."""
    if watched is None:
        return {"val_loss": np.nan, "val_accuracy": np.nan}
    x, y = watched
    own = model.get_weights()
    model.set_weights(learner.mean_weights())
    probabilities = predict(model, x, batch_size=64)
    model.set_weights(own)
    of_truth = np.maximum(probabilities[np.arange(len(y)), y], 1e-12)
    return {"val_loss": -np.log(of_truth).mean(), "val_accuracy": np.mean(probabilities.argmax(axis=1) == y)}


def _labelled_batches(x, y, size: int, changes: tuple[Change, ...], seed: int) -> Iterator[tuple]:
    """Yield each batch once in each way of changing it."""
    for rows in _rows(len(x), size, seed):
        yield np.concatenate([change(x[rows]) for change in changes]), np.tile(y[rows], len(changes))


def _unlabelled_batches(pictures, size: int, weak: Change, strong: Change, seed: int) -> Iterator[tuple]:
    for rows in _rows(len(pictures), size, seed):
        yield rows, weak(pictures[rows]), strong(pictures[rows])


def _rows(n: int, size: int, seed: int) -> Iterator[np.ndarray]:
    """Yield `size` rows at a time for ever: all of them in a new order, then all again; every batch is full."""
    rng, queue = np.random.default_rng(seed), np.empty(0, int)
    while True:
        while len(queue) < size:
            queue = np.concatenate([queue, rng.permutation(n)])
        yield queue[:size]
        queue = queue[size:]


def _unlabelled_for(model: keras.Model, unlabelled, truth) -> np.ndarray:
    x = pictures_for(model, unlabelled)
    if len(x) == 0:
        raise LumbarError("There is no unlabelled picture; give some, or train with fit.")
    broken = np.flatnonzero(~np.isfinite(x).all(axis=tuple(range(1, x.ndim))))
    if len(broken):
        raise LumbarError(
            f"{len(broken)} of {len(x)} unlabelled pictures hold NaN or infinite values (first in row {broken[0]}); "
            "drop or repair them before fitting."
        )
    if truth is not None and len(truth) != len(x):
        raise LumbarError(
            f"There are {len(truth)} true labels for {len(x)} unlabelled pictures; give one a picture, or none at all."
        )
    return x


def _check_every_class_is_labelled(model: keras.Model, y: np.ndarray) -> None:
    absent = sorted(set(range(model.output_shape[-1])) - set(y.tolist()))
    if absent:
        raise LumbarError(
            f"No labelled picture is of class {', '.join(map(str, absent))}, and pseudo-labels cannot invent it; label "
            "at least one picture of every class."
        )


def _check_recipe(method, threshold, max_uncertainty, ema, counts) -> None:
    if method not in METHODS:
        raise LumbarError(f"There is no method {method!r}; choose one of {', '.join(METHODS)}.")
    for name, value in (("threshold", threshold), ("max_uncertainty", max_uncertainty), ("ema", ema)):
        if not 0 <= value <= 1:
            raise LumbarError(f"{name} is {value:g}, wanted a number from 0 to 1.")
    if min(counts) < 1:
        raise LumbarError(
            f"epochs, steps_per_epoch, batch_size and mu are {', '.join(map(str, counts))}; give 1 or more of each."
        )
