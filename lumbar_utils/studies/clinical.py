"""Picture and clinical table, each alone and fused, on the zoo's locked phantom patients.

What the table adds was put in: the phantom draws age and complaints by class, from published cohorts. The study
compares ways of joining inputs; how much a history is worth in a clinic it cannot say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ..beyond.clinical_table import TableModel, clinical_table
from ..beyond.fusion import IntermediateFusion, ProductOfExperts
from ..checkpoints import WEIGHTS, read_checkpoint
from ..dataset import PAPER4, LumbarDataset, LumbarError
from ..evaluation import (
    Predictions,
    StackingEnsemble,
    WeightedVotingEnsemble,
    evaluate,
    holm,
    mcnemar_exact,
    paired_difference,
)
from ..models import build_model
from ..paths import results_folder
from ..phantom import PHANTOM_VERSION
from ..sources import load_dataset
from ..training import backbone_features, scaled_for
from .export import made_with
from .patients import framed
from .zoo import SEEDS as ZOO_SEEDS

NETWORK = "cnn"
# What is fused has to be fitted on patients whom the image network has not learned, so the training patients are new
# ones; validation and test are the zoo's, and every network there can be compared with what is measured here. The
# validation patients chose the network's best epoch, no more.
SEEDS = {"training": 121, "validation": ZOO_SEEDS["validation"], "test": ZOO_SEEDS["test"]}
HEADS = 3  # times that each network is trained, from other first weights; the first counts, the others show the spread
NAMES = {
    "age_only": "age alone",
    "table_only": "table only",
    "image_only": "image only",
    "late_vote": "late, weighted vote",
    "late_stacking": "late, stacking",
    "late_product": "late, product of experts",
    "intermediate": "intermediate",
    "intermediate_no_dropout": "intermediate, no table dropout",
}
WITHOUT_TABLE = tuple(name for name in NAMES if name.startswith(("late", "intermediate")))
PLANNED = (  # comparisons that were named before anything was measured; Holm's correction counts these
    ("table_only", "age_only"),
    ("late_product", "image_only"),
    ("late_product", "table_only"),
    ("late_product", "late_vote"),
    ("intermediate", "image_only"),
    ("intermediate", "late_product"),
)


@dataclass(frozen=True)
class Patients:
    """What the models get of one part: `table` (N, 8), `features` (N, F) and `image` (N, K) of the image network."""

    dataset: LumbarDataset
    table: pd.DataFrame
    features: np.ndarray
    image: np.ndarray

    @property
    def fold(self) -> tuple[np.ndarray, pd.DataFrame, np.ndarray]:
        return self.features, self.table, self.dataset.labels


def run_clinical(
    *,
    n_patients: int = 2000,
    n_validation: int = 600,
    n_test: int = 600,
    epochs: int = 60,
    results: Path | None = None,
    log: Callable[[str], None] = print,
) -> None:
    """Fit every model of `NAMES`, and store what each says of the locked patients, with the table and without any.

    Written are NAME.csv and, for what is fused, NAME_no_table.csv; validation/image_only.csv and table_only.csv, on
    which late fusion is fitted; and runs/, the networks trained from other seeds. A model whose predictions are there,
    from the same patients and the same image network, is skipped.

    Parameters
    ----------
    n_patients, n_validation, n_test : phantoms of `SEEDS`. epochs : of the intermediate networks, at most.
    results : by default results/clinical.
    """
    results = results_folder() / "clinical" if results is None else Path(results)
    sizes = {"training": n_patients, "validation": n_validation, "test": n_test}
    about = _provenance(sizes, epochs)
    _refuse_shared_patients(about)
    todo = [file for file in _files() if not _is_there(results / f"{file}.csv", about)]
    log(f"{len(_files()) - len(todo)} of {len(_files())} predictions are there.")
    if not todo:
        return
    parts = _draw(sizes, log)
    write = lambda file, predictions: predictions.save(results / f"{file}.csv")
    members = _members(parts, about)
    for part, folder in (("validation", "validation/"), ("test", "")):
        for name in ("age_only", "table_only", "image_only"):
            if part == "test" or name != "age_only":
                write(folder + name, members[part][name])
    _store_late(members, about, write)
    _store_intermediate(parts, about, epochs, todo, write, log)


def clinical_scores(results: Path | None = None) -> pd.DataFrame:
    """Return a row a stored model: accuracy with 95 % interval, log-likelihood, ECE, and the same without a table."""
    results = results_folder() / "clinical" if results is None else Path(results)
    rows = []
    for name in NAMES:
        report = evaluate(Predictions.load(results / f"{name}.csv"))
        row = {
            "model": NAMES[name],
            "accuracy": str(report.accuracy),
            "NLL": f"{report.nll.value:.3f}",
            "ECE": f"{report.calibration_error.value:.3f}",
            "ECE by chance, up to": f"{report.calibration_error_by_chance:.3f}",
            "no table": "",
            "NLL, no table": "",
            "other seeds": "",
        }
        if name in WITHOUT_TABLE:
            report = evaluate(Predictions.load(results / f"{name}_no_table.csv"))
            row |= {"no table": str(report.accuracy), "NLL, no table": f"{report.nll.value:.3f}"}
        others = sorted((results / "runs").glob(f"{name}_seed?.csv"))
        row["other seeds"] = ", ".join(f"{_accuracy(Predictions.load(file)):.3f}" for file in others)
        rows.append(row)
    return pd.DataFrame(rows)


def planned_comparisons(results: Path | None = None) -> pd.DataFrame:
    """Return a row for each of `PLANNED`, in the columns of `evaluation.compare`, with Holm's correction over them."""
    results = results_folder() / "clinical" if results is None else Path(results)
    stored = {name: Predictions.load(results / f"{name}.csv") for name in NAMES}
    rows = []
    for first, second in PLANNED:
        a, b = stored[first], stored[second]
        test, difference = mcnemar_exact(a, b), paired_difference(a, b)
        rows.append(
            {
                "first": NAMES[first],
                "second": NAMES[second],
                **test._asdict(),
                "difference": difference.value,
                "low": difference.low,
                "high": difference.high,
                "method": difference.method,
                "test": "exact McNemar",
            }
        )
    table = pd.DataFrame(rows)
    table.insert(5, "p_holm", holm(table["p_value"]))
    return table


def _accuracy(predictions: Predictions) -> float:
    return float(np.mean(predictions.predicted == predictions.labels))


def _files() -> list[str]:
    """Return the names of all predictions that the study stores, without ending."""
    seeds = [
        f"runs/{name}_seed{seed}"
        for name in NAMES
        if name.startswith("intermediate")
        for seed in range(1, HEADS)
    ]
    members = ["validation/table_only", "validation/image_only"]
    return [*NAMES, *(f"{name}_no_table" for name in WITHOUT_TABLE), *members, *seeds]


def _provenance(sizes: dict[str, int], epochs: int) -> dict:
    checkpoint = read_checkpoint(NETWORK)
    weights = checkpoint.file(WEIGHTS).read_bytes()
    learned = checkpoint.card["provenance"]["data"]["training"]["make_dataset"]
    return {
        "study": "clinical",
        "phantom_version": PHANTOM_VERSION,
        "data": {part: {"n_patients": n, "seed": SEEDS[part]} for part, n in sizes.items()},
        "image_network": {
            "name": NETWORK,
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
            "trained_on": learned,
        },
        "configuration": {"epochs": epochs},
    }


def _refuse_shared_patients(about: dict) -> None:
    """Raise `LumbarError` where a patient is in two parts, or among those whom the image network learned."""
    parts = {**about["data"], "the image network's training": about["image_network"]["trained_on"]}
    seeds = [
        set(np.random.SeedSequence(each["seed"]).generate_state(each["n_patients"]).tolist())
        for each in parts.values()
    ]
    twice = sum(map(len, seeds)) - len(set().union(*seeds))
    if twice:
        raise LumbarError(
            f"{twice} phantom patients occur twice in {', '.join(parts)}, so a model would be judged by what it has "
            "learned; choose other SEEDS."
        )


def _is_there(file: Path, about: dict) -> bool:
    """Return whether predictions are stored and were made from the same patients, network and configuration."""
    if not file.is_file():
        return False
    try:
        provenance = Predictions.load(file).provenance
    except LumbarError:
        return False
    return all(provenance.get(key) == value for key, value in about.items())


def _draw(sizes: dict[str, int], log) -> dict[str, Patients]:
    network, parts = build_model(NETWORK, weights="phantom"), {}
    for part, n in sizes.items():
        dataset = load_dataset("phantom", n_patients=n, seed=SEEDS[part], cache=False)
        seen = scaled_for(network, framed(dataset, "column", processes=2 if n > 1000 else 1).frames)
        features = backbone_features(network, seen, cache=False)
        logits = keras.ops.convert_to_numpy(network.layers[-1](features)).astype(np.float64)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        parts[part] = Patients(
            dataset, clinical_table(dataset), features, shares / shares.sum(axis=1, keepdims=True)
        )
        log(f"{part}: {dataset!r}")
    return parts


def _predictions(patients: Patients, probabilities: np.ndarray, name: str, about: dict) -> Predictions:
    return Predictions.of_dataset(
        patients.dataset,
        probabilities,
        model=name,
        measured_on="phantoms",
        provenance={**about, "made_with": made_with()},
    )


def _members(parts: dict[str, Patients], about: dict) -> dict[str, dict[str, Predictions]]:
    """Return what each model on one input says of the validation and the test patients, and of an empty table."""
    training, found = parts["training"], {}
    models = {
        "age_only": TableModel(("age_years",)).fit(training.table, training.dataset.labels),
        "table_only": TableModel().fit(training.table, training.dataset.labels),
    }
    for part in ("validation", "test"):
        patients = parts[part]
        found[part] = {
            name: _predictions(patients, model.predict_proba(patients.table), NAMES[name], about)
            for name, model in models.items()
        }
        found[part]["image_only"] = _predictions(patients, patients.image, NAMES["image_only"], about)
        empty = models["table_only"].predict_proba(patients.table * np.nan)
        found[part]["empty"] = _predictions(patients, empty, NAMES["table_only"], about)
    return found


def _store_late(members, about: dict, write) -> None:
    """Fit late fusion on the validation patients; store its answers to the test patients."""
    even = np.full(len(PAPER4), 1 / len(PAPER4))  # the zoo trains with balanced class weights
    joins = {
        "late_vote": WeightedVotingEnsemble(),
        "late_stacking": StackingEnsemble(),
        "late_product": ProductOfExperts(priors=(even, None)),
    }
    pair = lambda part, table: [members[part]["image_only"], members[part][table]]
    for name, join in joins.items():
        join.fit(pair("validation", "table_only"))
        for file, table in ((name, "table_only"), (f"{name}_no_table", "empty")):
            joined = join.combine(pair("test", table))
            learnt = {
                key: value for key, value in joined.provenance.items() if key not in ("members", "fitted_on")
            }
            write(
                file,
                Predictions(
                    **{
                        **vars(joined),
                        "model": NAMES[name] + (", no table" if file != name else ""),
                        "provenance": {**about, **learnt, "made_with": made_with()},
                    }
                ),
            )


def _store_intermediate(parts: dict[str, Patients], about, epochs, todo, write, log) -> None:
    """Train the heads that are still to do; store their answers with the table, and the first one's without any."""
    test = parts["test"]
    for name, dropout in (("intermediate", 0.5), ("intermediate_no_dropout", 0.0)):
        for seed in range(HEADS):
            file = name if seed == 0 else f"runs/{name}_seed{seed}"
            if not {file, f"{file}_no_table"} & set(todo):
                continue
            fusion = IntermediateFusion(table_dropout=dropout, seed=seed)
            fusion.fit(parts["training"].fold, parts["validation"].fold, epochs=epochs)
            learnt = {**about, "seed": seed, "training": dict(fusion.history_.attrs)}
            answers = {file: test.table} | ({f"{file}_no_table": test.table * np.nan} if seed == 0 else {})
            for each, table in answers.items():
                shown = NAMES[name] + (", no table" if each != file else "")
                write(each, _predictions(test, fusion.predict_proba(test.features, table), shown, learnt))
            log(f"{file}: {fusion.history_.attrs}")
