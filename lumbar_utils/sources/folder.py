"""Pictures on disk, a folder a class."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from ..dataset import PAPER4, LumbarDataset, LumbarError
from .pictures import PICTURE_SUFFIXES, fit_to_square, read_picture

# Folder names seen in public lumbar datasets, in lower case without spaces, dashes and underscores.
ALIASES = {
    "Healthy": ("healthy", "normal", "nofinding", "control"),
    "Herniated Disk": (
        "herniateddisk",
        "herniateddisc",
        "herniation",
        "diskherniation",
        "discherniation",
        "ldh",
    ),
    "Spinal Stenosis": ("spinalstenosis", "stenosis", "lumbarstenosis", "canalstenosis"),
    "Spondylosis": ("spondylosis", "lumbarspondylosis"),
}


def read_folder(
    path: str | Path,
    *,
    aliases: dict[str, str] | None = None,
    patient_pattern: str | None = None,
    size: int = 224,
    licence: str = "unknown",
    citation: str = "",
) -> LumbarDataset:
    """Read `path/CLASS/*.png|jpg|dcm|…` into a `LumbarDataset`.

    Parameters
    ----------
    path : the folder whose subfolders are the classes.
    aliases : extra names, folder name to class name, such as {"LDH": "Herniated Disk"}.
    patient_pattern : regular expression searched in each file name; its first group, or else the whole match,
        is the patient. Without one every file counts as a patient of its own, and a warning says so.
    size : side in pixels of the square that each picture is fitted into (black bars keep its proportions).

    Raises
    ------
    LumbarError : no such folder, no class, an empty class, an unreadable picture, a name without a patient.
    """
    path = Path(path)
    if not path.is_dir():
        raise LumbarError(f"There is no folder {path}; give the folder whose subfolders are the classes.")
    folders = sorted(f for f in path.iterdir() if f.is_dir() and not f.name.startswith("."))
    if not folders:
        raise LumbarError(f"{path} has no subfolder; wanted one a class, such as {path.name}/Healthy.")
    classes = [_class_name(folder.name, aliases or {}) for folder in folders]
    class_names = tuple(dict.fromkeys(classes))
    if set(class_names) <= set(PAPER4):
        class_names = tuple(name for name in PAPER4 if name in class_names)

    images, labels, patients, files = [], [], [], []
    for folder, name in zip(folders, classes, strict=True):
        found = sorted(f for f in folder.rglob("*") if f.suffix.lower() in PICTURE_SUFFIXES and f.is_file())
        if not found:
            raise LumbarError(
                f"{folder} holds no picture (wanted {', '.join(PICTURE_SUFFIXES)}); fill it, or take the folder away."
            )
        for file in found:
            relative = file.relative_to(path).as_posix()
            images.append(fit_to_square(read_picture(file, name=relative), size))
            labels.append(class_names.index(name))
            patients.append(patient_of(file.stem, patient_pattern, relative))
            files.append(relative)
    if patient_pattern is None:
        warnings.warn(
            f"{path.name}: no patient_pattern was given, so each file counts as a patient of its own; if one patient "
            "has several pictures, a split will leak.",
            stacklevel=2,
        )
    return LumbarDataset(
        images=np.stack(images),
        labels=np.array(labels),
        class_names=class_names,
        patient_ids=np.array(patients),
        meta=pd.DataFrame({"source_file": files}),
        name=path.name,
        licence=licence,
        citation=citation,
    )


def _class_name(folder_name: str, aliases: dict[str, str]) -> str:
    if folder_name in aliases:
        return aliases[folder_name]
    plain = re.sub(r"[\s_\-]+", "", folder_name).lower()
    return next((name for name, others in ALIASES.items() if plain in others), folder_name)


def patient_of(stem: str, pattern: str | None, file: str) -> str:
    """Return the patient that `pattern` finds in a file name; the whole stem when there is no pattern."""
    if pattern is None:
        return stem
    try:
        match = re.search(pattern, stem)
    except re.error as error:
        raise LumbarError(
            f"The patient pattern {pattern!r} is no regular expression ({error}); '^[^_]+' takes what stands before "
            "the first underscore."
        ) from error
    found = (match.group(1) if match.re.groups else match.group(0)) if match else None
    if not found:
        raise LumbarError(
            f"{file}: the patient pattern {pattern!r} finds no patient in the name {stem!r}; mend the pattern, "
            "or rename the file."
        )
    return found
