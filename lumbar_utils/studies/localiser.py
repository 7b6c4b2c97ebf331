"""Trains the localiser's U-Net on wide phantoms alone, and stores its checkpoint with a locked phantom test."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ..checkpoints import CHECKPOINTS, WEIGHTS, read_checkpoint, write_card
from ..dataset import LumbarError
from ..evaluation.intervals import Estimate, percentile, resample_patients
from ..localise import CLASSES, Localiser, normalise
from ..models.unet import CITATION, build_unet
from ..phantom import PHANTOM_VERSION
from .export import made_with, round_weights, write_weights
from .localiser_slices import DRAWING, disturb, draw_slices

SEEDS = {"training": 201, "test": 203}
RECIPE = {
    "input": 192,
    **DRAWING,
    "batch_size": 16,
    "learning_rate": 3e-3,
    "loss": "cross-entropy + soft Dice",
}
INTENDED_USE = (
    "Teaching: finding the lumbar column in one sagittal MR slice, so that it can be cropped, numbered and drawn. "
    "Not a medical device; not for diagnosis or for counting levels before an intervention."
)
LIMITS = (
    "Trained on drawn phantoms only; what it reaches on real slices is measured by benchmarks/localiser.py.",
    "Counts upwards from the sacrum: a transitional vertebra, or a missed or doubled body, shifts every level above.",
    "It has not learned slices more than 14 mm beside the midline, axial slices, or patients who face right.",
    "Herniation, flavum and osteophyte pixels are coarse, and on real pictures unmeasured.",
)
TOLERANCE = 1e-3  # of logits, between Keras and LiteRT


def train_localiser(
    *,
    n_patients: int = 9000,
    n_test: int = 300,
    steps: int = 2000,
    seed: int = 0,
    checkpoints: Path = CHECKPOINTS,
    workers: int = 2,
    log: Callable[[str], None] = print,
) -> dict:
    """Train the localiser and return its model card; `checkpoints`/localiser is written.

    n_patients, n_test : phantoms, one slice each, from seeds that share no patient.
    steps : of 16 pictures each; the learning rate rises over the first tenth, then falls along a cosine.
    workers : processes that draw.
    """
    begin = time.monotonic()
    training = draw_slices(n_patients, SEEDS["training"], workers=workers)
    test = draw_slices(n_test, SEEDS["test"], workers=workers)
    log(f"{n_patients} + {n_test} slices drawn in {time.monotonic() - begin:.0f} s")

    keras.utils.set_random_seed(seed)
    size = RECIPE["input"]
    model = build_unet((size, size, 1), len(CLASSES))
    model.compile(optimizer=keras.optimizers.Adam(_schedule(steps)), loss=cross_entropy_and_dice)
    model.optimizer.build(model.trainable_variables)
    rounds = max(1, steps // 200)
    batches = Batches(*training, steps=steps // rounds, seed=seed, size=size)
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: log(
            f"step {(epoch + 1) * (steps // rounds)}: loss {logs['loss']:.3f}, {time.monotonic() - begin:.0f} s"
        )
    )
    history = model.fit(batches, epochs=rounds, verbose=0, callbacks=[report])
    round_weights(model)

    checkpoint = write_localiser(model, {}, training[0][:8], root=checkpoints)
    scores = dice_scores(Localiser(checkpoint), *test)
    card = {
        "display_name": "Localiser (U-Net)",
        "class_names": list(CLASSES),
        "citation": CITATION,
        "parameters": model.count_params(),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "provenance": {
            "study": "localiser",
            "data": {"patients": {"training": n_patients, "test": n_test}, "seeds": SEEDS},
            "configuration": {**RECIPE, "steps": steps},
            "seed": seed,
            "loss_by_round": [round(value, 4) for value in history.history["loss"]],
            "seconds": round(time.monotonic() - begin),
            "made_with": made_with(),
        },
        "test": {
            "measured_on": f"wide phantoms {PHANTOM_VERSION}, a slice each of {n_test} patients",
            "dice": {name: score.to_dict() for name, score in scores.items()},
        },
    }
    checkpoint = write_localiser(model, card, training[0][:8], root=checkpoints)
    lines = [f"{name:12} {score}" for name, score in scores.items()]
    log("\n".join(["Dice on phantoms", *lines, f"Written: {checkpoint.folder}"]))
    return checkpoint.card


class Batches(keras.utils.PyDataset):
    """Batches of disturbed slices: (16, S, S, 1) float32 in [0, 1] and class maps (16, S, S) int32.

    Batch `k` of a round is a function of seed, round and `k`, whichever thread makes it.
    """

    def __init__(self, images, classes, *, steps: int, seed: int, size: int):
        super().__init__(workers=1, max_queue_size=6)
        self.images, self.classes, self.steps, self.seed, self.size = images, classes, steps, seed, size
        self.round = 0

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        generator = np.random.default_rng([self.seed, self.round, step])
        rows = generator.integers(0, len(self.images), RECIPE["batch_size"])
        changed = [disturb(self.images[row], self.classes[row], generator, self.size) for row in rows]
        pictures, classes = zip(*changed, strict=True)
        return np.stack([normalise(p) for p in pictures])[..., None], np.stack(classes).astype(np.int32)

    def on_epoch_end(self):
        self.round += 1


def cross_entropy_and_dice(classes, logits):
    """Return the mean cross-entropy a pixel plus one minus the mean soft Dice of the classes (Milletari 2016)."""
    crossed = ops.mean(keras.losses.sparse_categorical_crossentropy(classes, logits, from_logits=True))
    share = ops.softmax(logits, axis=-1)[..., 1:]
    truth = ops.one_hot(classes, logits.shape[-1])[..., 1:]
    both = ops.sum(share * truth, axis=(0, 1, 2))
    either = ops.sum(share, axis=(0, 1, 2)) + ops.sum(truth, axis=(0, 1, 2))
    return crossed + 1 - ops.mean((2 * both + 10) / (either + 10))


def _schedule(steps: int) -> keras.optimizers.schedules.CosineDecay:
    highest, warm_up = RECIPE["learning_rate"], max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        highest / 10, max(1, steps - warm_up), alpha=0.01, warmup_target=highest, warmup_steps=warm_up
    )


def dice_scores(localiser: Localiser, images: np.ndarray, classes: np.ndarray) -> dict[str, Estimate]:
    """Return the Dice of each class but the background, pixels pooled, with a bootstrap over patients.

    images, classes : (N, H, W), one slice a patient. The network's raw answer is scored, before any cleaning.
    """
    twice, sums = np.zeros((2, len(images), len(CLASSES)))
    for row, (image, truth) in enumerate(zip(images, classes, strict=True)):
        answer = localiser.classify(image)
        both = np.bincount(truth[answer == truth], minlength=len(CLASSES))
        twice[row] = 2 * both
        sums[row] = np.bincount(truth.ravel(), minlength=len(CLASSES))
        sums[row] += np.bincount(answer.ravel(), minlength=len(CLASSES))
    weights = np.concatenate(list(resample_patients(len(images), 1000, seed=0)))
    scores = {}
    for number, name in enumerate(CLASSES):
        if name != "background":
            with np.errstate(invalid="ignore", divide="ignore"):
                value = twice[:, number].sum() / sums[:, number].sum()
                resampled = (weights @ twice[:, number]) / (weights @ sums[:, number])
            scores[name] = percentile(float(value), resampled, len(images))
    return scores


def write_localiser(model: keras.Model, card: dict, pictures: np.ndarray, *, root: Path):
    """Write `root`/localiser with weights.weights.h5, model.tflite and card.json; return the verified checkpoint.

    Raises
    ------
    LumbarError : LiteRT and Keras differ by more than `TOLERANCE` in a logit of the (N, H, W) `pictures`.
    """
    aside = Path(root) / f".localiser.{os.getpid()}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        write_weights(model, aside / WEIGHTS)
        twin = keras.Model(model.inputs[0], {"logits": model.outputs[0]})
        twin.export(str(aside / "model.tflite"), format="litert", verbose=False)
        write_card(aside, {"name": "localiser", "input_shape": list(model.input_shape[1:]), **card})
        localiser = Localiser(read_checkpoint(aside.name, root=Path(root)))
        for picture in pictures:
            x = localiser.scale(picture)
            keras_answer = model(tf.constant(x[None, ..., None]), training=False).numpy()[0]
            difference = float(np.abs(localiser.logits(x) - keras_answer).max())
            if not difference <= TOLERANCE:
                raise LumbarError(
                    f"LiteRT and Keras differ by {difference:.2g} in a logit of the localiser, wanted at most "
                    f"{TOLERANCE:g}; look for a layer that LiteRT rounds."
                )
        shutil.rmtree(Path(root) / "localiser", ignore_errors=True)
        aside.rename(Path(root) / "localiser")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return read_checkpoint("localiser", root=Path(root))
