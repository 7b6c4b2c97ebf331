"""200 pictures that hold no lumbar column, always the same: photographs, other body parts, noise and text."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import skimage.data
import sklearn.datasets
from pydicom.data import get_testdata_file

from lumbar_utils.dataset import LUMBAR_DISCS
from lumbar_utils.phantom import render, sample_patient
from lumbar_utils.sources.pictures import read_picture

# with scikit-image
PHOTOGRAPHS = (
    "astronaut.png brick.png camera.png cell.png chelsea.png clock_motion.png coffee.png coins.png grass.png "
    "gravel.png hubble_deep_field.jpg ihc.png microaneurysms.png moon.png motorcycle_left.png motorcycle_right.png "
    "retina.jpg rocket.jpg"
).split()
# with pydicom: head, chest, shoulder, abdomen, lower leg, whole body from the front; CT, MR, ultrasound, radiographs
BODY_PARTS = (
    "693_UNCR CT_small MR_small MR2_UNCR MR-SIEMENS-DICOM-WithOverlays OBXXXX1A RG1_UNCR RG3_UNCR US1_UNCR "
    "JPEG-LL emri_small JPGLosslessP14SV1_1s_1f_8b eCT_Supplemental gdcm-US-ALOKA-16"
).split()
SIDE = 300  # of noise and text, in pixels
WORDS = "the patient lies on the back and the table moves into the magnet while the coil listens".split()


def strangers(seed: int = 200) -> dict[str, list[np.ndarray]]:
    """Return (H, W) uint8 pictures by kind, 200 in all; 8 of the body parts are axial phantoms of the lumbar spine.

    seed : of the crops, the noise and the words.
    """
    rng = np.random.default_rng(seed)
    return {
        "photographs": _photographs(rng),
        "other body parts": _body_parts(rng),
        "noise": [_noise(rng, blur) for blur in np.geomspace(0.5, 60, 25)],
        "text": [_text(rng, lines) for lines in np.linspace(3, 40, 25).astype(int)],
    }


def _photographs(rng) -> list[np.ndarray]:
    bundled = Path(skimage.data.__file__).parent
    others = Path(sklearn.datasets.__file__).parent / "images"
    files = [bundled / name for name in PHOTOGRAPHS] + [others / "china.jpg", others / "flower.jpg"]
    return [part for file in files for part in _parts(read_picture(file), rng, n_crops=4)]


def _body_parts(rng) -> list[np.ndarray]:
    files = [get_testdata_file(f"{name}.dcm", download=False) for name in BODY_PARTS]
    pictures = [part for file in files for part in _parts(read_picture(file), rng, n_crops=2)]
    axial = [render(sample_patient(k), view="axial", level=LUMBAR_DISCS[k % 5]).image for k in range(8)]
    return pictures + axial


def _parts(picture: np.ndarray, rng, n_crops: int) -> list[np.ndarray]:
    """Return the whole picture and some crops of half its sides."""
    height, width = (side // 2 for side in picture.shape)
    corners = zip(rng.integers(0, height, n_crops), rng.integers(0, width, n_crops), strict=True)
    return [picture, *(picture[top : top + height, left : left + width] for top, left in corners)]


def _noise(rng, blur: float) -> np.ndarray:
    grey = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), None, blur)
    return cv2.normalize(grey, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def _text(rng, n_lines: int) -> np.ndarray:
    """Return so many lines of words, dark on white or white on dark."""
    page = np.zeros((SIDE, SIDE), np.uint8)
    step = SIDE / (n_lines + 1)
    for line in range(1, n_lines + 1):
        words = " ".join(rng.choice(WORDS, 12))
        cv2.putText(
            page, words, (8, round(line * step)), cv2.FONT_HERSHEY_SIMPLEX, step / 40, 255, 1, cv2.LINE_AA
        )
    return page if rng.random() < 0.5 else 255 - page
