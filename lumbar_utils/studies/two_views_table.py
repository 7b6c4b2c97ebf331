"""What the stored predictions of the study of two views say: AUC by zone, and one view against two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..dataset import LumbarError
from ..evaluation.auc import AUCDifference
from ..evaluation.clustered_auc import clustered_auc, paired_clustered_auc
from ..evaluation.intervals import Estimate
from .two_views import MODELS, NAMES, stored_findings, stored_runs

PARTS = ("all discs", "central", "paracentral", "patients")
PLANNED = (("both", "sagittal"), ("both", "axial"), ("both_attention", "both"))  # first minus second


@dataclass(frozen=True)
class TwoViews:
    """What each model says of the locked discs and patients, averaged over its starts.

    Attributes
    ----------
    findings : a row a disc, see `run_two_views`.
    of_disc, of_patient : by model, the mean probability of a herniation, (D,) and (P,).
    each_start : by model, the AUC of all discs from each start.
    """

    findings: pd.DataFrame
    of_disc: dict[str, np.ndarray]
    of_patient: dict[str, np.ndarray]
    patient_labels: np.ndarray
    patient_ids: np.ndarray
    each_start: dict[str, tuple[float, ...]]

    def auc(self, name: str, part: str = "all discs") -> Estimate:
        """Return a model's AUC on one of `PARTS`; a zone's herniations are held against all sound discs."""
        positive, rows, clusters, scores = self._part(part)
        return clustered_auc(positive, scores[name][rows], clusters)

    def difference(self, first: str, second: str, part: str = "all discs") -> AUCDifference:
        """Return AUC of the first model minus that of the second, paired by disc and patient."""
        positive, rows, clusters, scores = self._part(part)
        return paired_clustered_auc(positive, scores[first][rows], scores[second][rows], clusters)

    def _part(self, part: str):
        if part not in PARTS:
            raise LumbarError(f"part is {part!r}, wanted one of {', '.join(PARTS)}; check its spelling.")
        if part == "patients":
            rows = np.ones(len(self.patient_labels), bool)
            return self.patient_labels == 1, rows, self.patient_ids, self.of_patient
        ill = (self.findings["label"] == 1).to_numpy()
        rows = (
            ~ill | (self.findings["zone"] == part).to_numpy()
            if part != "all discs"
            else np.ones(len(ill), bool)
        )
        return ill[rows], rows, self.findings["patient_id"].to_numpy()[rows], self.of_disc


def load_two_views(results: Path | None = None) -> TwoViews:
    """Return the stored study; a missing or altered run, or one of other discs, is a `LumbarError`."""
    findings = stored_findings(results)
    of_disc, of_patient, each_start, tested, prints = {}, {}, {}, None, set()
    for name in MODELS:
        runs = stored_runs(name, results)
        prints |= {each.provenance["fingerprint"] for each in runs}
        same = all(
            np.array_equal(each.labels, findings["label"])
            and np.array_equal(each.patient_ids, findings["patient_id"].astype(str))
            for each in runs
        )
        if not same or len(prints) > 1:
            raise LumbarError(
                f"The stored runs of {NAMES[name]} and findings.csv tell of different discs; compute the study again "
                "with python -m lumbar_utils two-views --compute."
            )
        of_disc[name] = np.mean([each.probabilities[:, 1] for each in runs], axis=0)
        each_start[name] = tuple(
            clustered_auc(each.labels == 1, each.probabilities[:, 1], each.patient_ids).value for each in runs
        )
        tested = stored_runs(name, results, patients=True)
        of_patient[name] = np.mean([each.probabilities[:, 1] for each in tested], axis=0)
    return TwoViews(findings, of_disc, of_patient, tested[0].labels, tested[0].patient_ids, each_start)


def auc_table(study: TwoViews) -> pd.DataFrame:
    """Return a row a model: its AUC on each of `PARTS` with 95 % interval, and the range over its starts."""
    return pd.DataFrame(
        [
            {"model": NAMES[name]}
            | {part: str(study.auc(name, part)) for part in PARTS}
            | {"each start": f"{min(starts):.3f} to {max(starts):.3f}"}
            for name, starts in study.each_start.items()
        ]
    )


def difference_table(study: TwoViews) -> pd.DataFrame:
    """Return a row for each of `PLANNED` and each part: the paired difference of AUCs with interval and p value."""
    rows = []
    for first, second in PLANNED:
        for part in PARTS:
            found = study.difference(first, second, part)
            rows.append(
                {
                    "first": NAMES[first],
                    "second": NAMES[second],
                    "on": part,
                    "difference": found.difference.value,
                    "low": found.difference.low,
                    "high": found.difference.high,
                    "p_value": found.p_value,
                }
            )
    return pd.DataFrame(rows)
