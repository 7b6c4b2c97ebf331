"""Fusion of picture and clinical table against worlds whose Bayes answer is known."""

from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict

from lumbar_utils import LumbarError, build_model, prepare
from lumbar_utils.beyond.clinical_table import (
    COLUMNS,
    TableModel,
    clinical_table,
    draw_tables,
    hide_values,
    marked_features,
)
from lumbar_utils.beyond.fusion import (
    HideValues,
    IntermediateFusion,
    ProductOfExperts,
    build_head,
    for_prevalence,
    product_of_experts,
)
from lumbar_utils.evaluation import Predictions
from lumbar_utils.phantom import make_dataset
from lumbar_utils.training import backbone_features

PRIOR = np.array([0.5, 0.3, 0.2])


@pytest.fixture(scope="module")
def drawn():
    """Tables and labels of 700 patients to learn from and of 300 others."""
    parts = []
    for n, seed in ((700, 31), (300, 32)):
        rows, labels = draw_tables(n, seed=seed)
        parts.append((clinical_table(rows), labels))
    return parts


# --- the table ----------------------------------------------------------------------------------------------


def test_tables_are_those_of_the_patients_that_are_drawn():
    dataset = make_dataset(5, seed=3)
    rows, labels = draw_tables(5, seed=3)
    assert labels.tolist() == dataset.labels.tolist()
    pd.testing.assert_frame_equal(clinical_table(rows), clinical_table(dataset))
    with pytest.raises(LumbarError, match="n_patients is 0"):
        draw_tables(0, seed=3)


def test_a_patient_is_eight_numbers_and_what_is_unknown_stays_unknown():
    table = clinical_table(
        {"sex": "F", "age_years": 61, "slr_positive": True, "odi": None, "pfirrmann_L5-S1": 4}
    )
    assert tuple(table.columns) == COLUMNS and len(table) == 1
    known = table.iloc[0].dropna().to_dict()
    assert known == {"age_years": 61, "woman": 1, "slr_positive": 1}
    assert clinical_table(pd.DataFrame({"sex": ["M", None]}))["woman"].tolist()[0] == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sex": "female"}, "sex is 'female' in row 0"),
        ({"odi": 140}, "odi is '140' in row 0 of the table, wanted 0 to 100"),
        ({"age_years": "old"}, "age_years is 'old'"),
        ({"claudication": 2}, "wanted 0, 1 or nothing"),
        ({"height": 180}, "columns height, wanted one or more of age_years, sex"),
    ],
)
def test_a_value_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(LumbarError, match=message):
        clinical_table(wrong)


def test_hidden_values_are_any_share_and_the_table_itself_keeps_them(drawn):
    table = drawn[0][0].fillna(1.0)
    hidden = hide_values(table, np.random.default_rng(0))
    lost = hidden.isna().sum(axis=1)
    assert not table.isna().any(axis=None)
    # 0 to 8 lost values are equally likely
    assert np.bincount(lost, minlength=9) / len(table) == pytest.approx(1 / 9, abs=0.04)
    assert ((hidden == table) | hidden.isna()).all(axis=None)


def test_a_patient_without_any_value_gets_about_the_shares_of_the_classes(drawn):
    (table, labels), _ = drawn
    kept = (labels != 3) | (np.arange(len(labels)) % 4 == 0)  # one class is rare
    table, labels = table[kept], labels[kept]
    shares = np.bincount(labels) / len(labels)
    nothing = table.iloc[:1] * np.nan
    assert TableModel().fit(table, labels).predict_proba(nothing)[0] == pytest.approx(shares, abs=0.06)
    # without hidden copies he is taken for the median patient
    naive = TableModel(hidden_copies=0).fit(table, labels).predict_proba(nothing)[0]
    assert np.abs(naive - shares).max() > 0.1


def test_the_whole_table_tells_more_than_age_and_age_more_than_the_commonest_class(drawn):
    (table, labels), (new, truth) = drawn
    accuracy = lambda model: np.mean(model.fit(table, labels).predict(new) == truth)
    age, everything = accuracy(TableModel(("age_years",))), accuracy(TableModel())
    assert everything > age + 0.15
    assert age > np.bincount(truth).max() / len(truth) + 0.03


def test_the_table_model_is_fitted_in_the_training_fold_alone(drawn):
    (table, labels), (new, _) = drawn
    model = TableModel().fit(table, labels)
    alone = model.predict_proba(new.iloc[[7]])
    shifted = new.copy()
    shifted.iloc[8:] = shifted.iloc[8:] * 0 + 1
    assert np.allclose(model.predict_proba(shifted)[7], alone[0])
    folds = cross_val_predict(clone(model), table, labels, cv=3, method="predict_proba")
    assert folds.shape == (700, 4) and 0.6 < np.mean(folds.argmax(axis=1) == labels) < 0.9


def test_a_table_without_the_columns_asked_for_is_refused(drawn):
    (table, labels), _ = drawn
    with pytest.raises(LumbarError, match="lacks odi"):
        TableModel().fit(table.drop(columns="odi"), labels)


def test_an_empty_column_is_kept_and_says_nothing(drawn):
    (table, labels), (new, _) = drawn
    model = TableModel().fit(table.assign(odi=np.nan), labels)
    assert np.allclose(model.predict_proba(new.assign(odi=np.nan)).sum(axis=1), 1)


# --- late fusion --------------------------------------------------------------------------------------------


def world(n, seed, *, prior=PRIOR, cues=2):
    """Return labels and the exact posteriors (cues, N, K) of cues that are independent given the class."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(prior), n, p=prior)
    centres = np.array([[0.0, 0.0], [1.4, 0.3], [0.2, 1.6]])
    posteriors = []
    for _ in range(cues):
        seen = centres[labels] + rng.normal(size=(n, 2))
        likelihood = np.exp(-((seen[:, None] - centres) ** 2).sum(axis=2) / 2)
        posteriors.append(likelihood * prior / (likelihood * prior).sum(axis=1, keepdims=True))
    return labels, np.stack(posteriors)


def as_members(labels, posteriors, part):
    return [
        Predictions(
            labels=labels,
            probabilities=each,
            class_names=("a", "b", "c"),
            patient_ids=[f"{part}{row}" for row in range(len(labels))],
            model=name,
            dataset=part,
            measured_on="phantoms",
        )
        for name, each in zip("xyz", posteriors, strict=False)
    ]


def test_two_tests_that_are_independent_multiply_as_bayes_says():
    # sensitivity 0.8 and specificity 0.9, prevalence 0.1, both tests positive: 0.8² · 0.1 against 0.1² · 0.9
    prior = np.array([0.9, 0.1])
    one = np.array([0.1 * 0.9, 0.8 * 0.1]) / (0.1 * 0.9 + 0.8 * 0.1)
    both = product_of_experts(np.array([[one], [one]]), prior)[0]
    assert both[1] == pytest.approx(0.064 / (0.064 + 0.009))
    # the naive product, which counts the prior twice, is far too low
    assert (one**2 / (one**2).sum())[1] == pytest.approx(0.4414, abs=1e-3)


def test_independent_members_get_exponents_of_about_one_and_one_member_twice_shares_one():
    labels, posteriors = world(6000, 1)
    independent = ProductOfExperts().fit(as_members(labels, posteriors, "fit"))
    assert independent.exponents_ == pytest.approx([1, 1], abs=0.08)
    assert independent.prior_ == pytest.approx(PRIOR, abs=0.02)
    twice = ProductOfExperts().fit(as_members(labels, posteriors[[0, 0]], "fit"))
    assert twice.exponents_.sum() == pytest.approx(1, abs=0.08)


def test_no_exponents_of_a_grid_are_likelier():
    labels, posteriors = world(300, 2)
    posteriors[1] = posteriors[1] ** 3 / (posteriors[1] ** 3).sum(axis=1, keepdims=True)  # a bold member
    fusion = ProductOfExperts().fit(as_members(labels, posteriors, "fit"))
    loss = lambda exponents: (
        -np.log(
            product_of_experts(posteriors, fusion.prior_, exponents=exponents)[np.arange(300), labels]
        ).mean()
    )
    grid = [(a, b) for a in np.arange(0, 2, 0.05) for b in np.arange(0, 2, 0.05)]
    best = min(grid, key=loss)
    assert loss(fusion.exponents_) <= loss(best) + 1e-9
    assert fusion.exponents_ == pytest.approx(best, abs=0.05) and fusion.exponents_[1] < 0.6


def test_a_member_that_repeats_the_prior_changes_nothing():
    labels, posteriors = world(500, 3)
    fusion = ProductOfExperts().fit(as_members(labels, posteriors, "fit"))
    new_labels, new = world(50, 4)
    ignorant = np.broadcast_to(fusion.prior_, new[1].shape)
    joined = fusion.combine(as_members(new_labels, [new[0], ignorant], "new")).probabilities
    assert np.array_equal(joined.argmax(axis=1), product_of_experts(
        new[:1], fusion.prior_, exponents=fusion.exponents_[:1]).argmax(axis=1))  # fmt: skip


def test_a_member_trained_with_balanced_weights_says_so():
    labels, posteriors = world(6000, 5)
    even = np.full(3, 1 / 3)
    balanced = posteriors[0] / PRIOR / (posteriors[0] / PRIOR).sum(axis=1, keepdims=True)
    members = as_members(labels, [balanced, posteriors[1]], "fit")
    told = ProductOfExperts(priors=(even, None)).fit(members)
    assert told.exponents_ == pytest.approx([1, 1], abs=0.08)
    joined = product_of_experts(np.stack([balanced, posteriors[1]]), PRIOR, priors=(even, None))
    assert np.allclose(joined, product_of_experts(posteriors, PRIOR))


def test_the_product_refuses_what_it_cannot_know():
    labels, posteriors = world(200, 6)
    members = as_members(labels, posteriors, "fit")
    with pytest.raises(LumbarError, match="is not fitted"):
        ProductOfExperts().combine(members)
    with pytest.raises(LumbarError, match="was fitted on 200 of the patients"):
        ProductOfExperts().fit(members).combine(members)
    with pytest.raises(LumbarError, match="2 models and 1 priors"):
        ProductOfExperts(priors=(None,)).fit(members)
    lacking = [replace(member, labels=np.zeros(200, int)) for member in members]
    with pytest.raises(LumbarError, match="labelled b, so its share is not known"):
        ProductOfExperts().fit(lacking)
    assert ProductOfExperts(fitted=False).fit(members).exponents_.tolist() == [1, 1]


def test_other_shares_of_the_classes_are_corrected_for_exactly():
    _, (posterior,) = world(4000, 7, cues=1)
    new = np.array([0.1, 0.1, 0.8])
    corrected = for_prevalence(posterior, PRIOR, new)
    known = posterior * new / PRIOR
    assert np.allclose(corrected, known / known.sum(axis=1, keepdims=True), atol=1e-4)
    assert np.allclose(for_prevalence(posterior, PRIOR, PRIOR), posterior, atol=1e-4)
    with pytest.raises(LumbarError, match="wanted 3 numbers from 0 that sum to 1"):
        for_prevalence(posterior, PRIOR, [0.5, 0.5])
    with pytest.raises(LumbarError, match="fitted without class 0"):
        for_prevalence(posterior, [0, 0.5, 0.5], new)


# --- intermediate fusion ------------------------------------------------------------------------------------


def test_table_dropout_hides_a_value_and_marks_it_and_only_in_training():
    marked = np.concatenate([np.full((2000, 4), 7.0), np.zeros((2000, 4))], axis=1).astype(np.float32)
    marked[0] = [0, 7, 7, 7, 1, 0, 0, 0]  # never known
    layer = HideValues(0.5, seed=1)
    assert np.array_equal(layer(marked), marked)
    values, marks = np.split(keras.ops.convert_to_numpy(layer(marked, training=True)), 2, axis=1)
    assert np.array_equal(values == 0, marks == 1) and set(np.unique(values)) == {0.0, 7.0}
    lost = marks[1:].sum(axis=1)
    # half are left alone, and of the others a fifth loses 0, 1, 2, 3 or 4 of 4
    assert np.mean(lost == 4) == pytest.approx(0.5 / 5, abs=0.03)
    assert np.mean(lost == 0) == pytest.approx(0.5 + 0.5 / 5, abs=0.04)
    again = HideValues.from_config(layer.get_config())
    assert (again.rate, again.seed) == (0.5, 1)
    assert np.array_equal(HideValues(0.0)(marked, training=True), marked)


def patients(n, seed, known=1.0):
    """Picture features and a table of a class each tells half of: the picture the first bit, the table the second."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=n)
    features = rng.normal(size=(n, 6)).astype(np.float32)
    features[:, 0] += 4 * (labels // 2)
    table = pd.DataFrame(rng.normal(size=(n, 3)), columns=["p", "q", "r"])
    table["p"] = table["p"] + 4 * (labels % 2)
    return features, table.mask(rng.random(table.shape) > known), labels


def test_the_head_joins_what_each_input_knows_and_survives_without_a_table():
    train, validation = patients(800, 1, known=0.95), patients(200, 2)
    features, table, labels = patients(400, 3)
    fused = IntermediateFusion(seed=1).fit(train, validation, epochs=25)
    assert np.mean(fused.predict_proba(features, table).argmax(axis=1) == labels) > 0.85
    without = fused.predict_proba(features, table * np.nan)
    assert np.mean(without.argmax(axis=1) // 2 == labels // 2) > 0.9
    # the second bit is unknown then, and the answer says so
    assert without.max(axis=1).mean() < 0.7
    assert np.allclose(without.sum(axis=1), 1)
    assert fused.history_["val_loss"].iloc[-1] < fused.history_["val_loss"].iloc[0]


def test_the_joined_network_says_what_the_head_says():
    dataset = make_dataset(12, seed=5)
    network, table = build_model("cnn"), clinical_table(dataset)
    features = backbone_features(network, dataset, cache=False)
    fold = (features, table, np.arange(12) % 4)
    fused = IntermediateFusion().fit(fold, fold, epochs=1)
    joined = fused.joined(network)
    x = prepare(dataset, size=128)
    logits = joined.predict([x, fused.columns_.transform(table).astype(np.float32)], verbose=0)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(shares, fused.predict_proba(features, table), atol=1e-4)


def test_the_head_is_as_large_as_said_and_a_lacking_row_is_refused(drawn):
    head = build_head(128, 8, 4)
    assert head.count_params() == (128 * 32 + 32) + (16 * 32 + 32) + (64 * 32 + 32) + (32 * 4 + 4)
    features, table, labels = patients(40, 4)
    fused = IntermediateFusion().fit((features, table, labels), (features, table, labels), epochs=1)
    with pytest.raises(LumbarError, match="40 pictures and 39 rows of the table"):
        fused.predict_proba(features, table.iloc[1:])


def test_marked_features_are_values_and_then_marks(drawn):
    (table, _), (new, _) = drawn
    marked = marked_features().fit(table).transform(new)
    assert marked.shape == (300, 16)
    assert np.array_equal(marked[:, 8:] == 1, new.isna().to_numpy())
    assert np.all(marked[:, :8][new.isna().to_numpy()] == 0)
    assert marked_features().fit_transform(table)[:, 0].std() == pytest.approx(1, abs=1e-6)
