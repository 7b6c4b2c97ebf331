import subprocess
import sys
from math import exp

import numpy as np
import pytest

from lumbar_utils import LumbarError
from lumbar_utils.cam import (
    METHODS,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    method_named,
)

BY_GRADIENT = [name for name, method in METHODS.items() if method.needs == "gradients"]


def some_maps(seed=0, shape=(3, 4, 5, 6), low=0.0):
    """Maps of `low` or more and gradients of both signs."""
    rng = np.random.default_rng(seed)
    return rng.random(shape) + low, rng.normal(size=shape) / 50


def positive_over_maximum(evidence):
    """(N, h, w) positive part over each picture's maximum, cell by cell."""
    heat = np.zeros(evidence.shape)
    for n, picture in enumerate(evidence):
        for i in range(picture.shape[0]):
            for j in range(picture.shape[1]):
                heat[n, i, j] = max(picture[i, j], 0.0) / picture.max() if picture.max() > 0 else 0.0
    return heat


def by_loops(maps, gradients, weight):
    """Sum over maps of weight(n, i, j, k) times the map, in plain loops."""
    evidence = np.zeros(maps.shape[:3])
    for n, i, j, k in np.ndindex(*maps.shape):
        evidence[n, i, j] += weight(n, i, j, k) * maps[n, i, j, k]
    return positive_over_maximum(evidence)


def test_grad_cam_by_hand():
    maps = np.array([[[[1.0, 2.0], [0.0, 4.0]]]])  # (1, 1, 2, 2)
    gradients = np.array([[[[3.0, -1.0], [1.0, 1.0]]]])  # means: 2 and 0
    assert GradCAM().weights(maps, gradients).tolist() == [[2.0, 0.0]]
    assert GradCAM().heat(maps, gradients).tolist() == [[[1.0, 0.0]]]


def test_grad_cam_is_the_naive_loop():
    maps, gradients = some_maps()

    def weight(n, i, j, k):
        cells = [gradients[n, a, b, k] for a in range(4) for b in range(5)]
        return sum(cells) / len(cells)

    assert np.allclose(GradCAM().heat(maps, gradients), by_loops(maps, gradients, weight), atol=1e-6)


@pytest.mark.parametrize("logit", [0.3, 2.0])
def test_grad_cam_plus_plus_is_equation_19_with_the_score_an_exponential(logit):
    maps, gradients = some_maps(1)
    weights = np.zeros((3, 6))
    for n, k in np.ndindex(3, 6):
        for i, j in np.ndindex(4, 5):
            g = gradients[n, i, j, k]
            second, third = exp(logit) * g**2, exp(logit) * g**3
            alpha = second / (2 * second + maps[n, :, :, k].sum() * third)
            if 2 * second + maps[n, :, :, k].sum() * third > 0:
                weights[n, k] += alpha * max(exp(logit) * g, 0.0)
    expected = by_loops(maps, gradients, lambda n, i, j, k: weights[n, k])
    assert np.allclose(GradCAMPlusPlus().heat(maps, gradients), expected, atol=1e-6)
    assert np.allclose(
        GradCAMPlusPlus().weights(maps, gradients) * exp(logit), weights
    )  # the factor falls out of the heat


def test_grad_cam_plus_plus_does_not_drown_small_gradients():
    maps, gradients = some_maps(2)
    first, second = (GradCAMPlusPlus().weights(maps, g) for g in (gradients * 1e-7, gradients * 1e-9))
    assert first.max() > 0 and np.allclose(first / second, 100, rtol=1e-3)


def test_hires_cam_and_layer_cam_are_the_naive_loops():
    maps, gradients = some_maps(3)
    hires = by_loops(maps, gradients, lambda *cell: gradients[cell])
    layer = by_loops(maps, gradients, lambda *cell: max(gradients[cell], 0.0))
    assert np.allclose(HiResCAM().heat(maps, gradients), hires, atol=1e-6)
    assert np.allclose(LayerCAM().heat(maps, gradients), layer, atol=1e-6)
    assert not np.allclose(hires, layer, atol=0.1)


@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (2, 2, 2, 30), (2, 6, 6, 3)])
def test_eigen_cam_projects_on_the_first_singular_vector(shape):
    maps = some_maps(4, shape)[0] - 0.2
    expected = []
    for picture in maps:
        cells = picture.reshape(-1, shape[-1])
        left, values, _ = np.linalg.svd(cells, full_matrices=False)
        projection = (left[:, 0] * values[0]).reshape(shape[1:3])
        expected.append(projection if projection.sum() >= 0 else -projection)
    assert np.allclose(EigenCAM().heat(maps), positive_over_maximum(np.stack(expected)), atol=1e-6)
    assert np.array_equal(EigenCAM().heat(maps), EigenCAM().heat(maps, np.full(shape, np.nan)))


def test_score_cam_is_the_naive_loop():
    maps = some_maps(5, (2, 3, 3, 4))[0]
    rng = np.random.default_rng(0)
    pictures, kernel = rng.random((2, 3, 3, 1)), rng.normal(size=(2, 9)) * 3

    def score(masked, rows):
        return np.array([kernel[row] @ picture.ravel() for picture, row in zip(masked, rows, strict=True)])

    evidence = np.zeros((2, 3, 3))
    for n in range(2):
        scores = []
        for k in range(4):
            single = maps[n, :, :, k]
            mask = (single - single.min()) / (single.max() - single.min())
            scores.append(kernel[n] @ (pictures[n, :, :, 0] * mask).ravel())
        weights = [exp(each) / sum(exp(other) for other in scores) for each in scores]
        for k in range(4):
            evidence[n] += weights[k] * maps[n, :, :, k]
    expected = positive_over_maximum(evidence)
    assert np.allclose(ScoreCAM().heat(maps, pictures, score), expected, atol=1e-5)
    assert np.allclose(ScoreCAM().heat(maps, pictures, score, batch_size=3), expected, atol=1e-5)


def test_score_cam_takes_no_notice_of_flat_maps():
    maps = np.full((2, 3, 3, 2), 5.0)
    maps[0, 1, 1, 0] = 6.0
    seen = []

    def score(masked, rows):
        seen.extend(rows)
        return np.full(len(rows), -1e4)

    assert ScoreCAM().weights(maps, np.zeros((2, 2))).tolist() == [[1.0, 0.0], [0.0, 0.0]]
    heat = ScoreCAM().heat(maps, np.ones((2, 6, 6, 1)), score)
    assert seen == [0] and heat[0].argmax() == 4 and not heat[1].any()


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_score_cam_bears_scores_of_any_size(scale):
    maps = some_maps(6)[0]
    weights = ScoreCAM().weights(maps, np.random.default_rng(0).normal(size=(3, 6)) * scale)
    assert np.allclose(weights.sum(axis=1), 1) and (weights >= 0).all()


@pytest.mark.parametrize("method", BY_GRADIENT)
def test_heat_lies_between_0_and_1_and_reaches_1(method):
    rng = np.random.default_rng(0)
    heat = method_named(method).heat(rng.random((5, 4, 4, 3)), rng.random((5, 4, 4, 3)))
    assert heat.shape == (5, 4, 4) and heat.dtype == np.float32
    assert heat.min() >= 0 and np.allclose(heat.max(axis=(1, 2)), 1)


@pytest.mark.parametrize("method", BY_GRADIENT)
def test_nothing_for_the_class_gives_zeros_and_no_nan(method):
    maps = np.ones((2, 4, 4, 3), np.float32)
    gradients = np.stack([-np.ones((4, 4, 3)), np.ones((4, 4, 3))]).astype(np.float32)
    heat = method_named(method).heat(maps, gradients)
    assert not heat[0].any() and heat[1].min() == 1


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_dead_and_negative_maps_give_numbers(low):
    for maps in (np.zeros((1, 3, 3, 2)) + low, np.linspace(low, 0, 18).reshape(1, 3, 3, 2)):
        heats = [method_named(name).heat(maps, np.zeros_like(maps)) for name in BY_GRADIENT]
        heats += [method_named(name).heat(maps, -np.ones_like(maps)) for name in BY_GRADIENT]
        heats += [EigenCAM().heat(maps), ScoreCAM().heat(maps, np.ones((1, 6, 6, 1)), lambda x, rows: rows)]
        for heat in heats:
            assert np.isfinite(heat).all() and heat.min() >= 0 and heat.max() <= 1


def test_maps_and_gradients_of_different_layers_are_refused():
    with pytest.raises(LumbarError, match=r"maps \(1, 4, 4, 3\) and gradients \(1, 2, 2, 3\)"):
        GradCAM().heat(np.ones((1, 4, 4, 3)), np.ones((1, 2, 2, 3)))
    with pytest.raises(LumbarError, match="gradients none"):
        GradCAM().heat(np.ones((1, 4, 4, 3)))
    with pytest.raises(LumbarError, match="wanted as many"):
        ScoreCAM().heat(np.ones((2, 4, 4, 3)), np.ones((1, 8, 8, 1)), lambda x, rows: rows)


@pytest.mark.parametrize("method", METHODS)
def test_missing_values_are_refused_with_their_row(method):
    maps = np.ones((3, 2, 2, 2))
    maps[1, 0, 0, 0] = np.nan
    rest = (np.ones((3, 8, 8, 1)), lambda x, rows: rows) if method == "scorecam" else (np.ones_like(maps),)
    with pytest.raises(LumbarError, match=r"NaN or infinite values for 1 of 3 pictures \(first in row 1\)"):
        method_named(method).heat(maps, *rest)


def test_an_unknown_method_is_named():
    with pytest.raises(LumbarError, match=r"'lime'; choose one of gradcam, gradcam\+\+, hirescam, layercam"):
        method_named("lime")
    assert {name: type(method_named(name)) for name in METHODS} == METHODS


def test_the_arithmetic_knows_no_framework():
    code = "import sys, lumbar_utils.cam.scores, lumbar_utils.cam.deletion, lumbar_utils.cam.similarity; "
    code += "assert not {'tensorflow', 'keras', 'torch', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
