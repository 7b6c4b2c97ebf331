"""Predictions as they are stored: what a model said about which patient, where, and how it came about."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lumbar_utils.dataset import LumbarDataset, LumbarError
from lumbar_utils.paths import write_whole

MEASURED_ON = ("phantoms", "real pictures")
_DECIMALS = 5


@dataclass(frozen=True)
class Predictions:
    """Probabilities of one model on one test set.

    Attributes
    ----------
    labels : (N,) int, the truth as an index into `class_names`.
    probabilities : (N, K) float, each row sums to 1.
    class_names : K names, in the order of the columns.
    patient_ids : (N,) str, the unit of every interval.
    model : the name to show.
    dataset : what the model was tested on.
    measured_on : "phantoms" or "real pictures".
    provenance : how the numbers came about (seeds, versions, fingerprints); plain JSON values.
    """

    labels: np.ndarray
    probabilities: np.ndarray = field(repr=False)
    class_names: tuple[str, ...]
    patient_ids: np.ndarray = field(repr=False)
    model: str
    dataset: str
    measured_on: str
    provenance: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "labels", np.asarray(self.labels, dtype=np.int64))
        object.__setattr__(self, "probabilities", np.asarray(self.probabilities, dtype=np.float64))
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "patient_ids", np.asarray(self.patient_ids, dtype=np.str_))
        self.check()

    @classmethod
    def of_dataset(
        cls, dataset: LumbarDataset, probabilities, *, model: str, measured_on: str, provenance: dict
    ) -> Predictions:
        """Return what `model` says of every row of a dataset; its fingerprint joins the provenance."""
        return cls(
            labels=dataset.labels,
            probabilities=probabilities,
            class_names=dataset.class_names,
            patient_ids=dataset.patient_ids,
            model=model,
            dataset=dataset.name,
            measured_on=measured_on,
            provenance={"dataset_fingerprint": dataset.fingerprint(), **provenance},
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return (
            f"Predictions({self.model!r} on {self.dataset!r}: {len(self)} pictures of "
            f"{len(np.unique(self.patient_ids))} patients, {len(self.class_names)} classes)"
        )

    @property
    def predicted(self) -> np.ndarray:
        """(N,) int: the class with the highest probability, the first of them in a tie."""
        return self.probabilities.argmax(axis=1)

    def check(self) -> Predictions:
        """Return the predictions themselves, or raise `LumbarError` naming the first thing that is wrong."""
        n, n_classes = len(self.labels), len(self.class_names)
        if self.measured_on not in MEASURED_ON:
            raise LumbarError(
                f"{self.model}: measured_on is {self.measured_on!r}, wanted one of "
                f"{' or '.join(map(repr, MEASURED_ON))}; a score on phantoms must be called one."
            )
        if n == 0:
            raise LumbarError(f"{self.model}: there is no prediction in it; hand in at least one row.")
        if n_classes < 2 or len(set(self.class_names)) != n_classes:
            raise LumbarError(
                f"{self.model}: the class names are {', '.join(self.class_names) or 'none'}, wanted two or more "
                "different ones; give one name a column of probabilities."
            )
        if self.labels.shape != (n,) or self.probabilities.shape != (n, n_classes):
            raise LumbarError(
                f"{self.model}: labels have shape {self.labels.shape} and probabilities "
                f"{self.probabilities.shape}, wanted ({n},) and ({n}, {n_classes}); give one row a picture and "
                "one column a class."
            )
        if self.patient_ids.shape != (n,) or np.any(self.patient_ids == ""):
            raise LumbarError(
                f"{self.model}: {int(np.sum(self.patient_ids != ''))} patient ids for {n} pictures; give each "
                "row one, for an interval counts patients."
            )
        self._check_values(n_classes)
        return self

    def _check_values(self, n_classes: int) -> None:
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= n_classes))
        if len(wrong):
            raise LumbarError(
                f"{self.model}: row {wrong[0]} has label {self.labels[wrong[0]]}, wanted 0 to {n_classes - 1}; "
                "use the position of the class in class_names."
            )
        # a NaN makes every comparison false, so it is caught with the rest
        right = np.all(self.probabilities >= 0, axis=1) & (np.abs(self.probabilities.sum(axis=1) - 1) < 1e-3)
        if not right.all():
            row = np.flatnonzero(~right)[0]
            raise LumbarError(
                f"{self.model}: row {row} has the probabilities {np.round(self.probabilities[row], 4).tolist()}, "
                "wanted numbers from 0 to 1 that sum to 1; apply a softmax to logits."
            )

    def save(self, path) -> Path:
        """Write `path` (a .csv) and a .json of the same name beside it; return the path of the csv.

        Probabilities are kept to five decimals. Both files are written aside and then renamed, so that a
        reader never meets half a file.
        """
        path = Path(path)
        if path.suffix != ".csv":
            raise LumbarError(f"predictions cannot be saved as {path.name}; give a name that ends in .csv.")
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["patient_id", "label", *(f"p_{name}" for name in self.class_names)])
        for patient, label, row in zip(self.patient_ids, self.labels, self.probabilities, strict=True):
            writer.writerow([patient, label, *(f"{p:.{_DECIMALS}f}" for p in row)])
        content = text.getvalue().encode()
        about = {
            "model": self.model,
            "dataset": self.dataset,
            "measured_on": self.measured_on,
            "class_names": list(self.class_names),
            "provenance": self.provenance,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        card = (json.dumps(about, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
        write_whole(path.with_suffix(".json"), card)
        return path

    @classmethod
    def load(cls, path) -> Predictions:
        """Read what `save` wrote; raise `LumbarError` where a file is missing, changed or not of this kind."""
        path = Path(path)
        card = path.with_suffix(".json")
        for file in (path, card):
            if not file.is_file():
                raise LumbarError(
                    f"{file} is missing; predictions are a .csv and a .json of the same name: fetch both again."
                )
        content = path.read_bytes()
        try:
            about = json.loads(card.read_text(encoding="utf-8"))
            expected = about.pop("sha256")
            header = ["patient_id", "label", *(f"p_{name}" for name in about["class_names"])]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LumbarError(
                f"{card} does not describe predictions ({type(error).__name__}: {error}); fetch it again."
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise LumbarError(
                f"{path} has the sha256 {found[:12]}…, and its .json names {str(expected)[:12]}…: one was changed "
                "without the other; fetch both again or save the predictions anew."
            )
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
        try:
            if rows[0] != header:
                raise ValueError(f"its columns are {', '.join(rows[0])}")
            return cls(
                labels=[int(row[1]) for row in rows[1:]],
                probabilities=np.array([row[2:] for row in rows[1:]], dtype=float).reshape(
                    -1, len(header) - 2
                ),
                patient_ids=[row[0] for row in rows[1:]],
                **about,
            )
        except LumbarError:
            raise
        except (ValueError, IndexError, TypeError) as error:
            raise LumbarError(
                f"{path} does not hold predictions with the columns {', '.join(header)} ({error}); save it anew."
            ) from error


def average_copies(predictions: Predictions, groups) -> Predictions:
    """Average the probabilities of rows that are copies of one thing.

    groups : (N,) the thing each row shows, such as the picture that was rotated. Returns predictions with one
    row a thing, in order of first appearance. Copies must agree in label and patient.
    """
    groups = np.asarray(groups)
    if groups.shape != (len(predictions),):
        raise LumbarError(
            f"{predictions.model}: groups has shape {groups.shape} for {len(predictions)} rows; name the thing "
            "that each row shows."
        )
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    for what, values in (("label", predictions.labels), ("patient", predictions.patient_ids)):
        differs = np.flatnonzero(values != values[first][group])
        if len(differs):
            row, other = differs[0], first[group[differs[0]]]
            raise LumbarError(
                f"{predictions.model}: rows {other} and {row} are copies of {groups[row]} and differ in {what} "
                f"({values[other]} and {values[row]}); give different things different group names."
            )
    sums = np.zeros((len(first), len(predictions.class_names)))
    np.add.at(sums, group, predictions.probabilities)
    order = np.argsort(first)
    means = (sums / np.bincount(group)[:, None])[order]
    kept = first[order]
    return replace(
        predictions,
        labels=predictions.labels[kept],
        probabilities=means,
        patient_ids=predictions.patient_ids[kept],
        provenance={**predictions.provenance, "averaged_copies": {"from": len(predictions), "to": len(kept)}},
    )
