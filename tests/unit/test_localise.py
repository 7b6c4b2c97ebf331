import json
import subprocess
import sys
import warnings

import cv2
import numpy as np
import pytest
from helpers import ROOT
from sklearn.datasets import load_sample_image

from lumbar_utils import MASK_LABELS, LumbarError, locate, prepare, render, sample_patient
from lumbar_utils.__main__ import main
from lumbar_utils.dataset import LUMBAR_BODIES, LUMBAR_DISCS
from lumbar_utils.localise import CLASSES, class_map, name_of
from lumbar_utils.localise.column import find_column
from lumbar_utils.localise.drawing import draw_location
from lumbar_utils.localise.network import BODY, DISC, SACRUM
from lumbar_utils.sources import read_picture

INSIDE = 4  # pixels of 224 from the border: what is nearer is cut


@pytest.fixture(scope="module")
def slices():
    """A few midline T2 slices of one protocol; none of these patients was trained on."""
    return [render(sample_patient(seed)) for seed in range(6)]


def visible(slice_, names):
    middle = {name: np.array(slice_.landmarks[name]) for name in names}
    side = slice_.image.shape[0]
    return {name: at for name, at in middle.items() if (at > INSIDE).all() and (at < side - INSIDE).all()}


def test_all_visible_lumbar_levels_are_found_and_numbered(slices):
    for slice_ in slices:
        location = locate(slice_.image)
        assert location.found and location.numbered_from == "sacrum"
        for found, names in ((location.discs, LUMBAR_DISCS), (location.bodies, LUMBAR_BODIES)):
            for name, middle in visible(slice_, names).items():
                assert np.linalg.norm(np.subtract(found[name], middle)) * slice_.spacing_mm < 5, name
        assert list(location.discs)[:5] == list(LUMBAR_DISCS)


def test_the_label_map_is_that_of_the_phantoms(slices):
    for slice_ in slices:
        labels = locate(slice_.image).labels
        for numbers in ((1, 2, 3, 4), (101, 102, 103, 104), (30,), (40, 41)):
            ours, truth = np.isin(labels, numbers), np.isin(slice_.mask, numbers)
            assert 2 * (ours & truth).sum() / (ours.sum() + truth.sum()) > 0.75, numbers
        assert set(np.unique(labels)) <= set(MASK_LABELS.values()) | set(range(1, 21)) | set(range(101, 121))


def test_a_long_or_wide_picture_is_answered_in_its_own_pixels(slices):
    original = locate(slices[0].image)
    wide = cv2.resize(np.pad(slices[0].image, ((0, 0), (30, 46))), None, fx=2, fy=2)
    location = locate(wide)
    assert location.labels.shape == wide.shape == (448, 600)
    for name in LUMBAR_DISCS:
        expected = np.add(original.discs[name], (30, 0)) * 2
        assert np.linalg.norm(location.discs[name] - expected) < 8
    long = slices[0].image[:, 60:200]
    for name in LUMBAR_DISCS:
        assert np.linalg.norm(np.add(locate(long).discs[name], (60, 0)) - original.discs[name]) < 4


def test_float_pictures_and_other_windows_give_the_same_levels(slices):
    image = slices[1].image
    for changed in (image / np.float32(255), np.uint8(image // 3 + 20), image * np.float32(40)):
        location = locate(changed.astype(np.float32) if changed.dtype != np.uint8 else changed)
        assert np.abs(np.array(location.discs["L4-L5"]) - locate(image).discs["L4-L5"]).max() < 2


def test_without_the_sacrum_the_lowest_body_counts_as_l5(slices):
    slice_ = slices[0]
    cut = int(slice_.landmarks["L4"][1] + 0.62 * (slice_.landmarks["L4-L5"][1] - slice_.landmarks["L4"][1]))
    location = locate(slice_.image[:cut])
    assert location.numbered_from == "lowest body" and location.found
    assert np.linalg.norm(np.subtract(location.bodies["L5"], slice_.landmarks["L4"])) < 8
    assert "L5 is a guess" in str(location)


def nothing_to_find():
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 240)
    yield "noise", rng.integers(0, 256, (200, 260)).astype(np.uint8)
    yield "black", np.zeros((224, 224), np.uint8)
    yield "white", np.full((64, 300), 255, np.uint8)
    yield "ramp", np.uint8((ramp[:, None] + ramp[None]) / 2)
    yield "stripes", np.uint8(127 + 120 * np.sin(np.arange(224) / 5))[:, None].repeat(224, axis=1)
    for name in ("china.jpg", "flower.jpg"):
        yield name, cv2.cvtColor(load_sample_image(name), cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize(
    ("name", "picture"), nothing_to_find(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_where_there_is_no_column_none_is_found(name, picture):
    location = locate(picture)
    assert not location.found and not location.bodies and not location.discs and not location.labels.any()
    assert "No lumbar column was found" in str(location)
    with pytest.raises(LumbarError, match="sagittal slice near the midline"):
        location.crop_matrix((192, 96))


def test_the_crop_is_upright_and_holds_l1_to_s1(slices):
    for slice_ in slices:
        turned = cv2.getRotationMatrix2D((112, 112), 12, 1.0)
        location = locate(cv2.warpAffine(slice_.image, turned, (224, 224)))
        matrix = location.crop_matrix((192, 96))
        into_crop = lambda point: matrix @ [*(turned @ [*point, 1]), 1]  # noqa: B023
        x, y = np.array([into_crop(slice_.landmarks[name]) for name in ("L5-S1", "L4", "L3", "L2", "L1")]).T
        assert abs(x[0] - 47.5) < 6 and (np.diff(y) < 0).all()
        assert 150 < y[0] < 175 and 8 < y[-1] < 35 and (x > 15).all() and (x < 80).all()
        scales = np.linalg.svd(matrix[:, :2], compute_uv=False)
        assert np.isclose(*scales)


def test_prepare_crops_along_the_column_and_says_where_it_could_not(slices):
    images = np.stack([slice_.image for slice_ in slices[:2]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = prepare(images, size=(192, 96), crop="column")
    assert x.shape == (2, 192, 96, 1) and x.dtype == np.float32 and 0 <= x.min() and x.max() <= 1
    assert np.allclose(x[0, ..., 0] * 255, locate(images[0]).crop(images[0], (192, 96)))
    assert prepare(images, size=64, crop="column").shape == (2, 64, 64, 1)
    images[1] = 0
    images[1, :, :50] = 90
    with pytest.warns(UserWarning, match="In 1 of 2 pictures no lumbar column was found"):
        x = prepare(images, size=(192, 96), crop="column")
    assert np.array_equal(x[1], prepare(images[1:], size=(192, 96))[0])
    with pytest.raises(LumbarError, match='wanted "column" or None'):
        prepare(images, crop="spine")
    with pytest.raises(LumbarError, match="size is"):
        prepare(images, size=(1, 2, 3))


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (np.zeros((10, 10, 3), np.uint8), r"shape \(10, 10, 3\)"),
        (np.zeros((10, 10)), "float64"),
        (np.zeros((4, 100), np.uint8), "at least 8 pixels"),
        (np.full((20, 20), np.nan, np.float32), "not finite"),
    ],
)
def test_what_is_no_picture_is_refused(picture, says):
    with pytest.raises(LumbarError, match=says):
        locate(picture)


# What follows needs no network: drawn probabilities in place of its answer.


def drawn(*, discs=range(6), bodies=range(6), sacrum=True, seed=0):
    """Probabilities (192, 192, 8) of a straight column: level k's disc at row 160 - 26 k, its body above it."""
    classes = np.zeros((192, 192), np.uint8)
    for k in discs:
        classes[157 - 26 * k : 164 - 26 * k, 80:106] = DISC
    for k in bodies:
        classes[140 - 26 * k : 156 - 26 * k, 81:105] = BODY
    if sacrum:
        classes[165:190, 84:112] = SACRUM
    return np.eye(8, dtype=np.float32)[classes]


def levels(column, kind):
    return [piece.level for piece in column.pieces if piece.kind == kind]


def test_a_missed_disc_or_body_leaves_the_other_numbers_alone():
    whole = find_column(drawn())
    assert levels(whole, DISC) == [0, 1, 2, 3, 4, 5] and levels(whole, BODY) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert whole.score == 11
    assert levels(find_column(drawn(discs=(1, 2, 4, 5))), DISC) == [1, 2, 4, 5]
    assert levels(find_column(drawn(bodies=(1, 2, 4))), BODY) == [1.5, 2.5, 4.5]
    assert levels(find_column(drawn(bodies=(1, 2, 4), discs=(1, 3, 4))), BODY) == [1.5, 2.5, 4.5]


def test_two_bodies_in_one_piece_are_parted_and_two_pieces_of_one_joined():
    joined = drawn(discs=(0, 1, 3, 4, 5))
    joined[100:120, 81:105] = np.eye(8)[BODY]  # the disc between level 1 and 2 is taken for bone
    assert levels(find_column(joined), BODY) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    parted = drawn()
    parted[95:98, 80:106] = np.eye(8)[0]  # a dark band through the body of level 1
    column = find_column(parted)
    assert levels(column, BODY) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


def test_discs_that_run_together_in_front_of_a_body_are_parted():
    joined = drawn()
    joined[105:164, 77:80] = np.eye(8)[DISC]  # osteophytes taken for disc, from L5-S1 to L3-L4
    column = find_column(joined)
    assert levels(column, DISC) == [0, 1, 2, 3, 4, 5] and levels(column, BODY) == [
        0.5,
        1.5,
        2.5,
        3.5,
        4.5,
        5.5,
    ]


def test_what_lies_beside_the_column_or_inside_the_sacrum_is_dropped():
    cluttered = drawn()
    cluttered[60:75, 130:150] = np.eye(8)[BODY]
    cluttered[178:182, 90:108] = np.eye(8)[DISC]  # the residual disc S1-S2
    column = find_column(cluttered)
    assert levels(column, DISC) == [0, 1, 2, 3, 4, 5] and len(levels(column, BODY)) == 6


def test_two_bodies_are_no_column():
    assert find_column(drawn(bodies=(2, 3), discs=(3,))).score < 4
    assert find_column(drawn(bodies=(), discs=())).pieces == []


def test_every_label_of_the_phantoms_belongs_to_a_class():
    names = list(CLASSES)
    numbers = {"L5": "body", "modic": "body", "L5-S1": "disc", "cord": "sac", "bulge": "herniation"}
    for label, name in numbers.items():
        assert names[class_map(np.array([MASK_LABELS[label]]))[0]] == name
    assert [name_of(number) for number in (1, 5, 6, 7, 101, 105, 106, 107)] == [
        "L5", "L1", "T12", "T11", "L5-S1", "L1-L2", "T12-L1", "T11-T12",
    ]  # fmt: skip


def test_locate_writes_a_picture_and_json(slices, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "slice.png"), slices[0].image)
    out = tmp_path / "found.png"
    assert main(["locate", str(tmp_path / "slice.png"), "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["found"] and found["shape"] == [224, 224] and len(found["discs"]["L4-L5"]) == 2
    assert min(read_picture(out).shape) >= 600
    assert main(["locate", str(tmp_path / "slice.png")]) == 0
    assert "counted from the sacrum" in capsys.readouterr().out
    assert main(["locate", str(tmp_path / "slice.png"), "--out", str(tmp_path / "no" / "x.png")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_locate_says_in_a_sentence_that_there_is_no_column(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((100, 120), np.uint8))
    assert main(["locate", str(tmp_path / "black.png"), "--out", str(tmp_path / "found.png")]) == 0
    assert capsys.readouterr().out.startswith("No lumbar column was found")


def test_names_in_the_drawing_do_not_cover_one_another(slices, monkeypatch):
    boxes = []
    plain = cv2.rectangle
    monkeypatch.setattr(cv2, "rectangle", lambda image, *a: (boxes.append(a[:2]), plain(image, *a))[1])
    location = locate(slices[2].image)
    draw_location(slices[2].image, location)
    assert len(boxes) == len(location.bodies) + len(location.discs)
    for i, ((l0, t0), (r0, b0)) in enumerate(boxes):
        for (l1, t1), (r1, b1) in boxes[:i]:
            assert r0 < l1 or r1 < l0 or b0 < t1 or b1 < t0


def test_locating_needs_no_tensorflow():
    code = (
        "import sys, numpy as np; from lumbar_utils import locate; locate(np.zeros((50, 40), np.uint8)); "
        "assert not {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
