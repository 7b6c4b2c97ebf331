"""What the networks say, as HTML: the joint answer, a table of all of them, and where each one looked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

import numpy as np

from lumbar_utils.dashboard import INTENDED_USE
from lumbar_utils.dashboard.jury import Jury, Opinions
from lumbar_utils.dashboard.pictures import figure_html
from lumbar_utils.evaluation import Predictions
from lumbar_utils.evaluation.repetitions import repeated_auc
from lumbar_utils.figures.style import percent
from lumbar_utils.paths import results_folder

LEARNED = (
    "The networks learned from phantoms, which are drawn; what they say of a real picture is not validated."
)
ZERO_SHOT = Path("real") / "runs" / "zero_shot_repeat0.csv"  # under results/
NETWORK = "Model, course size"
HYBRID = "CNN with SVM"
OTHER_KIND = "They learned from T2 slices on the midline and met no other: this picture is of another kind."


@cache
def what_they_know() -> str:
    """Return what the models learned from, and how well something learned from phantoms did on real discs.

    The number is of a network for single discs, as the whole column's diagnosis is published for no open dataset.
    """
    file = results_folder() / ZERO_SHOT
    if not file.is_file():
        return LEARNED
    stored = Predictions.load(file)
    found = repeated_auc([stored], stored.class_names[1])
    n_patients = len(np.unique(stored.patient_ids))
    return (
        f"{LEARNED} On {len(stored)} real discs of {n_patients} patients, a network that had learned discs from "
        f"phantoms alone told herniated from sound ones with an AUC of {found.value:.2f} "
        f"[{found.low:.2f}, {found.high:.2f}]; 0.5 is a coin."
    )


def answer_html(opinions: Opinions, truth: str | None, *, other_kind: bool = False) -> str:
    """Return the joint answer, how many agree with it, the truth where it is known, and what the answer is for."""
    name, n = opinions.class_names[opinions.answer], len(opinions.members)
    agree = f"all {n}" if opinions.n_agree == n else f"{opinions.n_agree} of {n}"
    joint = "weighted vote" if opinions.vote is not None else "mean"
    lines = [
        f'<p class="lumbar-answer">{escape(name)} <span>probability {opinions.joint.max():.2f} by the {joint} of '
        f"{n} networks</span></p>",
        f"<p>Networks that give this answer, each by itself: <b>{agree}</b>.</p>",
    ]
    if truth is not None:
        agrees = "The answer agrees." if truth == name else "The answer is wrong."
        lines.append(f"<p>Truth: {escape(truth)}. {agrees}</p>")
        if other_kind:
            lines.append(f"<p>{OTHER_KIND}</p>")
    else:
        lines.append(f"<p>{what_they_know()}</p>")
    lines.append(f'<p class="lumbar-intended">{INTENDED_USE}</p>')
    return "<h2>Verdict</h2>" + "".join(lines)


def opinions_html(jury: Jury, opinions: Opinions) -> str:
    """Return a table: a row a network, a column a class, the darker the more probable; each row's first in bold."""
    rows = [
        (jury.short_name(name), shares)
        for name, shares in zip(opinions.members, opinions.probabilities, strict=True)
    ]
    if opinions.hybrid is not None:
        rows.append((HYBRID, opinions.hybrid))
    if opinions.vote is not None:
        rows.append(("Weighted vote", opinions.vote))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in opinions.class_names)
    cells = ["".join(_cell(share, share == shares.max()) for share in shares) for _, shares in rows]
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{row}</tr>'
        for (name, _), row in zip(rows, cells, strict=True)
    )
    return (
        "<h2>What each model says</h2>"
        '<div class="lumbar-scroll"><table class="lumbar-table lumbar-opinions" aria-label="Probability of each class '
        f'by each model"><thead><tr><th scope="col">{NETWORK}</th>{head}</tr></thead><tbody>{body}</tbody></table>'
        '</div><p class="lumbar-fine">Probabilities calibrated on 600 other phantoms: the networks\' by a temperature, '
        f"those of {HYBRID} (a support vector machine on its features) by sigmoids; those of the vote of the networks "
        "as the vote gives them.</p>"
    )


def _cell(share: float, first: bool) -> str:
    said = percent(share)
    return f'<td style="--share:{share:.2f}">{f"<b>{said}</b>" if first else said}</td>'


def looks_html(
    jury: Jury,
    column: np.ndarray,
    heats: Mapping[str, np.ndarray],
    targets: Mapping[str, str],
    *,
    opacity: float,
    lesion: np.ndarray | None,
    outline: bool,
) -> str:
    """Return small pictures side by side: the column as the networks see it, and each network's heat over it.

    column : (h, w) uint8. heats : network to (h, w) in [0, 1]. targets : network to the class explained. lesion :
    (h, w) bool, the true lesion, or None where nobody knows it; `outline` draws it.
    """
    drawn = lesion if outline else None
    chance = 0.0 if lesion is None else float(lesion.mean())
    figures = [
        _figure(figure_html(column, "The column as the networks see it", outline=drawn), "What they see", "")
    ]
    for name, heat in heats.items():
        shown, total = jury.short_name(name), float(heat.sum())
        said = f"for {targets[name]}"
        if total == 0:
            said += ": no evidence"
        elif chance:
            said += f": {100 * float(heat[lesion].sum()) / total:.1f} % inside"
        view = figure_html(
            column, f"{shown}: heat {said} the lesion" if "inside" in said else f"{shown}: heat {said}",
            heat=heat, opacity=opacity, outline=drawn,
        )  # fmt: skip
        figures.append(_figure(view, shown, said))
    words = (
        f"Inside: the share of the heat on the true lesion, which covers {100 * chance:.1f} % of the column; that "
        "share is what chance would give."
        if chance
        else "There is no true lesion here to hold the heat against."
    )
    return (
        f'<h2>Where each network looked</h2><div class="lumbar-looks">{"".join(figures)}</div>'
        f'<p class="lumbar-fine">Grad-CAM of each network, for the class it names. {words}</p>'
    )


def _figure(view: str, title: str, said: str) -> str:
    return f"<figure>{view}<figcaption><b>{escape(title)}</b> {escape(said)}</figcaption></figure>"
