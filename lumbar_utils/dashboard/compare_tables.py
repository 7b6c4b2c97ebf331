"""The tables of the panel "Compare": scores, recall by class, and what a model costs."""

from __future__ import annotations

from html import escape

import pandas as pd

from lumbar_utils.checkpoints import CHECKPOINTS, read_checkpoint
from lumbar_utils.dashboard.parts import table
from lumbar_utils.evaluation import Estimate, Predictions, Report, paired_difference


def score_table(reports) -> str:
    """Return the numbers of the comparison chart as an HTML table."""
    reports = list(reports)
    methods = "; ".join(
        dict.fromkeys(
            f"{name}: {score.method}" for report in reports for name, score in report.scores.items()
        )
    )
    test_sets = [(report.n_images, report.n_patients, report.dataset) for report in reports]
    one_for_all = len(set(test_sets)) == 1
    header = ["Model", "Accuracy", "Macro F1", "Macro AUC"]
    caption = f"The same numbers, with {reports[0].accuracy.level:.0%} intervals"
    if one_for_all:
        n_images, n_patients, dataset = test_sets[0]
        caption += f", on {dataset}: {n_images} pictures of {n_patients} patients"
    else:
        header += ["Pictures", "Patients", "Tested on"]
    rows = [
        (
            report.model,
            *(_on_two_lines(score) for score in report.scores.values()),
            *(() if one_for_all else test_set),
        )
        for report, test_set in zip(reports, test_sets, strict=True)
    ]
    return table(header, rows, caption) + f"<p class='lumbar-fine'>{escape(methods)}</p>"


def recall_table(reports) -> str:
    """Return each model's recall of each class as an HTML table; all reports have the same classes."""
    reports = list(reports)
    support = reports[0].per_class["support"]
    header = ["Model", *(f"{name}\n({support[name]} pictures)" for name in reports[0].class_names)]
    rows = [
        (
            report.model,
            *(
                _on_two_lines(f"{row.recall:.2f} [{row.recall_low:.2f}, {row.recall_high:.2f}]")
                for row in report.per_class.itertuples()
            ),
        )
        for report in reports
    ]
    return (
        table(header, rows, "Recall: of the pictures of a class, the share that is found")
        + "<p class='lumbar-fine'>95 % intervals over patients, as in the table of scores. A model may buy recall of "
        "one class with false alarms of another: the confusion matrix below shows at whose cost.</p>"
    )


def cost_table(
    reports: dict[str, Report],
    predictions: dict[str, Predictions],
    ceiling: Predictions | None,
    milliseconds: dict[str, float],
) -> str:
    """Return parameters, size, time and the distance to the ceiling of the models that ship, as an HTML table.

    milliseconds : by the model's name, as measured on this machine; may be empty.
    """
    rows = []
    for name, report in reports.items():
        if not any((CHECKPOINTS / folder).is_dir() for folder in (name, f"{name}_course")):
            continue  # an ensemble or the ceiling: it has no file
        shipped = read_checkpoint(name)
        megabytes = sum(file.stat().st_size for file in shipped.folder.iterdir()) / 1e6
        rows.append(
            (
                report.model,
                f"{shipped.card['parameters']:,}",
                f"{megabytes:.1f} MB",
                f"{milliseconds[name]:.1f} ms" if name in milliseconds else "",
                "" if ceiling is None else _points(paired_difference(predictions[name], ceiling)),
            )
        )
    if not rows:
        return ""
    header = ("Model", "Parameters", "Files", "A picture takes", "To the ceiling (points)")
    return (
        table(header, rows, "What a model costs, and how far it is from the ceiling")
        + "<p class='lumbar-fine'>The ceiling is a classifier that is given true measurements of the same slices. The "
        "difference is paired by patient. Times are of LiteRT, for one column that is cut out already.</p>"
    )


def pair_table(name: str, pairs: pd.DataFrame, reports: dict[str, Report]) -> str:
    """Return the paired comparison of one model with each other one as an HTML table, the weakest rival first.

    pairs : what `compare(predictions)` returns of all models, by the names of `reports`.
    """
    own = pairs[(pairs[["first", "second"]] == name).any(axis=1)]
    rows, n_apart = [], 0
    for row in own.to_dict("records"):
        difference = Estimate(row["difference"], row["low"], row["high"], row["method"])
        rival, alone = row["second"], (row["only_first"], row["only_second"])
        if rival == name:
            rival, alone = row["first"], alone[::-1]
            difference = Estimate(-row["difference"], -row["high"], -row["low"], row["method"])
        tested = row["p_holm"] == row["p_holm"]
        n_apart += row["p_holm"] < 0.05 if tested else not difference.low <= 0 <= difference.high
        p_values = (_p(row["p_value"]), _p(row["p_holm"])) if tested else (row["test"], "")
        rows.append(
            (-difference.value, (reports[rival].model, _points(difference), *map(str, alone), *p_values))
        )
    model = reports[name].model
    header = (
        "Compared with",
        "Difference (points)",
        "It alone is right",
        "The other alone",
        "McNemar, exact",
        "After Holm",
    )
    caption = f"{model} differs from {n_apart} of {len(rows)} others by more than chance explains"
    return (
        table(header, [cells for _, cells in sorted(rows)], caption)
        + f"<p class='lumbar-fine'>Accuracy of {escape(model)} less that of the other, on the same patients, with the "
        f"95 % interval of a bootstrap over patients. Holm's correction counts all {len(pairs)} pairs of models of "
        "this study, for whoever looks at one pair after the other finds a difference at last.</p>"
    )


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p {value:.3f}"


def _points(difference: Estimate) -> str:
    limits = f"{100 * difference.low:+.1f}, {100 * difference.high:+.1f}"
    return f"{100 * difference.value:+.1f} [{limits}]".replace(" ", "\N{NO-BREAK SPACE}")


def _on_two_lines(score) -> str:
    value, *interval = str(score).split(" [", 1)
    return "\n".join([value, *("[" + limits.replace(" ", "\u00a0") for limits in interval)])
