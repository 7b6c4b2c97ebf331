"""Phantoms made on this machine, kept on disk so that the next lesson need not draw them again."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from .. import phantom
from ..dataset import LumbarDataset, LumbarError
from ..paths import cache_folder, write_whole
from ..phantom import make_dataset


def read_phantoms(n_patients: int = 600, *, seed: int = 0, cache: bool = True, **options) -> LumbarDataset:
    """Return phantoms of `n_patients` patients, from the cache if they were made before.

    The other options are those of `phantom.make_dataset`: size, label_scheme, variation, view, contrast, offset_mm.
    With `cache=False` nothing is read or written.
    """
    known = inspect.signature(make_dataset).parameters
    for name in options:
        if name not in known:
            raise LumbarError(f"Phantoms have no option {name!r}; choose from {', '.join(known)}.")
    options["seed"] = seed
    if not cache:
        return make_dataset(n_patients, **options)
    recipe = json.dumps({"phantom": _drawing_code(), "n_patients": n_patients, **options}, sort_keys=True)
    file = cache_folder() / "phantoms" / f"{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.npz"
    if file.exists():
        try:
            return _read(file)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            warnings.warn(
                f"The cached phantoms in {file.name} are damaged ({error}); they are made again.",
                stacklevel=2,
            )
    dataset = make_dataset(n_patients, **options)
    _write(dataset, file)
    return dataset


def _drawing_code() -> str:
    """Return the sha256 of the phantom's source, so that pictures drawn by other code are never taken for these."""
    folder = Path(phantom.__file__).parent
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(folder.glob("*.py")))).hexdigest()


def _write(dataset: LumbarDataset, file: Path) -> None:
    """Keep the dataset in `file`; a full disk is no reason to stop."""
    content = io.BytesIO()
    facts = {
        "class_names": dataset.class_names,
        "name": dataset.name,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "fingerprint": dataset.fingerprint(),
    }
    np.savez(
        content,
        images=dataset.images,
        labels=dataset.labels,
        patient_ids=dataset.patient_ids,
        masks=dataset.masks,
        meta=dataset.meta.to_json(orient="table", double_precision=15),
        facts=json.dumps(facts),
    )
    try:
        write_whole(file, content.getbuffer())
    except OSError as error:
        warnings.warn(
            f"The phantoms cannot be kept in {file.parent} ({error.strerror}); they are made each time.",
            stacklevel=3,
        )


def _read(file: Path) -> LumbarDataset:
    with np.load(file, allow_pickle=False) as content:
        facts = json.loads(str(content["facts"]))
        fingerprint = facts.pop("fingerprint")
        meta = pd.read_json(io.StringIO(str(content["meta"])), orient="table").reset_index(drop=True)
        dataset = LumbarDataset(
            **{part: content[part] for part in ("images", "labels", "patient_ids", "masks")},
            meta=meta,
            **facts,
        )
    if dataset.fingerprint() != fingerprint:
        raise ValueError("its checksum does not match")
    return dataset
