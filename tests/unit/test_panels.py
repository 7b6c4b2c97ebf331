"""The dashboard's panels, driven as a visitor drives them: a control is set, and what the page says follows."""

import html
import re
from email.message import Message
from importlib.metadata import version

import pandas as pd
import plotly.io
import pytest

from lumbar_utils.cam.scores import score_explanations
from lumbar_utils.checkpoints import CARD, CHECKPOINTS, read_checkpoint
from lumbar_utils.dashboard import INTENDED_USE, about, app
from lumbar_utils.dashboard import compare as compare_panel
from lumbar_utils.dashboard.about import AboutPanel
from lumbar_utils.dashboard.compare import ComparePanel
from lumbar_utils.dashboard.how_sure import HowSurePanel
from lumbar_utils.dashboard.log import QUIET, Log
from lumbar_utils.dashboard.look_inside import LookInsidePanel
from lumbar_utils.dashboard.opened_network import OpenNetwork
from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import (
    compare,
    evaluate,
    healthy_or_ill,
    load_results,
    paired_difference,
    paper_reported,
    wilson,
)
from lumbar_utils.evaluation.sure import duel
from lumbar_utils.phantom import PHANTOM_VERSION, lesion_mask, render, sample_patient
from lumbar_utils.runtime import load_predictor

ARCHITECTURE_NAMES = ("alexnet", "cnn", "densenet121", "involution_vgg16", "mobilenet", "resnet50", "vgg16")


def everything(widget):
    """Yield a widget and all inside it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def words(widget) -> str:
    """Return all text that a widget shows, without tags."""
    values = [str(each.value) for each in everything(widget) if type(each).__name__ == "HTML"]
    return " ".join(re.sub("<[^>]+>", " ", " ".join(values)).split())


def control(widget, label):
    (found,) = [each for each in everything(widget) if getattr(each, "description", None) == label]
    return found


def shown(widget) -> str:
    """Return all HTML and all charts that a widget shows."""
    html_of = [str(each.value) for each in everything(widget) if type(each).__name__ == "HTML"]
    return " ".join(
        html_of + [str(each.outputs) for each in everything(widget) if type(each).__name__ == "Output"]
    )


def pictures(widget) -> int:
    return shown(widget).count("<img ")


@pytest.fixture
def log():
    log = Log()
    yield log
    assert QUIET in log.widget.value


def tabs_of(page):
    (found,) = [each for each in everything(page) if type(each).__name__ == "Tab"]
    return found


class TestCompare:
    @pytest.fixture(scope="class")
    def panel(self):
        log = Log()
        panel = ComparePanel(log)
        yield panel
        assert QUIET in log.widget.value

    def test_recall_by_class_is_that_of_the_reports(self, panel):
        report = evaluate(load_results("zoo")["cnn"])
        row = report.per_class.loc["Spondylosis"]
        assert f"{row['recall']:.2f} [{row['recall_low']:.2f}, {row['recall_high']:.2f}]" in words(
            panel.widget
        )

    def test_every_shipped_model_has_its_size_and_its_distance_to_the_ceiling(self, panel):
        stored, said = load_results("zoo"), words(panel.widget)
        gap = paired_difference(stored["cnn_svm"], stored["ceiling"])
        for name in (*ARCHITECTURE_NAMES, "cnn_svm"):
            assert f"{read_checkpoint(name).card['parameters']:,}" in said
        assert f"{100 * gap.value:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]" in said.replace(
            "\xa0", " "
        )

    def test_times_come_on_demand(self, panel):
        assert " ms " not in words(panel.widget)
        control(panel.widget, "Time them on this machine").click()
        assert len(re.findall(r"\d\.\d ms", words(panel.widget))) == len(ARCHITECTURE_NAMES) + 1
        assert control(panel.widget, "Time them again")

    def test_a_model_is_compared_with_each_other_one_and_holm_counts_all_pairs(self, panel):
        control(panel.widget, "Model in detail").value = "cnn"
        stored = load_results("zoo")
        models = {name: each for name, each in stored.items() if name != "ceiling"}
        table = compare(models).set_index(["first", "second"])
        row, back = table.loc[("cnn", "vgg16")], table.loc[("alexnet", "cnn")]
        said = words(panel.widget).replace("\xa0", " ")
        gaps = (row.difference, row.low, row.high), (-back.difference, -back.high, -back.low)
        counts = (row.only_first, row.only_second), (back.only_second, back.only_first)
        for (value, low, high), (alone, other), p in zip(
            gaps, counts, (row.p_holm, back.p_holm), strict=True
        ):
            shown_gap = f"{100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] {alone} {other} p "
            assert re.search(re.escape(shown_gap) + rf"\d\.\d+ p {p:.3f}", said), shown_gap
        control(panel.widget, "Model in detail").value = "ceiling"
        assert panel._pairs.layout.display == "none"

    def test_healthy_or_ill_is_another_question_with_higher_scores(self, panel):
        control(panel.widget, "Classes").value = "healthy or ill"
        joined = evaluate(healthy_or_ill(load_results("zoo")["cnn"]))
        assert joined.accuracy.value > evaluate(load_results("zoo")["cnn"]).accuracy.value
        assert str(joined.accuracy) in words(panel.widget)
        assert panel._reported.widget.layout.display == "none"  # the paper did not ask that
        control(panel.widget, "Classes").value = "as they are"
        assert panel._reported.widget.layout.display is None

    def test_a_study_without_files_shows_no_costs(self, panel):
        control(panel.widget, "Study").value = "clinical"
        assert panel._costs_card.layout.display == "none"
        control(panel.widget, "Study").value = "zoo"
        assert panel._costs_card.layout.display is None

    def test_a_study_with_more_and_fewer_patients_shows_its_learning_curves(self, panel, monkeypatch):
        assert panel._growth.widget.layout.display == "none"
        table = pd.DataFrame(
            {"model": ["CNN", "CNN"], "patients": [50, 800], "runs": 3, "accuracy": [0.5, 0.8]}
        )
        table = table.assign(accuracy_low=table["accuracy"] - 0.03, accuracy_high=table["accuracy"] + 0.03)
        monkeypatch.setattr(compare_panel, "load_learning_curves", {"clinical": table}.get)
        control(panel.widget, "Study").value = "clinical"
        assert panel._growth.widget.layout.display is None
        assert "From 50 to 800 patients the best network gains 30.0" in words(panel._growth.widget)
        assert "CNN, 50 patients: 50 %" in words(panel._growth.widget)
        control(panel.widget, "Study").value = "zoo"
        assert panel._growth.widget.layout.display == "none"


class TestApp:
    def test_a_panel_is_built_when_its_tab_is_first_opened_and_only_then(self, monkeypatch):
        built = []

        class Panel:
            def __init__(self, log):
                built.append(self)
                self.widget = app.text("here")

        monkeypatch.setattr(app, "PANELS", dict.fromkeys(("first", "second", "third"), Panel))
        tabs = tabs_of(app.build())
        assert len(built) == 1
        for position in (2, 0, 2, 0):
            tabs.selected_index = position
        assert len(built) == 2
        assert [words(child) for child in tabs.children] == ["here", "", "here"]

    def test_a_panel_that_fails_is_told_in_the_messages_and_tried_again(self, monkeypatch):
        attempts = []

        class Fails:
            def __init__(self, log):
                attempts.append(self)
                raise OSError("no such file")

        class Works:
            def __init__(self, log):
                self.widget = app.text("here")

        monkeypatch.setattr(app, "PANELS", {"first": Works, "second": Fails})
        page = app.build()
        for position in (1, 0, 1):
            tabs_of(page).selected_index = position
        assert len(attempts) == 2
        assert "OSError: no such file" in words(page)
        assert "could not be built" in words(tabs_of(page).children[1])

    def test_every_panel_can_be_built(self):
        page = app.build()
        tabs = tabs_of(page)
        for position in range(len(app.PANELS)):
            tabs.selected_index = position
            assert words(tabs.children[position])
        assert QUIET in words(page)

    def test_every_control_has_a_visible_label(self):
        tabs = tabs_of(app.build())
        for position, title in enumerate(app.PANELS):
            tabs.selected_index = position
            for each in everything(tabs.children[position]):
                if hasattr(each, "value") and hasattr(each, "description") and hasattr(each, "disabled"):
                    assert each.description, (title, type(each).__name__)


class TestHowSure:
    def test_the_three_numbers_follow_the_sliders(self, log):
        panel = HowSurePanel(log).widget
        for n, accuracy, lead in ((19, 90.0, 5.0), (200, 80.0, 2.0), (36, 95.0, 10.0)):
            control(panel, "Patients in the test set").value = n
            control(panel, "True accuracy of A (%)").value = accuracy
            control(panel, "A is truly better than B by (points)").value = lead
            said = words(panel)
            p, q = accuracy / 100, (accuracy - lead) / 100
            low, high = wilson(round(n * p), n)
            assert f"{100 * low:.0f} to {100 * high:.0f} %" in said
            perfect = 100 * p**n
            assert (f"{perfect:.1f} %" if perfect >= 0.1 else "under 0.1 %") in said
            assert f"comes out ahead in {100 * duel(n, p, q).behind:.0f} % of" in said

    def test_a_slider_renews_every_chart(self, log, monkeypatch):
        monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")  # as in a notebook
        panel = HowSurePanel(log).widget
        charts = [each for each in everything(panel) if type(each).__name__ == "Output"]
        assert len(charts) == 3
        before = [each.outputs for each in charts]
        control(panel, "Patients in the test set").value = 100
        assert all(each.outputs != old for each, old in zip(charts, before, strict=True))

    def test_equal_models_are_not_called_better_and_worse(self, log):
        panel = HowSurePanel(log).widget
        control(panel, "A is truly better than B by (points)").value = 0.0
        assert "the worse" not in words(panel)
        assert "Two equal models" in words(panel)

    def test_every_reported_number_is_marked_and_has_its_interval_or_none(self, log):
        said = words(HowSurePanel(log).widget)
        table = paper_reported().accuracies
        assert said.count("(reported)") == table["accuracy"].notna().sum()
        for row in table[table["right"].notna()].itertuples():
            assert f"[{row.wilson_low:.3f}, {row.wilson_high:.3f}]" in said
        assert "Impossible: 4 pictures allow" in said


class TestAbout:
    def test_every_shipped_network_has_its_card_with_use_limits_and_score(self, log):
        said = words(AboutPanel(log).widget)
        cards = [read_checkpoint(path.parent.name).card for path in CHECKPOINTS.glob(f"*/{CARD}")]
        assert cards
        for card in cards:
            assert said.count(card["display_name"]) >= 2  # in the table and over its card
            for sentence in (card["intended_use"], card["citation"], *card["limits"]):
                assert " ".join(sentence.split()) in html.unescape(said)
            for file, found in card["files"].items():
                assert f"{file}: {found[:16]}" in said

    def test_data_are_told_with_phantom_version_seeds_and_fingerprints(self, log):
        said = words(AboutPanel(log).widget)
        assert f"phantom version {PHANTOM_VERSION}" in said
        for name, each in read_checkpoint("cnn").card["provenance"]["data"].items():
            seed = each["make_dataset"]["seed"]
            assert re.search(rf"{name} \d+ {seed} {each['fingerprint'][:16]}", said)

    def test_software_is_told_with_its_installed_version_and_a_licence(self, log):
        said = words(AboutPanel(log).widget)
        assert INTENDED_USE in said
        for package in about.PACKAGES:
            assert re.search(rf"{package} {re.escape(version(package))} \S", said), package

    @pytest.mark.parametrize(
        ("declared", "expected"),
        [
            ({"License-Expression": "MIT", "License": "other"}, "MIT"),
            ({"License": "Apache 2.0", "Classifier": "License :: OSI Approved :: MIT License"}, "Apache 2.0"),
            (
                {"License": "Copyright\nall of it", "Classifier": "License :: OSI Approved :: MIT License"},
                "MIT License",
            ),
            ({"Classifier": "License :: OSI Approved"}, "stands in the package"),
        ],
    )
    def test_a_licence_is_told_in_the_shortest_form_that_the_package_declares(self, declared, expected):
        package = Message()
        for key, value in declared.items():
            package[key] = value
        assert about.licence_of(package) == expected

    def test_a_damaged_checkpoint_is_told_and_the_others_are_shown(self, monkeypatch):
        def read(name):
            if name == "cnn_course":
                raise LumbarError("model.tflite of the checkpoint cnn_course is missing; fetch it again.")
            return read_checkpoint(name)

        monkeypatch.setattr(about, "read_checkpoint", read)
        log = Log()
        said = words(AboutPanel(log).widget)
        assert "cnn_course is missing" in log.widget.value
        assert read_checkpoint("vgg16").card["display_name"] in said
        assert read_checkpoint("cnn").card["display_name"] + " " not in said


@pytest.fixture(scope="class")
def look():
    return LookInsidePanel(Log())


class TestLookInside:
    def test_every_network_shows_its_layers_heat_maps_and_answer(self, look):
        panel = look.widget
        for name, folder in control(panel, "Network").options:
            control(panel, "Network").value = folder
            said, network = words(panel), OpenNetwork(read_checkpoint(folder))
            frames = network.frame(render(sample_patient(10, disease="Herniated Disk")).image[None])
            answer = network.predict(frames)[0]
            assert f"{network.class_names[answer.argmax()]} probability {answer.max():.2f}" in said, name
            first = network.maps(frames, network.layers[0]).shape
            assert f"1 of {len(network.layers)}: {first[2]} maps of {first[0]} x {first[1]} cells" in said
            assert pictures(panel) == 1 + min(16, first[2]) + 2 * 2 * 4  # each heat map lies over a column

    def test_each_control_changes_what_is_shown(self, look):
        panel = look.widget
        control(panel, "Network").value = "involution_vgg16"
        for label, value in (
            ("Phantom patient (seed)", 12),
            ("Disease of the patient", "Spinal Stenosis"),
            ("Layer", "last maps"),
            ("Heat maps for", "Spondylosis"),
            ("Score-CAM as well (takes seconds)", True),
            ("Row of the place (cells)", 10),
            ("Column of the place (cells)", 44),
        ):
            before = shown(panel)
            control(panel, label).value = value
            assert shown(panel) != before, label
        control(panel, "Score-CAM as well (takes seconds)").value = False

    def test_the_table_gives_the_scores_that_the_course_computes(self, look):
        panel = look.widget
        control(panel, "Network").value = "cnn"
        control(panel, "Heat maps for").value = "the predicted class"
        control(panel, "Disease of the patient").value = "Herniated Disk"
        control(panel, "Phantom patient (seed)").value = 10
        drawn, network = render(sample_patient(10, disease="Herniated Disk")), load_predictor("cnn")
        frames = network.frame(drawn.image[None])
        lesion = lesion_mask(drawn.mask, "Herniated Disk")[None]
        heat = network.explain(frames, method="gradcam++")
        (expected,) = score_explanations(
            heat,
            lesion,
            label_maps=drawn.mask[None],
            pictures=drawn.image[None],
            cells=(24, 12),
            frames=frames,
        ).to_dict("records")
        row = re.search(
            r"Grad-CAM\+\+ ([\d.]+) % [\d.]+ % (\w+) \w+ (\w+)", words(panel).split("Scores against")[1]
        )
        assert float(row[1]) == pytest.approx(100 * expected["energy"], abs=0.06)
        assert [row[2], row[3]] == ["yes" if expected[name] else "no" for name in ("pointing", "level_hit")]
        assert f"(ceiling) {100 * expected['energy_ceiling']:.1f} %" in words(panel)
        assert f"(chance) {100 * expected['energy_chance']:.1f} %" in words(panel)

    def test_a_patient_without_a_lesion_gets_heat_maps_and_no_score(self, look):
        panel = look.widget
        control(panel, "Disease of the patient").value = "Healthy"
        assert "no lesion of the patient's class" in html.unescape(words(panel))
        assert "Scores against" not in words(panel)
        assert pictures(panel) > 16

    def test_a_network_without_involution_says_where_to_find_one(self, look):
        panel = look.widget
        control(panel, "Network").value = "vgg16"
        assert "This network has none" in words(panel)
        control(panel, "Network").value = "involution_vgg16"
        assert "This network has none" not in words(panel)
        assert "the kernel's weights add up to" in html.unescape(words(panel))
