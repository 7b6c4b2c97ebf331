"""Ensembles of stored predictions: members are combined by their probabilities, and no network is trained again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.calibration import SMALLEST, nll_by_row
from lumbar_utils.evaluation.comparison import check_same_test_set
from lumbar_utils.evaluation.predictions import Predictions

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # of the stacking: scikit-learn's C, small is strong


class Ensemble(ABC):
    """What the three share: `fit` notes who the members are and learns, `combine` asks for the same members.

    Attributes
    ----------
    members_ : names of the members, in order.
    fitted_on_ : what `fit` saw, as plain values (dataset, pictures, patients).
    """

    kind = ""  # as the result is called

    def fit(self, members: Sequence[Predictions]):
        """Learn from two or more members' predictions of pictures that none of them was trained on.

        Out-of-fold predictions serve, or those of a validation set; `combine` then wants other patients.

        Raises
        ------
        LumbarError : fewer than two members, two of one name, or members with different pictures, orders,
            classes or datasets.
        """
        members = _checked(members)
        self._learn(np.stack([member.probabilities for member in members]), members[0])
        self._fit_members = members
        self.members_ = tuple(member.model for member in members)
        self.fitted_on_ = {
            "dataset": members[0].dataset,
            "measured_on": members[0].measured_on,
            "pictures": len(members[0]),
            "patients": len(np.unique(members[0].patient_ids)),
        }
        return self

    def combine(self, members: Sequence[Predictions]) -> Predictions:
        """Return the ensemble's predictions; `members` are the same models in the same order, on test pictures.

        Raises
        ------
        LumbarError : not fitted, other members or classes than in `fit`, or patients whom the ensemble was
            fitted on.
        """
        members = _checked(members)
        self._check_members(members)
        self._check_unseen(members)
        first = members[0]
        return Predictions(
            labels=first.labels,
            probabilities=self._join(np.stack([member.probabilities for member in members])),
            class_names=first.class_names,
            patient_ids=first.patient_ids,
            model=f"{self.kind} of {' + '.join(self.members_)}",
            dataset=first.dataset,
            measured_on=first.measured_on,
            provenance={
                "ensemble": self.kind,
                "members": {member.model: member.provenance for member in members},
                **self._learnt(),
                "fitted_on": self.fitted_on_,
            },
        )

    @abstractmethod
    def _learn(self, probabilities: np.ndarray, about: Predictions) -> None:
        """Learn from (M, N, K) probabilities; labels and patients stand in `about`."""

    @abstractmethod
    def _join(self, probabilities: np.ndarray) -> np.ndarray:
        """Return (N, K) probabilities made of the members' (M, N, K)."""

    @abstractmethod
    def _learnt(self) -> dict:
        """Return as plain values what was learnt."""

    def _check_members(self, members: tuple[Predictions, ...]) -> None:
        if not hasattr(self, "members_"):
            raise LumbarError(
                f"the {self.kind.lower()} is not fitted; call fit with the members' out-of-fold or validation "
                "predictions first."
            )
        names = tuple(member.model for member in members)
        if names != self.members_:
            raise LumbarError(
                f"the {self.kind.lower()} was given {' + '.join(names)}, and was fitted with "
                f"{' + '.join(self.members_)}; hand in the same members in the same order."
            )
        if members[0].class_names != self._fit_members[0].class_names:
            raise LumbarError(
                f"the members tell {', '.join(members[0].class_names)}, and the {self.kind.lower()} was fitted on "
                f"{', '.join(self._fit_members[0].class_names)}; hand in predictions of the same classes."
            )

    def _check_unseen(self, members: tuple[Predictions, ...]) -> None:
        """Raise `LumbarError` where what is combined is what was fitted on, as far as that can be seen."""
        seen = self._fit_members
        shared = np.isin(members[0].patient_ids, seen[0].patient_ids)
        same_rows = all(
            np.array_equal(a.probabilities, b.probabilities) for a, b in zip(members, seen, strict=True)
        )
        if (members[0].dataset == seen[0].dataset and shared.any()) or same_rows:
            n = len(np.unique(members[0].patient_ids[shared | same_rows]))
            raise LumbarError(
                f"the {self.kind.lower()} was fitted on {n} of the patients of {members[0].dataset} whom it is "
                "now asked to predict, so its score would tell how well it remembers their labels; fit it on "
                "out-of-fold or validation predictions and combine those of other patients."
            )


class SoftVotingEnsemble(Ensemble):
    """The mean of the members' probabilities, each member counting alike; nothing is learnt from the labels."""

    kind = "Soft vote"

    def _learn(self, probabilities, about):
        self.weights_ = np.full(len(probabilities), 1 / len(probabilities))

    def _join(self, probabilities):
        return _mixture(self.weights_, probabilities)

    def _learnt(self):
        return {"weights": self.weights_.tolist()}

    def _check_unseen(self, members):
        """Nothing is learnt, so nothing can be remembered."""


class WeightedVotingEnsemble(Ensemble):
    """The weighted mean of the members' probabilities, with the weights under which the truth is likeliest.

    Attributes
    ----------
    weights_ : (M,) from 0 to 1, they add up to 1; see `mixture_weights`.
    """

    kind = "Weighted vote"

    def _learn(self, probabilities, about):
        self.weights_ = mixture_weights(probabilities[:, np.arange(len(about)), about.labels].T)

    def _join(self, probabilities):
        return _mixture(self.weights_, probabilities)

    def _learnt(self):
        return {"weights": self.weights_.tolist()}


class StackingEnsemble(Ensemble):
    """Multinomial logistic regression on the members' log-probabilities (Wolpert 1992; Ting and Witten 1999).

    Unlike a vote it can mend a member that takes one class for another, and pays with (K - 1)(M K + 1) numbers to
    learn. Its L2 penalty is chosen among `STRENGTHS` by the negative log-likelihood in folds grouped by patient
    inside what `fit` is given, and the regression is then fitted on all of it.

    Parameters
    ----------
    seed : deals the patients to the folds.

    Attributes
    ----------
    regularisation_ : the chosen C of `sklearn.linear_model.LogisticRegression`.
    fold_nll_ : the mean negative log-likelihood in the folds for each of `STRENGTHS`.
    coefficients_ : (K, M, K): how far member m's log-probability of class j raises the logit of class k.
    intercept_ : (K,).
    """

    kind = "Stacking"

    def __init__(self, *, seed: int = 0):
        self.seed = seed

    def _learn(self, probabilities, about):
        from sklearn.model_selection import StratifiedGroupKFold  # here: it would cost the dashboard 85 MB

        x, y, n_classes = _logs(probabilities), about.labels, len(about.class_names)
        patients = [len(np.unique(about.patient_ids[y == label])) for label in range(n_classes)]
        scarce = int(np.argmin(patients))
        if patients[scarce] < 2:
            raise LumbarError(
                f"{about.class_names[scarce]} has {patients[scarce]} patient(s) in the {len(about)} predictions to "
                "stack, wanted at least 2, one on each side of the inner folds; add patients or take soft voting."
            )
        folds = StratifiedGroupKFold(min(5, patients[scarce]), shuffle=True, random_state=self.seed)
        folds = list(folds.split(x, y, about.patient_ids))
        self.fold_nll_ = {strength: _fold_nll(x, y, n_classes, folds, strength) for strength in STRENGTHS}
        self.regularisation_ = min(self.fold_nll_, key=self.fold_nll_.get)
        coefficients, self.intercept_ = _regression(x, y, n_classes, self.regularisation_)
        self.coefficients_ = coefficients.reshape(n_classes, len(probabilities), n_classes)

    def _join(self, probabilities):
        return _softmax(
            _logs(probabilities), self.coefficients_.reshape(len(self.intercept_), -1), self.intercept_
        )

    def _learnt(self):
        return {
            "regularisation": self.regularisation_,
            "coefficients": self.coefficients_.tolist(),
            "intercept": self.intercept_.tolist(),
            "seed": self.seed,
        }


def mixture_weights(
    likelihoods: np.ndarray, *, tolerance: float = 1e-8, most_rounds: int = 20_000
) -> np.ndarray:
    """Return the weights of a mixture under which the labels are likeliest, (M,) >= 0 that add up to 1.

    Expectation maximisation for mixing proportions (Dempster, Laird and Rubin 1977, section 4.3), from equal
    weights: each is multiplied by the member's mean share in the mixture's likelihood. The log-likelihood is
    concave in the weights, and no weights are better than these by more than (largest share - 1) nats a picture
    (Cover 1984, IEEE Transactions on Information Theory 30:369), so the rounds end when that falls under
    `tolerance`. After `most_rounds` they lose at most log(M) / most_rounds nats a picture.

    Parameters
    ----------
    likelihoods : (N, M) probability of the true class by each member; less than 5e-6 counts as that.
    """
    likelihoods = np.maximum(likelihoods, SMALLEST)
    weights = np.full(likelihoods.shape[1], 1 / likelihoods.shape[1])
    for _ in range(most_rounds):
        shares = (likelihoods / (likelihoods @ weights)[:, None]).mean(axis=0)  # (M,)
        if shares.max() - 1 < tolerance:
            break
        weights = weights * shares
    return weights / weights.sum()


def _mixture(weights: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return np.tensordot(weights, probabilities, axes=1)


def _logs(probabilities: np.ndarray) -> np.ndarray:
    """Return (N, M K) log-probabilities of (M, N, K), those under 5e-6 as that."""
    logs = np.log(np.maximum(probabilities, SMALLEST))
    return logs.transpose(1, 0, 2).reshape(logs.shape[1], -1)


def _softmax(x: np.ndarray, coefficients: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    logits = x @ coefficients.T + intercept
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def _regression(x, y, n_classes: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients (K, M K) and intercepts (K,); a class that y lacks gets an intercept that rules it out."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=strength, solver="newton-cholesky").fit(x, y)
    coefficients, intercept = np.zeros((n_classes, x.shape[1])), np.full(n_classes, -np.inf)
    if len(fitted.classes_) == 2:  # scikit-learn keeps one row for two classes: their difference
        coefficients[fitted.classes_] = np.array([[-0.5], [0.5]]) * fitted.coef_
        intercept[fitted.classes_] = np.array([-0.5, 0.5]) * fitted.intercept_
    else:
        coefficients[fitted.classes_], intercept[fitted.classes_] = fitted.coef_, fitted.intercept_
    return coefficients, intercept


def _fold_nll(x, y, n_classes: int, folds, strength: float) -> float:
    losses = [
        nll_by_row(_softmax(x[test], *_regression(x[train], y[train], n_classes, strength)), y[test])
        for train, test in folds
    ]
    return float(np.concatenate(losses).mean())


def _checked(members: Sequence[Predictions]) -> tuple[Predictions, ...]:
    members = tuple(members)
    names = [member.model for member in members]
    if len(set(names)) < max(2, len(names)):
        raise LumbarError(
            f"the members are {' and '.join(map(repr, names)) or 'none'}, wanted two or more of different names; give "
            "each predictions its own `model`."
        )
    for member in members[1:]:
        check_same_test_set(members[0], member)
        if (member.dataset, member.measured_on) != (members[0].dataset, members[0].measured_on):
            raise LumbarError(
                f"{names[0]} was measured on {members[0].dataset} ({members[0].measured_on}) and {member.model} on "
                f"{member.dataset} ({member.measured_on}); combine predictions of one dataset."
            )
    return members
