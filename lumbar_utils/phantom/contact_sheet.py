"""A sheet of phantom pictures, a row a class, to be looked at."""

import cv2
import numpy as np

from lumbar_utils.dataset import PAPER4, LumbarError
from lumbar_utils.phantom.render import render
from lumbar_utils.phantom.sample import sample_patient


def contact_sheet(*, patients: int = 6, seed: int = 0, size: int = 224, **options) -> np.ndarray:
    """Return (4 * size, patients * size) uint8: a row for each class of the paper; `options` go to `render`."""
    rows = []
    for row, disease in enumerate(PAPER4):
        seeds = range(seed + 1000 * row, seed + 1000 * row + patients)
        rows.append([render(sample_patient(s, disease=disease), size=size, **options).image for s in seeds])
    return np.vstack([np.hstack(row) for row in rows])


def save_contact_sheet(path: str, **options) -> None:
    """Write the sheet to `path`, a .png or .jpg file; `options` go to `contact_sheet`.

    Raises
    ------
    LumbarError : a folder that is not there, or an ending that is no picture's.
    """
    try:
        written = cv2.imwrite(str(path), contact_sheet(**options))
    except cv2.error:
        written = False
    if not written:
        raise LumbarError(f"{path} cannot be written; give a .png file in a folder that exists.")
