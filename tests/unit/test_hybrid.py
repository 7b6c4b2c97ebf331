import keras
import numpy as np
import pytest
from helpers import small_dataset
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate

from lumbar_utils import CNNSVMClassifier, HandcraftedFeatures, LumbarError, build_model, explain, fit
from lumbar_utils.training import features_of


def stripes(seed=0, n_classes=3, n=10):
    return small_dataset(patients_per_class=n, n_classes=n_classes, size=32, seed=seed)


@pytest.fixture(scope="module")
def extractor():
    keras.utils.set_random_seed(0)
    model = build_model("cnn", input_shape=(32, 32, 1), num_classes=3)
    fit(model, stripes(0), stripes(1), epochs=10, live=False)
    return model


def test_it_stands_in_cross_validate_with_names_as_labels():
    data = stripes()
    names = np.array(["left", "middle", "right"])[data.labels]
    result = cross_validate(
        CNNSVMClassifier(epochs=10, input_size=32),
        data.images,
        names,
        groups=data.patient_ids,
        cv=GroupKFold(2),
        params={"groups": data.patient_ids},
        scoring=["accuracy", "roc_auc_ovr"],
        return_estimator=True,
    )
    assert result["test_accuracy"].min() > 0.8 and result["test_roc_auc_ovr"].min() > 0.9
    assert result["estimator"][0].classes_.tolist() == ["left", "middle", "right"]
    assert result["estimator"][0].network_ is not result["estimator"][1].network_
    assert result["estimator"][0].network_.input_shape == (None, 32, 32, 1)


def test_a_trained_extractor_saves_the_training_and_is_left_as_it_is(extractor):
    before = [weight.copy() for weight in extractor.get_weights()]
    data, unseen = stripes(0), stripes(2)
    classifier = CNNSVMClassifier(extractor=extractor).fit(data.images, data.labels, groups=data.patient_ids)
    assert classifier.network_ is extractor and classifier.history_ is None
    assert classifier.score(unseen.images, unseen.labels) > 0.9
    probabilities = classifier.predict_proba(unseen.images)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert classifier.predict(unseen.images).tolist() == probabilities.argmax(axis=1).tolist()
    for ours, now in zip(before, extractor.get_weights(), strict=True):
        assert np.array_equal(ours, now)


def test_clones_share_parameters_and_nothing_fitted(extractor):
    data = stripes()
    fitted = CNNSVMClassifier(extractor=extractor, C=3.0, pca_components=5).fit(data.images, data.labels)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params() and copy.extractor is extractor
    assert not hasattr(copy, "svm_")
    assert fitted.svm_.named_steps["pca"].n_components_ == 5


def test_the_same_seed_gives_the_same_answers():
    data, unseen = stripes(), stripes(2)
    new = CNNSVMClassifier(epochs=1, input_size=32, seed=1)
    answers = [clone(new).fit(data.images, data.labels).predict_proba(unseen.images) for _ in range(2)]
    assert np.allclose(answers[0], answers[1], atol=1e-4)


def test_the_seed_decides_who_is_held_out(extractor):
    data = stripes()
    means = [
        CNNSVMClassifier(extractor=extractor, seed=seed).fit(data.images, data.labels).svm_[0].mean_
        for seed in (1, 2)
    ]
    assert not np.allclose(*means, rtol=1e-6)


def test_scaler_and_svm_never_see_the_patients_held_out(extractor):
    data = stripes()
    classifier = CNNSVMClassifier(extractor=extractor)
    classifier.fit(data.images, data.labels, groups=data.patient_ids)
    n_seen = classifier.svm_.named_steps["standardscaler"].n_samples_seen_
    assert 0.6 * len(data) < n_seen < 0.9 * len(data)
    features = features_of(extractor, data)
    scaler_mean = classifier.svm_.named_steps["standardscaler"].mean_
    assert not np.allclose(scaler_mean, features.mean(axis=0), rtol=1e-6)


def test_validation_rows_calibrate_and_all_others_teach(extractor):
    data, validation = stripes(), stripes(1)
    classifier = CNNSVMClassifier(extractor=extractor)
    classifier.fit(data.images, data.labels, validation=(validation.images, validation.labels))
    assert classifier.svm_.named_steps["standardscaler"].n_samples_seen_ == len(data)


def test_what_cannot_be_learnt_is_told(extractor):
    data = stripes()
    one = data.labels == 1
    few = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)[:3]])
    with pytest.raises(LumbarError, match="All 20 labels are 1"):
        CNNSVMClassifier(extractor=extractor).fit(data.images[one], data.labels[one])
    with pytest.raises(LumbarError, match=r"Class 1 has 3 picture\(s\) or patient\(s\)"):
        CNNSVMClassifier(extractor=extractor).fit(data.images[few], data.labels[few])
    with pytest.raises(LumbarError, match=r"The validation labels are \[0, 2\]"):
        CNNSVMClassifier(extractor=extractor).fit(
            data.images, data.labels, validation=(data.images[~one], data.labels[~one])
        )


BY_HAND = HandcraftedFeatures(("glcm", "gabor"), size=32)


def test_handcrafted_features_follow_the_networks(extractor):
    data = stripes()
    hybrid = CNNSVMClassifier(extractor=extractor, handcrafted=BY_HAND)
    hybrid.fit(data.images, data.labels, groups=data.patient_ids)
    learned, by_hand = features_of(extractor, data.images), BY_HAND.transform(data.images)
    assert hybrid.svm_.n_features_in_ == learned.shape[1] + by_hand.shape[1] == 128 + 84
    joined = np.hstack([learned, by_hand])
    assert np.allclose(hybrid.predict_proba(data.images), hybrid.calibrated_.predict_proba(joined), atol=1e-6)
    unseen = stripes(2)
    assert hybrid.score(unseen.images, unseen.labels) > 0.9


def test_handcrafted_features_too_are_scaled_on_the_training_rows_alone(extractor):
    data = stripes()
    hybrid = CNNSVMClassifier(extractor=extractor, handcrafted=BY_HAND)
    hybrid.fit(data.images, data.labels, groups=data.patient_ids)
    of_all, learned_from = BY_HAND.transform(data.images), hybrid.svm_[0].n_samples_seen_
    assert learned_from < len(data) and not np.allclose(
        hybrid.svm_[0].mean_[128:], of_all.mean(axis=0), rtol=1e-6
    )
    hybrid.fit(data.images, data.labels, validation=(stripes(1).images, stripes(1).labels))
    assert np.allclose(hybrid.svm_[0].mean_[128:], of_all.mean(axis=0))


def test_a_grid_search_chooses_handcrafted_features_components_and_c(extractor):
    data = stripes()
    grid = [
        {"handcrafted": [None, BY_HAND], "pca_components": [None, 6], "C": [0.5, 5.0]},
        {"handcrafted": [BY_HAND], "handcrafted__families": [("hu",)]},
    ]
    search = GridSearchCV(CNNSVMClassifier(extractor=extractor), grid, cv=GroupKFold(2), error_score="raise")
    search.fit(data.images, data.labels, groups=data.patient_ids)
    tried = search.cv_results_["mean_test_score"]
    assert len(tried) == 9 and tried.min() > 0.8
    assert BY_HAND.families == ("glcm", "gabor")  # each candidate sets parameters of its own copy
    hu = clone(search.estimator).set_params(handcrafted=clone(BY_HAND), handcrafted__families=("hu",))
    hu.fit(data.images, data.labels, groups=data.patient_ids)
    assert hu.svm_.n_features_in_ == 128 + 7


def test_clones_do_not_share_handcrafted_features(extractor):
    original = CNNSVMClassifier(extractor=extractor, handcrafted=HandcraftedFeatures(("hu",)))
    clone(original).set_params(handcrafted__families=("glcm",))
    assert original.handcrafted.families == ("hu",)


def test_prepared_pictures_have_handcrafted_features_only_when_grey(extractor):
    data = stripes()
    hybrid = CNNSVMClassifier(extractor=extractor, handcrafted=BY_HAND)
    hybrid.fit(data.images, data.labels, groups=data.patient_ids)
    prepared = np.float32(data.images[..., None] / 255)
    assert np.allclose(hybrid.predict_proba(prepared), hybrid.predict_proba(data.images), atol=1e-4)
    with pytest.raises(
        LumbarError, match=r"shape \(60, 32, 32, 3\), and handcrafted features want \(N, H, W\)"
    ):
        hybrid.fit(np.repeat(prepared, 3, axis=-1), data.labels)


def test_a_mistake_in_handcrafted_features_is_told_before_the_network_trains():
    data = stripes()
    hybrid = CNNSVMClassifier(handcrafted=HandcraftedFeatures(("glmc",)))
    with pytest.raises(LumbarError, match="families is"):
        hybrid.fit(data.images, data.labels)
    assert not hasattr(hybrid, "network_")


def test_a_heat_map_of_a_hybrid_with_handcrafted_features_is_refused(extractor):
    data = stripes()
    hybrid = CNNSVMClassifier(extractor=extractor, handcrafted=BY_HAND)
    hybrid.fit(data.images, data.labels, groups=data.patient_ids)
    with pytest.raises(LumbarError, match="learned from 212 features and its network gives 128") as caught:
        explain(hybrid, data.images[:2])
    assert "without handcrafted features, or classifier.network_." in str(caught.value)
    assert explain(hybrid.network_, data.images[:2]).shape == (2, 32, 32)
