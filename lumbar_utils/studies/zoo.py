"""Trains the network that ships with the course on phantoms, and stores its checkpoint, predictions and history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from ..checkpoints import CHECKPOINTS
from ..dataset import LumbarDataset, LumbarError
from ..evaluation import Predictions, evaluate
from ..hybrid import CNNSVMClassifier
from ..models import architecture_named, build_model, display_name_of
from ..paths import results_folder
from ..phantom import PHANTOM_VERSION
from ..sources import load_dataset
from ..training import SmallChanges, fit, predictions_of
from .export import made_with, round_weights, write_checkpoint

# Seeds of `make_dataset`. The test patients are met once, when training is over; lessons draw from seed 0.
SEEDS = {"training": 101, "validation": 102, "test": 103}
RECIPE = {"batch_size": 16, "learning_rate": 2e-3, "warm_up": 0.1, "augment": "SmallChanges"}
INTENDED_USE = (
    "Teaching how such networks are built, measured and doubted. Not a medical device; not for diagnosis."
)
LIMITS = (
    "Trained on drawn phantoms only; on real pictures its answers have no known meaning.",
    "Sees one sagittal T2 midline slice, scaled to its input size: small or lateral lesions may not show.",
    "Always answers one of its classes, whatever the picture shows.",
)


def train(
    name: str = "cnn",
    *,
    n_patients: int = 3000,
    n_validation: int = 600,
    n_test: int = 600,
    epochs: int = 30,
    seed: int = 0,
    checkpoints: Path = CHECKPOINTS,
    results: Path | None = None,
    log: Callable[[str], None] = print,
) -> dict:
    """Train `name` at course size and return its model card.

    Written are the checkpoint `checkpoints`/NAME_course and, in `results` (by default results/zoo), the locked
    test's predictions of the network (NAME.csv) and of the CNN-SVM on its features (NAME_svm.csv), with their
    provenance, and NAME_history.csv.

    Parameters
    ----------
    n_patients, n_validation, n_test : phantoms from seeds that share no patient.
    epochs : all are run, with the learning rate falling along a cosine; the best by validation loss is kept.
    """
    architecture_named(name)
    results = results_folder() / "zoo" if results is None else Path(results)
    train_set, validation, test = _datasets(n_patients, n_validation, n_test)
    log(f"{train_set!r}\n{validation!r}\n{test!r}")

    keras.utils.set_random_seed(seed)
    model = build_model(name, num_classes=len(train_set.class_names))
    history = fit(
        model,
        train_set,
        validation,
        epochs=epochs,
        patience=epochs,
        batch_size=RECIPE["batch_size"],
        learning_rate=_schedule(-(-len(train_set) // RECIPE["batch_size"]) * epochs),
        augment=SmallChanges(seed=seed),
        seed=seed,
    )
    log(f"{display_name_of(model)}: {history.attrs}")
    round_weights(model)

    provenance = {
        "study": "zoo",
        "phantom_version": PHANTOM_VERSION,
        "data": {
            part: {
                "make_dataset": {"n_patients": len(data), "seed": SEEDS[part]},
                "fingerprint": data.fingerprint(),
                "mean_grey_of_first_8": mean_grey(data.subset(range(8))),
            }
            for part, data in zip(SEEDS, (train_set, validation, test), strict=True)
        },
        "configuration": {"network": name, "preset": "course", "epochs": epochs, **RECIPE},
        "seed": seed,
        "training": dict(history.attrs),
        "made_with": made_with(),
    }
    network = predictions_of(model, test, measured_on="phantoms", provenance=provenance)
    hybrid = _hybrid_predictions(model, train_set, validation, test, seed=seed, provenance=provenance)
    report = evaluate(network)
    card = {
        "display_name": display_name_of(model),
        "class_names": list(train_set.class_names),
        "citation": architecture_named(name).citation,
        "parameters": model.count_params(),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "provenance": provenance,
        "test": report.to_dict(),
    }
    checkpoint = write_checkpoint(model, card, test.images[:64], root=checkpoints)
    network.save(results / f"{name}.csv")
    hybrid.save(results / f"{name}_svm.csv")
    history.round(5).to_csv(results / f"{name}_history.csv", index=False)
    log(f"{report}\n\n{evaluate(hybrid)}\n\nWritten: {checkpoint.folder} and {results}")
    return checkpoint.card


def mean_grey(dataset: LumbarDataset) -> list[float]:
    """Return each picture's mean grey value: what shows, on any machine, whether the phantom draws as it did."""
    return dataset.images.mean(axis=(1, 2)).round(4).tolist()


def _datasets(*sizes: int) -> list[LumbarDataset]:
    """Return phantoms for training, validation and test, drawn anew; refuse a patient who is there twice."""
    parts = [
        load_dataset("phantom", n_patients=n, seed=seed, cache=False)
        for n, seed in zip(sizes, SEEDS.values(), strict=True)
    ]
    drawn = np.concatenate([part.meta["patient_seed"] for part in parts])
    if len(np.unique(drawn)) != len(drawn):
        raise LumbarError(
            f"{len(drawn) - len(np.unique(drawn))} phantom patients occur twice in training, validation and test; "
            "choose other SEEDS."
        )
    return parts


def _schedule(steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return a rate that rises over the first tenth of the steps and then falls along a cosine."""
    highest, warm_up = RECIPE["learning_rate"], max(1, round(steps * RECIPE["warm_up"]))
    return keras.optimizers.schedules.CosineDecay(
        highest / 10, max(1, steps - warm_up), alpha=0.01, warmup_target=highest, warmup_steps=warm_up
    )


def _hybrid_predictions(
    model: keras.Model,
    train_set: LumbarDataset,
    validation: LumbarDataset,
    test: LumbarDataset,
    *,
    seed: int,
    provenance: dict,
) -> Predictions:
    """Return the test predictions of a support vector machine on the trained network's features."""
    classifier = CNNSVMClassifier(extractor=model, seed=seed)
    classifier.fit(train_set.images, train_set.labels, validation=(validation.images, validation.labels))
    return Predictions(
        labels=test.labels,
        probabilities=classifier.predict_proba(test.images),
        class_names=test.class_names,
        patient_ids=test.patient_ids,
        model=f"{display_name_of(model)}, with SVM",
        dataset=test.name,
        measured_on="phantoms",
        provenance={"dataset_fingerprint": test.fingerprint(), **provenance, "svm": {"C": classifier.C}},
    )


if __name__ == "__main__":
    train()
