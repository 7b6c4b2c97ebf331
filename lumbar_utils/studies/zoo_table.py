"""The table of shipped networks: what each is, how it scores on the locked test, how far it is from the ceiling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..checkpoints import CHECKPOINTS, read_checkpoint
from ..dataset import LumbarError
from ..evaluation import Estimate, Predictions, evaluate, load_results, paired_difference
from ..evaluation.results import CEILING
from ..framing import Frames
from ..paths import results_folder
from ..runtime import Predictor, milliseconds_a_picture
from .zoo import NETWORKS, draw_parts

WHOLE = "zoo_whole"


@dataclass(frozen=True)
class ZooRow:
    """One shipped network.

    Attributes
    ----------
    parameters : how many numbers it has. megabytes : of its folder, weights and LiteRT twin together.
    accuracy, macro_f1 : on the locked phantom patients, recomputed from the shipped weights.
    to_ceiling : its accuracy less that of a forest on true measurements of the same slices, paired by patient.
    to_whole_view : its accuracy less that of the same architecture trained on whole pictures, or None if not stored.
    milliseconds : median time of LiteRT for one framed picture, on this machine.
    largest_difference : between a recomputed and a stored probability.
    """

    name: str
    display_name: str
    parameters: int
    megabytes: float
    accuracy: Estimate
    macro_f1: Estimate
    to_ceiling: Estimate
    to_whole_view: Estimate | None
    milliseconds: float
    largest_difference: float

    def to_dict(self) -> dict:
        plain = {key: value for key, value in vars(self).items() if not isinstance(value, Estimate)}
        estimates = {key: value.to_dict() for key, value in vars(self).items() if isinstance(value, Estimate)}
        return plain | estimates


@dataclass(frozen=True)
class ZooTable:
    """All shipped networks, the best first, and the ceiling they are measured against."""

    rows: tuple[ZooRow, ...]
    ceiling: Estimate
    n_patients: int

    def to_dict(self) -> dict:
        return {
            "measured_on": "phantoms",
            "n_patients": self.n_patients,
            "ceiling": self.ceiling.to_dict(),
            "networks": [row.to_dict() for row in self.rows],
        }

    def table(self) -> pd.DataFrame:
        """Return the rows as text, ready to show."""
        return pd.DataFrame(
            [
                {
                    "network": row.display_name,
                    "parameters": f"{row.parameters:,}",
                    "MB": f"{row.megabytes:.1f}",
                    "accuracy": str(row.accuracy),
                    "macro F1": str(row.macro_f1),
                    "to the ceiling": str(row.to_ceiling),
                    "to the whole view": "" if row.to_whole_view is None else str(row.to_whole_view),
                    "ms": f"{row.milliseconds:.1f}",
                }
                for row in self.rows
            ]
        )

    def __str__(self) -> str:
        return (
            f"Phantom scores of {self.n_patients} locked patients with 95 % intervals, recomputed from the shipped "
            f"weights.\n{self.table().to_string(index=False)}\n"
            f"The ceiling is {self.ceiling}: a random forest on measurements of the true masks of the same slices."
        )


def zoo_table(*, checkpoints: Path = CHECKPOINTS) -> ZooTable:
    """Draw the locked test patients again, and let every shipped network answer.

    Raises
    ------
    LumbarError : no stored predictions of a shipped network or of the ceiling.
    """
    predictions = load_results("zoo")
    names = [name for name in NETWORKS if (checkpoints / f"{name}_course").is_dir()]
    missing = {CEILING, *names} - set(predictions)
    if missing or not names:
        raise LumbarError(
            f"There are no stored predictions of {', '.join(sorted(missing)) or 'any network'} in results/zoo; train "
            "them with `make zoo`."
        )
    shipped = {name: predictions[name] for name in names}
    ceiling = predictions[CEILING]
    test = draw_parts({"test": len(ceiling)})["test"]
    whole = load_results(WHOLE) if (results_folder() / WHOLE).is_dir() else {}
    rows = [
        _row(name, test.frames, stored, ceiling, whole.get(name), checkpoints)
        for name, stored in shipped.items()
    ]
    return ZooTable(
        tuple(sorted(rows, key=lambda row: -row.accuracy.value)), evaluate(ceiling).accuracy, len(ceiling)
    )


def _row(
    name: str,
    frames: Frames,
    stored: Predictions,
    ceiling: Predictions,
    whole: Predictions | None,
    checkpoints: Path,
) -> ZooRow:
    checkpoint = read_checkpoint(name, root=checkpoints)
    predictor = Predictor(checkpoint)
    now = replace(stored, probabilities=predictor.predict(frames))
    report = evaluate(now)
    return ZooRow(
        name=name,
        display_name=checkpoint.card["display_name"],
        parameters=checkpoint.card["parameters"],
        megabytes=sum(file.stat().st_size for file in checkpoint.folder.iterdir()) / 1e6,
        accuracy=report.accuracy,
        macro_f1=report.macro_f1,
        to_ceiling=paired_difference(now, ceiling),
        to_whole_view=None if whole is None else paired_difference(now, whole),
        milliseconds=milliseconds_a_picture(predictor, frames),
        largest_difference=float(np.abs(now.probabilities - stored.probabilities).max()),
    )
