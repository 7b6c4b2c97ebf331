"""Trains a network that tells herniated from other discs on phantoms alone; its checkpoint ships as "discs".

`python -m lumbar_utils zoo --train discs`.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import keras

from ..beyond.disc_crops import CONTEXT, DISC_CLASSES, HERNIATED_MM2, SIDE_PX
from ..checkpoints import CHECKPOINTS, WEIGHTS, Checkpoint, read_checkpoint, write_card
from ..evaluation import Predictions, evaluate
from ..models import architecture_named, build_model
from ..training import SmallChanges, fit, predict
from .disc_phantoms import DRAWING, phantom_discs
from .export import made_with, round_weights, write_weights

NAME, NETWORK = "discs", "cnn"
SEEDS = {
    "training": 221,
    "validation": 222,
    "test": 223,
}  # no patient of the zoo's, the studies' or the localiser's
RECIPE = {"batch_size": 32, "learning_rate": 2e-3, "looks": 2}
INTENDED_USE = (
    "Teaching: what a network that has seen drawn discs only can say of real ones. Not a medical device; not for "
    "diagnosis."
)
LIMITS = (
    "Trained on drawn T2 slices near the midline only; `python -m lumbar_utils real --table` says what it reaches on "
    "real discs.",
    "A phantom's disc is herniated by a written rule, a published one by somebody whose rule is not stated.",
    "A herniation beside the canal does not show on the slices it learned from.",
)


def train_discs(
    *,
    n_patients: int = 2000,
    n_test: int = 300,
    epochs: int = 8,
    seed: int = 0,
    checkpoints: Path = CHECKPOINTS,
    workers: int = 2,
    log: Callable[[str], None] = print,
) -> dict:
    """Train the disc network and return its model card; `checkpoints`/discs is written.

    n_patients, n_test : phantoms to learn from, and as many for choosing the best epoch as for the locked test.
    """
    begin = time.monotonic()
    sizes = {"training": n_patients, "validation": n_test, "test": n_test}
    parts = {
        part: phantom_discs(
            n, seed=SEEDS[part], looks=RECIPE["looks"] if part == "training" else 1, workers=workers
        )
        for part, n in sizes.items()
    }
    log(f"{', '.join(map(repr, parts.values()))}, drawn in {time.monotonic() - begin:.0f} s")
    keras.utils.set_random_seed(seed)
    model = new_network()
    steps = epochs * (len(parts["training"]) // RECIPE["batch_size"] + 1)
    history = fit(
        model,
        parts["training"],
        parts["validation"],
        epochs=epochs,
        patience=epochs,
        batch_size=RECIPE["batch_size"],
        learning_rate=keras.optimizers.schedules.CosineDecay(RECIPE["learning_rate"], steps, alpha=0.02),
        augment=SmallChanges(seed=seed),
        seed=seed,
        live=False,
    )
    round_weights(model)
    report = evaluate(
        Predictions.of_dataset(
            parts["test"], predict(model, parts["test"]), model="Disc network", measured_on="phantoms",
            provenance={},
        )
    )  # fmt: skip
    card = {
        "display_name": "Disc network (CNN, course size)",
        "class_names": list(DISC_CLASSES),
        "citation": architecture_named(NETWORK).citation,
        "parameters": model.count_params(),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "provenance": {
            "study": NAME,
            "data": {"patients": sizes, "seeds": SEEDS},
            "configuration": {
                **RECIPE, **DRAWING, "epochs": epochs, "context": CONTEXT, "herniated_mm2": HERNIATED_MM2
            },
            "seed": seed,
            "training": dict(history.attrs),
            "made_with": made_with(),
        },
        "test": report.to_dict(),
    }  # fmt: skip
    checkpoint = write_discs(model, card, root=checkpoints)
    log(f"AUC on phantoms {report.auc}; written: {checkpoint.folder}")
    return checkpoint.card


def new_network() -> keras.Model:
    """Return the network of the checkpoint with random weights: the course's CNN for crops, two classes."""
    return build_model(NETWORK, input_shape=(SIDE_PX, SIDE_PX, 1), num_classes=len(DISC_CLASSES))


def shipped_disc_network() -> keras.Model:
    """Return the disc network that ships with the package: (N, 64, 64, 1) in [0, 1] to logits of `DISC_CLASSES`."""
    model = new_network()
    model.load_weights(read_checkpoint(NAME).file(WEIGHTS))
    return model


def write_discs(model: keras.Model, card: dict, *, root: Path) -> Checkpoint:
    """Write `root`/discs with weights.weights.h5 and card.json, whole or not at all; return it verified."""
    aside = Path(root) / f".{NAME}.{os.getpid()}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        write_weights(model, aside / WEIGHTS)
        write_card(aside, {"name": NAME, "input_shape": list(model.input_shape[1:]), **card})
        shutil.rmtree(Path(root) / NAME, ignore_errors=True)
        aside.rename(Path(root) / NAME)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return read_checkpoint(NAME, root=Path(root))
