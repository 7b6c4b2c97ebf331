"""Panel "Compare": what the stored predictions of a study say about its models, each number with its interval."""

from __future__ import annotations

from html import escape
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.parts import Chart, box, control, table, text
from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import evaluate, load_results
from lumbar_utils.evaluation.results import CEILING, study_names
from lumbar_utils.figures import compare_accuracy, confusion_matrix, roc_curves, training_curves
from lumbar_utils.paths import results_folder

HISTORY_COLUMNS = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
MEANING = {
    "phantoms": "Measured on phantoms, which are drawn pictures: these are not clinical results.",
    "real pictures": "Measured on real pictures of the dataset that is named in the table.",
}


class ComparePanel:
    """Charts and tables of one study; `widget` is what to show, `studies` the names to choose from."""

    def __init__(self, log: Log):
        self._log = log
        self._predictions, self._reports = {}, {}
        self._message = text("", "lumbar-note")
        self._scores = Chart()
        self._table = text("", "lumbar-card")
        self._confusion, self._roc, self._history = Chart(), Chart(), Chart("lumbar-wide")
        self.studies = study_names()
        self._study = control(widgets.Dropdown, "Study", options=self.studies)
        self._model = control(widgets.Dropdown, "Model in detail")
        self._body = box(
            [
                box([self._scores.widget, self._table], "lumbar-row"),
                box([self._model], "lumbar-bar"),
                box([self._confusion.widget, self._roc.widget], "lumbar-row"),
                self._history.widget,
            ]
        )
        self.widget = box([box([self._study, self._message], "lumbar-bar"), self._body], "lumbar-panel")
        self._study.observe(log.watch(lambda change: self.show_study(change["new"])), "value")
        self._model.observe(log.watch(lambda change: self.show_model(change["new"])), "value")
        log.watch(self.show_study)(self._study.value)

    def show_study(self, study: str | None) -> None:
        """Load a study and show its comparison and its first model."""
        self._body.layout.display = "none"
        self._message.value = "<p>There is nothing to show; the messages below say why.</p>"
        if study is None:
            raise LumbarError(
                f"There are no stored predictions in {results_folder()}; `make zoo` trains the course's "
                "network and stores its predictions there."
            )
        predictions = load_results(study)
        if not predictions:
            raise LumbarError(
                f"The study {study!r} holds no predictions; run the study again, or choose another one."
            )
        reports = {name: evaluate(stored) for name, stored in predictions.items()}
        ranked = sorted(reports, key=lambda name: (name == CEILING, -reports[name].accuracy.value))
        reports = {name: reports[name] for name in ranked}
        self._predictions, self._reports = predictions, reports
        self._message.value = "".join(
            f"<p>{escape(MEANING[kind])}</p>"
            for kind in dict.fromkeys(r.measured_on for r in reports.values())
        )
        models = {name: report for name, report in reports.items() if name != CEILING} or reports
        ceiling = reports.get(CEILING) if models is not reports else None
        self._scores.show(compare_accuracy(_by_model(models), ceiling))
        self._table.value = score_table(reports.values())
        self._model.options = [(report.model, name) for name, report in reports.items()]
        self._model.value = ranked[0]
        self.show_model(self._model.value)
        self._body.layout.display = None

    def show_model(self, name: str | None) -> None:
        """Show confusion matrix, ROC curves and, if it was stored, the learning history of one model."""
        if name is None:  # between two studies the list is empty for a moment
            return
        self._confusion.show(confusion_matrix(self._reports[name]))
        self._roc.show(roc_curves(self._predictions[name]))
        history = read_history(results_folder() / self._study.value / f"{name}_history.csv")
        if history is None:
            self._history.hide()
        else:
            self._history.show(training_curves(history))
            self._history.reveal()


def _by_model(reports: dict) -> dict:
    """Return reports by the model's name; two results of one name are told apart by their file."""
    names = [report.model for report in reports.values()]
    return {
        report.model if names.count(report.model) == 1 else f"{report.model} ({key})": report
        for key, report in reports.items()
    }


def read_history(path: Path) -> pd.DataFrame | None:
    """Return the learning history stored beside the predictions, or None if there is none."""
    if not path.is_file():
        return None
    history = pd.read_csv(path)
    missing = HISTORY_COLUMNS - set(history)
    if missing:
        raise LumbarError(
            f"{path.name} lacks the columns {', '.join(sorted(missing))}; store the history that `fit` returned."
        )
    return history


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


def _on_two_lines(score) -> str:
    value, *interval = str(score).split(" [", 1)
    return "\n".join([value, *("[" + limits.replace(" ", "\u00a0") for limits in interval)])
