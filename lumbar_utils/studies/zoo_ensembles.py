"""Ensembles of the shipped networks, from their stored predictions alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..dataset import LumbarError
from ..evaluation import (
    Predictions,
    SoftVotingEnsemble,
    StackingEnsemble,
    WeightedVotingEnsemble,
    evaluate,
)
from ..paths import results_folder
from .zoo import NETWORKS

ENSEMBLES = {
    "soft_vote": SoftVotingEnsemble,
    "weighted_vote": WeightedVotingEnsemble,
    "stacking": StackingEnsemble,
}


def store_ensembles(*, results: Path | None = None, log: Callable[[str], None] = print) -> None:
    """Fit each ensemble on the networks' predictions of the validation patients; store what it says of the test's.

    The validation patients chose each network's best epoch, so the members look a little better there than they are;
    all members do alike.

    results : a folder that `train_zoo` wrote, by default results/zoo; soft_vote.csv, weighted_vote.csv and
    stacking.csv are added.

    Raises
    ------
    LumbarError : fewer than two networks with predictions of both kinds.
    """
    results = results_folder() / "zoo" if results is None else Path(results)
    names = [
        name
        for name in NETWORKS
        if all((folder / f"{name}.csv").is_file() for folder in (results, results / "validation"))
    ]
    if len(names) < 2:
        raise LumbarError(
            f"{results} holds the validation and test predictions of {len(names)} network(s), wanted two or more to "
            "join; train them with `make zoo`."
        )
    validation = [Predictions.load(results / "validation" / f"{name}.csv") for name in names]
    test = [Predictions.load(results / f"{name}.csv") for name in names]
    for name, ensemble in ENSEMBLES.items():
        joined = ensemble().fit(validation).combine(test)
        joined = replace(
            joined,
            model=f"{ensemble.kind} of {len(names)} networks",
            provenance={**joined.provenance, "members": names, "study": "zoo"},
        )
        joined.save(results / f"{name}.csv")
        log(f"{joined.model}: accuracy {evaluate(joined).accuracy}")
