"""Figures: the title is the finding, computed from the data; nothing is told by colour alone."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from drawn_predictions import draw, of_labels

from lumbar_utils import figures
from lumbar_utils.dataset import PAPER4, LumbarDataset, LumbarError
from lumbar_utils.evaluation import Estimate, Predictions, compare, evaluate, paper_reported, reliability
from lumbar_utils.figures import style


def predictions_of(labels, predicted, *, model="CNN", certainty=0.7, **changes) -> Predictions:
    shares = np.full((len(labels), 4), (1 - certainty) / 3)
    shares[np.arange(len(labels)), predicted] = certainty
    values = {"class_names": PAPER4, "patient_ids": range(len(labels)), "model": model, "dataset": "test"}
    return Predictions(labels, shares, **(values | {"measured_on": "phantoms"} | changes))


def report_with(right: int, total: int = 100, **changes):
    """A report on `total` pictures, four in ten of them Healthy, of which `right` are called right."""
    labels = np.arange(total) % 10 * 2 // 5 % 4
    predicted = np.where(np.arange(total) < right, labels, (labels + 1) % 4)
    return evaluate(predictions_of(labels, predicted, **changes), n_resamples=100)


def history_of(val_loss, accuracy=0.5, val_accuracy=0.5) -> pd.DataFrame:
    n = len(val_loss)
    return pd.DataFrame(
        {
            "epoch": np.arange(1, n + 1),
            "loss": np.linspace(1.3, 0.4, n),
            "accuracy": np.linspace(0.3, accuracy, n),
            "val_loss": val_loss,
            "val_accuracy": np.linspace(0.3, val_accuracy, n),
        }
    )


def dataset_of(labels, patients) -> LumbarDataset:
    n = len(labels)
    images = np.zeros((n, 8, 8), dtype=np.uint8)
    return LumbarDataset(images, labels, PAPER4, patients, pd.DataFrame(index=range(n)), name="Clinic A")


def labels_table(few=0.55, many=0.60) -> pd.DataFrame:
    """Supervised training at 50 and 60 %, a rival at `few` and `many`, with 10 and 80 labelled patients."""
    rows = [("supervised", 10, 0.50), ("supervised", 80, 0.60), ("fixmatch", 10, few), ("fixmatch", 80, many)]
    table = pd.DataFrame(rows, columns=["method", "labelled", "accuracy"])
    return table.assign(low=table["accuracy"] - 0.05, high=table["accuracy"] + 0.05)


def curves_table(last=0.80) -> pd.DataFrame:
    """Two networks at 50 and 800 patients; the CNN reaches `last`, the VGG .75."""
    rows = [("CNN", 50, 0.55), ("CNN", 800, last), ("VGG", 50, 0.45), ("VGG", 800, 0.75)]
    table = pd.DataFrame(rows, columns=["model", "patients", "accuracy"]).assign(runs=3)
    return table.assign(accuracy_low=table["accuracy"] - 0.04, accuracy_high=table["accuracy"] + 0.03)


def title_of(fig) -> str:
    return fig.layout.title.text.replace("<br>", " ")


def spot(rows, columns, shape=(40, 60)) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[rows, columns] = True
    return mask


def explained() -> pd.DataFrame:
    """Two methods on two networks, trained and with random weights, in the form of `summary_of`."""
    rows = [
        {
            "network": network, "weights": weights, "method": method, "value": value, "low": value - 0.005,
            "high": value + 0.005, "chance": 0.01, "discs": 0.03, "ceiling": 0.2, "above_rival_low": value - 0.04,
        }
        for network, best in (("CNN, course size", 0.06), ("VGG, course size, 9 layers", 0.05))
        for weights, value in (("trained", best), ("randomised", 0.011))
        for method in ("gradcam", "eigencam")
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def every_figure():
    report = report_with(70)
    picture, heat = np.zeros((40, 60), dtype=np.uint8), np.ones((40, 60))
    return {
        "compare_accuracy": figures.compare_accuracy({"CNN": report, "CNN-SVM": report_with(75)}),
        "retitle": figures.retitle(figures.confusion_matrix(report), "Another finding, of the same table"),
        "confusion_matrix": figures.confusion_matrix(report),
        "roc_curves": figures.roc_curves(predictions_of([0, 1, 2, 3] * 5, [0, 1, 2, 2] * 5)),
        "training_curves": figures.training_curves(history_of([1.0, 0.8, 0.9])),
        "probabilities_bar": figures.probabilities_bar([0.1, 0.6, 0.1, 0.2], PAPER4),
        "picture_grid": figures.picture_grid([picture], ["Healthy"]),
        "filters_on_picture": figures.filters_on_picture(
            picture, [(9, 9)], np.ones((1, 3, 3)), ["bone"], side=3
        ),
        "heat_overlay": figures.heat_overlay(picture, heat, 0.6, outline=spot(slice(5), slice(5))),
        "class_counts": figures.class_counts(dataset_of([0, 1, 2, 3], list("abcd"))),
        "reliability_diagram": figures.reliability_diagram(draw(100)),
        "precision_recall_curves": figures.precision_recall_curves(draw(100)),
        "decision_curve": figures.decision_curve(draw(100), "Spinal Stenosis"),
        "flow_map": figures.flow_map([("Pictures", "190", "Whose?", "02")], "One step"),
        "score_scatter": figures.score_scatter(19, 0.90, 0.85),
        "interval_by_size": figures.interval_by_size(19, 0.90),
        "duel_by_size": figures.duel_by_size(19, 0.90, 0.85),
        "accuracy_by_labels": figures.accuracy_by_labels(labels_table()),
        "learning_curves": figures.learning_curves(curves_table(), mark=190),
        "small_study": figures.small_study(
            *(Estimate(value, value - 0.1, value + 0.1, "bootstrap") for value in (0.80, 0.87, 0.07)),
            [-0.05, 0.02],
            names=("the box alone", "photographs' features"),
            n_patients=5,
            tested_on="93 real discs",
        ),
        "reported_accuracy": figures.reported_accuracy(paper_reported()),
        "estimate_forest": figures.estimate_forest(
            pd.DataFrame({"who": ["CNN"], "auc": [0.7], "auc_low": [0.6], "auc_high": [0.8]}),
            "auc",
            label="who",
            axis="AUC",
            nothing=0.5,
            beside=0.65,
            title="The CNN is better than a coin",
        ),
        "explanation_scores": figures.explanation_scores(explained()),
        "paired_forest": figures.paired_forest(compare({"CNN": draw(100), "CNN-SVM": draw(100, seed=1)})),
    }


def test_each_figure_states_its_finding_and_can_be_sent_to_a_page(every_figure):
    assert sorted(every_figure) == sorted(figures.__all__)
    for name, fig in every_figure.items():
        description = fig.layout.meta["description"]
        assert description.startswith(title_of(fig)) and description.endswith("."), name
        assert fig.layout.paper_bgcolor is None and fig.layout.template.layout.paper_bgcolor == "white"
        drawn = json.loads(fig.to_json())
        assert drawn["data"] or drawn["layout"]["shapes"], name
        assert type(fig).__name__ == "Figure", name


def test_a_figure_with_another_finding_keeps_its_details_and_its_plot():
    report = report_with(75)
    before, after = (figures.compare_accuracy({"CNN": report}) for _ in range(2))
    long = "A finding that needs more than one line, since it tells of every network and of all the patients it met"
    figures.retitle(after, long)
    assert title_of(after) == long and "<br>" in after.layout.title.text
    details = before.layout.meta["description"].removeprefix(title_of(before))
    assert after.layout.meta["description"] == long + details
    assert after.layout.height - after.layout.margin.t == before.layout.height - before.layout.margin.t
    assert after.layout.margin.l == before.layout.margin.l


@pytest.mark.parametrize(
    "name",
    [
        "compare_accuracy",
        "confusion_matrix",
        "roc_curves",
        "training_curves",
        "probabilities_bar",
        "reliability_diagram",
        "precision_recall_curves",
        "decision_curve",
        "reported_accuracy",
        "paired_forest",
        "score_scatter",
        "interval_by_size",
        "duel_by_size",
        "accuracy_by_labels",
        "learning_curves",
    ],
)
def test_axes_of_numbers_are_labelled_with_their_unit(every_figure, name):
    axes = [axis.title.text for axis in every_figure[name].select_xaxes()]
    axes += [axis.title.text for axis in every_figure[name].select_yaxes()]
    assert any(re.search(r"%|pictures|cross-entropy|points", text or "") for text in axes)


def test_a_long_finding_is_wrapped_and_given_room():
    short = figures.compare_accuracy({"A": report_with(70)})
    name = "DenseNet, course size, 21 layers, trained on three thousand patients with and without rotation"
    long = figures.compare_accuracy({name: report_with(75), name + " again": report_with(70)})
    lines = long.layout.title.text.split("<br>")
    assert len(lines) >= 4 and max(map(len, lines)) <= 66
    assert long.layout.margin.t >= short.layout.margin.t + 3 * 22
    assert not any(line.startswith("%") for line in lines)


def test_series_are_told_apart_without_colour(every_figure):
    roc = [trace for trace in every_figure["roc_curves"].data if "chance" not in trace.name]
    assert len({trace.line.dash for trace in roc}) == len(roc) == 4
    for name in ("precision_recall_curves", "decision_curve"):
        lines = [trace for trace in every_figure[name].data if trace.line.width]
        assert len({trace.line.dash for trace in lines}) == len(lines) >= 3
    train, validate = every_figure["training_curves"].data[:2]
    assert train.line.dash != validate.line.dash and train.marker.symbol != validate.marker.symbol
    several = figures.class_counts(dataset_of([0, 0, 1, 2, 3], list("aabcd")))
    assert len({trace.marker.pattern.shape for trace in several.data}) == 2


def test_the_first_colours_stand_out_against_white():
    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return np.dot(linear, [0.2126, 0.7152, 0.0722])

    for colour in style.COLOURS[:5]:
        assert 1.05 / (luminance(colour) + 0.05) >= 3, colour
    for colour in (style.INK, style.GREY):  # text
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour


# --- findings follow the data -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "finding"),
    [
        (70, 72, "CNN-SVM is ahead of CNN by 2.0 percentage points, and the intervals overlap"),
        (71, 70, "CNN is ahead of CNN-SVM by 1.0 percentage point, and the intervals overlap"),
        (50, 90, "CNN-SVM is ahead of CNN by 40.0 percentage points, and the intervals are apart"),
        (70, 70, "CNN and CNN-SVM are level at 70 %"),
    ],
)
def test_the_comparison_says_who_is_ahead_and_whether_intervals_overlap(first, second, finding):
    fig = figures.compare_accuracy({"CNN": report_with(first), "CNN-SVM": report_with(second)})
    assert title_of(fig) == finding


def test_the_comparison_draws_the_interval_and_the_constant_guess():
    report = report_with(70)
    fig = figures.compare_accuracy({"CNN": report})
    (point,) = fig.data
    assert point.x[0] + point.error_x.array[0] == pytest.approx(100 * report.accuracy.high)
    assert point.x[0] - point.error_x.arrayminus[0] == pytest.approx(100 * report.accuracy.low)
    assert title_of(fig) == "CNN is right on 70 % of the pictures (60 to 78)"
    commonest = 100 * report.confusion.sum(axis=1).max() / report.n_images
    assert fig.layout.shapes[0].x0 == commonest and "on phantoms" in fig.layout.xaxis.title.text


def test_the_ceiling_is_a_line_and_no_rival():
    fig = figures.compare_accuracy({"CNN": report_with(70), "CNN-SVM": report_with(66)}, report_with(80))
    assert title_of(fig) == "CNN comes closest to the ceiling: 10.0 percentage points below it"
    assert len(fig.data) == 2 and [shape.x0 for shape in fig.layout.shapes][-1] == 80
    assert title_of(figures.compare_accuracy({"CNN": report_with(90)}, report_with(80))).endswith("above it")
    with pytest.raises(LumbarError, match="hand in one of the same test set"):
        figures.compare_accuracy({"CNN": report_with(70)}, report_with(80, measured_on="real pictures"))


def test_models_of_different_test_sets_are_not_ranked():
    real = report_with(90, measured_on="real pictures")
    fig = figures.compare_accuracy({"CNN": report_with(70), "CNN on patients": real})
    assert "cannot be ranked" in title_of(fig)
    assert {label for trace in fig.data for label in trace.y} == {
        "CNN<br>(phantoms, 100 patients)",
        "CNN on patients<br>(real pictures, 100 patients)",
    }


def test_the_confusion_matrix_names_the_commonest_mistake():
    labels, predicted = (
        [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10,
        [0] * 10 + [1] * 6 + [3] * 4 + [2] * 10 + [3] * 10,
    )
    fig = figures.confusion_matrix(evaluate(predictions_of(labels, predicted)))
    assert title_of(fig).endswith("Herniated Disk taken for Spondylosis, 4 of 10 (40 %)")
    assert fig.data[0].z[1].tolist() == [0, 60, 0, 40]
    cells = dict(zip(zip(fig.data[1].y, fig.data[1].x, strict=True), fig.data[1].text, strict=True))
    assert cells["Herniated<br>Disk<br>(10)", "Spondylosis"] == "<b>4</b><br>40 %"
    perfect = figures.confusion_matrix(evaluate(predictions_of(labels, labels)))
    assert title_of(perfect) == "CNN puts all 40 pictures into the right class"


def test_the_roc_figure_names_the_best_and_the_worst_class():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 4
    logits = rng.normal(size=(200, 4)) + np.eye(4)[labels] * [3.0, 1.5, 1.5, 0.2]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predictions = Predictions(labels, shares, PAPER4, range(200), "CNN", "test", "phantoms")
    report = evaluate(predictions)
    fig = figures.roc_curves(predictions, report)
    assert title_of(fig).startswith("CNN tells Healthy from the rest best")
    assert "Spondylosis worst" in title_of(fig)
    for trace in fig.data[1:]:
        area = np.trapezoid(trace.y, trace.x) / 1e4
        assert (np.diff(trace.x) * np.diff(trace.y) == 0).all()  # scores without ties: steps and no slopes
        name, shown = trace.name.split(", AUC ")
        assert area == pytest.approx(report.per_class.loc[name, "auc"], abs=0.002)
        assert shown == (
            "{auc:.2f} [{auc_low:.2f}, {auc_high:.2f}]".format(**report.per_class.loc[name].to_dict())
        )


def test_the_roc_figure_leaves_out_a_class_without_pictures():
    fig = figures.roc_curves(predictions_of([0, 1, 2] * 5, [0, 1, 1] * 5))
    assert [trace.name.split(",")[0] for trace in fig.data[1:]] == [
        "Healthy",
        "Herniated Disk",
        "Spinal Stenosis",
    ]
    only = figures.roc_curves(predictions_of([1] * 5, [1] * 5))
    assert "no ROC curve" in title_of(only) and len(only.data) == 1


def test_the_precision_recall_figure_shows_the_area_and_ends_at_the_share_of_the_class():
    predictions = draw(300)
    report = evaluate(predictions)
    fig = figures.precision_recall_curves(predictions, report)
    assert "with the fewest false alarms" in title_of(fig)
    for trace in fig.data:
        row = report.per_class.loc[trace.name.split(", AP")[0]]
        assert f"AP {row['average_precision']:.2f} [{row['average_precision_low']:.2f}" in trace.name
        assert (trace.x[-1], trace.y[-1]) == (100, pytest.approx(row["support"] / 3, abs=0.01))
        steps = np.diff(trace.x)  # the area is the sum of the gains in recall times the precision there
        assert (np.diff(trace.x) >= 0).all()
        assert (steps * trace.y[1:]).sum() / 1e4 == pytest.approx(row["average_precision"], abs=0.002)
    only = figures.precision_recall_curves(of_labels([1] * 5, [1] * 5))
    assert "all pictures are of one class" in title_of(only)


def claiming(certainty, n_right, n=100, **changes):
    labels = np.arange(n) % 4
    predicted = np.where(np.arange(n) < n_right, labels, (labels + 1) % 4)
    return predictions_of(labels, predicted, certainty=certainty, **changes)


@pytest.mark.parametrize(
    ("certainty", "right", "finding"),
    [
        (0.95, 60, "CNN claims too much: 95 % on average, and it is right on 60 %"),
        (0.55, 90, "CNN claims too little: 55 % on average, and it is right on 90 %"),
        (0.75, 76, "as well calibrated as this test set can tell (error 0.010"),
    ],
)
def test_the_reliability_figure_says_which_way_the_probabilities_lean(certainty, right, finding):
    assert finding in title_of(figures.reliability_diagram(claiming(certainty, right)))


@pytest.mark.parametrize(
    ("right", "finding"),
    [
        ((10, 99), "claims too little where it is sure and too much where it is not"),
        ((60, 70), "claims too much where it is sure and too little where it is not"),
    ],
)
def test_the_reliability_figure_says_where_gaps_cancel(right, finding):
    unsure, sure = claiming(0.35, right[0]), claiming(0.95 if right[1] < 90 else 0.75, right[1])
    both = {
        name: np.concatenate([getattr(unsure, name), getattr(sure, name)])
        for name in ("labels", "probabilities")
    }
    fig = figures.reliability_diagram(draw(200, **both))
    assert finding in title_of(fig)


def test_the_reliability_figure_draws_each_bin_with_its_interval():
    predictions = draw(300)
    table, fig = reliability(predictions), figures.reliability_diagram(predictions)
    points, bars = fig.data[1:]
    assert list(points.y) == pytest.approx(100 * table["accuracy"])
    assert list(points.y + points.error_y.array) == pytest.approx(100 * table["accuracy_high"])
    assert list(bars.y) == table["pictures"].to_list()


def test_the_decision_figure_names_the_thresholds_at_which_the_model_helps():
    fig = figures.decision_curve(draw(400, strength=3), ("Herniated Disk", "Spinal Stenosis", "Spondylosis"))
    low, high = map(int, re.search(r"at thresholds from (\d+) % to (\d+) %", title_of(fig)).groups())
    assert "anything but Healthy" in title_of(fig) and low < 40 < 90 < high
    noise = draw(200, probabilities=np.random.default_rng(0).dirichlet(np.ones(4), 200))
    assert "helps cannot" not in title_of(figures.decision_curve(noise, "Healthy"))
    assert "shown to help at no threshold" in title_of(figures.decision_curve(noise, "Healthy"))
    alone = figures.decision_curve(draw(30, pictures_a_patient=30), "Healthy")
    assert "cannot be told from one patient" in title_of(alone)


def test_what_is_reported_is_called_so_and_has_its_own_colour():
    reported = paper_reported()
    fig = figures.reported_accuracy(reported)
    with_number = reported.accuracies.dropna(subset=["accuracy"])
    assert len(fig.data) == len(with_number) < len(reported.accuracies)
    assert {trace.marker.color for trace in fig.data} == {style.PURPLE}
    assert title_of(fig).startswith("Reported: 100 % on 19 pictures")
    assert "not measured by the course" in fig.layout.meta["description"]
    no_interval = [trace for trace in fig.data if trace.marker.symbol == "square-open"]
    assert [trace.y[0] for trace in no_interval] == ["VGG16-Involution"]


def test_the_forest_puts_the_better_model_first_and_says_how_many_pairs_differ():
    models = {
        name: draw(200, strength=s, seed=k)
        for k, (name, s) in enumerate({"A": 0.5, "B": 3, "C": 2.9}.items())
    }
    table = compare(models)
    fig = figures.paired_forest(table)
    assert title_of(fig).startswith("2 of 3 pairs of models differ after Holm's correction")
    assert [trace.marker.symbol for trace in fig.data] == ["circle", "circle", "diamond-open"]
    first = fig.data[0]
    assert first.y[0] == "B<br>− A" or first.y[0] == "C<br>− A"
    row = table[(table["first"] == "A") & (table["second"] == first.y[0][0])].iloc[0]
    assert first.x[0] == pytest.approx(-100 * row["difference"])
    assert first.x[0] - first.error_x.arrayminus[0] == pytest.approx(-100 * row["high"])
    equal = figures.paired_forest(compare({"A": draw(50), "B": draw(50)}))
    assert title_of(equal) == "A and B differ by 0.0 percentage points, no more than chance explains"
    copies = {name: draw(60, pictures_a_patient=3, seed=k) for k, name in enumerate("ABC")}
    assert "without correction" in title_of(figures.paired_forest(compare(copies)))


@pytest.mark.parametrize(
    ("history", "finding"),
    [
        (history_of([1, 0.8, 0.9, 1], 0.95, 0.6), "epoch 2 (accuracy 40 %); at the end training is 35.0"),
        (history_of([1, 0.9, 0.8]), "the last one: it may still be learning"),
        (history_of([1, 0.8, 0.8, 0.8]), "the 2 epochs after it brought nothing"),
        (history_of([1, 0.8, 0.8]), "the 1 epoch after it brought nothing"),
        (history_of([1.0]), "the last one"),
        (history_of([np.nan, np.nan], 0.6), "Training accuracy is 60 % after 2 epochs; nothing was held out"),
    ],
)
def test_the_training_curves_say_when_to_stop(history, finding):
    assert finding in title_of(figures.training_curves(history))


def test_the_probabilities_keep_the_order_of_the_classes_and_name_the_first_two():
    fig = figures.probabilities_bar(np.array([[0.2, 0.55, 0.0004, 0.2496]]), PAPER4)
    assert title_of(fig) == "Most probable is Herniated Disk with 55 %, then Spondylosis with 25 %"
    assert list(fig.data[0].y) == list(PAPER4) and fig.data[0].text[2] == "under 1 %"
    assert title_of(figures.probabilities_bar([0.3, 0.3, 0.2, 0.2], PAPER4)).startswith("Undecided")


def test_the_heat_figure_compares_the_heat_inside_the_outline_with_chance():
    heat = np.zeros((40, 60))
    heat[:20, :30] = 1.0  # 600 pixels, of which the outline holds 120
    outline = spot(slice(0, 12), slice(0, 10))
    fig = figures.heat_overlay(np.zeros((40, 60), np.uint8), heat, 0.6, outline=outline)
    assert title_of(fig) == "20 % of the heat lies inside the outline, which covers 5 % of the picture"
    line = fig.data[2]
    corners = {(x, y) for x, y in zip(line.x, line.y, strict=True) if x is not None}
    assert {(0, 0), (9, 0), (0, 11), (9, 11)} <= corners
    assert fig.data[1].colorscale[0][1].endswith(",0.000)") and fig.data[1].colorscale[-1][1].endswith(
        ",0.600)"
    )
    plain = figures.heat_overlay(np.zeros((40, 60)), heat, 0.6)
    assert title_of(plain).startswith("Half of the heat lies on 12 %")
    empty = figures.heat_overlay(np.zeros((40, 60)), np.zeros((40, 60)), 0.6)
    assert "empty" in title_of(empty)


def test_the_grid_shows_every_picture_with_its_caption_and_overlay():
    images = np.linspace(0, 1, 5 * 24).reshape(5, 4, 6)
    overlays = [spot(1, 1, (4, 6)), None, np.full((4, 6), 0.5), None, None]
    fig = figures.picture_grid(images, ["Healthy", "Healthy", "Spondylosis"] + ["Healthy"] * 2, overlays)
    assert [trace.type for trace in fig.data] == [
        "image",
        "scatter",
        "image",
        "image",
        "heatmap",
        "image",
        "image",
    ]
    assert [note.text for note in fig.layout.annotations][2] == "Spondylosis"
    assert title_of(fig) == "5 pictures: 4 Healthy, 1 Spondylosis"
    assert title_of(figures.picture_grid(images, list("abcde"), title="All alike")) == "All alike"


def test_the_flow_map_shows_each_step_with_its_question_in_order():
    steps = [(f"Step {n}", f"detail {n}", f"why {n}?", f"0{n}") for n in (1, 2, 3)]
    fig = figures.flow_map(steps, "Three steps")
    texts = [note.text for note in fig.layout.annotations if note.text]
    for n in (1, 2, 3):
        box, question, lesson = (
            next(note for note in fig.layout.annotations if word in (note.text or ""))
            for word in (f"Step {n}", f"why {n}?", f"<b>0{n}</b>")
        )
        assert box.y == question.y == lesson.y and box.x < question.x < lesson.x
    assert len(fig.layout.shapes) == 3 and len(texts) == 3 * 3 + 2
    assert sum(note.showarrow for note in fig.layout.annotations) == 2
    assert "Step 2: why 2? Lessons 02." in fig.layout.meta["description"]


def test_the_filters_stand_beside_the_picture_with_their_windows():
    picture, places, names = np.zeros((40, 60)), [(10, 20), (30, 5)], ["bone", "disc"]
    filters = np.stack([np.full((3, 3), 0.5), np.eye(3)])
    fig = figures.filters_on_picture(picture, places, filters, names, side=6)
    windows = [trace for trace in fig.data if trace.type == "scatter"]
    drawn = [trace for trace in fig.data if trace.type == "heatmap"]
    assert [(min(w.y), max(w.y), min(w.x), max(w.x)) for w in windows] == [(7, 13, 17, 23), (27, 33, 2, 8)]
    assert [w.text[0] for w in windows] == ["1", "2"]
    assert np.array_equal([trace.z for trace in drawn], filters) and list(drawn[0].x) == [-1, 0, 1]
    assert (fig.layout.coloraxis.cmin, fig.layout.coloraxis.cmax) == (-1, 1)  # white is 0
    assert title_of(fig) == "Another filter at each of the 2 places"
    alike = figures.filters_on_picture(picture, places, filters[[0, 0]], names, side=6)
    assert title_of(alike) == "One and the same filter at all 2 places"
    one = figures.filters_on_picture(picture, places[:1], filters[:1], names[:1], side=6, limit=2.0)
    assert title_of(one) == "The weights of this filter add up to 4.50" and one.layout.coloraxis.cmax == 2


@pytest.mark.parametrize(
    ("few", "many", "finding"),
    [
        (
            0.55,
            0.62,
            "With 10 labels FixMatch gains 5.0 percentage points; with 80 labels FixMatch gains 2.0",
        ),
        (
            0.48,
            0.60,
            "With 10 labels FixMatch loses 2.0 percentage points; with 80 labels FixMatch gains 0.0",
        ),
    ],
)
def test_the_curve_by_labels_says_what_the_best_rival_brings(few, many, finding):
    fig = figures.accuracy_by_labels(labels_table(few, many), {"fixmatch": "FixMatch"})
    assert title_of(fig).startswith(finding)
    with_interval = figures.accuracy_by_labels(labels_table(few, many).assign(gain_low=-0.012, gain_high=0.1))
    assert "percentage points [-1.2, +10.0]; with 80" in title_of(with_interval)
    alone = figures.accuracy_by_labels(labels_table().query("method == 'supervised'"))
    assert title_of(alone) == "Accuracy with 10 to 80 labelled patients"
    assert (
        len(figures.accuracy_by_labels(labels_table().assign(low=np.nan)).data) == 2
    )  # no band without limits


def test_the_learning_curves_say_what_more_patients_bring():
    fig = figures.learning_curves(curves_table(last=0.70), mark=190)
    finding = (
        "From 50 to 800 patients the best network gains 20.0 percentage points; at 800 the networks lie 5.0"
    )
    assert title_of(fig).startswith(finding)
    assert [trace.name for trace in fig.data] == ["VGG", "CNN"]  # the better one first
    vgg, cnn = fig.data
    assert (
        vgg.x[0] < 50 < cnn.x[0] and vgg.line.dash != cnn.line.dash and vgg.marker.symbol != cnn.marker.symbol
    )
    (note,) = (
        fig.layout.annotations
    )  # on a logarithmic axis it takes the logarithm, the line takes the number
    assert note.x == pytest.approx(np.log10(190)) and fig.layout.shapes[0].x0 == 190
    assert vgg.error_y.array == pytest.approx((3, 3)) and vgg.error_y.arrayminus == pytest.approx((4, 4))
    only = figures.learning_curves(curves_table().query("patients == 50"))
    assert title_of(only) == "With 50 patients the best network reaches 55 %"


@pytest.mark.parametrize(
    ("labels", "patients", "finding"),
    [
        (
            [0, 0, 0, 1, 1, 2, 2, 3],
            "abcdefgh",
            "Healthy is the largest class (38 % of 8 pictures), Spondylosis the",
        ),
        ([0, 1, 2, 3], "abcd", "Clinic A has 1 picture of every class"),
        ([0, 0, 1, 2], "aabc", "Clinic A has no picture of Spondylosis among its 4"),
    ],
)
def test_the_class_counts_name_the_imbalance(labels, patients, finding):
    fig = figures.class_counts(dataset_of(labels, list(patients)))
    assert finding in title_of(fig)
    assert list(fig.data[0].y) == np.bincount(labels, minlength=4).tolist()
    assert len(fig.data) == (2 if len(set(patients)) < len(labels) else 1)


@pytest.mark.parametrize(
    ("draw", "word"),
    [
        (lambda: figures.accuracy_by_labels(labels_table().drop(columns="low")), "lacks low"),
        (lambda: figures.compare_accuracy({}), "no report"),
        (lambda: figures.learning_curves(curves_table().drop(columns="runs")), "lacks runs"),
        (lambda: figures.paired_forest(pd.DataFrame({"first": ["A"]})), "lacks difference"),
        (lambda: figures.decision_curve(draw(20), "Scoliosis"), "no class Scoliosis"),
        (lambda: figures.training_curves(pd.DataFrame({"epoch": [1]})), "lacks loss"),
        (lambda: figures.training_curves(history_of([1.0])[:0]), "0 rows"),
        (lambda: figures.probabilities_bar([0.5, 0.5], PAPER4), "2 probabilities for 4 classes"),
        (lambda: figures.picture_grid([], []), "0 pictures"),
        (lambda: figures.picture_grid(np.zeros((2, 4, 4)), ["a"]), "1 captions"),
        (lambda: figures.picture_grid(np.zeros((1, 4, 4, 3)), ["a"]), "one grey picture"),
        (lambda: figures.heat_overlay(np.zeros((4, 4)), np.zeros((2, 2))), "resize"),
        (
            lambda: figures.filters_on_picture(np.zeros((4, 4)), [], np.ones((1, 3, 3)), ["a"], side=3),
            "0 places",
        ),
        (
            lambda: figures.heat_overlay(np.zeros((4, 4)), np.zeros((4, 4)), outline=np.zeros((2, 2))),
            "the outline",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(draw, word):
    with pytest.raises(LumbarError, match=word) as refusal:
        draw()
    assert str(refusal.value).endswith(".")


def test_an_interval_that_holds_nothing_is_an_open_diamond():
    table = pd.DataFrame(
        {"who": ["a", "b"], "gain": [0.1, 0.2], "gain_low": [-0.1, 0.1], "gain_high": [0.3, 0.3]}
    )
    fig = figures.estimate_forest(
        table, "gain", label="who", axis="gain", nothing=0, title="One of two gains"
    )
    assert [trace.marker.symbol for trace in fig.data] == ["diamond-open", "circle"]
    assert "a +0.10 [-0.10, +0.30]" in fig.layout.meta["description"]
    with pytest.raises(LumbarError, match="lacks gain_low"):
        figures.estimate_forest(
            table.drop(columns="gain_low"), "gain", label="who", axis="gain", nothing=0, title="t"
        )
