"""Panel "About": what the page is for, the model cards, the data, and the software with its licences."""

from __future__ import annotations

import platform
from html import escape
from importlib.metadata import PackageNotFoundError, metadata

from lumbar_utils.checkpoints import CARD, CHECKPOINTS, Checkpoint, read_checkpoint
from lumbar_utils.dashboard import INTENDED_USE
from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.parts import box, table, text
from lumbar_utils.phantom import PHANTOM_VERSION

PROJECT = "lumbar-utils"
# package: what the course uses it for
PACKAGES = {
    "ai-edge-litert": "prediction on this page",
    "tensorflow-cpu": "training; not loaded by this page",
    "keras": "the networks of the lessons; not loaded by this page",
    "numpy": "arithmetic",
    "scipy": "arithmetic",
    "pandas": "tables",
    "scikit-learn": "support vector machine, ensembles",
    "skops": "storing them without pickle",
    "scikit-image": "texture features",
    "opencv-python-headless": "pictures",
    "pillow": "reading pictures",
    "pydicom": "reading DICOM",
    "plotly": "charts",
    "ipywidgets": "controls",
    "ipykernel": "the process behind this page",
    "jupyterlab": "notebooks",
    "voila": "this website",
}
USE = (
    "<p>Made for teaching how such networks are built, measured and doubted: in a seminar, or alone with the lessons."
    "</p><ul><li>The networks learned from phantoms, which are drawn patients. A score on phantoms is no clinical "
    "score, and the answer to a real picture has no known meaning.</li><li>They see the lumbar column of one sagittal "
    "T2 slice near the midline. What lies beside it, they cannot see.</li><li>They answer with one of four classes. "
    "There is no answer for a tumour, a fracture or an infection.</li><li>A file of your own is read on the computer "
    "that runs this page and is not kept.</li></ul>"
)


class AboutPanel:
    """Four cards of text; `widget` is what to show. A damaged checkpoint is told in the messages, not shown."""

    def __init__(self, log: Log):
        read = log.watch(read_checkpoint)
        names = sorted(card.parent.name for card in CHECKPOINTS.glob(f"*/{CARD}"))
        checkpoints = [found for name in names if (found := read(name)) is not None]
        sections = [
            f'<h2>What this page is for</h2><p class="lumbar-intended">{INTENDED_USE}</p>{USE}',
            networks(checkpoints),
            data(checkpoints),
            software(),
        ]
        self.widget = box([text(section, "lumbar-card") for section in sections], "lumbar-panel")


def networks(checkpoints: list[Checkpoint]) -> str:
    """Return a table of the shipped networks and the whole model card of each, folded, as HTML."""
    rows = [
        (
            card["display_name"],
            f"{card['parameters']:,}",
            " x ".join(str(side) for side in card["input_shape"][:2])
            + (" of the column" if card.get("crop") else ""),
            _score(card["test"]),
            _measured_on(card["test"]),
        )
        for card in (checkpoint.card for checkpoint in checkpoints)
    ]
    header = ("Network", "Parameters", "Sees (pixels)", "Score, 95 % interval", "Measured on")
    cards = "".join(model_card(checkpoint) for checkpoint in checkpoints)
    return (
        table(header, rows, f"{len(rows)} networks come with the course")
        + f'<p class="lumbar-fine">Every file was compared with the sha256 in its card before it was read. All scores '
        f"are phantom scores.</p><h3>Model cards</h3>{cards}"
    )


def model_card(checkpoint: Checkpoint) -> str:
    """Return the card of one network as a folded list of terms and descriptions."""
    card, provenance = checkpoint.card, checkpoint.card["provenance"]
    entries = {
        "After": card["citation"],
        "Intended use": card["intended_use"],
        "Limits": card["limits"],
        "Answers": ", ".join(card["class_names"]),
        "Parameters": f"{card['parameters']:,}",
        "Score": f"{_score(card['test'])}, {_measured_on(card['test'])}",
        "Data": _data_sets(provenance.get("data", {})),
        "Configuration": _pairs(provenance.get("configuration", {})),
        "Seed": provenance.get("seed"),
        "Training": _pairs(provenance.get("training", {})),
        "Made with": _pairs(provenance.get("made_with", {})),
        "Files, sha256": [f"{name}: {found[:16]}…" for name, found in card["files"].items()],
    }
    listed = "".join(
        f"<dt>{term}</dt><dd>{_shown(value)}</dd>"
        for term, value in entries.items()
        if value not in (None, "", [])
    )
    return (
        f'<details class="lumbar-model"><summary>{escape(card["display_name"])}</summary>'
        f"<dl>{listed}</dl></details>"
    )


def data(checkpoints: list[Checkpoint]) -> str:
    """Return where the pictures came from: phantom version, patients, seeds and fingerprints, as HTML."""
    used: dict[tuple, list[str]] = {}
    for checkpoint in checkpoints:
        for row in _data_rows(checkpoint.card["provenance"].get("data", {})):
            used.setdefault(row, []).append(checkpoint.card["display_name"])
    networks_of = lambda names: names[0] if len(names) == 1 else f"{len(names)} networks"
    rows = [(*row, networks_of(names)) for row, names in used.items()]
    header = ("Set", "Patients", "Seed", "Fingerprint", "Used by")
    return (
        table(header, rows, f"The data: phantom version {PHANTOM_VERSION}")
        + '<p class="lumbar-fine">No real patient was used for training. A seed gives the same patients again, and the '
        "fingerprint, the first of 64 hexadecimal digits of a sha256 over pixels, labels and patients, proves it. "
        "A network made on another version of the phantom is refused.</p>"
    )


def software() -> str:
    """Return versions and licences of the course and what it stands on, from the installed packages' metadata."""
    rows = [
        (name, *_version_and_licence(name), purpose)
        for name, purpose in {PROJECT: "this course", **PACKAGES}.items()
    ]
    rows.append(
        ("Python", platform.python_version(), "PSF-2.0", f"on {platform.system()} {platform.machine()}")
    )
    return (
        table(("Package", "Version", "Licence", "Used for"), rows, "Software, versions and licences")
        + '<p class="lumbar-fine">Code of the course: BSD 3-Clause. Text and figures of its lessons: CC BY 4.0.</p>'
    )


def licence_of(package) -> str:
    """Return the licence that a package's metadata declares, in the shortest form that it gives."""
    classified = [
        line.rpartition(" :: ")[2]
        for line in package.get_all("Classifier") or []
        if line.startswith("License :: OSI Approved :: ")
    ]
    declared = package.get("License") or ""
    short = declared if len(declared) <= 40 and "\n" not in declared else ""
    return package.get("License-Expression") or short or ", ".join(classified) or "stands in the package"


def _version_and_licence(name: str) -> tuple[str, str]:
    try:
        package = metadata(name)
    except PackageNotFoundError:
        return "not installed", ""
    return package["Version"], licence_of(package)


def _score(test: dict) -> str:
    if "accuracy" in test:
        return f"accuracy {_estimate(test['accuracy'])}"
    return "Dice " + "; ".join(f"{part} {_estimate(test['dice'][part])}" for part in ("body", "disc"))


def _estimate(of: dict) -> str:
    return f"{of['value']:.3f} [{of['low']:.3f}, {of['high']:.3f}]"


def _measured_on(test: dict) -> str:
    if "dataset" not in test:
        return test["measured_on"]
    return f"{test['dataset']}, {test['n_patients']} patients, {test['measured_on']}"


def _data_rows(sets: dict) -> list[tuple]:
    """Return (set, patients, seed, fingerprint) from either way in which a card tells of its data."""
    if "seeds" in sets:
        return [
            (name, sets["patients"][name], seed, "drawn as needed") for name, seed in sets["seeds"].items()
        ]
    return [
        (
            name,
            each["make_dataset"]["n_patients"],
            each["make_dataset"]["seed"],
            each["fingerprint"][:16] + "…",
        )
        for name, each in sets.items()
    ]


def _data_sets(sets: dict) -> list[str]:
    return [f"{name}: {patients} patients, seed {seed}" for name, patients, seed, _ in _data_rows(sets)]


def _pairs(values: dict) -> str:
    pairs = []
    for name, value in values.items():
        shown = f"({_pairs(value)})" if isinstance(value, dict) else value
        pairs.append(f"{name.replace('_', ' ')} {shown}")
    return ", ".join(pairs)


def _shown(value) -> str:
    if isinstance(value, list):
        return "<ul>" + "".join(f"<li>{escape(str(each))}</li>" for each in value) + "</ul>"
    return escape(str(value))
