"""How far unlabelled patients replace labels: FixMatch and SeCoFixMatch against supervised training, on phantoms.

`python -m lumbar_utils unlabelled --compute`. Stopped at any moment it goes on where it was; see `run_study`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ..beyond.semi_supervised import METHODS, fit_semi_supervised
from ..dataset import LumbarDataset
from ..evaluation import Predictions
from ..models import build_model
from ..paths import results_folder
from ..phantom import PHANTOM_VERSION
from ..sources import load_dataset
from ..training import predict, scaled_for
from .export import made_with
from .patients import Part, framed, mean_grey
from .study import run_study
from .study_run import limit_threads

# Seeds of `make_dataset`. The recipe was chosen on other patients (seeds 391 and 392), who are in neither.
POOL_SEED, TEST_SEED = 301, 303
LABELLED, SEEDS = (10, 20, 40, 80), 5
SHOWN = {"supervised": "Supervised", "fixmatch": "FixMatch", "secofixmatch": "SeCoFixMatch (details ours)"}


@dataclass(frozen=True)
class SemiRun:
    """One training: by which method, from how many labelled `patients`, whom `seed` draws from the pool.

    `kind` is "unlabelled", or "unlabelled_real" with a fold.
    """

    method: str
    patients: int
    seed: int
    kind: str = "unlabelled"
    fold: int | None = None

    @property
    def name(self) -> str:
        """What its files are called; the same for the same run, always."""
        fold = "" if self.fold is None else f"_fold{self.fold}"
        return f"{self.method}_{self.patients:03d}_seed{self.seed}{fold}"


@dataclass(frozen=True)
class Recipe:
    """What all runs of the study have in common.

    Attributes
    ----------
    network, height : the network at course size, and the height of the column it sees in pixels.
    pool, test_patients : patients from whom the labelled are drawn, the rest being unlabelled; locked test patients.
    The others are those of `fit_semi_supervised`.
    """

    network: str = "cnn"
    height: int = 64
    pool: int = 1000
    test_patients: int = 600
    epochs: int = 20
    steps_per_epoch: int = 100
    batch_size: int = 16
    mu: int = 3
    learning_rate: float = 2e-3
    threshold: float = 0.95
    max_uncertainty: float = 0.4
    ema: float = 0.99

    def options(self) -> dict:
        """Return what `fit_semi_supervised` takes of it."""
        ours = ("network", "height", "pool", "test_patients")
        return {name: value for name, value in asdict(self).items() if name not in ours}


def plan_unlabelled(
    methods: tuple[str, ...] = METHODS, labelled: tuple[int, ...] = LABELLED, seeds: int = SEEDS
) -> list[SemiRun]:
    """Return the runs: all methods and numbers of seed 0 first, then of seed 1, and so on."""
    return [SemiRun(method, n, seed) for seed in range(seeds) for n in labelled for method in methods]


def run_unlabelled(
    runs: list[SemiRun] | None = None,
    recipe: Recipe = Recipe(),
    *,
    folder: str | Path | None = None,
    jobs: int = 1,
    hours: float | None = None,
    log: Callable[[str], None] = print,
) -> int:
    """Compute and store the runs that are not there yet, by default in results/unlabelled; see `run_study`."""
    folder = results_folder() / "unlabelled" if folder is None else folder
    return run_study(
        plan_unlabelled() if runs is None else runs,
        recipe,
        folder=folder,
        jobs=jobs,
        hours=hours,
        log=log,
        work=perform_unlabelled,
    )


def perform_unlabelled(run: SemiRun, configuration: Recipe, threads: int) -> tuple[Predictions, pd.DataFrame]:
    """Train and test; return the test patients' predictions, with provenance, and the history.

    Every method has the same labelled patients, the same first weights and as many steps. Nothing is chosen by any
    patient's label: the number of steps is fixed.
    """
    started = time.perf_counter()
    limit_threads(threads)
    keras.backend.clear_session()
    pool, test = (
        _phantoms(configuration.pool, POOL_SEED, configuration.height),
        _phantoms(configuration.test_patients, TEST_SEED, configuration.height),
    )
    labelled = labelled_rows(pool.dataset, run.patients, run.seed)
    unlabelled = np.setdiff1d(np.arange(len(pool.dataset)), labelled)
    keras.utils.set_random_seed(run.seed)
    model = build_model(
        configuration.network,
        input_shape=(*pool.frames.pictures.shape[1:], 1),
        num_classes=len(pool.dataset.class_names),
    )
    x, y = scaled_for(model, pool.frames), pool.dataset.labels
    history = fit_semi_supervised(
        model,
        (x[labelled], y[labelled]),
        x[unlabelled],
        method=run.method,
        truth=y[unlabelled],
        seed=run.seed,
        deterministic=True,
        live=False,
        **configuration.options(),
    )
    if history.attrs["stopped"] == "interrupted":  # half a training must not pass for a result
        raise KeyboardInterrupt
    provenance = provenance_of(run, configuration, history, threads, started) | {
        "data": {
            part: {
                "make_dataset": {"n_patients": len(each.dataset), "seed": seed},
                "fingerprint": each.dataset.fingerprint(),
                "mean_grey_of_first_8": mean_grey(each.dataset.subset(range(8))),
            }
            for part, each, seed in (("pool", pool, POOL_SEED), ("test", test, TEST_SEED))
        },
        "labelled_patients": pool.dataset.patient_ids[labelled].tolist(),
    }
    predictions = Predictions.of_dataset(
        test.dataset,
        predict(model, scaled_for(model, test.frames), batch_size=128),
        model=SHOWN[run.method],
        measured_on="phantoms",
        provenance=provenance,
    )
    return predictions, history


def provenance_of(run: SemiRun, recipe: Recipe, history: pd.DataFrame, threads: int, started: float) -> dict:
    """Return what every run's provenance says, whatever it was made from."""
    return {
        "study": run.kind,
        "phantom_version": PHANTOM_VERSION,
        **asdict(run),
        "network": recipe.network,
        "configuration": asdict(recipe),
        "training": dict(history.attrs),
        "seconds": round(time.perf_counter() - started, 1),
        "threads": threads,
        "made_with": made_with(),
    }


def labelled_rows(dataset: LumbarDataset, n: int, seed: int) -> np.ndarray:
    """Return the rows of `n` patients to label, drawn by `seed`: one of each class in turn, so all classes are there.

    Those of a smaller `n` are among those of a larger. Who really labels patients one by one meets rare classes
    later; FixMatch's own experiments draw equally, too.
    """
    rng = np.random.default_rng(seed)
    of_class = [rng.permutation(np.flatnonzero(dataset.labels == k)) for k in range(len(dataset.class_names))]
    return np.array([of_class[i % len(of_class)][i // len(of_class)] for i in range(n)])


@lru_cache(maxsize=2)  # one run after another sees the same patients; the localiser takes most of a minute
def _phantoms(n_patients: int, seed: int, height: int) -> Part:
    """Return phantom patients without their label maps (nobody looks at them here)."""
    dataset = load_dataset("phantom", n_patients=n_patients, seed=seed)
    return framed(replace(dataset, masks=None), "column", height=height)
