"""Stores a fitted CNN-SVM hybrid in a folder and reads it back, without pickle and verified file by file."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import skops
import skops.io
import tensorflow as tf
from sklearn import __version__ as sklearn_version
from sklearn.base import clone

from ..checkpoints import CARD, CHECKPOINTS, WEIGHTS, Checkpoint, read_checkpoint, verified, write_card
from ..dataset import LumbarError
from ..handcrafted import HandcraftedFeatures
from ..models import architecture_of, build_model
from .cnn_svm import CNNSVMClassifier
from .stored_svm import SVM, answers_otherwise, read_svm

KIND = "CNN-SVM hybrid"
OWN_WEIGHTS = "network.weights.h5"
_KEYS = {"classifier", "extractor_given", "handcrafted", "classes", "classes_dtype", "network", "made_with"}


def save_hybrid(classifier: CNNSVMClassifier, folder: str | Path, *, card: dict | None = None) -> Path:
    """Write a fitted hybrid into `folder` and return the folder.

    It then holds svm.skops (scaler, projection, SVM and calibration, with made-up rows and their answers, by which a
    reader proves that it answers alike), card.json, and network.weights.h5 unless the network is one that ships with
    the course: that one is named in the card. A hybrid already there is replaced. The history of the network's
    training is not kept.

    card : further entries of card.json, such as limits and intended use.

    Raises
    ------
    LumbarError : not fitted; a network that `build_model` cannot build again; labels that JSON cannot hold; a folder
        with other things in it.
    """
    if not hasattr(classifier, "calibrated_"):
        raise LumbarError("The CNN-SVM hybrid has not learned yet; call its fit(X, y) before storing it.")
    folder = Path(folder).resolve()
    if folder.exists() and not _is_ours(folder):
        raise LumbarError(f"{folder} is there already and is no stored hybrid; give a new folder.")
    card = {
        **(card or {}),
        "kind": KIND,
        "classifier": _parameters(classifier),
        "extractor_given": classifier.extractor is not None,
        "handcrafted": _handcrafted_card(classifier.handcrafted_),
        **_classes_card(classifier.classes_),
        "network": _network_card(classifier.network_),
        "made_with": {
            "scikit-learn": sklearn_version,
            "skops": skops.__version__,
            "keras": keras.__version__,
        },
    }
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        if card["network"]["shipped_sha256"] is None:
            network = classifier.network_
            keras.Model(network.inputs[0], network.outputs[0]).save_weights(
                aside / OWN_WEIGHTS
            )  # no optimizer
        content = {"svm": classifier.svm_, "calibrated": classifier.calibrated_, **_made_up(classifier)}
        skops.io.dump(content, aside / SVM)
        write_card(aside, card)
        load_hybrid(aside)  # what cannot be read back is not stored
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def load_hybrid(folder: str | Path) -> CNNSVMClassifier:
    """Return the hybrid that `save_hybrid` wrote into `folder`, fitted; its `history_` is None.

    Raises
    ------
    LumbarError : no hybrid there, a damaged file, another phantom version, a type in svm.skops that is not trusted, a
        scikit-learn that reads or answers otherwise, a shipped network or handcrafted features that have changed since.
    """
    folder = Path(folder).resolve()
    if not (folder / CARD).is_file():
        raise LumbarError(
            f"There is no stored hybrid in {folder} (no {CARD}); give a folder that save_hybrid wrote."
        )
    checkpoint = verified(folder, damaged="fetch or store it again", outdated="train it again")
    card = checkpoint.card
    if card.get("kind") != KIND or not _KEYS <= card.keys():
        raise LumbarError(f"{folder / CARD} is no {KIND}'s; give a folder that save_hybrid wrote.")
    network = _read_network(checkpoint)
    classifier = CNNSVMClassifier(
        **card["classifier"],
        handcrafted=_read_handcrafted(card["handcrafted"]),
        extractor=network if card["extractor_given"] else None,
    )
    classifier.classes_ = np.array(card["classes"], dtype=card["classes_dtype"])
    classifier.network_, classifier.history_ = network, None
    classifier.handcrafted_ = _read_handcrafted(card["handcrafted"])
    _read_svm(checkpoint, classifier)
    return classifier


def _is_ours(folder: Path) -> bool:
    try:
        return json.loads((folder / CARD).read_text(encoding="utf-8")).get("kind") == KIND
    except (OSError, ValueError, AttributeError):
        return folder.is_dir() and not any(folder.iterdir())


def _parameters(classifier: CNNSVMClassifier) -> dict:
    own = classifier.get_params(deep=False)
    return {name: _plain(own[name]) for name in own if name not in ("extractor", "handcrafted")}


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _classes_card(classes: np.ndarray) -> dict:
    if classes.dtype.kind not in "biufU" and not all(isinstance(name, str) for name in classes):
        raise LumbarError(
            f"The labels are {classes.dtype} such as {classes[0]!r}, wanted text or numbers; train on "
            "labels of that kind."
        )
    return {"classes": classes.tolist(), "classes_dtype": classes.dtype.str}


def _handcrafted_card(features: HandcraftedFeatures | None) -> dict | None:
    if features is None:
        return None
    size = features.size if np.ndim(features.size) == 0 else [_plain(side) for side in features.size]
    families = features.families if isinstance(features.families, str) else list(features.families)
    return {"families": families, "size": _plain(size), "crop": features.crop}


def _read_handcrafted(card: dict | None) -> HandcraftedFeatures | None:
    if card is None:
        return None
    size = tuple(card["size"]) if isinstance(card["size"], list) else card["size"]
    families = card["families"] if isinstance(card["families"], str) else tuple(card["families"])
    return HandcraftedFeatures(families, size=size, crop=card["crop"])


def _network_card(network: keras.Model) -> dict:
    """Return what `build_model` needs to build the network again; of a shipped one the sha256 of its weights file."""
    name, _, preset = network.name.rpartition("_")
    card = {
        "name": name,
        "preset": preset,
        "input_shape": list(network.input_shape[1:]),
        "num_classes": network.output_shape[-1],
    }
    shipped = read_checkpoint(network.name) if (CHECKPOINTS / network.name / CARD).is_file() else None
    return {
        **card,
        "variant": _variant_of(network, card),
        "shipped_sha256": _shipped_sha256(network, shipped) if shipped else None,
    }


def _variant_of(network: keras.Model, card: dict) -> str | None:
    """Return the variant whose weights have the network's shapes."""
    architecture = architecture_of(network)
    if architecture is not None:
        for variant in architecture.variants or (None,):
            with tf.Graph().as_default():  # where no array is allocated
                candidate = build_model(**card, variant=variant)
                if [weight.shape for weight in candidate.weights] == [w.shape for w in network.weights]:
                    return variant
    raise LumbarError(
        f"The hybrid's network {network.name!r} is none that build_model builds, so it cannot be built again from a "
        "file; take its extractor from build_model."
    )


def _shipped_sha256(network: keras.Model, shipped: Checkpoint) -> str | None:
    """Return the sha256 of the shipped weights file if the network holds those weights."""
    wanted = (shipped.card["input_shape"], len(shipped.card["class_names"]))
    if wanted != (list(network.input_shape[1:]), network.output_shape[-1]):
        return None
    name, _, preset = network.name.rpartition("_")
    theirs = build_model(name, preset, weights="phantom").get_weights()
    ours = network.get_weights()
    same = len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))
    return shipped.card["files"][WEIGHTS] if same else None


def _read_network(checkpoint: Checkpoint) -> keras.Model:
    card = dict(checkpoint.card["network"])
    then = card.pop("shipped_sha256")
    card["input_shape"] = tuple(card["input_shape"])
    if then is None:
        return build_model(**card, weights=checkpoint.file(OWN_WEIGHTS))
    shipped = read_checkpoint(f"{card['name']}_{card['preset']}")
    now = shipped.card["files"][WEIGHTS]
    if now != then:
        raise LumbarError(
            f"The hybrid in {checkpoint.folder} stands on the shipped network {shipped.folder.name} with the sha256 "
            f"{then[:12]}…, and this package ships {now[:12]}…; train the hybrid again."
        )
    return build_model(**card, weights="phantom")


def _made_up(classifier: CNNSVMClassifier) -> dict[str, np.ndarray]:
    """Return feature rows (4, F) like those learned from, but nobody's, and a picture of noise, with their answers."""
    rng, scaler = np.random.default_rng(0), classifier.svm_[0]
    features = scaler.mean_ + scaler.scale_ * rng.normal(size=(4, len(scaler.mean_)))
    made_up = {"features": features, "probabilities": classifier.calibrated_.predict_proba(features)}
    if classifier.handcrafted_ is not None:
        made_up["picture"] = rng.integers(0, 256, (1, 64, 64)).astype(np.uint8)
        made_up["by_hand"] = _by_hand(classifier.handcrafted_, made_up["picture"])
    return made_up


def _by_hand(features: HandcraftedFeatures, picture: np.ndarray) -> np.ndarray:
    return clone(features).set_params(crop=None).transform(picture)  # noise has no column


def _read_svm(checkpoint: Checkpoint, classifier: CNNSVMClassifier) -> None:
    """Give the classifier its svm_ and calibrated_; its handcrafted features are compared with the stored ones."""
    content = read_svm(checkpoint)
    classifier.svm_, classifier.calibrated_ = content["svm"], content["calibrated"]
    if classifier.handcrafted_ is not None:
        found, stored = _by_hand(classifier.handcrafted_, content["picture"]), content["by_hand"]
        # loosely, for on another machine a pixel may fall on the other side of a threshold
        if found.shape != stored.shape or not np.allclose(found, stored, rtol=1e-2, atol=1e-3):
            raise answers_otherwise(checkpoint, "for this package computes other handcrafted features")
