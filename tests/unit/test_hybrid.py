import keras
import numpy as np
import pytest
from helpers import small_dataset
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_validate

from lumbar_utils import CNNSVMClassifier, LumbarError, build_model, fit
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
