import numpy as np
import pytest

from lumbar_utils import LumbarError, augmenter


@pytest.fixture
def pictures():
    """Left half black, right half white: a flip cannot be overlooked."""
    x = np.zeros((16, 32, 32, 1), np.float32)
    x[:, :, 16:] = 1
    return x


def right_minus_left(x):
    x = np.asarray(x)
    return x[:, :, 20:].mean(axis=(1, 2, 3)) - x[:, :, :12].mean(axis=(1, 2, 3))


def test_front_stays_front_unless_the_flip_is_asked_for(pictures):
    assert np.all(right_minus_left(augmenter()(pictures, training=True)) > 0)
    flipped = right_minus_left(augmenter(horizontal_flip=True)(pictures, training=True))
    assert np.any(flipped > 0) and np.any(flipped < 0)


def test_pictures_change_in_training_only_and_stay_in_range(pictures):
    layers = augmenter()
    changed = np.asarray(layers(pictures, training=True))
    assert changed.shape == pictures.shape and changed.min() >= 0 and changed.max() <= 1
    assert not np.allclose(changed, pictures)
    assert np.array_equal(layers(pictures, training=False), pictures)


def test_the_seed_decides(pictures):
    first, again, other = (np.asarray(augmenter(seed=seed)(pictures, training=True)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.allclose(first, other)


def test_a_change_that_leaves_no_picture_is_refused():
    with pytest.raises(LumbarError, match=r"zoom is 1\.5, wanted 0 to 0.9"):
        augmenter(zoom=1.5)
