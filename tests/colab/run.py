"""Runs the lessons as Colab would: its versions of what it has, its absence of what it lacks, the set-up cell first.

`make test-colab`. The package and what is missing are installed by the lessons' own set-up cell, from this checkout in
the place of the published repository; afterwards they are removed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE, WORK, ENVIRONMENT = ROOT / "tests" / "colab", ROOT / "build" / "colab", ROOT / ".venv-colab"
KERNEL = "lumbar-colab"
sys.path.insert(0, str(ROOT / "lessons"))
import make_notebooks  # noqa: E402


def main() -> int:
    python = ready_environment()
    install_kernel(python)
    notebooks = write_notebooks()
    environment = {**os.environ, "JUPYTER_PATH": str(WORK)}
    nbval = ("-m", "pytest", "--nbval-lax", "--nbval-kernel-name", KERNEL, "--nbval-cell-timeout", "600")
    done = subprocess.run(
        [sys.executable, *nbval, "-p", "no:cacheprovider", *notebooks], env=environment, cwd=ROOT
    )
    if done.returncode:
        return done.returncode
    # after the lessons, whose set-up cell has installed the package
    return subprocess.run([python, HERE / "load_checkpoints.py"], env=kernel_variables(), cwd=WORK).returncode


def ready_environment() -> Path:
    """Return the Python of an environment with Colab's packages and no other."""
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp, base = ENVIRONMENT / ".ready", ENVIRONMENT / "base.txt"
    wanted = hashlib.sha256((HERE / "requirements.txt").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
        base.write_text("\n".join(sorted(installed(python))))
        stamp.write_text(wanted)
    if ours := sorted(installed(python) - set(base.read_text().splitlines())):
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", *ours], check=True)
    return python


def installed(python: Path) -> set[str]:
    """Return the names of what an environment holds."""
    command = [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    return {one["name"] for one in json.loads(subprocess.check_output(command))}


def kernel_variables() -> dict[str, str]:
    own = {"PYTHONPATH": str(HERE / "stand_in"), "PLOTLY_RENDERER": "colab"}
    return {**os.environ, "LUMBAR_FAST": os.environ.get("LUMBAR_FAST", "1"), **own}


def install_kernel(python: Path) -> None:
    folder = WORK / "kernels" / KERNEL
    folder.mkdir(parents=True, exist_ok=True)
    variables = {name: kernel_variables()[name] for name in ("PYTHONPATH", "PLOTLY_RENDERER", "LUMBAR_FAST")}
    spec = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "As on Colab",
        "language": "python",
        "env": variables,
    }
    (folder / "kernel.json").write_text(json.dumps(spec))


def write_notebooks() -> list[Path]:
    """Write both copies of every lesson, with this checkout where the published repository stands."""
    paths = []
    for lesson in sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py")):
        for folder, solutions in (("students", False), ("solutions", True)):
            notebook = make_notebooks.make_notebook(lesson, solutions=solutions, repository="THE-REPOSITORY")
            for cell in notebook.cells:
                cell.source = cell.source.replace("git+THE-REPOSITORY", f'"{ROOT}"')
            paths.append(WORK / folder / f"{lesson.stem}.ipynb")
            paths[-1].parent.mkdir(exist_ok=True)
            paths[-1].write_text(make_notebooks.as_text(notebook), "utf-8")
    return paths


if __name__ == "__main__":
    sys.exit(main())
