import json
import shutil

import numpy as np
import pytest

from lumbar_utils import CNNSVMClassifier, LumbarError, build_model
from lumbar_utils.checkpoints import CHECKPOINTS, read_checkpoint, write_card
from lumbar_utils.hybrid import save_hybrid
from lumbar_utils.phantom import make_dataset
from lumbar_utils.runtime import HybridPredictor, load_hybrid_predictor, load_predictor
from lumbar_utils.studies.export import write_svm_twin
from lumbar_utils.training import features_of


@pytest.fixture(scope="module")
def network():
    return load_predictor("cnn")


@pytest.fixture(scope="module")
def phantoms():
    return make_dataset(40, seed=5)


@pytest.fixture(scope="module")
def hybrid(phantoms, tmp_path_factory):
    extractor = build_model("cnn", weights="phantom")
    hybrid = CNNSVMClassifier(extractor=extractor).fit(phantoms.images, phantoms.labels)
    folder = tmp_path_factory.mktemp("shipped") / "cnn_svm"
    save_hybrid(hybrid, folder, card={"class_names": list(phantoms.class_names), "name": "cnn_svm"})
    write_svm_twin(hybrid, folder, phantoms.images[:4])
    return hybrid, folder


def read(folder):
    return read_checkpoint("cnn_svm", root=folder.parent)


def test_it_answers_as_the_classifier_that_keras_feeds(hybrid, network, phantoms):
    classifier, folder = hybrid
    frames = network.frame(phantoms.images)
    ours = network.features(frames)
    theirs = features_of(classifier.network_, phantoms.images)
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
    predictor = HybridPredictor(read(folder), network)
    found = predictor.predict(frames)
    assert predictor.class_names == phantoms.class_names
    assert np.abs(found - classifier.predict_proba(phantoms.images)).max() < 1e-4
    assert len(np.unique(found.argmax(axis=1))) > 1


def test_a_hybrid_of_another_kind_gets_no_twin(phantoms, tmp_path):
    extractor = build_model("cnn", weights="phantom")
    hybrid = CNNSVMClassifier(extractor=extractor, pca_components=8).fit(phantoms.images, phantoms.labels)
    save_hybrid(hybrid, tmp_path / "cnn_svm")
    with pytest.raises(
        LumbarError, match="4 classes and pca_components=8, wanted three classes or more without PCA"
    ):
        write_svm_twin(hybrid, tmp_path / "cnn_svm", phantoms.images[:4])


def test_another_network_below_it_is_refused(hybrid, network, tmp_path):
    folder = shutil.copytree(hybrid[1], tmp_path / "cnn_svm")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    card["network"]["shipped_sha256"] = "0" * 64
    write_card(folder, card)
    with pytest.raises(
        LumbarError, match=r"sha256 000000000000…, and cnn_course has [0-9a-f]{12}…; train it"
    ):
        HybridPredictor(read(folder), network)
    card["network"]["shipped_sha256"] = None
    write_card(folder, card)
    with pytest.raises(LumbarError, match="brings a network of its own"):
        HybridPredictor(read(folder), network)


def test_the_shipped_hybrid_stands_on_the_shipped_network(network, phantoms):
    predictor = load_hybrid_predictor(open_network=lambda name: {"cnn": network}[name])
    probabilities = predictor.predict(phantoms.images[:8])
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert sum(file.stat().st_size for file in (CHECKPOINTS / "cnn_svm").iterdir()) < 3e6
