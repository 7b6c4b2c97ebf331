"""What one set of predictions says about its model, as text, HTML and plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

import numpy as np
import pandas as pd

from lumbar_utils.evaluation.intervals import LEVEL, Estimate
from lumbar_utils.evaluation.page import page, table

_OF_CLASS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "auc": "AUC",
    "average_precision": "average precision",
}


@dataclass(frozen=True)
class Report:
    """Scores of one model on one test set, each an `Estimate` with its interval.

    Attributes
    ----------
    accuracy, macro_f1, auc : the AUC is the mean of the classes' one-against-rest AUCs.
    balanced_accuracy : the mean of the classes' recalls.
    average_precision : the mean over classes of the area under the precision-recall curve.
    brier : squared error of the probabilities summed over classes, 0 to 2. nll : natural log.
    calibration_error : ECE in 10 bins of the highest probability; `calibration_error_by_chance` is what a
        perfectly calibrated model stays under in 95 of 100 such test sets.
    per_class : one row a class: support and patients, then precision, recall, f1, auc and average_precision,
        each with `_low` and `_high` (NaN where not defined).
    averages : rows macro and weighted (by support), columns precision, recall, f1 with `_low` and `_high`.
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
    balanced_accuracy: Estimate
    macro_f1: Estimate
    auc: Estimate
    average_precision: Estimate
    brier: Estimate
    nll: Estimate
    calibration_error: Estimate
    calibration_error_by_chance: float
    per_class: pd.DataFrame = field(repr=False)
    averages: pd.DataFrame = field(repr=False)
    confusion: np.ndarray = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, Estimate]:
        """The three scores that stand for the others, by the name to show."""
        return {"accuracy": self.accuracy, "macro F1": self.macro_f1, "macro AUC": self.auc}

    @property
    def all_scores(self) -> dict[str, Estimate]:
        """Every overall score by the name to show."""
        return {
            "accuracy": self.accuracy,
            "balanced accuracy": self.balanced_accuracy,
            "macro F1": self.macro_f1,
            "macro AUC": self.auc,
            "macro average precision": self.average_precision,
            "Brier score (0 to 2)": self.brier,
            "negative log-likelihood": self.nll,
            "calibration error (ECE)": self.calibration_error,
        }

    @property
    def heading(self) -> str:
        """What was measured on what, in one line."""
        return (
            f"{self.model} on {self.dataset}, measured on {self.measured_on}: {self.n_images} pictures of "
            f"{self.n_patients} patient{'s' if self.n_patients > 1 else ''}, {LEVEL:.0%} intervals"
        )

    def table(self) -> pd.DataFrame:
        """Return the scores by class as text, ready to show."""
        pictures = {"pictures": self.per_class["support"].astype(str)}
        return pd.DataFrame(pictures | _as_text(self.per_class), index=self.per_class.index)

    def confusion_table(self) -> pd.DataFrame:
        """Return the confusion matrix with the names of its classes."""
        rows = pd.Index([f"is {name}" for name in self.class_names])
        return pd.DataFrame(self.confusion, rows, [f"taken for {name}" for name in self.class_names])

    def to_dict(self) -> dict:
        """Return plain values for JSON; what is not defined is None."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "measured_on": self.measured_on,
            "class_names": list(self.class_names),
            "n_images": self.n_images,
            "n_patients": self.n_patients,
            "accuracy": self.accuracy.to_dict(),
            "balanced_accuracy": self.balanced_accuracy.to_dict(),
            "macro_f1": self.macro_f1.to_dict(),
            "auc": self.auc.to_dict(),
            "average_precision": self.average_precision.to_dict(),
            "brier": self.brier.to_dict(),
            "nll": self.nll.to_dict(),
            "calibration_error": self.calibration_error.to_dict(),
            "calibration_error_by_chance": self.calibration_error_by_chance,
            "per_class": _plain(self.per_class),
            "averages": _plain(self.averages),
            "confusion": self.confusion.tolist(),
            "notes": list(self.notes),
        }

    def to_html(self) -> str:
        """Return the report as a page of its own."""
        return page(f"{self.model} on {self.dataset}", self._repr_html_())

    def __str__(self) -> str:
        lines = [self.heading]
        lines += [f"  {name:<24} {score}  ({score.method})" for name, score in self.all_scores.items()]
        tables = (self.table(), self._averages(), self.confusion_table())
        blocks = [frame.rename_axis(None).to_string() for frame in tables]
        return "\n\n".join(["\n".join(lines), *blocks, *self.notes])

    def _repr_html_(self) -> str:
        rows = [(name, score, score.method) for name, score in self.all_scores.items()]
        return "".join(
            [
                table(self.heading, ("score", "value", "interval"), rows),
                _frame("By class, one against the rest", self.table()),
                _frame("Averages over classes", self._averages()),
                _frame("Confusion matrix, pictures", self.confusion_table()),
                *(f"<p>{escape(note)}</p>" for note in self.notes),
            ]
        )

    def _averages(self) -> pd.DataFrame:
        return pd.DataFrame(_as_text(self.averages), index=self.averages.index)


def _as_text(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return value, low and high as one text a cell, by the name to show."""
    return {
        shown: [
            str(Estimate(*row, method="")) for row in frame[[name, f"{name}_low", f"{name}_high"]].to_numpy()
        ]
        for name, shown in _OF_CLASS.items()
        if name in frame
    }


def _plain(frame: pd.DataFrame) -> dict:
    return frame.astype(object).where(frame.notna(), None).to_dict(orient="index")


def _frame(caption: str, frame: pd.DataFrame) -> str:
    return table(caption, ("", *frame.columns), frame.itertuples())
