import json
import shutil
from pathlib import PurePosixPath

import keras
import numpy as np
import pytest
import skops.io
from helpers import small_dataset
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from lumbar_utils import CNNSVMClassifier, HandcraftedFeatures, LumbarError, build_model, explain
from lumbar_utils.checkpoints import read_checkpoint, write_card
from lumbar_utils.hybrid import load_hybrid, save_hybrid, storage, stored_svm

BY_HAND = HandcraftedFeatures(("lbp", "hu"), size=(48, 32))
DATA = small_dataset(n_classes=3)
NAMES = np.array(["left", "middle", "right"])[DATA.labels]


def network(name="cnn", variant=None, classes=3):
    keras.utils.set_random_seed(0)
    return build_model(name, variant=variant, input_shape=(32, 32, 1), num_classes=classes)


def fitted(**options):
    classifier = CNNSVMClassifier(
        **{"extractor": network(), "pca_components": 4, "C": np.float64(2)} | options
    )
    return classifier.fit(DATA.images, NAMES, groups=DATA.patient_ids)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A hybrid with handcrafted features and the folder it is stored in."""
    classifier = fitted(handcrafted=BY_HAND)
    return classifier, save_hybrid(classifier, tmp_path_factory.mktemp("hybrids") / "spine")


@pytest.fixture
def copy(stored, tmp_path):
    """A copy of the folder that a test may damage."""
    return shutil.copytree(stored[1], tmp_path / "spine")


def replace_svm(folder, change):
    """Change what svm.skops holds, and vouch for it in the card."""
    content = skops.io.load(folder / stored_svm.SVM, trusted=list(stored_svm.TRUSTED))
    skops.io.dump(change(content), folder / stored_svm.SVM)
    write_card(folder, json.loads((folder / "card.json").read_text()))


def same_answers(ours, theirs):
    images = small_dataset(n_classes=3, seed=5).images
    return np.array_equal(ours.predict(images), theirs.predict(images)) and np.allclose(
        ours.predict_proba(images), theirs.predict_proba(images), atol=1e-9
    )


def test_a_stored_hybrid_answers_as_before(stored):
    classifier, folder = stored
    again = load_hybrid(folder)
    assert same_answers(classifier, again)
    assert again.classes_.tolist() == ["left", "middle", "right"] and again.history_ is None
    ours, theirs = classifier.get_params(deep=False), again.get_params(deep=False)
    assert theirs.pop("extractor") is again.network_ and ours.pop("extractor") is classifier.network_
    assert (
        theirs.pop("handcrafted").get_params() == ours.pop("handcrafted").get_params() == BY_HAND.get_params()
    )
    assert ours == theirs


def test_a_loaded_hybrid_can_learn_again(stored):
    again = clone(load_hybrid(stored[1])).fit(DATA.images, NAMES, groups=DATA.patient_ids)
    assert same_answers(stored[0], again)


@pytest.mark.parametrize("labels", [DATA.labels, DATA.labels == 1, NAMES.astype(object)])
def test_labels_keep_their_kind(labels, tmp_path):
    classifier = CNNSVMClassifier(extractor=network()).fit(DATA.images, labels, groups=DATA.patient_ids)
    again = load_hybrid(save_hybrid(classifier, tmp_path / "hybrid"))
    assert again.classes_.dtype == classifier.classes_.dtype
    assert again.classes_.tolist() == classifier.classes_.tolist()
    assert again.predict(DATA.images).tolist() == classifier.predict(DATA.images).tolist()


def test_a_network_trained_by_the_hybrid_is_stored_without_its_optimizer(tmp_path):
    classifier = fitted(extractor=None, input_size=32, epochs=1, pca_components=None)
    folder = save_hybrid(classifier, tmp_path / "hybrid")
    again = load_hybrid(folder)
    assert same_answers(classifier, again) and again.extractor is None
    assert (folder / storage.OWN_WEIGHTS).stat().st_size < 4 * classifier.network_.count_params() + 150_000
    assert np.allclose(explain(classifier, DATA.images[:2]), explain(again, DATA.images[:2]), atol=1e-5)


def test_a_variant_is_built_again_as_the_same_variant(tmp_path):
    extractor = network("alexnet", "two_groups")
    folder = save_hybrid(fitted(extractor=extractor), tmp_path / "hybrid")
    assert json.loads((folder / "card.json").read_text())["network"]["variant"] == "two_groups"
    for ours, theirs in zip(extractor.get_weights(), load_hybrid(folder).network_.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_shipped_network_is_named_and_not_stored_again(tmp_path):
    classifier = fitted(extractor=build_model("cnn", weights="phantom"))
    folder = save_hybrid(classifier, tmp_path / "hybrid")
    assert sorted(file.name for file in folder.iterdir()) == ["card.json", "svm.skops"]
    assert same_answers(classifier, load_hybrid(folder))
    card = json.loads((folder / "card.json").read_text())
    assert card["network"]["shipped_sha256"] == read_checkpoint("cnn").card["files"]["weights.weights.h5"]
    card["network"]["shipped_sha256"] = "0" * 64
    write_card(folder, card)
    with pytest.raises(
        LumbarError, match="stands on the shipped network cnn_course with the sha256 000000000000…"
    ):
        load_hybrid(folder)


def test_a_shipped_network_that_was_trained_on_is_stored(tmp_path):
    extractor = build_model("cnn", weights="phantom")
    extractor.layers[-1].bias.assign_add([0.1, 0, 0, 0])
    folder = save_hybrid(fitted(extractor=extractor), tmp_path / "hybrid")
    assert (folder / storage.OWN_WEIGHTS).is_file()
    assert np.array_equal(load_hybrid(folder).network_.get_weights()[-1], extractor.get_weights()[-1])


def test_storing_replaces_a_hybrid_and_nothing_else(stored, copy, tmp_path):
    other = fitted()
    save_hybrid(other, copy)
    assert same_answers(other, load_hybrid(copy)) and load_hybrid(copy).handcrafted is None
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(LumbarError, match="thesis is there already and is no stored hybrid"):
        save_hybrid(other, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["spine", "thesis"]


def test_what_cannot_be_stored_is_told_and_leaves_nothing(tmp_path):
    with pytest.raises(LumbarError, match="has not learned yet"):
        save_hybrid(CNNSVMClassifier(), tmp_path / "hybrid")
    pictures = keras.Input((32, 32, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3)(pictures))
    by_hand = keras.Model(pictures, keras.layers.Dense(3)(x), name="mine")
    with pytest.raises(LumbarError, match="network 'mine' is none that build_model builds"):
        save_hybrid(fitted(extractor=by_hand), tmp_path / "hybrid")
    by_hand.name = "cnn_course"
    with pytest.raises(LumbarError, match="network 'cnn_course' is none that build_model builds"):
        save_hybrid(fitted(extractor=by_hand), tmp_path / "hybrid")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", [stored_svm.SVM, storage.OWN_WEIGHTS])
def test_a_damaged_file_is_named(copy, file):
    content = bytearray((copy / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(
        LumbarError, match=rf"{file} of the checkpoint spine has the sha256 .*store it again\."
    ):
        load_hybrid(copy)
    (copy / file).unlink()
    with pytest.raises(LumbarError, match=f"{file} of the checkpoint spine is missing"):
        load_hybrid(copy)


def test_a_folder_without_a_hybrid_is_refused(copy, tmp_path):
    with pytest.raises(LumbarError, match=r"no stored hybrid in .*nowhere"):
        load_hybrid(tmp_path / "nowhere")
    with pytest.raises(LumbarError, match="is no CNN-SVM hybrid's"):
        load_hybrid(read_checkpoint("cnn").folder)


def test_a_card_that_lacks_something_is_refused(copy):
    card = json.loads((copy / "card.json").read_text())
    del card["classes"]
    (copy / "card.json").write_text(json.dumps(card))
    with pytest.raises(LumbarError, match="is no CNN-SVM hybrid's"):
        load_hybrid(copy)


@pytest.mark.parametrize(
    "by_hand",
    [HandcraftedFeatures("hu", size=np.int64(40)), HandcraftedFeatures(("hu",), crop="column")],
)
@pytest.mark.filterwarnings("ignore:In .* no lumbar column")
def test_parameters_of_handcrafted_features_come_back(by_hand, tmp_path):
    classifier = fitted(handcrafted=by_hand)
    again = load_hybrid(save_hybrid(classifier, tmp_path / "hybrid"))
    assert again.handcrafted.get_params() == by_hand.get_params()
    assert same_answers(classifier, again)


def test_another_phantom_version_is_refused(copy):
    card = json.loads((copy / "card.json").read_text()) | {"phantom_version": "0.0.1"}
    (copy / "card.json").write_text(json.dumps(card))
    with pytest.raises(LumbarError, match=r"trained on phantom 0\.0\.1 .*; train it again\."):
        load_hybrid(copy)


def test_a_type_that_is_not_trusted_is_refused_unread(copy):
    replace_svm(copy, lambda content: content | {"svm": PurePosixPath("somewhere")})
    with pytest.raises(
        LumbarError, match=r"was not read: Untrusted types found .*PosixPath.*; take hybrids only"
    ):
        load_hybrid(copy)


def test_only_private_holders_of_the_calibration_need_trust(stored):
    assert set(skops.io.get_untrusted_types(file=stored[1] / stored_svm.SVM)) == set(stored_svm.TRUSTED)


def without_dual_coefficients(content):
    del content["svm"][-1]._dual_coef_
    return content


def with_logistic_regression(content):
    return content | {"svm": LogisticRegression()}


def without_rows(content):
    del content["features"]
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_dual_coefficients, "AttributeError"),
        (with_logistic_regression, "it holds LogisticRegression instead of the SVM's pipeline"),
        (without_rows, "KeyError: 'features'"),
    ],
)
def test_a_scikit_learn_that_keeps_things_elsewhere_is_told(copy, change, message):
    replace_svm(copy, change)
    with pytest.raises(LumbarError, match=message) as caught:
        load_hybrid(copy)
    assert "cannot be read" in str(caught.value) and "it was stored with scikit-learn" in str(caught.value)


def moved_sigmoids(content):
    content["calibrated"].calibrated_classifiers_[0].calibrators[0].b_ += 0.01
    return content


def other_texture(content):
    content["by_hand"][0, :10] = np.roll(content["by_hand"][0, :10], 1)
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (moved_sigmoids, r"answers otherwise, by 0\.00\d+ in a probability"),
        (other_texture, "answers otherwise, for this package computes other handcrafted features"),
    ],
)
def test_answers_that_differ_from_the_stored_ones_are_refused(copy, change, message):
    replace_svm(copy, change)
    with pytest.raises(LumbarError, match=message):
        load_hybrid(copy)
