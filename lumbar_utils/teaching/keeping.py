"""A copy of a student's notebooks to take away: a temporary server such as Binder forgets them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from lumbar_utils.dataset import LumbarError
from lumbar_utils.live import place
from lumbar_utils.paths import write_whole

PACKED = "my_notebooks.zip"


def pack_work(folder: str | Path = ".") -> None:
    """Write every notebook in `folder` (not below it) as they are on disk into `PACKED` there; say where to find it."""
    if place() == "colab":
        print("Colab: choose File, Save a copy in Drive; this notebook is then yours, with all its answers.")
        return
    folder = Path(folder).resolve()
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        raise LumbarError(
            f"There is no notebook in {folder}; give the folder that holds yours: pack_work(FOLDER)."
        )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for notebook in notebooks:
            packed.write(notebook, notebook.name)
    write_whole(folder / PACKED, content.getbuffer())
    print(
        f"{PACKED}: {len(notebooks)} notebooks, {len(content.getvalue()) / 1e6:.1f} MB, as last saved (Ctrl-S).\n"
        "In the file browser on the left: right-click it, Download."
    )
