import numpy as np
import pytest

from lumbar_utils import LumbarError
from lumbar_utils.cam import METHODS, GradCAM, method_named, stretch_over_picture
from lumbar_utils.sources.pictures import fit_to_square


def test_grad_cam_by_hand():
    maps = np.array([[[[1.0, 2.0], [0.0, 4.0]]]])  # (1, 1, 2, 2)
    gradients = np.array([[[[3.0, -1.0], [1.0, 1.0]]]])  # means: 2 and 0
    assert GradCAM().weights(maps, gradients).tolist() == [[2.0, 0.0]]
    assert GradCAM().heat(maps, gradients).tolist() == [[[1.0, 0.0]]]


@pytest.mark.parametrize("method", METHODS)
def test_heat_lies_between_0_and_1_and_reaches_1(method):
    rng = np.random.default_rng(0)
    heat = method_named(method).heat(rng.random((5, 4, 4, 3)), rng.random((5, 4, 4, 3)))
    assert heat.shape == (5, 4, 4) and heat.dtype == np.float32
    assert heat.min() >= 0 and np.allclose(heat.max(axis=(1, 2)), 1)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_for_the_class_gives_zeros_and_no_nan(method):
    maps = np.ones((2, 4, 4, 3), np.float32)
    gradients = np.stack([-np.ones((4, 4, 3)), np.ones((4, 4, 3))]).astype(np.float32)
    heat = method_named(method).heat(maps, gradients)
    assert not heat[0].any() and heat[1].min() == 1


def test_maps_and_gradients_of_different_layers_are_refused():
    with pytest.raises(LumbarError, match=r"maps \(1, 4, 4, 3\) and gradients \(1, 2, 2, 3\)"):
        GradCAM().heat(np.ones((1, 4, 4, 3)), np.ones((1, 2, 2, 3)))


def test_an_unknown_method_is_named():
    with pytest.raises(LumbarError, match="'lime'; choose one of gradcam"):
        method_named("lime")


@pytest.mark.parametrize(("height", "width"), [(60, 100), (100, 60), (64, 64), (301, 97)])
def test_heat_falls_where_the_picture_showed_it(height, width):
    picture = np.zeros((height, width), np.float32)
    row, column = int(height * 0.7), int(width * 0.3)
    picture[row - 3 : row + 4, column - 3 : column + 4] = 1.0
    small = fit_to_square(picture, 32)[None]
    heat = stretch_over_picture(small, height, width)[0]
    assert heat.shape == (height, width)
    found = np.unravel_index(heat.argmax(), heat.shape)
    cell = max(height, width) / 32
    assert abs(found[0] - row) <= 1.5 * cell and abs(found[1] - column) <= 1.5 * cell
