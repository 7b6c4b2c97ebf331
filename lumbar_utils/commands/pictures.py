"""Verbs for pictures and datasets: phantom, locate, audit, crossval."""

from __future__ import annotations

import json

from ..dataset import LumbarError


def add_verbs(verb):
    command = verb("phantom", _phantom, "Draw a sheet of phantoms, a row a class.")
    command.add_argument("--contact-sheet", required=True, metavar="FILE", help="the PNG file to write")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--view", choices=("sagittal", "axial"), default="sagittal")
    command.add_argument("--contrast", choices=("T2", "T1", "XR"), default="T2", help="XR is a radiograph")
    command.add_argument(
        "--variation", choices=("narrow", "wide"), default="narrow", help="wide: any scanner"
    )

    command = verb("locate", _locate, "Find and number vertebral bodies and discs in a sagittal slice.")
    command.add_argument("image", metavar="IMAGE", help="PNG, JPEG, BMP, TIFF or DICOM")
    command.add_argument("--out", metavar="PNG", help="also draw what was found over the picture")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    command = verb("audit", _audit, "Look for copies, leaks and shortcuts in a dataset and a split of it.")
    _add_source(command)
    command.add_argument(
        "--split", choices=("patient", "picture"), help="also audit a split 80:10:10 made so"
    )
    command.add_argument("--seed", type=int, default=0)

    command = verb("crossval", _crossval, "Cross-validate CNN and CNN-SVM in folds grouped by patient.")
    _add_source(command)
    command.add_argument("--folds", type=int, default=5)
    command.add_argument("--epochs", type=int, default=30)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", metavar="FOLDER", help="also store the predictions there")


def _phantom(options):
    from ..phantom.contact_sheet import save_contact_sheet

    chosen = {name: getattr(options, name) for name in ("seed", "view", "contrast", "variation")}
    save_contact_sheet(options.contact_sheet, **chosen)


def _locate(options):
    from ..localise import locate
    from ..localise.drawing import save_drawing
    from ..sources import read_picture

    picture = read_picture(options.image)
    location = locate(picture)
    if options.out:
        save_drawing(options.out, picture, location)
    if options.json:
        print(json.dumps({"picture": options.image, "shape": list(picture.shape), **location.to_dict()}))
    else:
        print(location)


def _audit(options):
    from ..audit import audit
    from ..splits import split_by_patient, split_by_picture

    dataset = _load(options)
    split = None
    if options.split:
        split = (split_by_patient if options.split == "patient" else split_by_picture)(
            dataset, seed=options.seed
        )
    report = audit(dataset, split)
    print(report)
    return 0 if report.ok else 1


def _crossval(options):
    from ..studies.crossval import cross_validate_networks

    cross_validate_networks(
        _load(options),
        n_splits=options.folds,
        epochs=options.epochs,
        seed=options.seed,
        out=options.out,
        log=print,
    )


def _add_source(command):
    command.add_argument("--source", required=True, choices=("folder", "yolo"))
    command.add_argument("--path", required=True)
    command.add_argument("--classes", help="yolo: the names of the class numbers, such as disc,herniated")
    command.add_argument("--patient-pattern", help="regular expression that finds the patient in a file name")
    command.add_argument("--size", type=int, default=64, help="side of the pictures in pixels")


def _load(options):
    """Return the dataset that the source's options describe."""
    from ..sources import load_dataset

    source_options = {"path": options.path, "size": options.size, "patient_pattern": options.patient_pattern}
    if options.source == "yolo":
        if not options.classes:
            raise LumbarError(
                "The yolo source needs --classes, the names of its class numbers: --classes disc,herniated."
            )
        source_options["classes"] = tuple(options.classes.split(","))
    return load_dataset(options.source, **source_options)
