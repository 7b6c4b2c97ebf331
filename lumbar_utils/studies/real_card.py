"""The model card of the study of real discs, written from its stored predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..paths import write_whole
from .real import real_results
from .real_scores import about_real, real_table, zone_table

CARD = "model_card.md"
INTENDED_USE = (
    "Teaching: to show how a real dataset is brought in, split by patient, learned from and judged. Not a medical "
    "device; not for diagnosis."
)


def write_card_of_real(folder: str | Path | None = None) -> Path:
    """Write model_card.md beside the stored runs; return its path."""
    folder = real_results() if folder is None else Path(folder)
    file = folder / CARD
    write_whole(file, card_of_real(folder).encode("utf-8"))
    return file


def card_of_real(folder: str | Path | None = None) -> str:
    """Return the card as Markdown; every number in it is computed from the stored predictions.

    Raises
    ------
    LumbarError : as `stored_real`.
    """
    about, table, zones = about_real(folder), real_table(folder), zone_table(folder)
    return "\n".join(
        [
            "# Model card: herniated or not, on real discs",
            "",
            f"**Intended use.** {INTENDED_USE}",
            "",
            f"**Data.** {about['discs']} discs of {about['patients']} patients, {about['herniated']} of the discs "
            f"published as herniated, in {about['copies']} crops (augmented copies of one disc are averaged). "
            f"{about['citation']} Licence: {about['licence']}. The pictures are not part of this project; predictions "
            "are.",
            "",
            "**What a model sees.** A crop of 64 x 64 pixels round each disc, upright and scaled by the column that "
            "the localiser found, so that a box's size is not in it. The first row sees the box and no pixel: what it "
            "reaches can be had without looking at a disc.",
            "",
            f"**Protocol.** {about['folds']} folds by patient, dealt anew in each repetition; whatever learns has "
            "never seen the patient it is asked about. Intervals of 95 % come from a bootstrap over patients, who keep "
            "their place in all repetitions.",
            "",
            _scores(table, about),
            "",
            _honesty(about),
            "",
            "## Where the answer comes from",
            "",
            "A zone is filled in from its border, and the same models, out of fold, are asked again. Loss: AUC before "
            "minus AUC after. Heat: the zone's share of Grad-CAM's heat for \"herniated\", "
            f"of which chance would give {zones['chance'].iloc[0]:.3f}.",
            "",
            _zones(zones),
            "",
            "## Limits",
            "",
            *(f"- {limit}" for limit in _limits(about)),
            "",
        ]
    )


def _scores(table: pd.DataFrame, about: dict) -> str:
    untouched = (
        f"AUC, {about['untouched_patients']} untouched patients"
        if about["tuned_up_to_patient"] is not None
        else ""
    )
    head = ["model", "AUC", "lowest to highest repetition", "minus the box alone"] + [untouched] * bool(
        untouched
    )
    lines = [_row(head), _row(["---"] * len(head))]
    for row in table.to_dict("records"):
        spread = f"{row['lowest']:.3f} to {row['highest']:.3f}" if row["repetitions"] > 1 else "one"
        cells = [row["shown"], _cell(row, "auc"), spread, _cell(row, "gain", sign=True)]
        lines.append(_row(cells + [_cell(row, "untouched")] * bool(untouched)))
    return "\n".join(lines)


def _honesty(about: dict) -> str:
    if about["tuned_up_to_patient"] is None:
        return "Nothing was chosen on these patients' scores."
    return (
        "**What was chosen on whom.** The layer and the penalty of the heads, and the localiser, were chosen on scores "
        f"of patients up to number {about['tuned_up_to_patient']}; the last column scores the other "
        f"{about['untouched_patients']} patients ({about['untouched_discs']} discs) alone, out of the same folds. "
        "Where the zones below lie was chosen by the look of pictures of all patients."
    )


def _zones(zones: pd.DataFrame) -> str:
    lines = [_row(["model", "zone", "loss of AUC", "heat"]), _row(["---"] * 4)]
    for row in zones.to_dict("records"):
        lines.append(_row([row["shown"], row["zone"], _cell(row, "loss", sign=True), _cell(row, "heat")]))
    return "\n".join(lines)


def _limits(about: dict) -> list[str]:
    return [
        f"{about['patients']} patients: every interval is wide, and most differences between rows lie inside it.",
        "Who graded the discs, and by which rule, is not stated; a box names a disc, not the lesion in it.",
        "The publisher equalised the pictures and squeezed them to squares, so nothing is to scale in millimetres.",
        "One slice a disc: what lies beside it was not seen by anybody here.",
        "No age, sex, scanner or hospital is published, so none of them could be checked.",
    ]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(row: dict, name: str, *, sign: bool = False) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if not np.isfinite(value):
        return ""
    form = "+.3f" if sign else ".3f"
    return f"{value:{form}} [{low:{form}}, {high:{form}}]" if np.isfinite(low) else f"{value:{form}}"
