"""Exercises of the clinical half of lesson 18: age, a product of experts, another clinic's shares."""

from __future__ import annotations

from functools import cache

import numpy as np

from lumbar_utils.teaching.exercises import (
    Exercise,
    Verdict,
    letters,
    near,
    number,
    numbers,
    result_of,
    right,
    wrong,
)


def judge_age(answer: object) -> Verdict:
    everybody, same_age = numbers(answer, 2)
    known = _aucs()
    if near(everybody, known["all"], 2e-3) and near(same_age, known["same age"], 2e-3):
        return right(
            f"{everybody:.2f} among all, {same_age:.2f} among the {known['patients']} of much the same age; 0.50 is "
            "a coin. Age knows who is old. Which of two patients of 55 has the stenosis, it hardly knows."
        )
    if near(everybody, 1 - known["all"], 2e-3):
        return wrong("You asked for herniation. Say True for stenosis, the class that is older.")
    if near(everybody, known["against everybody"], 2e-3):
        return wrong(
            "That is stenosis against all other classes. Leave out the healthy and those with spondylosis: keep the "
            "rows whose label is 1 or 2."
        )
    if near(everybody, known["same age"], 2e-3) and near(same_age, known["all"], 2e-3):
        return wrong("The two are swapped: first all patients, then those aged 50 to 60.")
    if near(everybody, known["all"], 2e-3):
        if near(same_age, known["same age against everybody"], 2e-3):
            return wrong("The first fits. In the second, keep only stenosis and herniation, as in the first.")
        if near(same_age, 1 - known["same age"], 2e-3):
            return wrong("The first fits; in the second, stenosis has to be the class called True again.")
        return wrong(
            f"The first fits. The second is {same_age:.3f}; keep the rows with 50 <= age <= 60 of both classes, "
            f"{known['patients']} patients."
        )
    if max(everybody, same_age) > 1:
        return wrong("An AUC lies between 0 and 1; 0.5 is a coin.")
    return wrong(
        f"{everybody:.3f} is not the AUC of age among the test patients of classes 1 and 2; give roc_auc_score True "
        "for stenosis, and then the ages."
    )


@cache
def _aucs() -> dict[str, float]:
    """Return the right AUCs and those of usual mistakes, of the zoo's locked patients."""
    from sklearn.metrics import roc_auc_score

    from lumbar_utils.beyond.clinical_table import draw_tables
    from lumbar_utils.evaluation import load_results

    part = load_results("zoo")["cnn"].provenance["data"]["test"]["make_dataset"]
    rows, labels = draw_tables(part["n_patients"], seed=part["seed"])
    age = rows["age_years"].to_numpy()
    two, between = np.isin(labels, (1, 2)), (age >= 50) & (age <= 60)
    auc = lambda chosen: float(roc_auc_score(labels[chosen] == 2, age[chosen]))
    return {
        "all": auc(two),
        "same age": auc(two & between),
        "against everybody": auc(np.ones(len(age), bool)),
        "same age against everybody": auc(between),
        "patients": int((two & between).sum()),
    }


def judge_product(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 10.5 / 11.5):
        return right(
            "0.91. In odds: before 1 to 3, the picture makes 3 to 2 of it, 4.5 times as much, the table 7 times as "
            "much: 4.5 · 7 / 3 = 10.5 to 1. Two hints that point one way are worth more than the better one of them."
        )
    if near(value, 0.65):
        return wrong(
            "0.65 is the mean. Two independent hints, each far above the quarter we started from, and the second one "
            "would have made us less sure?"
        )
    if near(value, 0.42 / 0.54):
        return wrong(
            "0.78 multiplies the answers and never divides by the prior, so the quarter is counted twice. Each "
            "answer over the prior first."
        )
    if near(value, 31.5 / 32.5):
        return wrong("0.97 leaves out the prior in front: P(k), once, for herniation and for the rest.")
    if near(value, 0.42):
        return wrong(
            "0.42 = 0.6 · 0.7 is not brought to sum 1, and the prior is missing: compute the same for “not”."
        )
    if near(value, 0.25 * (0.6 / 0.25) * (0.7 / 0.25)):
        return wrong("1.68 is the weight of herniation. Compute that of “not”, and divide by their sum.")
    if near(value, 10.5):
        return wrong("10.5 are the odds, 10.5 to 1; as a probability that is 10.5 / 11.5.")
    if near(value, 91.3, 0.1):
        return wrong("That is a percentage; give the fraction between 0 and 1.")
    return wrong(
        f"{value:.3g} does not fit: 0.25 · (0.6/0.25) · (0.7/0.25) for herniation, 0.75 · (0.4/0.75) · (0.3/0.75) for "
        "the rest, and then their shares."
    )


def judge_prevalence(answer: object) -> Verdict:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.8, 0.15, 0.05])
    given = np.asarray(result_of(answer, probabilities.copy(), old.copy(), new.copy()), dtype=float)
    if given.shape != probabilities.shape:
        return wrong(
            f"For three patients and three classes you return the shape {given.shape}, wanted (3, 3)."
        )
    share = lambda weights: weights / weights.sum(axis=1, keepdims=True)
    same = lambda wanted: np.allclose(given, wanted, atol=1e-3)
    if same(share(probabilities * new / old)):
        return right(
            "The patient whose answer was just the old shares now gets the new ones: about him the model had learned "
            "nothing, and it still has not."
        )
    if same(probabilities * new / old):
        return wrong("The weights are right, and the rows no longer sum to 1: divide each by its sum.")
    if same(probabilities * new / old / (probabilities * new / old).sum()):
        return wrong("You divided by the sum over all patients; each patient's row has to sum to 1.")
    if same(share(probabilities * old / new)):
        return wrong("Old and new are swapped: what has become commoner has to gain.")
    if same(share(probabilities * new)):
        return wrong(
            "You multiply by the new shares and never divide by the old ones, which are still in the answers. A "
            "patient of whom nothing is known would get old · new."
        )
    if same(probabilities):
        return wrong("Nothing has changed; multiply by new / old before you bring the rows to sum 1.")
    if same(share(probabilities + new - old)) or same(probabilities + new - old):
        return wrong("Shares are multiplied, not added: Bayes' rule is a product.")
    return wrong(
        f"For a patient whose answer is the old shares, {old.tolist()}, the new shares, {new.tolist()}, are wanted, "
        f"and you return {given[0].round(3).tolist()}."
    )


QUIZ = letters(
    {"1": "b", "2": "a"},
    {
        "1": {
            "a": "the weight would be 0 if the model knew the world; it knows 60 patients (section D).",
            "c": "more patients are better. More columns ask for more patients.",
        },
        "2": {
            "b": "the gain may not come from the picture side at all.",
            "c": "how it was joined comes second; the first question is what came in.",
        },
    },
    "You ask the baseline first. Reviewers should.",
)

EXERCISES = {
    "age": Exercise(
        judge_age,
        (
            "two = np.isin(y_test, (1, 2)) picks the patients of both classes.",
            "roc_auc_score(y_test[two] == 2, table_test['age_years'][two]) is the first number.",
            "For the second, also ask for table_test['age_years'].between(50, 60).",
        ),
    ),
    "product": Exercise(
        judge_product,
        (
            "For herniation: prior 0.25, picture 0.6 / 0.25, table 0.7 / 0.25. Multiply the three.",
            "The same for “not”: 0.75, 0.4 / 0.75, 0.3 / 0.75.",
            "1.68 and 0.16: the share of the first.",
        ),
    ),
    "prevalence": Exercise(
        judge_prevalence,
        (
            "A class that is twice as common as before gets twice the weight: new / old.",
            "weighted = probabilities * new / old; what is the sum of a row now?",
            "return weighted / weighted.sum(axis=1, keepdims=True)",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Sections A and D.",)),
}
