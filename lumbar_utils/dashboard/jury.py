"""What the shipped models say about one picture: each one's calibrated probabilities, and the networks' vote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumbar_utils.dashboard.opened_network import opened_network
from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import fit_temperature, load_results, tempered
from lumbar_utils.framing import Frames
from lumbar_utils.localise import Location, locate, refusal
from lumbar_utils.runtime import HybridPredictor, Predictor, load_hybrid_predictor

VOTE = "weighted_vote"  # in results/zoo: the ensemble with the least loss on the validation patients


@dataclass(frozen=True)
class Opinions:
    """What M networks say about one picture: `probabilities` (M, K), calibrated; `vote` (K,) joins them.

    `hybrid` (K,) is what the support vector machine on one network's features says; it has no part in the vote. `vote`
    is None where a network that the vote needs could not be loaded, and `hybrid` where that could not.
    """

    class_names: tuple[str, ...]
    members: tuple[str, ...]
    probabilities: np.ndarray
    hybrid: np.ndarray | None
    vote: np.ndarray | None

    @property
    def joint(self) -> np.ndarray:
        """The vote, or without one the mean of those who are there, (K,)."""
        return self.probabilities.mean(axis=0) if self.vote is None else self.vote

    @property
    def answer(self) -> int:
        return int(self.joint.argmax())

    @property
    def n_agree(self) -> int:
        """How many networks give the joint answer."""
        return int((self.probabilities.argmax(axis=1) == self.answer).sum())


class Jury:
    """The networks of results/zoo's weighted vote and the CNN-SVM hybrid, loaded once.

    Each network's probabilities are tempered with what fits the validation patients best; the vote joins them as they
    come, with the weights stored with its predictions, and so is the very model that the table of scores tells of.

    Parameters
    ----------
    tell : called with a sentence for each model that cannot be loaded; the others go on without it.

    Raises
    ------
    LumbarError : no network could be loaded, or there is no vote in results/zoo.
    """

    def __init__(self, tell):
        stored = load_results("zoo")
        if VOTE not in stored:
            raise LumbarError(f"There is no {VOTE} in results/zoo; make it with `make zoo`.")
        vote = stored[VOTE].provenance
        validation = load_results("zoo/validation")
        self.predictors: dict[str, Predictor] = {}
        for name in vote["members"]:
            try:
                self.predictors[name] = opened_network(name)
            except LumbarError as problem:
                tell(str(problem))
        if not self.predictors:
            raise LumbarError("None of the shipped networks could be loaded; install the course again.")
        self.hybrid: HybridPredictor | None = None
        try:
            self.hybrid = load_hybrid_predictor(open_network=opened_network)
        except LumbarError as problem:
            tell(str(problem))
        self._temperatures = {name: fit_temperature(validation[name]) for name in self.predictors}
        complete = len(self.predictors) == len(vote["members"])
        self._weights = np.asarray(vote["weights"]) if complete else None
        first = next(iter(self.predictors.values()))
        self.class_names = first.class_names

    def short_name(self, name: str) -> str:
        """Return a network's display name without its size, which one heading can tell of all."""
        return self.predictors[name].card["display_name"].partition(",")[0]

    def frame(self, image: np.ndarray, name: str) -> tuple[Frames, Location]:
        """Return the column of an (H, W) picture, which all networks see alike, and what was found in the picture.

        Raises `LumbarError` for a picture of another kind than the networks learned from.
        """
        location = locate(image)
        if reason := refusal(location):
            raise LumbarError(f"{name} gets no verdict: {reason}.")
        return next(iter(self.predictors.values())).frame(image[None]), location

    def opinions(self, frames: Frames) -> Opinions:
        """Return what all networks say about one framed picture."""
        raw = np.concatenate([predictor.predict(frames) for predictor in self.predictors.values()])  # (M, K)
        calibrated = [
            tempered(row[None], self._temperatures[name])[0]
            for name, row in zip(self.predictors, raw, strict=True)
        ]
        vote = None if self._weights is None else self._weights @ raw
        hybrid = None if self.hybrid is None else self.hybrid.predict(frames)[0]
        return Opinions(self.class_names, tuple(self.predictors), np.stack(calibrated), hybrid, vote)
