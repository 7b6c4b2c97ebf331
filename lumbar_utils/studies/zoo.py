"""Trains the networks that ship with the course on phantoms, and stores checkpoints, predictions and histories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from os import cpu_count
from pathlib import Path

import keras
import numpy as np

from ..checkpoints import CHECKPOINTS, read_checkpoint
from ..dataset import LumbarDataset, LumbarError
from ..evaluation import Predictions, evaluate
from ..evaluation.results import CEILING
from ..hybrid import CNNSVMClassifier, save_hybrid
from ..models import ARCHITECTURES, architecture_named, build_model, display_name_of
from ..paths import results_folder
from ..phantom import PHANTOM_VERSION
from ..runtime.hybrid import HYBRID
from ..sources import load_dataset
from ..training import SmallChanges, fit, predict, scaled_for
from .ceiling import predict_ceiling
from .export import made_with, round_weights, what_it_sees, write_checkpoint, write_svm_twin
from .patients import Part, framed, mean_grey

# Seeds of `make_dataset`. The test patients are met once, when training is over; lessons draw from seed 0.
SEEDS = {"training": 101, "validation": 102, "test": 104}
NETWORKS = tuple(ARCHITECTURES)
HYBRID_OF = "cnn"  # the network whose features the hybrid's support vector machine gets
HYBRID_PATIENTS = 3000  # it learns from: its file holds every support vector, and may have 3 MB
RECIPE = {
    "batch_size": 32,
    "learning_rate": 5e-3,
    "warm_up": 0.1,
    # less than a lesson's: the columns already stand upright and in the middle
    "augment": {"rotation_degrees": 4.0, "shift": 0.03, "zoom": 0.06, "contrast": 0.15, "brightness": 0.08},
}
# Many patients, each seen few times: the VGG shown 6,000 of them 32 times learned them by heart (its validation loss
# rose from the 22nd epoch on); shown 12,000 of them 10 times, it took no longer and ended lower. The slow networks get
# fewer epochs, so that none takes more than about twenty minutes on two cores.
EPOCHS = {
    "cnn": 16,
    "alexnet": 16,
    "vgg16": 10,
    "involution_vgg16": 10,
    "resnet50": 12,
    "densenet121": 10,
    "mobilenet": 8,
}
INTENDED_USE = (
    "Teaching how such networks are built, measured and doubted. Not a medical device; not for diagnosis."
)
LIMITS = (
    "Trained on drawn phantoms only; on real pictures its answers have no known meaning.",
    "Sees the lumbar column of one sagittal T2 midline slice: small or lateral lesions may not show.",
    "Always answers one of its classes, whatever the picture shows.",
)


def train_zoo(
    names: tuple[str, ...] | None = None,
    *,
    view: str = "column",
    n_patients: int = 12000,
    n_validation: int = 600,
    n_test: int = 600,
    epochs: int | None = None,
    precision: str = "float32",
    seed: int = 0,
    checkpoints: Path = CHECKPOINTS,
    results: Path | None = None,
    log: Callable[[str], None] = print,
) -> None:
    """Train networks at course size, one after the other, on the same patients; compute the ceiling too.

    Written for each network are the locked test's predictions, `results`/NAME.csv (by default results/zoo), those of
    the validation patients, `results`/validation/NAME.csv, the history, NAME_history.csv, and the checkpoint
    `checkpoints`/NAME_course; for the hybrid, which has no history, the locked test's predictions and
    `checkpoints`/cnn_svm.

    Parameters
    ----------
    names : architectures; "cnn_svm", a support vector machine on the features of the CNN in `checkpoints`; "ceiling",
        which is no network: what true measurements of the slice can tell. By default all, and where whole pictures
        are seen, the architectures.
    view : "column" trains what ships; "whole" shows the networks whole pictures, in results/zoo_whole, for
        comparison, and writes no checkpoint.
    n_patients, n_validation, n_test : phantoms from seeds that share no patient.
    epochs : by default those of `EPOCHS`; all are run, with the learning rate falling along a cosine, and the best by
        validation loss is kept.
    precision : of `fit`; "bfloat16" is faster on processors that have it.
    """
    if names is None:
        names = (*NETWORKS, HYBRID, CEILING) if view == "column" else NETWORKS
    for name in set(names) - {HYBRID, CEILING}:
        architecture_named(name)
    if view != "column" and (without := {HYBRID, CEILING} & set(names)):
        raise LumbarError(
            f"{' and '.join(sorted(without))} cannot be made for view={view!r}, wanted architectures only; leave "
            "the view at column."
        )
    if results is None:
        results = results_folder() / ("zoo" if view == "column" else f"zoo_{view}")
    parts = draw_parts({"training": n_patients, "validation": n_validation, "test": n_test}, view)
    log("\n".join(repr(part.dataset) for part in parts.values()))
    provenance = {
        "study": "zoo",
        "phantom_version": PHANTOM_VERSION,
        **_provenance_of(parts, view),
        "made_with": made_with(),
    }
    for name in names:
        if name == CEILING:
            stored = predict_ceiling(parts["training"].dataset, parts["test"].dataset, seed=seed)
            replace(stored, provenance={**stored.provenance, **provenance}).save(results / f"{CEILING}.csv")
            log(f"{evaluate(stored)}\n")
            continue
        keras.backend.clear_session()
        if name == HYBRID:
            _store_hybrid(parts, provenance | {"seed": seed}, results, checkpoints, log)
            continue
        lasting = epochs or EPOCHS[name]
        model, history = _trained(name, parts, lasting, precision, seed)
        recipe = {"network": name, "preset": "course", "epochs": lasting, "precision": precision, **RECIPE}
        about = provenance | {"configuration": recipe, "seed": seed, "training": dict(history.attrs)}
        _store(model, history, parts, about, results, checkpoints if view == "column" else None, log)


def _trained(name: str, parts: dict[str, Part], epochs: int, precision: str, seed: int):
    """Return a network, its weights rounded as they ship, and the history of its training."""
    training, validation = parts["training"], parts["validation"]
    keras.utils.set_random_seed(seed)
    model = build_model(
        name,
        input_shape=(*training.frames.pictures.shape[1:], 1),
        num_classes=len(training.dataset.class_names),
    )
    history = fit(
        model,
        (scaled_for(model, training.frames), training.dataset.labels),
        (scaled_for(model, validation.frames), validation.dataset.labels),
        epochs=epochs,
        patience=epochs,
        batch_size=RECIPE["batch_size"],
        learning_rate=_schedule(-(-len(training.dataset) // RECIPE["batch_size"]) * epochs),
        augment=SmallChanges(seed=seed, **RECIPE["augment"]),
        seed=seed,
        precision=precision,
        live=False,
    )
    round_weights(model)
    return model, history


def _schedule(steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return a rate that rises over the first tenth of the steps and then falls along a cosine."""
    highest, warm_up = RECIPE["learning_rate"], max(1, round(steps * RECIPE["warm_up"]))
    return keras.optimizers.schedules.CosineDecay(
        highest / 10, max(1, steps - warm_up), alpha=0.01, warmup_target=highest, warmup_steps=warm_up
    )


def _store(model, history, parts, provenance, results, checkpoints, log) -> None:
    """Write what a trained network is and says; log it."""
    name, shown = model.name.removesuffix("_course"), display_name_of(model)
    x = {part: scaled_for(model, each.frames) for part, each in parts.items()}
    validation, test = (
        _predictions(parts[part].dataset, predict(model, x[part]), shown, provenance)
        for part in ("validation", "test")
    )
    report = evaluate(test)
    if checkpoints is not None:
        card = {
            "display_name": shown,
            "class_names": list(test.class_names),
            "citation": ARCHITECTURES[name].citation,
            "parameters": model.count_params(),
            "intended_use": INTENDED_USE,
            "limits": list(LIMITS),
            "provenance": provenance,
            "test": report.to_dict(),
        }
        write_checkpoint(model, card, parts["test"].dataset.images[:64], root=checkpoints)
    validation.save(results / "validation" / f"{name}.csv")
    test.save(results / f"{name}.csv")
    history.round(5).to_csv(results / f"{name}_history.csv", index=False)
    log(f"{history.attrs}\n{report}\n")


def _store_hybrid(parts, provenance, results, checkpoints, log) -> None:
    """Write the support vector machine on the shipped network's features and what it says; log it."""
    shipped = read_checkpoint(HYBRID_OF, root=checkpoints)
    network = build_model(
        HYBRID_OF,
        input_shape=tuple(shipped.card["input_shape"]),
        num_classes=len(shipped.card["class_names"]),
        weights=shipped.file("weights.weights.h5"),
    )
    x = {part: scaled_for(network, each.frames) for part, each in parts.items()}
    labels = {part: each.dataset.labels for part, each in parts.items()}
    hybrid = CNNSVMClassifier(extractor=network, seed=provenance["seed"])
    hybrid.fit(
        x["training"][:HYBRID_PATIENTS],
        labels["training"][:HYBRID_PATIENTS],
        validation=(x["validation"], labels["validation"]),
    )
    shown = f"{shipped.card['display_name']}, with SVM"
    about = provenance | {
        "svm": {"C": hybrid.C, "patients": min(HYBRID_PATIENTS, len(labels["training"]))},
        "network": {
            "name": shipped.folder.name,
            "weights_sha256": shipped.card["files"]["weights.weights.h5"],
        },
    }
    stored = _predictions(parts["test"].dataset, hybrid.predict_proba(x["test"]), shown, about)
    report = evaluate(stored)
    card = {
        **what_it_sees(network),
        "name": HYBRID,
        "display_name": shown,
        "class_names": list(stored.class_names),
        "citation": "Tang. Deep learning using linear support vector machines. ICML workshop, 2013.",
        "parameters": network.count_params(),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "provenance": about,
        "test": report.to_dict(),
    }
    save_hybrid(hybrid, checkpoints / HYBRID, card=card)
    write_svm_twin(hybrid, checkpoints / HYBRID, x["test"][:64])
    stored.save(results / f"{HYBRID}.csv")
    log(f"{report}\n")


def _predictions(data: LumbarDataset, probabilities: np.ndarray, model: str, provenance: dict) -> Predictions:
    return Predictions.of_dataset(
        data, probabilities, model=model, measured_on="phantoms", provenance=provenance
    )


def draw_parts(sizes: dict[str, int], view: str = "column") -> dict[str, Part]:
    """Return each part of `SEEDS` that `sizes` names, drawn anew; refuse a patient who is there twice."""
    datasets = {
        part: load_dataset("phantom", n_patients=n, seed=SEEDS[part], cache=False)
        for part, n in sizes.items()
    }
    drawn = np.concatenate([dataset.meta["patient_seed"] for dataset in datasets.values()])
    if len(np.unique(drawn)) != len(drawn):
        raise LumbarError(
            f"{len(drawn) - len(np.unique(drawn))} phantom patients occur twice in training, validation and test; "
            "choose other SEEDS."
        )
    return {
        part: framed(dataset, view, processes=cpu_count() if len(dataset) > 1000 else 1)
        for part, dataset in datasets.items()
    }


def _provenance_of(parts: dict[str, Part], view: str) -> dict:
    """Return where the pictures came from, so that anybody can draw them again and see that they are the same."""
    data = {
        part: {
            "make_dataset": {"n_patients": len(each.dataset), "seed": SEEDS[part]},
            "fingerprint": each.dataset.fingerprint(),
            "mean_grey_of_first_8": mean_grey(each.dataset.subset(range(8))),
        }
        for part, each in parts.items()
    }
    seen = {"view": view, "size": list(parts["test"].frames.pictures.shape[1:])}
    if view == "column":
        seen["localiser"] = read_checkpoint("localiser").card["files"]["model.tflite"]
    return {"data": data, "seen": seen}
