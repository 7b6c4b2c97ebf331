"""From predictions to a report: every score on the test set and on resamples of its patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import calibration, metrics
from lumbar_utils.evaluation.intervals import (
    LEVEL,
    Estimate,
    is_point,
    mean_of,
    percentile,
    proportion,
    resample_patients,
    reversed_percentile,
    separated_auc,
)
from lumbar_utils.evaluation.predictions import Predictions
from lumbar_utils.evaluation.report import Report

_SEPARATED = "complete separation, where a bootstrap shrinks to a point"
_ALIKE = "all alike, where a bootstrap shrinks to a point; mean of the classes' limits"


def evaluate(predictions: Predictions, *, n_resamples: int = 2000, seed: int = 0) -> Report:
    """Return the scores of a model, overall, averaged and by class, with intervals.

    A share (accuracy, precision, recall, and F1 through the share hits / (hits + misses + false alarms)) has
    Wilson's interval where no patient counts twice, else a bootstrap over patients; all other scores always
    have the bootstrap. A class without pictures has no recall, F1 or AUC; the averages leave it out and `notes`
    says so. A class that no picture was taken for has no precision and counts 0 in the averages.
    """
    if n_resamples < 100:
        raise LumbarError(
            f"{predictions.model}: {n_resamples} resamples cannot give a {LEVEL:.0%} interval; ask for 100 or more."
        )
    names, n_classes = predictions.class_names, len(predictions.class_names)
    patients, patient = np.unique(predictions.patient_ids, return_inverse=True)
    n_patients = len(patients)
    by_patient = metrics.confusion_by_unit(
        predictions.labels, predictions.predicted, n_classes, patient, n_patients
    )  # (P, K, K)
    confusion = by_patient.sum(axis=0)
    errors = _errors_by_patient(predictions, patient, n_patients)
    resampled, areas, precisions, drawn_errors = _resample(
        predictions, patient, by_patient, errors, n_resamples, seed
    )
    present = np.flatnonzero(confusion.sum(axis=1))

    accuracy = proportion(
        np.trace(by_patient, axis1=1, axis2=2), by_patient.sum(axis=(1, 2)), metrics.accuracy(resampled)
    )
    auc_values, precision_values = metrics.areas_by_class(predictions.probabilities, predictions.labels)
    precision_values[np.isnan(auc_values)] = np.nan  # no picture with the class, or none without
    of_class = {
        "precision": _precisions(by_patient, resampled),
        "recall": _recalls(by_patient, resampled),
        "f1": _f1s(by_patient, resampled),
        "auc": _aucs(auc_values, by_patient, areas),
        "average_precision": _average_precisions(precision_values, precisions, n_patients),
    }
    averages = _averages(of_class, confusion, resampled, accuracy, n_patients)
    brier, nll = (
        percentile(float(sums.sum() / len(predictions)), drawn / drawn_errors[:, 0], n_patients)
        for sums, drawn in zip(errors[:, 1:3].T, drawn_errors[:, 1:3].T, strict=True)
    )
    gaps = [calibration.calibration_error(part[..., 3:].reshape(*part.shape[:-1], 3, -1))
            for part in (errors.sum(axis=0), drawn_errors)]  # fmt: skip

    by_chance = calibration.error_if_calibrated(predictions, seed=seed)
    support = {"support": confusion.sum(axis=1), "patients": (by_patient.sum(axis=2) > 0).sum(axis=0)}
    return Report(
        model=predictions.model,
        dataset=predictions.dataset,
        measured_on=predictions.measured_on,
        class_names=names,
        n_images=len(predictions),
        n_patients=n_patients,
        accuracy=accuracy,
        balanced_accuracy=averages["macro"]["recall"],
        macro_f1=averages["macro"]["f1"],
        auc=_macro_area(of_class["auc"], areas, present, n_patients),
        average_precision=_macro_area(of_class["average_precision"], precisions, present, n_patients),
        brier=brier,
        nll=nll,
        calibration_error=_calibration_error(float(gaps[0]), gaps[1], by_chance, n_patients),
        calibration_error_by_chance=by_chance,
        per_class=pd.DataFrame(support | _columns(of_class), index=pd.Index(names, name="class")),
        averages=pd.DataFrame(
            _columns({name: [row[name] for row in averages.values()] for name in averages["macro"]}),
            index=pd.Index(averages, name="average"),
        ),
        confusion=confusion,
        notes=_notes(predictions, confusion, n_patients),
    )


def _columns(estimates: dict[str, list[Estimate]]) -> dict[str, list[float]]:
    return {
        name + suffix: [getattr(estimate, part) for estimate in column]
        for name, column in estimates.items()
        for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high"))
    }


def _errors_by_patient(predictions, patient, n_patients) -> np.ndarray:
    """Return (P, 3 + 3 bins): rows, Brier, negative log-likelihood and the bins' counts, summed by patient."""
    by_row = (
        np.ones(len(predictions)),
        calibration.brier_by_row(predictions.probabilities, predictions.labels),
        calibration.nll_by_row(predictions.probabilities, predictions.labels),
    )
    sums = [np.bincount(patient, weights=row) for row in by_row]
    bins = calibration.bin_counts(predictions, patient, n_patients).reshape(n_patients, -1)
    return np.column_stack([*sums, bins])


def _resample(predictions, patient, by_patient, errors, n_resamples, seed):
    """Return confusion counts (B, K, K), AUCs and average precisions (B, K) and errors of resamples of patients."""
    n_patients, n_classes = len(by_patient), by_patient.shape[1]
    flat = by_patient.reshape(n_patients, -1).astype(float)
    counts, areas, precisions, drawn_errors = [], [], [], []
    for weights in resample_patients(n_patients, n_resamples, seed):
        counts.append((weights @ flat).reshape(-1, n_classes, n_classes))
        auc, precision = metrics.areas_by_class(
            predictions.probabilities, predictions.labels, weights[:, patient]
        )
        areas.append(auc)
        precisions.append(precision)
        drawn_errors.append(weights @ errors)
    return tuple(np.concatenate(parts) for parts in (counts, areas, precisions, drawn_errors))


def _by_class(successes, trials, resampled) -> list[Estimate]:
    return [proportion(successes[:, k], trials[:, k], resampled[:, k]) for k in range(successes.shape[1])]


def _precisions(by_patient, resampled) -> list[Estimate]:
    hits, _, predicted = metrics.class_counts(by_patient)
    return _by_class(hits, predicted, metrics.precision_recall_f1(resampled)[0])


def _recalls(by_patient, resampled) -> list[Estimate]:
    hits, labelled, _ = metrics.class_counts(by_patient)
    return _by_class(hits, labelled, metrics.precision_recall_f1(resampled)[1])


def _f1s(by_patient, resampled) -> list[Estimate]:
    """F1 = 2 J / (1 + J) rises with J = hits / (labelled or predicted), a share whose limits are known."""
    hits, labelled, predicted = metrics.class_counts(by_patient)
    f1 = metrics.precision_recall_f1(resampled)[2]
    shares = _by_class(hits, labelled + predicted - hits, f1 / (2 - f1))
    rise = lambda share: 2 * share / (1 + share)
    return [
        Estimate(rise(e.value), rise(e.low), rise(e.high), e.method)
        if labelled[:, k].any()
        else Estimate(np.nan, np.nan, np.nan, "not defined: no picture of this class")
        for k, e in enumerate(shares)
    ]


def _aucs(values, by_patient, areas) -> list[Estimate]:
    labelled = by_patient.sum(axis=2)  # (P, K)
    n_with = (labelled > 0).sum(axis=0)
    n_without = (labelled.sum(axis=1, keepdims=True) > labelled).sum(axis=0)
    return [
        separated_auc(value, n_with[k], n_without[k], len(by_patient))
        if value in (0, 1)
        else percentile(value, areas[:, k], len(by_patient))
        for k, value in enumerate(values.tolist())
    ]


def _average_precisions(values, resampled, n_patients) -> list[Estimate]:
    return [
        Estimate(1.0, np.nan, np.nan, f"no interval: {_SEPARATED}; see the AUC")
        if value == 1
        else percentile(value, resampled[:, k], n_patients)
        for k, value in enumerate(values.tolist())
    ]


def _averages(of_class, confusion, resampled, accuracy, n_patients) -> dict[str, dict[str, Estimate]]:
    """Return {"macro": ..., "weighted": ...} of precision, recall and F1; weighted recall is the accuracy."""
    support = confusion.sum(axis=1)
    present = np.flatnonzero(support)
    labelled = metrics.class_counts(resampled)[1]
    complete = (labelled[:, present] > 0).all(axis=1)
    found = {"macro": {}, "weighted": {}}
    drawn = dict(zip(("precision", "recall", "f1"), metrics.precision_recall_f1(resampled), strict=True))
    own = dict(zip(drawn, metrics.precision_recall_f1(confusion), strict=True))
    for name in drawn:
        values = metrics.averages(own[name], support)
        spread = metrics.averages(drawn[name], labelled)
        for k, kind in enumerate(found):
            resamples = spread[k] if k else np.where(complete, spread[k], np.nan)
            estimate = percentile(float(values[k]), resamples, n_patients)
            if n_patients > 1 and (accuracy.value in (0, 1) or is_point(resamples)):
                chosen, weights = [of_class[name][j] for j in present], support[present] if k else None
                estimate = replace(mean_of(chosen, _ALIKE, weights), value=estimate.value)
            found[kind][name] = estimate
    found["weighted"]["recall"] = accuracy
    return found


def _macro_area(of_class, areas, present, n_patients) -> Estimate:
    if len(present) < 2:
        return Estimate(np.nan, np.nan, np.nan, "not defined: all pictures are of one class")
    chosen = [of_class[k] for k in present]
    if all(e.value == 1 for e in chosen) or all(e.value == 0 for e in chosen):
        limits = mean_of(chosen, f"{_SEPARATED}; mean of the classes' limits")
        return limits if np.isfinite(limits.low) else chosen[0]
    return percentile(float(np.mean([e.value for e in chosen])), areas[:, present].mean(axis=1), n_patients)


def _calibration_error(value, resampled, by_chance, n_patients) -> Estimate:
    """An error that chance alone may bring about has 0 as its lower limit."""
    found = reversed_percentile(value, resampled, n_patients)
    low = 0.0 if found.low > 0 and value <= by_chance else found.low
    return replace(found, low=low, method=f"{found.method}; a calibrated model stays under {by_chance:.3f}")


def _notes(predictions, confusion, n_patients) -> tuple[str, ...]:
    names, notes = np.array(predictions.class_names), []
    labelled, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    absent = names[labelled == 0]
    if len(absent):
        notes.append(
            f"No picture is labelled {' or '.join(absent)}: recall, F1 and AUC are not defined there, and the "
            "averages leave it out."
        )
    never = names[(predicted == 0) & (labelled > 0)]
    if len(never):
        notes.append(
            f"No picture was taken for {' or '.join(never)}: precision is not defined there, and counts 0 in the "
            "averages."
        )
    if (labelled > 0).sum() == 1:
        notes.append(f"All pictures are labelled {names[labelled > 0][0]}: no AUC can be computed.")
    if np.trace(confusion) == len(predictions):
        notes.append(
            "Every picture is right, and the intervals of the Brier score, the log-likelihood and the calibration "
            "error cannot foresee a first mistake."
        )
    if n_patients == 1:
        notes.append("All pictures are of one patient: they say nothing about the next one.")
    return tuple(notes)
