"""Decision curves: whether acting on a model's probabilities would help, at every threshold of acting."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.intervals import LEVEL, resample_patients
from lumbar_utils.evaluation.predictions import Predictions

THRESHOLDS = tuple(np.arange(1, 100) / 100)


def decision_curve(
    predictions: Predictions, class_name, *, thresholds=THRESHOLDS, n_resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return the net benefit of acting where a class is probable, against acting on all or on none.

    class_name : one class, or several whose probabilities are added ("any disease"). thresholds : (T,)
    probabilities above 0 and below 1 from which one acts. Returns a row a threshold: threshold, model, all, and
    gain = model - max(all, 0) with gain_low and gain_high (bootstrap over patients, each threshold for itself,
    NaN for one patient). Acting on none has the net benefit 0.

    Net benefit = TP / N - FP / N * t / (1 - t), in true positives a picture (Vickers and Elkin 2006).
    """
    thresholds = np.asarray(thresholds, dtype=float)
    if thresholds.ndim != 1 or not np.all((thresholds > 0) & (thresholds < 1)):
        raise LumbarError(
            f"{predictions.model}: a threshold of a decision curve lies outside 0 to 1; give numbers such as 0.2."
        )
    chosen = _columns(predictions, class_name)
    positive = np.isin(predictions.labels, chosen)
    score = predictions.probabilities[:, chosen].sum(axis=1)
    harm = thresholds / (1 - thresholds)  # false positives that one true positive is worth
    worth = np.where(positive[:, None], 1.0, -harm)  # (N, T) of acting on a picture
    acted = worth * (score[:, None] >= thresholds)

    patients, patient = np.unique(predictions.patient_ids, return_inverse=True)
    sums = np.zeros((len(patients), 2 * len(thresholds)))
    np.add.at(sums, patient, np.hstack([acted, worth]))
    rows = np.bincount(patient)
    model, treat_all = np.split(sums.sum(axis=0) / len(predictions), 2)
    low = high = np.full(len(thresholds), np.nan)
    if len(patients) > 1:
        drawn = np.concatenate(
            [(w @ sums) / (w @ rows)[:, None] for w in resample_patients(len(patients), n_resamples, seed)]
        )
        of_model, of_all = np.split(drawn, 2, axis=1)
        gains = of_model - np.maximum(of_all, 0)
        low, high = np.quantile(gains, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "model": model,
            "all": treat_all,
            "gain": model - np.maximum(treat_all, 0),
            "gain_low": low,
            "gain_high": high,
        }
    )


def _columns(predictions: Predictions, class_name) -> list[int]:
    wanted = [class_name] if isinstance(class_name, str) else list(class_name)
    unknown = [name for name in wanted if name not in predictions.class_names]
    if unknown or not wanted:
        raise LumbarError(
            f"{predictions.model}: there is no class {' or '.join(map(str, unknown)) or 'named'}, only "
            f"{', '.join(predictions.class_names)}; name one or several of these."
        )
    chosen = [predictions.class_names.index(name) for name in wanted]
    n_with = int(np.isin(predictions.labels, chosen).sum())
    if n_with in (0, len(predictions)):
        raise LumbarError(
            f"{predictions.model}: {n_with} of {len(predictions)} pictures are labelled {' or '.join(wanted)}, and "
            "a decision curve wants some with and some without; choose another class or test set."
        )
    return chosen
