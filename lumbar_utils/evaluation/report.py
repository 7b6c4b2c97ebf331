"""Everything that may be said about one set of predictions, each number with its interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

import numpy as np
import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import metrics
from lumbar_utils.evaluation.intervals import (
    LEVEL,
    Estimate,
    mean_of,
    percentile,
    proportion,
    resample_patients,
    separated_auc,
)
from lumbar_utils.evaluation.predictions import Predictions


@dataclass(frozen=True)
class Report:
    """Scores of one model on one test set.

    Attributes
    ----------
    accuracy, macro_f1, auc : `Estimate`; the AUC is the mean of the classes' one-against-rest AUCs.
    per_class : one row a class: support and patients, then precision, recall, f1 and auc, each with
        `_low` and `_high` (NaN where not defined).
    confusion : (K, K) int; row = true class, column = predicted class.
    notes : what could not be said, and why.
    """

    model: str
    dataset: str
    measured_on: str
    class_names: tuple[str, ...]
    n_images: int
    n_patients: int
    accuracy: Estimate
    macro_f1: Estimate
    auc: Estimate
    per_class: pd.DataFrame = field(repr=False)
    confusion: np.ndarray = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, Estimate]:
        """The three overall scores by the name to show."""
        return {"accuracy": self.accuracy, "macro F1": self.macro_f1, "macro AUC": self.auc}

    @property
    def heading(self) -> str:
        """What was measured on what, in one line."""
        return (
            f"{self.model} on {self.dataset}, measured on {self.measured_on}: {self.n_images} pictures of "
            f"{self.n_patients} patients, {LEVEL:.0%} intervals"
        )

    def table(self) -> pd.DataFrame:
        """Return the scores by class as text, ready to show."""
        text = {"pictures": self.per_class["support"].astype(str)}
        for name in ("precision", "recall", "f1", "auc"):
            columns = self.per_class[[name, f"{name}_low", f"{name}_high"]].to_numpy()
            text[name] = [str(Estimate(*row, method="")) for row in columns]
        return pd.DataFrame(text, index=self.per_class.index)

    def to_dict(self) -> dict:
        """Return plain values for JSON; what is not defined is None."""
        rows = self.per_class.astype(object).where(self.per_class.notna(), None)
        return {
            "model": self.model,
            "dataset": self.dataset,
            "measured_on": self.measured_on,
            "class_names": list(self.class_names),
            "n_images": self.n_images,
            "n_patients": self.n_patients,
            "accuracy": self.accuracy.to_dict(),
            "macro_f1": self.macro_f1.to_dict(),
            "auc": self.auc.to_dict(),
            "per_class": rows.to_dict(orient="index"),
            "confusion": self.confusion.tolist(),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [self.heading]
        lines += [f"  {name:<10} {score}  ({score.method})" for name, score in self.scores.items()]
        return "\n".join([*lines, self.table().to_string(), *self.notes])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{name}</th><td>{score}</td><td>{escape(score.method)}</td></tr>"
            for name, score in self.scores.items()
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"<table><caption>{escape(self.heading)}</caption><tr><th scope='col'>score</th>"
            f"<th scope='col'>value</th><th scope='col'>interval</th></tr>{rows}</table>"
            f"{self.table().to_html()}{notes}"
        )


def evaluate(predictions: Predictions, *, n_resamples: int = 2000, seed: int = 0) -> Report:
    """Return accuracy, macro F1, macro AUC and the scores of each class, with intervals.

    A share (accuracy, precision, recall, and F1 through the share hits / (hits + misses + false alarms)) has
    Wilson's interval where no patient counts twice, else a bootstrap over patients; macro F1 and AUC always
    have the bootstrap. A class without pictures has no recall, F1 or AUC; the macro scores leave it out and
    `notes` says so.
    """
    if n_resamples < 100:
        raise LumbarError(
            f"{predictions.model}: {n_resamples} resamples cannot give a {LEVEL:.0%} interval; ask for 100 or more."
        )
    names, n_classes = predictions.class_names, len(predictions.class_names)
    patients, patient = np.unique(predictions.patient_ids, return_inverse=True)
    by_patient = metrics.confusion_by_unit(
        predictions.labels, predictions.predicted, n_classes, patient, len(patients)
    )  # (P, K, K)
    confusion = by_patient.sum(axis=0)
    resampled, areas = _resample(predictions, patient, by_patient, n_resamples, seed)
    present = np.flatnonzero(confusion.sum(axis=1))

    accuracy = proportion(
        np.trace(by_patient, axis1=1, axis2=2), by_patient.sum(axis=(1, 2)), metrics.accuracy(resampled)
    )
    of_class = {
        "precision": _precisions(by_patient, resampled),
        "recall": _recalls(by_patient, resampled),
        "f1": _f1s(by_patient, resampled),
        "auc": _aucs(predictions, by_patient, areas),
    }
    macro_f1 = _macro_f1([of_class["f1"][k] for k in present], present, resampled, accuracy, len(patients))
    auc = _macro_auc(of_class["auc"], areas, present, len(patients))

    support = {"support": confusion.sum(axis=1), "patients": (by_patient.sum(axis=2) > 0).sum(axis=0)}
    columns = {
        name + suffix: [getattr(estimate, part) for estimate in estimates]
        for name, estimates in of_class.items()
        for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    return Report(
        model=predictions.model,
        dataset=predictions.dataset,
        measured_on=predictions.measured_on,
        class_names=names,
        n_images=len(predictions),
        n_patients=len(patients),
        accuracy=accuracy,
        macro_f1=macro_f1,
        auc=auc,
        per_class=pd.DataFrame(support | columns, index=pd.Index(names, name="class")),
        confusion=confusion,
        notes=_notes(names, present, len(patients)),
    )


def _resample(predictions, patient, by_patient, n_resamples, seed):
    """Return confusion counts (B, K, K) and AUCs (B, K) of resamples of patients."""
    n_patients, n_classes = len(by_patient), by_patient.shape[1]
    flat = by_patient.reshape(n_patients, -1).astype(float)
    counts, areas = [], []
    for weights in resample_patients(n_patients, n_resamples, seed):
        counts.append((weights @ flat).reshape(-1, n_classes, n_classes))
        areas.append(metrics.auc_by_class(predictions.probabilities, predictions.labels, weights[:, patient]))
    return np.concatenate(counts), np.concatenate(areas)


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


def _aucs(predictions, by_patient, areas) -> list[Estimate]:
    labelled = by_patient.sum(axis=2)  # (P, K)
    n_with = (labelled > 0).sum(axis=0)
    n_without = (labelled.sum(axis=1, keepdims=True) > labelled).sum(axis=0)
    values = metrics.auc_by_class(predictions.probabilities, predictions.labels)
    return [
        separated_auc(value, n_with[k], n_without[k], len(by_patient))
        if value in (0, 1)
        else percentile(value, areas[:, k], len(by_patient))
        for k, value in enumerate(values.tolist())
    ]


def _macro_f1(of_class, present, resampled, accuracy, n_patients) -> Estimate:
    if accuracy.value in (0, 1):
        return mean_of(
            of_class, "all alike, where a bootstrap shrinks to a point; mean of the classes' limits"
        )
    labelled = metrics.class_counts(resampled)[1][:, present]
    f1 = metrics.precision_recall_f1(resampled)[2][:, present]
    macro = np.where(labelled > 0, f1, np.nan).mean(axis=1)
    return percentile(float(np.mean([e.value for e in of_class])), macro, n_patients)


def _macro_auc(of_class, areas, present, n_patients) -> Estimate:
    if len(present) < 2:
        return Estimate(np.nan, np.nan, np.nan, "not defined: all pictures are of one class")
    chosen = [of_class[k] for k in present]
    if all(e.value == 1 for e in chosen) or all(e.value == 0 for e in chosen):
        method = "complete separation, where a bootstrap shrinks to a point; mean of the classes' limits"
        return mean_of(chosen, method)
    return percentile(float(np.mean([e.value for e in chosen])), areas[:, present].mean(axis=1), n_patients)


def _notes(names, present, n_patients) -> tuple[str, ...]:
    notes = []
    absent = [name for k, name in enumerate(names) if k not in present]
    if absent:
        notes.append(
            f"No picture is labelled {' or '.join(absent)}: recall, F1 and AUC are not defined there, and the "
            "macro scores leave it out."
        )
    if len(present) == 1:
        notes.append(f"All pictures are labelled {names[present[0]]}: no AUC can be computed.")
    if n_patients == 1:
        notes.append("All pictures are of one patient: they say nothing about the next one.")
    return tuple(notes)
