"""Verbs that report with intervals: evaluate, paper."""

from __future__ import annotations

import json
from pathlib import Path

from ..dataset import LumbarError


def add_verbs(verb):
    command = verb("evaluate", _evaluate, "Report stored predictions with intervals.")
    command.add_argument("--predictions", required=True, metavar="FILE", help="a CSV file under results/")
    _add_output(command)

    command = verb("paper", _paper, "Show what the paper reports with the intervals and tests it lacks.")
    _add_output(command)


def _evaluate(options):
    from ..evaluation import Predictions, evaluate

    _show(evaluate(Predictions.load(options.predictions)), options)


def _paper(options):
    from ..evaluation import paper_reported

    _show(paper_reported(), options)


def _add_output(command):
    command.add_argument("--format", choices=("text", "html", "json"), default="text")
    command.add_argument("--out", metavar="FILE", help="write there instead of printing")


def _show(report, options):
    """Print a report in the chosen format, or write it to the chosen file."""
    if options.format == "json":
        text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    else:
        text = report.to_html() if options.format == "html" else str(report)
    if not options.out:
        print(text)
        return
    try:
        Path(options.out).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise LumbarError(
            f"{options.out} cannot be written ({error.strerror}); name a file in a folder that exists."
        ) from error
