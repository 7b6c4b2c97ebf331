import numpy as np
import pytest

from lumbar_utils import LumbarError, render, sample_patient
from lumbar_utils.cam.masks import energy
from lumbar_utils.cam.references import perfect_maps
from lumbar_utils.framing import COLUMN_SIZE, frame
from lumbar_utils.phantom import lesion_mask


@pytest.fixture(scope="module")
def slices():
    return [render(sample_patient(seed, disease="Herniated Disk"), offset_mm=0) for seed in range(6)]


def spot(height, width):
    """A picture with one bright square, and where it is."""
    picture = np.zeros((height, width), np.float32)
    row, column = int(height * 0.7), int(width * 0.3)
    picture[row - 3 : row + 4, column - 3 : column + 4] = 1.0
    return picture, row, column


@pytest.mark.parametrize("size", [(32, 32), (48, 24), (20, 40)])
@pytest.mark.parametrize(("height", "width"), [(60, 100), (100, 60), (64, 64), (301, 97)])
def test_what_was_framed_whole_comes_back_to_its_place(height, width, size):
    picture, row, column = spot(height, width)
    frames = frame(picture[None], size)
    back = frames.back(frames.pictures)[0]
    assert frames.pictures.shape == (1, *size) and back.shape == (height, width) and frames.found.all()
    found = np.unravel_index(back.argmax(), back.shape)
    cell = max(height / size[0], width / size[1])
    assert abs(found[0] - row) <= 1.5 * cell and abs(found[1] - column) <= 1.5 * cell


def test_heat_everywhere_covers_the_whole_picture_and_no_less():
    frames = frame(np.zeros((2, 61, 100), np.uint8), (32, 32))
    assert np.allclose(frames.back(np.ones((2, 4, 4))), 1)


def test_a_crop_comes_back_to_the_column_it_was_cut_from(slices):
    images = np.stack([slice_.image for slice_ in slices])
    frames = frame(images, COLUMN_SIZE, "column")
    assert frames.found.all() and frames.pictures.dtype == np.uint8
    back = frames.back(frames.pictures)
    inside = frames.back(np.ones((6, 1, 1))) > 0
    for row, slice_ in enumerate(slices):
        share = inside[row].mean()
        assert 0.1 < share < 0.5 and not back[row][~inside[row]].any()
        difference = np.abs(back[row] - slice_.image)[inside[row]]
        assert np.median(difference) < 6, "resampled twice, the picture is nearly what it was"
        x, y = np.round(slice_.landmarks["L3-L4"]).astype(int)
        assert inside[row, y, x]


def test_finer_cells_in_a_crop_say_more_of_a_lesion_than_the_same_over_the_whole_picture(slices):
    images = np.stack([slice_.image for slice_ in slices])
    masks = np.stack([lesion_mask(slice_.mask, "Herniated Disk") for slice_ in slices])
    kept = masks.any(axis=(1, 2))
    images, masks = images[kept], masks[kept]
    column = perfect_maps(masks, (24, 12), frame(images, COLUMN_SIZE, "column"))
    whole = perfect_maps(masks, (16, 16))
    gains = [energy(a, m) - energy(b, m) for a, b, m in zip(column, whole, masks, strict=True)]
    assert len(gains) >= 4 and np.mean(gains) > 0.05


def test_no_column_is_told_and_the_picture_taken_whole():
    images = np.zeros((2, 50, 80), np.uint8)
    images[:, 10:20, 10:20] = 200
    with pytest.warns(UserWarning, match="In 2 of 2 pictures no lumbar column was found"):
        frames = frame(images, (48, 24), "column")
    assert not frames.found.any() and np.array_equal(frames.pictures, frame(images, (48, 24)).pictures)
    with pytest.raises(LumbarError, match="crop is 'spine'"):
        frame(images, (48, 24), "spine")
