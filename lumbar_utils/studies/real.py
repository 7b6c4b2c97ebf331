"""A real dataset from end to end: disc or herniated disc, learned from scratch, from photographs and from phantoms.

`python -m lumbar_utils real`. Stopped at any moment it goes on where it was; see `run_study`. Predictions are stored,
never a picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..beyond.disc_crops import ZONES, box_features, covered, heat_in_zones, read_discs
from ..beyond.disc_features import vgg16_features
from ..checkpoints import WEIGHTS, read_checkpoint
from ..dataset import LumbarDataset
from ..evaluation import Predictions, average_copies
from ..explain import explain
from ..hybrid import CNNSVMClassifier
from ..paths import results_folder
from ..phantom import PHANTOM_VERSION
from ..splits import grouped_folds
from ..training import SmallChanges, features_of, fit, predict
from .crossval import things
from .disc_network import NAME as DISC_NETWORK
from .disc_network import new_network, shipped_disc_network
from .export import made_with
from .study import run_study
from .study_run import limit_threads
from .unlabelled_real import real_folder

SOURCES = {
    "box": "The box alone: place and size, no pixel",
    "scratch": "CNN from scratch",
    "scratch_svm": "CNN from scratch, with SVM",
    "imagenet": "VGG16's ImageNet features, linear",
    "imagenet_svm": "VGG16's ImageNet features, SVM",
    "phantom": "Phantom disc network's features, linear",
    "phantom_svm": "Phantom disc network's features, SVM",
    "zero_shot": "Phantom disc network as it is (zero shot)",
}
EXPLAINED = ("scratch", "imagenet", "phantom", "zero_shot")  # by covering zones
REPETITIONS = 5
TUNED_UP_TO = (
    23  # patients of the published set on whose scores anything was chosen, here and for the localiser
)
LICENCE = "CC BY 4.0"
CITATION = (
    '"disc herniation in lumbar spine" v4, Roboflow project disc-herniation-in-lumbar-spine-nstgi, workspace '
    "dataset-ocg5j; who graded the discs is not stated."
)


@dataclass(frozen=True)
class RealRun:
    """All folds of one source in one deal of the patients; `patients` counts them."""

    source: str
    repetition: int
    patients: int
    kind: str = "real"

    @property
    def name(self) -> str:
        """What its files are called; the same for the same run, always."""
        return f"{self.source}_repeat{self.repetition}"


@dataclass(frozen=True)
class Recipe:
    """What all runs have in common.

    Attributes
    ----------
    folds : grouped by patient, dealt anew in each repetition.
    epochs, patience, batch_size : of the CNN from scratch; a quarter of its patients chooses the best epoch.
    vgg_layer : whose mean maps are the ImageNet features.
    penalty : C of the linear heads; svm_penalty of the support vector machines.
    data : fingerprint of the crops, so that runs on other pictures are made again.
    tuned_up_to_patient : the last patient on whose scores any of this was chosen; None where nothing was.
    """

    folds: int = 5
    epochs: int = 40
    patience: int = 10
    batch_size: int = 16
    vgg_layer: str = "block5_pool"
    penalty: float = 0.01
    svm_penalty: float = 1.0
    data: str = ""
    tuned_up_to_patient: int | None = None


def published_discs() -> LumbarDataset:
    """Return the crops of the published set under LUMBAR_REAL_DATA."""
    return read_discs(real_folder() / "labelled", licence=LICENCE, citation=CITATION)


def plan_real_study(
    n_patients: int, sources: tuple[str, ...] = tuple(SOURCES), repetitions: int = REPETITIONS
) -> list[RealRun]:
    """Return the runs, repetition by repetition; "zero_shot" learns nothing here, so it runs once."""
    return [
        RealRun(source, repetition, n_patients)
        for repetition in range(repetitions)
        for source in sources
        if repetition == 0 or source != "zero_shot"
    ]


def run_real_study(
    discs: LumbarDataset | None = None,
    runs: list[RealRun] | None = None,
    recipe: Recipe = Recipe(),
    *,
    folder: str | Path | None = None,
    jobs: int = 1,
    hours: float | None = None,
    log: Callable[[str], None] = print,
) -> int:
    """Compute and store the runs that are not there yet, by default in results/real; see `run_study`.

    discs : crops as `read_discs` returns them, by default the published ones; see `TUNED_UP_TO`.
    """
    if discs is None:
        discs, recipe = published_discs(), replace(recipe, tuned_up_to_patient=TUNED_UP_TO)
    recipe = replace(recipe, data=discs.fingerprint())
    folder = real_results() if folder is None else Path(folder)
    runs = plan_real_study(len(np.unique(discs.patient_ids))) if runs is None else runs
    return run_study(
        runs,
        recipe,
        folder=folder,
        jobs=jobs,
        hours=hours,
        log=log,
        work=partial(perform_real_run, discs=discs),
    )


def real_results() -> Path:
    """Return where the shipped study lies."""
    return results_folder() / "real"


def perform_real_run(
    run: RealRun, configuration: Recipe, threads: int, *, discs: LumbarDataset
) -> tuple[Predictions, pd.DataFrame]:
    """Return out-of-fold predictions of every disc, copies averaged, and what covering each zone does to them.

    The table has a row a disc and zone: disc (row of the predictions), zone, covered (probability of the second class
    once the zone is filled in), heat (share of Grad-CAM's heat for that class in the zone; networks only).
    """
    started = time.perf_counter()
    limit_threads(threads)
    n_classes = len(discs.class_names)
    zones = tuple(ZONES) if run.source in EXPLAINED else ()
    views = [discs.images, *(covered(discs.images, zone) for zone in zones)]
    probabilities = np.full((len(views), len(discs), n_classes), np.nan)
    heat = np.full((len(discs), len(ZONES)), np.nan)
    for train, test in folds_of(discs, run, configuration):
        answers, heat[test] = _learn(run, configuration, discs, views, train, test)
        probabilities[:, test] = answers
    predictions = Predictions.of_dataset(
        discs,
        probabilities[0],
        model=SOURCES[run.source],
        measured_on="real pictures",
        provenance={
            "study": "real",
            "phantom_version": PHANTOM_VERSION,
            **asdict(run),
            "configuration": asdict(configuration),
            "protocol": f"{configuration.folds} folds grouped by patient, copies of one disc averaged"
            if run.source != "zero_shot"
            else "no disc of these was learned from; copies of one disc averaged",
            **_network_of(run),
            "data": {"licence": discs.licence, "citation": discs.citation},
            "seconds": round(time.perf_counter() - started, 1),
            "threads": threads,
            "made_with": made_with(),
        },
    )
    return average_copies(predictions, things(discs)), _explanations(discs, zones, probabilities[1:], heat)


def folds_of(discs: LumbarDataset, run: RealRun, recipe: Recipe) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (train, test) rows of a run's folds; one that tests everything where nothing is learned."""
    if run.source == "zero_shot":
        return [(np.array([], dtype=int), np.arange(len(discs)))]
    # not StratifiedGroupKFold: with a dozen patients it deals nearly the same folds whatever the seed
    dealt = GroupKFold(recipe.folds, shuffle=True, random_state=run.repetition)
    return list(dealt.split(discs.images, discs.labels, discs.patient_ids))


def linear_head(penalty: float):
    """Return standardised features under a logistic regression, both classes weighing the same."""
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=penalty, class_weight="balanced", max_iter=2000)
    )


def svm_head(penalty: float, labels: np.ndarray, patients: np.ndarray, seed: int):
    """Return standardised features under an RBF support vector machine, calibrated in folds grouped by patient."""
    svm = make_pipeline(StandardScaler(), SVC(C=penalty, class_weight="balanced"))
    folds = StratifiedGroupKFold(n_splits=4, shuffle=True, random_state=seed)
    rows = list(folds.split(labels, labels, patients))
    return CalibratedClassifierCV(svm, method="sigmoid", cv=rows, ensemble=False)


def _learn(run, recipe, discs, views, train, test) -> tuple[list[np.ndarray], np.ndarray]:
    """Return probabilities of the test rows in each view, and the heat in each zone (T, Z) or NaN."""
    kind = run.source.removesuffix("_svm")
    no_heat = np.full((len(test), len(ZONES)), np.nan)
    unseen = [view[test] for view in views]
    if run.source == "zero_shot":
        network = shipped_disc_network()
        return [predict(network, view) for view in unseen], _heat(network, unseen[0])
    if kind == "scratch":
        network, known, held_out = _from_scratch(discs.subset(train), recipe, run.repetition)
        if not run.source.endswith("_svm"):
            return [predict(network, view) for view in unseen], _heat(network, unseen[0])
        hybrid = CNNSVMClassifier(extractor=network, C=recipe.svm_penalty, seed=run.repetition)
        hybrid.fit(known.images, known.labels, validation=(held_out.images, held_out.labels))
        return [hybrid.predict_proba(view) for view in unseen], no_heat
    labels, patients = discs.labels[train], discs.patient_ids[train]
    model = (
        svm_head(recipe.svm_penalty, labels, patients, run.repetition)
        if run.source.endswith("_svm")
        else linear_head(recipe.penalty)
    )
    features = [_features(kind, discs, view, recipe) for view in views]
    model.fit(features[0][train], labels)
    return [model.predict_proba(each[test]) for each in features], no_heat


def _features(kind: str, discs: LumbarDataset, images: np.ndarray, recipe: Recipe) -> np.ndarray:
    if kind == "box":
        return box_features(discs)
    if kind == "imagenet":
        return vgg16_features(images, layer=recipe.vgg_layer)
    return features_of(shipped_disc_network(), images)


def _from_scratch(development: LumbarDataset, recipe: Recipe, seed: int):
    """Return a CNN trained on three quarters of the patients and stopped by the rest, and both parts."""
    rows, others = grouped_folds(development, n_splits=4, seed=seed)[0]
    known, held_out = development.subset(rows), development.subset(others)
    keras.utils.set_random_seed(seed)
    network = new_network()
    history = fit(
        network,
        known,
        held_out,
        epochs=recipe.epochs,
        patience=recipe.patience,
        batch_size=recipe.batch_size,
        augment=SmallChanges(seed=seed),
        seed=seed,
        deterministic=True,
        live=False,
    )
    if history.attrs["stopped"] == "interrupted":  # half a training must not pass for a result
        raise KeyboardInterrupt
    return network, known, held_out


def _network_of(run: RealRun) -> dict:
    """Return by its sha256 which disc network a run asked, so that results of an earlier one can be told."""
    if run.source.removesuffix("_svm") not in ("phantom", "zero_shot"):
        return {}
    return {"disc_network": read_checkpoint(DISC_NETWORK).card["files"][WEIGHTS]}


def _heat(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return heat_in_zones(explain(network, images, "gradcam", class_index=1))


def _explanations(discs, zones, probabilities, heat) -> pd.DataFrame:
    """Return the table of `perform_real_run`, copies of one disc averaged."""
    names = things(discs)
    tables = [
        pd.DataFrame(
            {"thing": names, "zone": zone, "covered": of_zone[:, 1], "heat": heat[:, list(ZONES).index(zone)]}
        )
        for zone, of_zone in zip(zones, probabilities, strict=True)
    ]
    if not tables:
        return pd.DataFrame(columns=["disc", "zone", "covered", "heat"])
    row_of = {name: row for row, name in enumerate(dict.fromkeys(names))}
    table = pd.concat(tables).groupby(["thing", "zone"], sort=False)[["covered", "heat"]].mean().reset_index()
    table.insert(0, "disc", table.pop("thing").map(row_of))
    return table
