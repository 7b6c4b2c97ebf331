import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import small_dataset
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lumbar_utils import CNNSVMClassifier, LumbarError, build_model, explain
from lumbar_utils.cam import METHODS, GradCAM, resized
from lumbar_utils.explain import maps_and_gradients
from lumbar_utils.explain.svm import decision_values
from lumbar_utils.training import features_of


@pytest.fixture(scope="module", params=[2, 3])
def hybrid(request):
    """A CNN-SVM on features of a small network with random weights."""
    keras.utils.set_random_seed(0)
    data = small_dataset(patients_per_class=6, n_classes=request.param)
    network = build_model("cnn", input_shape=(32, 32, 1), num_classes=request.param)
    model = CNNSVMClassifier(extractor=network, seed=0)
    return model.fit(data.images, data.labels, groups=data.patient_ids), data


def pairwise_values(svm, features):
    """The value of each class, from scikit-learn's own decision values of the pairs."""
    svm.named_steps["svc"].decision_function_shape = "ovo"
    decisions = svm.decision_function(features)
    n_classes = len(svm.classes_)
    if n_classes == 2:
        return np.stack([-decisions, decisions], axis=1)
    values, pair = np.zeros((len(features), n_classes)), 0
    for i in range(n_classes):
        for j in range(i + 1, n_classes):
            values[:, i] += decisions[:, pair]
            values[:, j] -= decisions[:, pair]
            pair += 1
    return values


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("components", [None, 5])
def test_the_svm_s_decision_values_are_scikit_learn_s(hybrid, kernel, components):
    model, data = hybrid
    features = features_of(model.network_, data.images)
    steps = [StandardScaler()] + ([PCA(components, random_state=0)] if components else [])
    svm = make_pipeline(*steps, SVC(kernel=kernel)).fit(features, data.labels)
    ours = decision_values(svm, features.shape[1])(features).numpy()
    assert np.allclose(ours, pairwise_values(svm, features), atol=1e-5)


def test_a_linear_hybrid_s_heat_is_its_coefficients(hybrid):
    model, data = hybrid
    network, x = model.network_, data.images[:4]
    features = features_of(network, data.images)
    linear = CNNSVMClassifier(extractor=network)
    linear.classes_, linear.network_, linear.calibrated_ = model.classes_, network, model.calibrated_
    linear.svm_ = make_pipeline(StandardScaler(), SVC(kernel="linear")).fit(features, data.labels)
    scaler, svm = linear.svm_[0], linear.svm_[-1]
    coefficients = (
        svm.coef_ / scaler.scale_
    )  # (pairs, F); of a pair, above 0 is the first class, of two the second
    if len(model.classes_) == 2:
        of_last = coefficients[0]
    else:
        of_last = -coefficients[1] - coefficients[2]  # pairs 0-1, 0-2, 1-2
    maps, _ = maps_and_gradients(network, np.float32(x[..., None] / 255), layer="block5_relu")
    weights = np.broadcast_to(of_last / 16, (4, 128))
    expected = GradCAM().heat(maps, np.broadcast_to(weights[:, None, None], maps.shape))
    heat = explain(linear, np.float32(x[..., None] / 255), class_index=len(model.classes_) - 1)
    assert expected.max() == 1
    assert np.allclose(heat, resized(expected, 32, 32), atol=1e-4)


def test_an_rbf_hybrid_s_gradient_is_the_difference_quotient(hybrid):
    model, data = hybrid
    features = features_of(model.network_, data.images)[:3].astype(np.float64)
    values = decision_values(model.svm_, features.shape[1])
    x = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = values(x)[:, 1]
    gradient = tape.gradient(value, x).numpy()
    for column in (0, 7, 64):
        step = np.zeros(features.shape[1])
        step[column] = 1e-3 * model.svm_[0].scale_[column]
        ahead, behind = (
            pairwise_values(model.svm_, moved)[:, 1] for moved in (features + step, features - step)
        )
        quotient = (ahead - behind) / (2 * step[column])
        assert np.allclose(gradient[:, column], quotient, rtol=1e-3, atol=1e-3 * np.abs(gradient).max())


@pytest.mark.parametrize("method", METHODS)
def test_a_hybrid_is_explained_by_every_method(hybrid, method):
    model, data = hybrid
    images = data.images[:2]
    heat = explain(model, images, method)
    assert heat.shape == images.shape and 0 <= heat.min() and heat.max() <= 1
    chosen = model.calibrated_.predict_proba(features_of(model.network_, images)).argmax(axis=1)
    assert np.array_equal(heat, explain(model, images, method, class_index=chosen))


def test_hybrids_that_cannot_be_followed_back_say_why(hybrid):
    model, data = hybrid
    features = features_of(model.network_, data.images)
    with pytest.raises(LumbarError, match="has not learned yet"):
        explain(CNNSVMClassifier(), data.images)
    with pytest.raises(LumbarError, match="'poly' kernel, wanted 'linear' or 'rbf'"):
        decision_values(make_pipeline(StandardScaler(), SVC(kernel="poly")).fit(features, data.labels), 128)
    with pytest.raises(LumbarError, match="learned from 128 features and its network gives 100"):
        decision_values(model.svm_, 100)
    with pytest.raises(LumbarError, match=r"from 0 to \d"):
        explain(model, data.images, class_index=7)
