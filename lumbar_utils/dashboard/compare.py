"""Panel "Compare": what the stored predictions of a study say about its models, each number with its interval."""

from __future__ import annotations

from html import escape
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from lumbar_utils.dashboard.compare_tables import cost_table, pair_table, recall_table, score_table
from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.parts import Chart, box, control, text
from lumbar_utils.dataset import PAPER4, LumbarError
from lumbar_utils.evaluation import compare, evaluate, healthy_or_ill, load_results, paper_reported
from lumbar_utils.evaluation.label_scheme import HEALTHY
from lumbar_utils.evaluation.paper import PAPER_PATIENTS
from lumbar_utils.evaluation.results import CEILING, load_learning_curves, study_names
from lumbar_utils.figures import (
    compare_accuracy,
    confusion_matrix,
    learning_curves,
    reported_accuracy,
    roc_curves,
    training_curves,
)
from lumbar_utils.paths import results_folder
from lumbar_utils.runtime.hybrid import HYBRID

HISTORY_COLUMNS = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
ALL_CLASSES, TWO_CLASSES = "as they are", "healthy or ill"
SHIPPED = "zoo"  # the study whose models have files
MEANING = {
    "phantoms": "Measured on phantoms, which are drawn pictures: these are not clinical results.",
    "real pictures": "Measured on real pictures of the dataset that is named in the table.",
}


class ComparePanel:
    """Charts and tables of one study; `widget` is what to show, `studies` the names to choose from."""

    def __init__(self, log: Log):
        self._log = log
        self._predictions, self._reports, self._evaluated = {}, {}, {}
        self._message = text("", "lumbar-note")
        self._scores = Chart()
        self._table = text("", "lumbar-card")
        self._reported, self._recall = Chart(), text("", "lumbar-card")
        self._confusion, self._roc, self._history = Chart(), Chart(), Chart("lumbar-wide")
        self._pairs, self._all_pairs = text("", "lumbar-card", "lumbar-wide"), None
        self._growth = Chart("lumbar-wide")
        self._costs, self._milliseconds = text(""), {}
        self._time = widgets.Button(description="Time them on this machine")
        self._costs_card = box([self._costs, self._time], "lumbar-card", "lumbar-wide")
        self.studies = study_names()
        self._study = control(widgets.Dropdown, "Study", options=self.studies)
        self._classes = control(widgets.ToggleButtons, "Classes", options=(ALL_CLASSES, TWO_CLASSES))
        self._model = control(widgets.Dropdown, "Model in detail")
        self._body = box(
            [
                box([self._scores.widget, self._table], "lumbar-row"),
                box([self._reported.widget, self._recall], "lumbar-row"),
                self._growth.widget,
                self._costs_card,
                box([self._model], "lumbar-bar"),
                box([self._confusion.widget, self._roc.widget], "lumbar-row"),
                self._pairs,
                self._history.widget,
            ]
        )
        choices = box([self._study, self._classes, self._message], "lumbar-bar")
        self.widget = box([choices, self._body], "lumbar-panel")
        self._study.observe(log.watch(lambda change: self.show_study(change["new"])), "value")
        self._classes.observe(log.watch(lambda _: self.show_study(self._study.value)), "value")
        self._model.observe(log.watch(lambda change: self.show_model(change["new"])), "value")
        self._time.on_click(log.watch(lambda _: self._time_models()))
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
        can_join = all(
            HEALTHY in each.class_names and len(each.class_names) > 2 for each in predictions.values()
        )
        self._classes.layout.display = None if can_join else "none"
        if can_join and self._classes.value == TWO_CLASSES:
            predictions = {name: healthy_or_ill(stored) for name, stored in predictions.items()}
        chosen = study, tuple(each.class_names for each in predictions.values())
        if chosen not in self._evaluated:
            self._message.value = f'<p role="status">Computing {len(predictions)} models\' intervals …</p>'
            self._evaluated[chosen] = {name: evaluate(stored) for name, stored in predictions.items()}
        reports = self._evaluated[chosen]
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
        same_classes = len({report.class_names for report in reports.values()}) == 1
        self._recall.value = recall_table(reports.values()) if same_classes else ""
        self._recall.layout.display = None if same_classes else "none"
        of_the_paper = all(report.class_names == PAPER4 for report in reports.values())
        if of_the_paper:
            self._reported.show(reported_accuracy(paper_reported()))
            self._reported.reveal()
        else:
            self._reported.hide()
        one_test_set = len({(report.dataset, report.n_images) for report in models.values()}) == 1
        tested = {name: predictions[name] for name in models}
        self._all_pairs = compare(tested) if one_test_set and len(models) > 1 else None
        self._show_growth(study)
        self._show_costs()
        self._model.options = [(report.model, name) for name, report in reports.items()]
        self._model.value = ranked[0]
        self.show_model(self._model.value)
        self._body.layout.display = None

    def _show_growth(self, study: str) -> None:
        """Show accuracy against the number of patients, where the study trained on more and fewer of them."""
        curves = load_learning_curves(study)
        if curves is None:
            self._growth.hide()
        else:
            self._growth.show(learning_curves(curves, mark=PAPER_PATIENTS))
            self._growth.reveal()

    def show_model(self, name: str | None) -> None:
        """Show confusion matrix, ROC curves and, if it was stored, the learning history of one model."""
        if name is None:  # between two studies the list is empty for a moment
            return
        self._confusion.show(confusion_matrix(self._reports[name]))
        self._roc.show(roc_curves(self._predictions[name]))
        self._show_pairs(name)
        history = read_history(results_folder() / self._study.value / f"{name}_history.csv")
        if history is None:
            self._history.hide()
        else:
            self._history.show(training_curves(history))
            self._history.reveal()

    def _show_pairs(self, name: str) -> None:
        """Show the paired difference of one model from each of the others; Holm's correction counts all pairs."""
        none = self._all_pairs is None or name == CEILING
        self._pairs.layout.display = "none" if none else None
        if not none:
            self._pairs.value = pair_table(name, self._all_pairs, self._reports)

    def _show_costs(self) -> None:
        """Show what the shipped models cost; other studies store predictions only."""
        shipped = self._study.value == SHIPPED
        self._costs_card.layout.display = None if shipped else "none"
        if shipped:
            self._costs.value = cost_table(
                self._reports, self._predictions, self._predictions.get(CEILING), self._milliseconds
            )

    def _time_models(self) -> None:
        """Run each shipped model on one phantom, here and now."""
        from lumbar_utils.dashboard.jury import Jury  # opens every network: not before somebody asks
        from lumbar_utils.phantom import render, sample_patient
        from lumbar_utils.runtime import milliseconds_a_picture

        self._time.description = "Timing …"
        try:
            jury = Jury(self._log.tell)
            frames, _ = jury.frame(render(sample_patient(10)).image, "The phantom")
            models = jury.predictors | ({HYBRID: jury.hybrid} if jury.hybrid else {})
            self._milliseconds = {
                name: milliseconds_a_picture(model, frames) for name, model in models.items()
            }
        finally:
            self._time.description = "Time them again"
        self._show_costs()


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
