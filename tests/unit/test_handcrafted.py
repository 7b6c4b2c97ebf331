import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
from helpers import ROOT, small_dataset
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lumbar_utils import HandcraftedFeatures, LumbarError
from lumbar_utils.handcrafted import FAMILIES, gabor, oriented_gradients

NOISE = np.random.default_rng(0).integers(0, 256, (3, 90, 70)).astype(np.uint8)


def table(pictures, families=tuple(FAMILIES), **options):
    """The features of pictures as a table with named columns."""
    features = HandcraftedFeatures(families, **options)
    return pd.DataFrame(features.transform(np.asarray(pictures)), columns=features.get_feature_names_out())


def flat(grey=64, side=64):
    return np.full((1, side, side), grey, np.uint8)


def checkerboard(side=64):
    """Single pixels of levels 0 and 15, alternating."""
    row, column = np.indices((side, side))
    return np.where((row + column) % 2, 255, 0).astype(np.uint8)[None]


def blob():
    """A lopsided bright shape on black."""
    picture = np.zeros((64, 64), np.uint8)
    cv2.ellipse(picture, (28, 34), (18, 8), 25, 0, 360, 200, -1)
    cv2.circle(picture, (40, 22), 6, 120, -1)
    return picture


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [64, (96, 48)])
def test_a_name_stands_over_each_column(family, size):
    features = HandcraftedFeatures((family,), size=size)
    columns, names = features.transform(NOISE), features.get_feature_names_out()
    assert columns.shape == (3, len(names)) and len(set(names)) == len(names)
    assert np.isfinite(columns).all() and np.ptp(columns, axis=0).max() > 0
    assert all(name.startswith(family) for name in names)


def test_families_follow_one_another_in_the_order_given():
    both = HandcraftedFeatures(("hu", "intensity"), size=64).transform(NOISE)
    apart = [HandcraftedFeatures((family,), size=64).transform(NOISE) for family in ("hu", "intensity")]
    assert np.array_equal(both, np.hstack(apart))


def test_pictures_of_any_size_give_as_many_features():
    whole = HandcraftedFeatures()
    assert {whole.transform(NOISE[:1, :height]).shape for height in (40, 90)} == {(1, 1893)}
    assert len(HandcraftedFeatures(size=(192, 96)).get_feature_names_out()) == 2109
    assert len(HandcraftedFeatures(crop="column").get_feature_names_out()) == 2109


def test_grey_values_and_shares_of_white_give_the_same():
    assert np.array_equal(table(NOISE, size=64), table((NOISE / np.float32(255)).astype(np.float32), size=64))


def test_a_flat_picture_has_no_texture():
    found = table(flat(), size=64).iloc[0]
    assert found["intensity_mean"] == pytest.approx(64 / 255)
    for name in ("sd", "skewness", "kurtosis", "entropy"):
        assert found[f"intensity_{name}"] == 0
    assert (found.filter(like="glcm_contrast") == 0).all() and (found.filter(like="glcm_ASM") == 1).all()
    assert (found.filter(like="gabor") < 1e-6).all() and (found.filter(like="hog") == 0).all()


def test_intensity_statistics_are_those_of_a_known_picture():
    picture = np.zeros((1, 64, 64), np.uint8)
    picture[:, :16] = 255  # a quarter is white
    found = table(picture, ("intensity",), size=64).iloc[0]
    sd = np.sqrt(0.25 * 0.75)
    assert found["intensity_mean"] == 0.25 and found["intensity_sd"] == pytest.approx(sd)
    assert found["intensity_skewness"] == pytest.approx((1 - 2 * 0.25) / sd)
    assert found["intensity_kurtosis"] == pytest.approx((1 - 6 * sd**2) / sd**2)
    assert found["intensity_entropy"] == pytest.approx(-0.25 * np.log2(0.25) - 0.75 * np.log2(0.75))
    percentiles = [found[f"intensity_percentile{percent}"] for percent in (5, 75, 95)]
    assert percentiles == [0, 0, 1]


def test_a_checkerboards_contrast_is_that_by_hand():
    found = table(checkerboard(), ("glcm",), size=64).iloc[0]
    for angle in (0, 90):
        assert found[f"glcm_contrast_distance1_angle{angle}"] == pytest.approx(15**2)
        assert found[f"glcm_homogeneity_distance1_angle{angle}"] == pytest.approx(1 / (1 + 15**2))
        assert found[f"glcm_correlation_distance1_angle{angle}"] == pytest.approx(-1)
        assert found[f"glcm_contrast_distance2_angle{angle}"] == 0
    assert found["glcm_contrast_distance1_angle45"] == found["glcm_contrast_distance1_angle135"] == 0
    assert np.allclose(found.filter(like="glcm_ASM"), 0.5, atol=1e-3)


def test_angle_0_looks_along_the_row():
    stripes = np.tile(np.where(np.arange(64) % 2, 255, 0).astype(np.uint8), (1, 64, 1))  # upright stripes
    found = table(stripes, ("glcm",), size=64).iloc[0]
    assert found["glcm_contrast_distance1_angle0"] == pytest.approx(15**2)
    assert found["glcm_contrast_distance1_angle90"] == 0


def test_binary_patterns_of_known_pictures():
    found = table(flat(), ("lbp",), size=64).iloc[0]  # no neighbour is darker: all of them count
    assert found["lbp_radius1_8"] == found["lbp_radius2_16"] == 1
    points = np.zeros((1, 64, 64), np.uint8)
    points[:, 2::4, 2::4] = 255  # a bright point in each 4 x 4: its own neighbours are all darker
    found = table(points, ("lbp",), size=64).iloc[0]
    assert found["lbp_radius1_0"] == pytest.approx(256 / 62**2)
    steps = np.repeat(
        np.linspace(0, 252, 64).astype(np.uint8)[None, :, None], 64, axis=2
    )  # brighter downwards
    found = table(steps, ("lbp",), size=64).iloc[0]
    assert found["lbp_radius1_5"] == 1  # below, aslant below, and both sides, which are as bright


def test_binary_patterns_do_not_see_brightness():
    dark = NOISE // 2
    assert np.array_equal(table(dark, ("lbp",), size=(90, 70)), table(dark + 100, ("lbp",), size=(90, 70)))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_hus_moments_do_not_see_a_turn_and_the_seventh_sees_a_mirror(turns):
    picture = blob()
    turned = table([picture, np.rot90(picture, turns), picture[:, ::-1]], ("hu",), size=64).to_numpy()
    assert np.abs(turned[0]).min() > 0.5
    assert np.allclose(turned[0], turned[1], atol=1e-4)
    assert np.allclose(turned[2], [*turned[0, :6], -turned[0, 6]], atol=1e-4)


def test_hus_moments_do_not_see_the_place():
    moved = np.roll(blob(), (5, -3), axis=(0, 1))
    found = table([blob(), moved], ("hu",), size=64).to_numpy()
    assert np.allclose(found[0], found[1], atol=1e-3)


@pytest.mark.parametrize("wavelength", gabor.WAVELENGTHS)
@pytest.mark.parametrize("angle", gabor.ANGLES)
def test_the_gabor_filter_of_the_stripes_own_wave_answers_most(wavelength, angle):
    row, column = np.indices((128, 128))
    along = column * np.cos(np.deg2rad(angle)) + row * np.sin(np.deg2rad(angle))
    picture = np.round(127.5 + 102 * np.cos(2 * np.pi * along / wavelength)).astype(np.uint8)
    means = table(picture[None], ("gabor",)).iloc[0].filter(like="_mean")
    assert means.idxmax() == f"gabor_wavelength{wavelength}_angle{angle}_mean"
    assert means.max() == pytest.approx(
        102 / 255 / 2, rel=0.15
    )  # half of a wave's amplitude lies on each side
    assert means.sort_values().iloc[-2] < means.max() / 3


def test_oriented_gradients_tell_direction_and_place():
    picture = np.zeros((1, 64, 64), np.uint8)
    picture[:, 40:, :] = 255  # an edge in the third of four rows of cells
    found = table(picture, ("hog",), size=64).iloc[0]
    seen = set(found[found > 0].index)
    middle = oriented_gradients.ORIENTATIONS // 2
    assert seen and all(name.endswith(f"orientation{middle}") for name in seen)
    assert {name.split("_")[1].split("-")[0] for name in seen} == {"block1", "block2"}


def test_it_stands_in_pipelines_cross_validation_and_grid_search():
    data = small_dataset(patients_per_class=10, n_classes=3)
    pipeline = make_pipeline(HandcraftedFeatures(("gabor",), size=32), StandardScaler(), SVC())
    scores = cross_validate(
        pipeline, data.images, data.labels, groups=data.patient_ids, cv=GroupKFold(3), error_score="raise"
    )
    assert scores["test_score"].min() > 1 / 3
    grid = {"handcraftedfeatures__families": [("lbp",), ("hog",)], "svc__C": [1.0, 10.0]}
    pipeline.set_params(handcraftedfeatures__size=64)
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), error_score="raise")
    search.fit(data.images, data.labels, groups=data.patient_ids)
    best = search.best_params_["handcraftedfeatures__families"]
    assert best == ("hog",) and search.best_score_ > 0.9  # the stripe's place tells the class


def test_clones_carry_the_parameters_and_tables_their_names():
    features = HandcraftedFeatures(("hu",), size=(96, 48), crop="column")
    assert clone(features).get_params() == {"families": ("hu",), "size": (96, 48), "crop": "column"}
    frame = HandcraftedFeatures(("hu",), size=64).set_output(transform="pandas").fit_transform(NOISE)
    assert frame.columns.tolist() == [f"hu_{number}" for number in range(1, 8)]


def test_the_column_is_cut_out_where_there_is_one():
    from lumbar_utils import load_dataset, prepare

    images = load_dataset("phantom", n_patients=2, seed=3).images
    column = np.round(prepare(images, size=(192, 96), crop="column")[..., 0] * 255).astype(np.uint8)
    cropped = HandcraftedFeatures(("glcm",), crop="column").transform(images)
    assert np.allclose(cropped, HandcraftedFeatures(("glcm",), size=(192, 96)).transform(column))
    assert not np.allclose(cropped, HandcraftedFeatures(("glcm",), size=(192, 96)).transform(images))


def with_missing():
    pictures = (NOISE / 255).astype(np.float32)
    pictures[1, 3, 4] = np.nan
    return pictures


@pytest.mark.parametrize(
    ("features", "pictures", "message"),
    [
        (
            HandcraftedFeatures(("glmc",)),
            NOISE,
            r"families is \('glmc',\), wanted one or more of intensity, glcm",
        ),
        (HandcraftedFeatures(()), NOISE, r"families is \(\)"),
        (HandcraftedFeatures(("hu", "hu")), NOISE, "each once"),
        (HandcraftedFeatures(size=16), NOISE, "size is 16, wanted a side in pixels .* at least 32"),
        (HandcraftedFeatures(size=(64.5, 64)), NOISE, r"size is \(64.5, 64\)"),
        (HandcraftedFeatures(crop="spine"), NOISE, "crop is 'spine'"),
        (HandcraftedFeatures(), NOISE[0], r"uint8 of shape \(90, 70\), wanted \(N, height, width\)"),
        (HandcraftedFeatures(), NOISE[..., None], r"shape \(3, 90, 70, 1\)"),
        (HandcraftedFeatures(), NOISE[:0], r"shape \(0, 90, 70\)"),
        (HandcraftedFeatures(), NOISE / 255, "float64"),
        (
            HandcraftedFeatures(),
            NOISE.astype(np.float32),
            r"3 of 3 pictures hold values outside 0 to 1 .*row 0",
        ),
        (HandcraftedFeatures(), with_missing(), r"1 of 3 pictures .*row 1"),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_sentence(features, pictures, message):
    with pytest.raises(LumbarError, match=message) as caught:
        features.transform(pictures)
    assert str(caught.value).endswith(".") and ". " not in str(caught.value)


def test_neither_tensorflow_nor_keras_is_imported():
    code = (
        "import sys, numpy as np; from lumbar_utils import HandcraftedFeatures; "
        "assert HandcraftedFeatures().fit_transform(np.zeros((1, 40, 40), np.uint8)).shape == (1, 1893); "
        "assert not {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
