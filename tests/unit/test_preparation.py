import numpy as np
import pytest

from lumbar_utils import LumbarError, prepare
from lumbar_utils.preparation import clahe


def test_the_papers_way_gives_224_pixels_between_0_and_1(dataset):
    x = prepare(dataset)
    assert x.shape == (24, 224, 224, 1) and x.dtype == np.float32
    assert 0 <= x.min() and x.max() <= 1


def test_proportions_are_kept_by_black_bars():
    picture = np.full((1, 100, 50), 255, np.uint8)
    x = prepare(picture, size=64)[0, :, :, 0]
    assert np.all(x[:, :16] == 0) and np.all(x[:, 16:48] == 1) and np.all(x[:, 48:] == 0)


def test_float_pictures_are_not_rescaled():
    picture = np.full((1, 64, 64), 0.25, np.float32)
    assert np.allclose(prepare(picture, size=64), 0.25)


@pytest.mark.parametrize("mode", ["caffe", "torch", "tf"])
def test_backbone_modes_equal_keras(mode):
    from keras.applications.imagenet_utils import preprocess_input

    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32)).astype(np.uint8)
    colour = np.repeat(picture[..., None], 3, axis=-1).astype(np.float32)
    assert np.allclose(
        prepare(picture, size=32, mode=mode, channels=3),
        preprocess_input(colour.copy(), mode=mode),
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "keras"}, "no preparation mode"),
        ({"mode": "caffe"}, "ask for 3"),
        ({"channels": 4}, "4 channel"),
    ],
)
def test_what_cannot_be_is_refused(dataset, options, says):
    with pytest.raises(LumbarError, match=says):
        prepare(dataset, **options)


def test_clahe_lifts_faint_structure_and_keeps_the_size():
    faint = np.full((1, 64, 64), 100, np.uint8)
    faint[0, 20:28, 20:28] = 104
    lifted = clahe(faint)
    assert lifted.shape == faint.shape and lifted.dtype == np.uint8
    assert int(lifted[0, 24, 24]) - int(lifted[0, 5, 5]) > 4
    with pytest.raises(LumbarError, match="float32 of shape"):
        clahe(faint.astype(np.float32))
