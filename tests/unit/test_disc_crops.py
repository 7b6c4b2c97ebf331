"""Crops of single discs: upright, at one scale, and labelled by what the phantom drew."""

import json

import cv2
import numpy as np
import pytest

from lumbar_utils import LumbarError, render, sample_patient
from lumbar_utils.beyond.disc_crops import (
    HERNIATED_MM2,
    SIDE_PX,
    ZONES,
    box_at,
    box_features,
    covered,
    crop_matrix,
    cut_discs,
    discs_of_phantom,
    heat_in_zones,
    read_discs,
    stretched,
    upwards,
    zone_of,
)


def column(angle_degrees: float) -> np.ndarray:
    """Middles of five discs 30 pixels apart on a line that leans to the right."""
    lean = np.radians(angle_degrees)
    return np.array([112.0, 190.0]) + 30 * np.arange(5)[:, None] * [np.sin(lean), -np.cos(lean)]


def test_a_disc_lies_in_the_middle_of_its_crop_and_the_next_one_straight_above():
    centres = column(20)
    matrix = crop_matrix(centres[2], upwards(centres)[2], pitch=30.0)
    carry = lambda point: matrix[:, :2] @ point + matrix[:, 2]
    assert np.allclose(carry(centres[2]), (SIDE_PX - 1) / 2)
    assert np.allclose(carry(centres[3]), [(SIDE_PX - 1) / 2, (SIDE_PX - 1) / 2 - SIDE_PX / 2])


def test_a_turned_and_enlarged_slice_gives_nearly_the_same_crops():
    phantom = render(sample_patient(7), size=224)
    centres, _ = discs_of_phantom(phantom)
    matrix = cv2.getRotationMatrix2D((112, 112), 12, 0.9)
    turned = cv2.warpAffine(phantom.image, matrix, (224, 224))
    moved = centres @ matrix[:, :2].T + matrix[:, 2]
    for before, after in zip(cut_discs(phantom.image, centres), cut_discs(turned, moved), strict=True):
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.9


def test_without_neighbours_there_is_no_direction_and_no_crop():
    assert cut_discs(np.zeros((64, 64), np.uint8), np.empty((0, 2))).shape == (0, SIDE_PX, SIDE_PX)


def test_a_large_herniation_makes_its_disc_herniated_and_one_too_flat_to_draw_does_not():
    labels = {}
    for depth in (0.0, 0.3, 7.0):
        overrides = {f"L{k}-L{k + 1}": {"herniation_mm": 0.0} for k in range(1, 5)}
        overrides |= {"L5-S1": {"herniation_mm": 0.0}}
        overrides["L4-L5"] = {"herniation_mm": depth, "herniation_offset_mm": 0.0}
        labels[depth] = discs_of_phantom(render(sample_patient(6, overrides=overrides)))[1]
    assert labels[7.0].tolist() == [0, 1, 0, 0, 0]
    assert labels[0.3].tolist() == [0, 0, 0, 0, 0]
    assert labels[0.0].tolist() == [0, 0, 0, 0, 0] and HERNIATED_MM2 > 0


def test_brightness_and_contrast_leave_a_crop_as_it_was():
    crop = render(sample_patient(5)).image[80:144, 80:144]
    darker = (crop * 0.5 + 20).astype(np.uint8)
    assert np.abs(stretched(crop).astype(int) - stretched(darker)).mean() < 3
    assert not stretched(np.full((8, 8), 7, np.uint8)).any()


def test_a_covered_zone_changes_nothing_outside_it():
    crop = render(sample_patient(5)).image[None, 80:144, 80:144]
    for zone in ZONES:
        rows, columns = zone_of(zone, 64)
        changed = covered(crop, zone)[0] != crop[0]
        assert changed[rows, columns].mean() > 0.5
        changed[rows, columns] = False
        assert not changed.any()
    areas = {zone: np.ones((64, 64))[zone_of(zone, 64)].sum() for zone in ZONES}
    assert max(areas.values()) <= 1.1 * min(areas.values())
    with pytest.raises(LumbarError, match="front of the disc"):
        zone_of("spleen", 64)


def test_heat_shares_add_up_over_zones_that_do_not_overlap():
    heat = np.zeros((2, 64, 64))
    rows, columns = zone_of("body above", 64)
    heat[0, rows, columns] = 1.0
    shares = heat_in_zones(heat)
    assert shares[0].tolist() == [0, 0, 0, 1] and np.isnan(shares[1]).all()


@pytest.fixture(scope="module")
def yolo_folder(tmp_path_factory):
    """Six phantoms as JPEG with a YOLO box a disc, one of them in two copies, beside a box that holds no disc."""
    folder = tmp_path_factory.mktemp("yolo")
    (folder / "images").mkdir()
    (folder / "labels").mkdir()
    for k in range(4):
        phantom = render(sample_patient(40 + k, disease="Herniated Disk"))
        centres, labels = discs_of_phantom(phantom)
        lines = [
            f"{max(0, label)} {x / 224:.4f} {y / 224:.4f} 0.16 0.07"
            for label, (x, y) in zip(labels, centres, strict=True)
        ]
        for copy in ("a", "b") if k == 0 else ("a",):
            cv2.imwrite(str(folder / "images" / f"{k}_1_jpg.rf.{copy}.jpg"), phantom.image)
            extra = ["0 0.05 0.05 0.04 0.04"] if k == 1 else []
            (folder / "labels" / f"{k}_1_jpg.rf.{copy}.txt").write_text("\n".join(lines + extra))
    return folder


def test_discs_are_read_with_the_box_that_holds_them(yolo_folder):
    discs = read_discs(yolo_folder)
    assert discs.images.shape[1:] == (SIDE_PX, SIDE_PX)
    assert set(discs.patient_ids) == {"0", "1", "2", "3"}
    assert len(discs) >= 20 and 1 <= discs.meta.attrs["left_out"] <= 5
    assert set(np.unique(discs.labels)) == {0, 1}
    copies = discs.meta.groupby(["source_picture", "disc"]).size()
    assert (copies[copies.index.get_level_values(0).str.startswith("0_")] == 2).all()
    features = box_features(discs)
    assert features.shape == (len(discs), 5) and np.allclose(features[:, 2], 0.16, atol=1e-3)
    json.dumps(discs.meta.iloc[0].to_dict(), default=str)


def test_a_point_outside_every_box_has_none(yolo_folder):
    boxes = read_discs(yolo_folder).meta
    assert box_at(boxes.iloc[:5], np.array([1.0, 1.0])) is None
    first = boxes.iloc[0]
    assert box_at(boxes.iloc[:5], first[["x_px", "y_px"]].to_numpy(dtype=float)) == 0
