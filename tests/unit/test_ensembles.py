"""Ensembles of stored predictions against members whose worth is known."""

import json
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from drawn_predictions import draw, of_labels
from helpers import ROOT
from scipy.optimize import minimize

from lumbar_utils import SoftVotingEnsemble, StackingEnsemble, WeightedVotingEnsemble
from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import Predictions, evaluate
from lumbar_utils.evaluation.calibration import SMALLEST, nll_by_row
from lumbar_utils.evaluation.ensembles import STRENGTHS, mixture_weights

ALL = (SoftVotingEnsemble, WeightedVotingEnsemble, StackingEnsemble)


def members(*strengths, test=False, n=300, seed=1, **changes):
    """Members a, b, …, of validation patients or of other, test patients, whose logits are drawn anew."""
    of_part = (
        {"dataset": "test", "patient_ids": [f"t{i}" for i in range(n)]} if test else {"dataset": "validation"}
    )
    seed += 1000 * test
    return [
        draw(n, strength=strength, seed=seed + k, model="abcdefg"[k], **(of_part | changes))
        for k, strength in enumerate(strengths)
    ]


def nll(predictions):
    return nll_by_row(predictions.probabilities, predictions.labels).mean()


def likelihoods(some):
    return np.stack([m.probabilities[np.arange(len(m)), m.labels] for m in some], axis=1)


# --- votes --------------------------------------------------------------------------------------------------


def test_a_soft_vote_is_the_mean_of_the_probabilities():
    combined = SoftVotingEnsemble().fit(members(2, 1, 0)).combine(test := members(2, 1, 0, test=True))
    assert np.allclose(combined.probabilities, np.mean([m.probabilities for m in test], axis=0), atol=1e-15)
    assert np.array_equal(combined.labels, test[0].labels)
    assert np.array_equal(combined.patient_ids, test[0].patient_ids)
    assert (combined.dataset, combined.measured_on) == ("test", "phantoms")


@pytest.mark.parametrize("ensemble", [SoftVotingEnsemble, WeightedVotingEnsemble])
def test_a_vote_among_copies_of_one_member_is_that_member(ensemble):
    fit_on, (one,) = members(1.5)[0], members(1.5, test=True)
    voting = ensemble().fit([replace(fit_on, model=name) for name in "abc"])
    assert voting.weights_ == pytest.approx([1 / 3] * 3)
    assert np.allclose(
        voting.combine([replace(one, model=name) for name in "abc"]).probabilities, one.probabilities
    )


def test_a_member_that_is_noise_gets_next_to_no_weight():
    voting = WeightedVotingEnsemble().fit(members(2, 0, n=1000))
    assert voting.weights_[1] < 0.01
    assert voting.weights_.sum() == pytest.approx(1) and voting.weights_.min() >= 0


def test_an_oracle_gets_all_the_weight():
    good, fair = members(2, 1)
    oracle = of_labels(good.labels, good.labels, model="oracle", dataset="validation")
    voting = WeightedVotingEnsemble().fit([good, oracle, fair])
    assert voting.weights_ == pytest.approx([0, 1, 0], abs=1e-6)


def test_two_members_alike_in_strength_and_independent_share_the_weight():
    voting = WeightedVotingEnsemble().fit(members(1.5, 1.5, n=20_000))
    assert voting.weights_ == pytest.approx([0.5, 0.5], abs=0.03)


@pytest.mark.parametrize("strengths", [(1.6, 1.6), (1, 2), (1.5, 1.3, 1.4), (2, 1.9, 0)])
@pytest.mark.parametrize("seed", [1, 7])
def test_no_weights_of_a_fine_grid_are_better(strengths, seed):
    some = members(*strengths, seed=seed, n=120)
    voting, truth = WeightedVotingEnsemble().fit(some), likelihoods(some)
    steps = np.linspace(0, 1, 401)
    grid = np.array([(a, 1 - a) for a in steps])
    if len(strengths) == 3:
        grid = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1])
    losses = -np.log(truth @ grid.T).mean(axis=0)
    loss = -np.log(truth @ voting.weights_).mean()
    assert loss <= losses.min() + 1e-8
    assert loss == pytest.approx(losses.min(), abs=1e-4)  # and the grid comes as near as its step lets it
    assert np.abs(voting.weights_ - grid[losses.argmin()]).max() < 0.01


def test_the_weights_agree_with_a_general_optimiser_for_five_members():
    truth = likelihoods(members(1.7, 1.6, 1.5, 1.4, 0.2, n=200))
    found = minimize(
        lambda w: -np.log(truth @ w).mean(),
        np.full(5, 0.2),
        jac=lambda w: -(truth / (truth @ w)[:, None]).mean(axis=0),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    weights = mixture_weights(truth)
    assert weights == pytest.approx(found.x, abs=1e-3)
    # Karush-Kuhn-Tucker: a member in use has share 1, one that is left out no more
    shares = (truth / (truth @ weights)[:, None]).mean(axis=0)
    assert shares.max() < 1 + 1e-7 and shares[weights > 1e-3] == pytest.approx(1, abs=1e-5)


def test_a_probability_stored_as_zero_rules_no_member_out():
    hard = of_labels([0, 1, 2, 3] * 25, [0, 1, 2, 3] * 24 + [1, 1, 2, 3], model="hard")
    soft = draw(100, labels=hard.labels, probabilities=np.full((100, 4), 0.25), model="soft")
    weights = WeightedVotingEnsemble().fit([hard, soft]).weights_
    # one picture in 100 wrong with certainty: minimise -0.99 log(w + (1 - w) / 4) - 0.01 log((1 - w) / 4)
    assert weights[1] == pytest.approx(0.01 * 4 / 3, abs=1e-4)


def test_a_picture_on_which_all_are_wrong_with_certainty_stops_nothing():
    truth = [0, 1, 2, 3] * 10
    said = [1, *truth[1:]]
    some = [of_labels(truth, row, model=name) for name, row in (("a", said), ("b", [*said[:-1], 0]))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert WeightedVotingEnsemble().fit(some).weights_ == pytest.approx([1, 0], abs=1e-4)


def test_weights_learnt_on_validation_patients_beat_equal_ones_on_test_patients():
    fit_on, test = members(2.5, 0.3, 0.3, n=600), members(2.5, 0.3, 0.3, test=True, n=600)
    soft, weighted = (e().fit(fit_on).combine(test) for e in (SoftVotingEnsemble, WeightedVotingEnsemble))
    assert nll(weighted) < nll(soft) - 0.1


# --- stacking -----------------------------------------------------------------------------------------------


def swapped(member):
    """The member with its first two classes taken for one another."""
    return replace(member, probabilities=member.probabilities[:, [1, 0, 2, 3]], model="swapped")


def test_stacking_learns_that_a_member_takes_one_class_for_another_and_a_vote_cannot():
    (a,), (test,) = members(3, n=600), members(3, n=600, test=True)
    fit_on, combined = [swapped(a), draw(600, strength=0, seed=9, model="noise", dataset="validation")], {}
    of_test = [
        swapped(test),
        draw(600, strength=0, seed=1009, model="noise", dataset="test", patient_ids=test.patient_ids),
    ]
    for ensemble in (WeightedVotingEnsemble, StackingEnsemble):
        combined[ensemble] = ensemble().fit(fit_on).combine(of_test)
    accuracy = {key: evaluate(value, n_resamples=200).accuracy.value for key, value in combined.items()}
    unswapped = np.mean(test.predicted == test.labels)
    assert accuracy[StackingEnsemble] > unswapped - 0.03 > 0.75
    assert accuracy[WeightedVotingEnsemble] < 0.6


def test_stacking_calibrated_members_comes_near_the_best_that_can_be_known():
    # independent normal logits: the posterior is the softmax of strength times their sum
    fit_on, test = members(1.5, 1.5, n=3000), members(1.5, 1.5, n=3000, test=True)
    logits = 1.5 * sum(np.log(m.probabilities) for m in test)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    best = nll(replace(test[0], probabilities=shares))
    stacked = StackingEnsemble().fit(fit_on)
    assert best <= nll(stacked.combine(test)) < best + 0.02
    own = np.einsum("kmk->mk", stacked.coefficients_) - stacked.coefficients_.mean(axis=0)
    assert own == pytest.approx(np.full((2, 4), 1.5 * 3 / 4), abs=0.25)


def test_two_classes_are_stacked_as_scikit_learn_does():
    from sklearn.linear_model import LogisticRegression

    fit_on, test = members(1, 2, n_classes=2), members(1, 2, test=True, n_classes=2)
    stacked = StackingEnsemble().fit(fit_on)
    logs = [np.concatenate([np.log(m.probabilities) for m in part], axis=1) for part in (fit_on, test)]
    direct = LogisticRegression(C=stacked.regularisation_, tol=1e-10, max_iter=10_000).fit(
        logs[0], fit_on[0].labels
    )
    assert stacked.combine(test).probabilities == pytest.approx(direct.predict_proba(logs[1]), abs=1e-4)


def test_the_penalty_is_chosen_by_patients_and_is_stronger_where_there_are_few():
    # labels by patient and a member that knows each picture's patient: only folds by patient see that it knows no more
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(24), 12)
    labels = rng.permutation(24)[patient] % 4
    marks = rng.dirichlet(np.ones(4), size=24)[patient]
    of_row = {"labels": labels, "patient_ids": patient.astype(str)}
    known = draw(288, probabilities=marks, model="marks", **of_row)
    noise = draw(288, strength=0, seed=3, model="noise", **of_row)
    by_patient = StackingEnsemble().fit([known, noise])
    by_picture = StackingEnsemble().fit(
        [replace(member, patient_ids=np.arange(288).astype(str)) for member in (known, noise)]
    )
    assert by_patient.regularisation_ < by_picture.regularisation_
    assert min(by_patient.fold_nll_.values()) > min(by_picture.fold_nll_.values()) + 0.05
    assert tuple(by_patient.fold_nll_) == STRENGTHS


def test_stacking_is_fitted_on_nothing_but_what_fit_gets():
    fit_on, test = members(2, 1), members(2, 1, test=True)
    stacked = StackingEnsemble().fit(fit_on)
    before = stacked.coefficients_.copy()
    other_labels = [replace(m, labels=m.labels[::-1]) for m in test]
    assert np.array_equal(stacked.combine(test).probabilities, stacked.combine(other_labels).probabilities)
    assert np.array_equal(stacked.coefficients_, before)


# --- what all share -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ensemble", ALL)
def test_a_row_counts_for_itself_and_a_second_fit_says_the_same(ensemble, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_on, test = members(2, 1, 0.5), members(2, 1, 0.5, test=True)
        combined = ensemble().fit(fit_on).combine(test)
        again = ensemble().fit(fit_on).combine(test)
    assert np.array_equal(combined.probabilities, again.probabilities)
    turned = [
        replace(
            m, labels=m.labels[::-1], probabilities=m.probabilities[::-1], patient_ids=m.patient_ids[::-1]
        )
        for m in test
    ]
    assert np.allclose(ensemble().fit(fit_on).combine(turned).probabilities[::-1], combined.probabilities)
    assert np.allclose(
        Predictions.load(combined.save(tmp_path / "e.csv")).probabilities, combined.probabilities, atol=1e-5
    )


@pytest.mark.parametrize("ensemble", ALL)
def test_provenance_names_members_what_was_learnt_and_where(ensemble):
    combined = ensemble().fit(members(2, 1)).combine(members(2, 1, test=True))
    origin = json.loads(json.dumps(combined.provenance, allow_nan=False))
    assert list(origin["members"]) == ["a", "b"] and origin["members"]["a"] == {"seed": 1001}
    assert origin["fitted_on"] == {
        "dataset": "validation", "measured_on": "phantoms", "pictures": 300, "patients": 300,
    }  # fmt: skip
    assert combined.model == f"{origin['ensemble']} of a + b"
    learnt = origin["coefficients"] if ensemble is StackingEnsemble else origin["weights"]
    assert np.shape(learnt) == ((4, 2, 4) if ensemble is StackingEnsemble else (2,))


@pytest.mark.parametrize("ensemble", [WeightedVotingEnsemble, StackingEnsemble])
def test_what_was_fitted_on_is_not_combined(ensemble):
    fit_on = members(2, 1)
    fitted = ensemble().fit(fit_on)
    some_rows = [
        replace(m, labels=m.labels[:9], probabilities=m.probabilities[:9], patient_ids=m.patient_ids[:9])
        for m in fit_on
    ]
    renamed = [replace(m, dataset="another name") for m in fit_on]
    for seen, n in ((fit_on, 300), (some_rows, 9), (renamed, 300)):
        with pytest.raises(LumbarError, match=f"{n} of the patients .* remembers their labels") as refusal:
            fitted.combine(seen)
        assert str(refusal.value).count(".") == 1
    assert len(fitted.combine(members(2, 1, test=True))) == 300
    assert len(SoftVotingEnsemble().fit(fit_on).combine(fit_on)) == 300  # it learns nothing from the labels


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda e: e.fit(members(2)), "the members are 'a', wanted two or more"),
        (lambda e: e.fit([]), "the members are none"),
        (lambda e: e.fit([draw(20), draw(20, seed=1)]), "of different names"),
        (lambda e: e.fit([draw(20), draw(21, model="b")]), "same pictures in the same order"),
        (lambda e: e.fit([draw(20), draw(20, model="b", dataset="other")]), "predictions of one dataset"),
        (lambda e: e.combine(members(2, 1)), "is not fitted"),
        (
            lambda e: e.fit(members(2, 1)).combine(members(2, 1, test=True)[::-1]),
            r"given b \+ a, .* with a \+ b;",
        ),
        (lambda e: e.fit(members(2, 1)).combine(members(2, 1, 1, test=True)), r"given a \+ b \+ c"),
        (lambda e: e.fit(members(2, 1)).combine(members(2, 1, test=True, n_classes=3)), "the same classes"),
    ],
)
@pytest.mark.parametrize("ensemble", ALL)
def test_what_cannot_be_combined_is_refused_in_one_sentence(ensemble, wrong, word):
    with pytest.raises(LumbarError, match=word) as refusal:
        wrong(ensemble())
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


def test_a_class_of_one_patient_cannot_be_stacked():
    labels = [0, 1, 2] * 20 + [3]
    some = [of_labels(labels, labels, model=name) for name in "ab"]
    with pytest.raises(LumbarError, match=r"Spondylosis has 1 patient\(s\) in the 61 predictions"):
        StackingEnsemble().fit(some)


def test_a_class_whose_patients_all_fall_into_one_fold_is_never_predicted_there_and_stops_nothing():
    # z holds as many pictures of the first three classes as x and y together: some folds are {z, …} and {x, y, …}
    labels = np.array([0, 1, 2] * 8 + ([0, 1, 2] * 4 + [3]) * 2 + [0, 1, 2] * 3)
    ids = ["z"] * 24 + ["x"] * 13 + ["y"] * 13 + [f"p{i}" for i in range(9)]
    some = [of_labels(labels, labels, patient_ids=ids, model=name) for name in "ab"]
    losses = [StackingEnsemble(seed=seed).fit(some).fold_nll_[10.0] for seed in range(8)]
    assert max(losses) == pytest.approx(
        2 / 59 * -np.log(SMALLEST), abs=0.01
    )  # the two of class 3, nothing else


def test_votes_are_fitted_and_combined_without_scikit_learn():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from drawn_predictions import draw;"
        "from lumbar_utils import WeightedVotingEnsemble;"
        "part = lambda name, seed: [draw(50, seed=seed + k, model=str(k), dataset=name) for k in (1, 2)];"
        "WeightedVotingEnsemble().fit(part('validation', 0)).combine(part('test', 9));"
        "print(*{'scipy.stats', 'sklearn', 'keras'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.split() == []
