"""Trains the networks that ship with the course on phantoms, and stores checkpoints, predictions and histories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from os import cpu_count
from pathlib import Path

import keras
import numpy as np

from ..checkpoints import CHECKPOINTS, WEIGHTS, read_checkpoint
from ..dataset import LumbarDataset, LumbarError
from ..evaluation import Predictions, evaluate
from ..evaluation.results import CEILING
from ..hybrid import CNNSVMClassifier, save_hybrid
from ..models import ARCHITECTURES, architecture_named, build_model, display_name_of
from ..paths import results_folder
from ..phantom import PHANTOM_VERSION
from ..runtime.hybrid import HYBRID
from ..sources import load_dataset
from ..training import predict, scaled_for
from .ceiling import predict_ceiling
from .export import made_with, what_it_sees, write_checkpoint, write_svm_twin
from .patients import Part, framed, mean_grey
from .study_executors import one_by_one_or_at_once
from .study_run import limit_threads
from .zoo_recipe import EPOCHS, RECIPE, SLOWER_IN_BFLOAT16, train_network

# Seeds of `make_dataset`. The test patients are met once, when training is over; lessons draw from seed 0.
SEEDS = {"training": 101, "validation": 102, "test": 104}
NETWORKS = tuple(ARCHITECTURES)
HYBRID_OF = "cnn"  # the network whose features the hybrid's support vector machine gets
HYBRID_PATIENTS = 3000  # it learns from: its file holds every support vector, and may have 3 MB
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
    epochs: tuple[int, int] | None = None,
    precision: str = "float32",
    seed: int = 0,
    jobs: int = 1,
    checkpoints: Path = CHECKPOINTS,
    results: Path | None = None,
    log: Callable[[str], None] = print,
) -> None:
    """Train networks at course size on the same patients, each with the same recipe; compute the ceiling too.

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
    epochs : on pictures of half the height and width and on whole ones, by default those of `EPOCHS`; all are run,
        with the learning rate falling along a cosine, and the best by validation loss is kept.
    precision : of `fit`; "bfloat16" is faster on processors that have it, for networks that are not in
        `SLOWER_IN_BFLOAT16`, which stay at float32.
    jobs : networks trained at once, each in a process of its own with its share of the cores. Two with a core each
        took little more than half the time of one after the other with both.
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
    if epochs is not None and epochs[-1] < 1:
        raise LumbarError(
            f"epochs is {epochs}, wanted one or more on whole pictures, which is what a network is shown later; give "
            "such as (10, 8)."
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
    train = partial(
        _train_and_store,
        epochs=epochs,
        precision=precision,
        seed=seed,
        provenance=provenance,
        results=results,
        checkpoints=checkpoints if view == "column" else None,
    )
    networks = sorted((name for name in names if name in NETWORKS), key=list(EPOCHS).index)
    one_by_one_or_at_once(
        partial(train, parts=parts if jobs == 1 else _lean(parts)), networks, jobs=jobs, log=log
    )
    if HYBRID in names:
        keras.backend.clear_session()
        _store_hybrid(parts, provenance | {"seed": seed}, results, checkpoints, log)
    if CEILING in names:
        stored = predict_ceiling(parts["training"].dataset, parts["test"].dataset, seed=seed)
        replace(stored, provenance={**stored.provenance, **provenance}).save(results / f"{CEILING}.csv")
        log(f"{evaluate(stored)}\n")


def _lean(parts: dict[str, Part]) -> dict[str, Part]:
    """Return what is sent to a process: of the training patients only what a network sees."""
    training = parts["training"]
    seen = replace(training.dataset, images=training.frames.pictures, masks=None)
    return parts | {"training": Part(seen, training.frames)}


def _train_and_store(
    name: str,
    *,
    parts: dict[str, Part],
    epochs: tuple[int, int] | None,
    precision: str,
    seed: int,
    provenance: dict,
    results: Path,
    checkpoints: Path | None,
    threads: int | None = None,
) -> str:
    """Train one network and store what it is and says; return that as text."""
    if threads is not None:
        limit_threads(threads)
    keras.backend.clear_session()
    epochs = epochs or EPOCHS[name]
    precision = "float32" if name in SLOWER_IN_BFLOAT16 else precision
    model, history = train_network(name, parts, epochs, precision, seed)
    recipe = {
        "network": name, "preset": "course", "epochs": sum(epochs), "epochs_by_size": list(epochs),
        "precision": precision, **RECIPE,
    }  # fmt: skip
    about = provenance | {"configuration": recipe, "seed": seed, "training": dict(history.attrs)}
    return _store(model, history, parts, about, results, checkpoints)


def _store(model, history, parts, provenance, results, checkpoints) -> str:
    """Write what a trained network is and says; return that as text."""
    name, shown = model.name.removesuffix("_course"), display_name_of(model)
    validation, test = (
        _predictions(
            parts[part].dataset, predict(model, scaled_for(model, parts[part].frames)), shown, provenance
        )
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
    return f"{history.attrs}\n{report}\n"


def _store_hybrid(parts, provenance, results, checkpoints, log) -> None:
    """Write the support vector machine on the shipped network's features and what it says; log it."""
    shipped = read_checkpoint(HYBRID_OF, root=checkpoints)
    network = build_model(
        HYBRID_OF,
        input_shape=tuple(shipped.card["input_shape"]),
        num_classes=len(shipped.card["class_names"]),
        weights=shipped.file(WEIGHTS),
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
            "weights_sha256": shipped.card["files"][WEIGHTS],
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
