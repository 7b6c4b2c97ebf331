"""One run of the study: which network learns from whom, is tested on whom, and under which configuration."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import pandas as pd
import tensorflow as tf

from ..dataset import LumbarError
from ..evaluation import Predictions
from ..hybrid import CNNSVMClassifier
from ..models import architecture_named, build_model, display_name_of
from ..phantom import PHANTOM_VERSION
from ..sources import load_dataset
from ..splits import grouped_folds
from ..training import SmallChanges, fit, predict, scaled_for
from .export import made_with
from .patients import Part, framed

HYBRIDS = {"cnn_svm": "cnn"}  # a support vector machine on the features of this network

# Seeds of `make_dataset`. No patient of one is in another, nor in the zoo's.
COMPARISON_SEED, TEST_SEED, FIRST_CURVE_SEED = 201, 203, 211


@dataclass(frozen=True)
class Run:
    """One training: `kind` is "comparison" (with a fold) or "curve" (no fold, tested on the locked patients)."""

    kind: str
    network: str
    patients: int
    seed: int
    fold: int | None = None

    @property
    def name(self) -> str:
        """What its files are called; the same for the same run, always."""
        if self.kind == "comparison":
            return f"comparison_{self.network}_{self.patients:04d}_seed{self.seed}_fold{self.fold}"
        return f"curve_{self.network}_{self.patients:04d}_seed{self.seed}"


@dataclass(frozen=True)
class Configuration:
    """What all runs of a study have in common.

    Attributes
    ----------
    preset : of the network.
    view, height : what it sees, see `framed`.
    epochs, patience, batch_size, learning_rate : of `fit`. augment : with `SmallChanges`, or not.
    folds : of the comparison, grouped by patient.
    test_patients : locked test patients of the learning curves.
    """

    preset: str = "course"
    view: str = "column"
    height: int | None = None
    epochs: int = 60
    patience: int = 12
    batch_size: int = 16
    learning_rate: float = 1e-3
    augment: bool = True
    folds: int = 5
    test_patients: int = 400


def perform(run: Run, configuration: Configuration, threads: int) -> tuple[Predictions, pd.DataFrame]:
    """Train and test; return the test patients' predictions, with provenance, and the history.

    The same run gives the same predictions in any process of the same machine with as many `threads`.

    Raises
    ------
    LumbarError : a class with too few patients for the folds; a loss that stops being a number.
    """
    started = time.perf_counter()
    limit_threads(threads)
    tf.get_logger().setLevel("ERROR")  # it warns of every new network after the fifth
    keras.backend.clear_session()
    training, validation, test, sources = parts_of(run, configuration)
    size, data = training.frames.pictures.shape[1:], test.dataset
    model = _new_network(run, configuration, size, len(data.class_names))
    pictures, known, unseen = (scaled_for(model, part.frames) for part in (training, validation, test))
    history = fit(
        model,
        (pictures, training.dataset.labels),
        (known, validation.dataset.labels),
        epochs=configuration.epochs,
        patience=configuration.patience,
        batch_size=configuration.batch_size,
        learning_rate=configuration.learning_rate,
        augment=SmallChanges(seed=run.seed) if configuration.augment else None,
        seed=run.seed,
        deterministic=True,
        live=False,
    )
    if history.attrs["stopped"] == "interrupted":  # half a training must not pass for a result
        raise KeyboardInterrupt
    shown = display_name_of(model)
    if run.network in HYBRIDS:
        hybrid = CNNSVMClassifier(extractor=model, seed=run.seed)
        hybrid.fit(pictures, training.dataset.labels, validation=(known, validation.dataset.labels))
        shown, probabilities = f"{shown}, with SVM", hybrid.predict_proba(unseen)
    else:
        probabilities = predict(model, unseen)
    provenance = {
        "study": "study",
        "phantom_version": PHANTOM_VERSION,
        "data": sources,
        **asdict(run),
        "configuration": asdict(configuration),
        "training": dict(history.attrs),
        "seconds": round(time.perf_counter() - started, 1),
        "threads": threads,
        "made_with": made_with(),
    }
    predictions = Predictions.of_dataset(
        data, probabilities, model=shown, measured_on="phantoms", provenance=provenance
    )
    return predictions, history


def perform_apart(run: Run, configuration: Configuration, threads: int) -> tuple[Predictions, pd.DataFrame]:
    """Do the same in a process of its own, for a caller that shares its process with other threads.

    Keras draws seeds from Python's `random`, and so does a Dask worker's event loop, now and then between two of
    Keras's draws: the same run would not begin with the same weights.

    Raises
    ------
    LumbarError : as in `perform`; a process that ended otherwise than well, with its last line.
    """
    with TemporaryDirectory() as folder:
        order = json.dumps({"run": asdict(run), "configuration": asdict(configuration), "threads": threads})
        done = subprocess.run(
            [sys.executable, "-m", __name__, order, folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise LumbarError(
                last if done.returncode == 2 else f"its process ended with {done.returncode}: {last}"
            )
        return Predictions.load(Path(folder) / "test.csv"), pd.read_csv(Path(folder) / "history.csv")


def limit_threads(threads: int) -> None:
    """Let TensorFlow compute in so many threads in this process.

    Raises
    ------
    LumbarError : it has already computed here with another number.
    """
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise LumbarError(
            f"TensorFlow already computes in this process and cannot be limited to {threads} thread(s) any more; "
            "run the study in fresh processes."
        ) from error


def _new_network(
    run: Run, configuration: Configuration, size: tuple[int, int], num_classes: int
) -> keras.Model:
    name = HYBRIDS.get(run.network, run.network)
    channels = architecture_named(name).input_shape[configuration.preset][-1]
    keras.utils.set_random_seed(run.seed)
    return build_model(name, configuration.preset, input_shape=(*size, channels), num_classes=num_classes)


def parts_of(run: Run, configuration: Configuration) -> tuple[Part, Part, Part, dict]:
    """Return training, validation and test patients, who share nobody, and where they came from."""
    see = partial(_phantoms, view=configuration.view, height=configuration.height)
    if run.kind == "comparison":
        whole = see(run.patients, COMPARISON_SEED)
        folds = grouped_folds(whole.dataset, n_splits=configuration.folds, seed=run.seed)
        development, test = (whole.subset(rows) for rows in folds[run.fold])
        sources = {"all": (whole, COMPARISON_SEED)}
    else:
        seed = FIRST_CURVE_SEED + run.seed
        development, test = see(run.patients, seed), see(configuration.test_patients, TEST_SEED)
        sources = {"development": (development, seed), "test": (test, TEST_SEED)}
    train_rows, validation_rows = grouped_folds(development.dataset, n_splits=4, seed=run.seed)[0]
    data = {
        part: {
            "make_dataset": {"n_patients": len(each.dataset), "seed": seed},
            "fingerprint": each.dataset.fingerprint(),
        }
        for part, (each, seed) in sources.items()
    }
    return development.subset(train_rows), development.subset(validation_rows), test, data


@lru_cache(maxsize=3)
def _phantoms(n_patients: int, seed: int, *, view: str, height: int | None) -> Part:
    """Return phantoms, read or drawn and framed once a process, without label maps (nobody looks at them here)."""
    dataset = load_dataset("phantom", n_patients=n_patients, seed=seed)
    return framed(replace(dataset, masks=None), view, height=height)


def main(order: str, folder: str) -> int:
    """Do one run, ordered in JSON, and leave test.csv, test.json and history.csv in `folder`."""
    order = json.loads(order)
    try:
        predictions, history = perform(
            Run(**order["run"]), Configuration(**order["configuration"]), order["threads"]
        )
    except LumbarError as error:
        print(error, file=sys.stderr)
        return 2
    predictions.save(Path(folder) / "test.csv")
    history.to_csv(Path(folder) / "history.csv", index=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
