"""Trained networks that ship with the package: a folder each, verified file by file when it is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ..dataset import LumbarError
from ..phantom import PHANTOM_VERSION

__all__ = ["CARD", "CHECKPOINTS", "WEIGHTS", "Checkpoint", "read_checkpoint", "verified", "write_card"]

CHECKPOINTS = Path(__file__).resolve().parent
CARD = "card.json"
WEIGHTS = "weights.weights.h5"  # of a network, as Keras stores them


@dataclass(frozen=True)
class Checkpoint:
    """A verified folder and its model card (what it was trained on, how it scored, what it is for)."""

    folder: Path
    card: dict

    def file(self, name: str) -> Path:
        """Return the path of one of the files that the card vouches for."""
        if name not in self.card["files"]:
            raise LumbarError(
                f"The checkpoint {self.folder.name} has no {name}; it holds {', '.join(self.card['files'])}."
            )
        return self.folder / name


def read_checkpoint(name: str = "cnn", *, root: Path = CHECKPOINTS) -> Checkpoint:
    """Return a shipped checkpoint after comparing each file with the sha256 in its card.

    name : a folder in `root` such as "cnn_course", or just "cnn".

    Raises
    ------
    LumbarError : no such checkpoint, a damaged one, or one trained on another version of the phantom.
    """
    folders = sorted(card.parent.name for card in root.glob(f"*/{CARD}"))
    folder = root / (name if name in folders else f"{name}_course")
    if folder.name not in folders:
        raise LumbarError(
            f"There is no checkpoint {name!r}; shipped are: {', '.join(folders) or 'none'}; "
            f"train it with python -m lumbar_utils zoo --train {name.removesuffix('_course')}."
        )
    train = f"train it again with python -m lumbar_utils zoo --train {folder.name.removesuffix('_course')}"
    return verified(folder, damaged="fetch the checkpoint again", outdated=train)


def verified(folder: Path, *, damaged: str, outdated: str) -> Checkpoint:
    """Return a folder with a card after comparing each file with the sha256 in it.

    damaged, outdated : the remedy for damaged files, and for files made on another version of the phantom.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        files, version = dict(card["files"]), card["phantom_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise LumbarError(
            f"{folder / CARD} is not a model card ({type(error).__name__}: {error}); {damaged}."
        ) from error
    for file, expected in files.items():
        found = _sha256(folder / file) if (folder / file).is_file() else None
        if found != expected:
            state = (
                "is missing" if found is None else f"has the sha256 {found[:12]}…, not {str(expected)[:12]}…"
            )
            raise LumbarError(f"{file} of the checkpoint {folder.name} {state}; {damaged}.")
    if version != PHANTOM_VERSION:
        raise LumbarError(
            f"The checkpoint {folder.name} was trained on phantom {version} and this package draws phantom "
            f"{PHANTOM_VERSION}; {outdated}."
        )
    return Checkpoint(folder, card)


def write_card(folder: Path, card: dict) -> None:
    """Write `card` with the sha256 of every other file in `folder` and this phantom's version."""
    files = {file.name: _sha256(file) for file in sorted(folder.iterdir()) if file.name != CARD}
    whole = {**card, "phantom_version": PHANTOM_VERSION, "files": files}
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
