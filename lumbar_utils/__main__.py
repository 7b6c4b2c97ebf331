"""The command line: `python -m lumbar_utils VERB`, what make calls and what Windows users type."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from .dataset import LumbarError


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except LumbarError as error:
        print(f"lumbar_utils: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nlumbar_utils: stopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lumbar_utils", description=__doc__)
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name, run, help):
        command = verbs.add_parser(name, help=help, description=help)
        command.set_defaults(run=run)
        return command

    command = verb("dashboard", _dashboard, "Serve the dashboard in the browser.")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=8866)

    command = verb("lab", _lab, "Open the lessons in JupyterLab.")
    command.add_argument("--port", type=int, default=8888)

    verb(
        "doctor", _doctor, "Check this machine: Python, packages, memory, disk, shipped networks and results."
    )

    command = verb("marks", _marks, "Count the exercises solved in notebooks that students handed in.")
    command.add_argument("folder", metavar="FOLDER", help="an entry a student: a folder, a zip or a notebook")
    command.add_argument("--out", metavar="CSV", help="also write a row an exercise")

    command = verb("phantom", _phantom, "Draw a sheet of phantoms, a row a class.")
    command.add_argument("--contact-sheet", required=True, metavar="FILE", help="the PNG file to write")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--view", choices=("sagittal", "axial"), default="sagittal")
    command.add_argument("--contrast", choices=("T2", "T1", "XR"), default="T2", help="XR is a radiograph")
    command.add_argument(
        "--variation", choices=("narrow", "wide"), default="narrow", help="wide: any scanner"
    )

    command = verb("evaluate", _evaluate, "Report stored predictions with intervals.")
    command.add_argument("--predictions", required=True, metavar="FILE", help="a CSV file under results/")
    _add_output(command)

    command = verb("paper", _paper, "Show what the paper reports with the intervals and tests it lacks.")
    _add_output(command)

    command = verb("zoo", _zoo, "Train the shipped networks on phantoms, or tell what they reach.")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--train",
        metavar="NAMES",
        help="all, or such as cnn,vgg16,cnn_svm,ceiling; then ensembles; before all, localiser; discs",
    )
    what.add_argument("--table", action="store_true", help="scores of the shipped networks, computed again")
    command.add_argument("--json", action="store_true", help="the table as JSON")
    command.add_argument(
        "--view", choices=("column", "whole"), default="column", help="what the networks see"
    )
    command.add_argument("--patients", type=int, help="how many phantoms; by default 12000, localiser 9000")
    command.add_argument(
        "--epochs", metavar="N,N", help="how often each is seen at half and at whole size; discs: N"
    )
    command.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="networks trained at once")

    command = verb("explanations", _explanations, "Score heat maps against true lesions, or show the scores.")
    command.add_argument(
        "--compute", action="store_true", help="explain the locked test patients anew (an hour)"
    )
    command.add_argument("--networks", metavar="NAMES", help="only these, such as cnn,vgg16")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="networks explained at once")
    command.add_argument("--score", default="energy", help="pointing, energy, iou, auprc or level_hit")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    command = verb("clinical", _clinical, "Show what a clinical table adds to the picture, or compute it.")
    command.add_argument("--compute", action="store_true", help="train and predict; some minutes")
    command.add_argument("--patients", type=int, help="how many phantoms to learn from; by default 2000")

    command = verb(
        "unlabelled",
        _unlabelled,
        "Show what unlabelled pictures bring beside few labels, or compute it; resumable.",
    )
    command.add_argument("--compute", action="store_true", help="train what is not there yet (3 hours)")
    command.add_argument("--real", action="store_true", help="on the published discs under LUMBAR_REAL_DATA")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="processes on this machine")
    command.add_argument("--hours", type=float, help="begin no run after so many hours")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    command = verb(
        "real",
        _real,
        "Learn herniated discs from a real dataset in repeated folds by patient; resumable.",
    )
    command.add_argument("--table", action="store_true", help="only show what is stored")
    command.add_argument("--path", metavar="FOLDER", help="your own pictures with YOLO boxes of discs")
    command.add_argument(
        "--classes", default="disc,herniated", help="the names of its class numbers, the healthy one first"
    )
    command.add_argument("--patient-pattern", default="^[^_]+", help="finds the patient in a file name")
    command.add_argument("--out", metavar="FOLDER", help="where results are kept, by default results/real")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="processes on this machine")
    command.add_argument("--hours", type=float, help="begin no run after so many hours")
    command.add_argument("--json", action="store_true", help="print JSON instead of tables")

    command = verb("two-views", _two_views, "Show what a second view of each disc brings, or compute it.")
    command.add_argument("--compute", action="store_true", help="train what is not there yet (half an hour)")

    command = verb("locate", _locate, "Find and number vertebral bodies and discs in a sagittal slice.")
    command.add_argument("image", metavar="IMAGE", help="PNG, JPEG, BMP, TIFF or DICOM")
    command.add_argument("--out", metavar="PNG", help="also draw what was found over the picture")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    command = verb(
        "study", _study, "Compare all networks on the same folds, with learning curves; resumable."
    )
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="processes on this machine")
    command.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster to compute on instead")
    command.add_argument("--out", metavar="FOLDER", help="where results are kept, by default results/study")
    command.add_argument("--networks", metavar="NAMES", help="only these, such as cnn,cnn_svm")
    command.add_argument(
        "--view", choices=("column", "whole"), default="column", help="what the networks see"
    )
    command.add_argument("--hours", type=float, help="begin no run after so many hours")
    command.add_argument("--status", action="store_true", help="only tell what is done and what is to do")

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
    return parser


def _add_source(command):
    command.add_argument("--source", required=True, choices=("folder", "yolo"))
    command.add_argument("--path", required=True)
    command.add_argument("--classes", help="yolo: the names of the class numbers, such as disc,herniated")
    command.add_argument("--patient-pattern", help="regular expression that finds the patient in a file name")
    command.add_argument("--size", type=int, default=64, help="side of the pictures in pixels")


def _add_output(command):
    command.add_argument("--format", choices=("text", "html", "json"), default="text")
    command.add_argument("--out", metavar="FILE", help="write there instead of printing")


def _load(options):
    """Return the dataset that the source's options describe."""
    from .sources import load_dataset

    source_options = {"path": options.path, "size": options.size, "patient_pattern": options.patient_pattern}
    if options.source == "yolo":
        if not options.classes:
            raise LumbarError(
                "The yolo source needs --classes, the names of its class numbers: --classes disc,herniated."
            )
        source_options["classes"] = tuple(options.classes.split(","))
    return load_dataset(options.source, **source_options)


def _dashboard(options):
    from .dashboard.serve import dashboard

    return dashboard(host=options.host, port=options.port)


def _lab(options):
    from .dashboard.serve import lab

    return lab(port=options.port)


def _doctor(options):
    from .teaching import doctor

    findings = doctor()
    print(findings)
    return 0 if findings.in_order else 1


def _marks(options):
    from .paths import write_whole
    from .teaching.marks import read_marks, summarise_marks

    marks = read_marks(options.folder)
    print(summarise_marks(marks).to_string())
    if options.out:
        write_whole(Path(options.out), marks.to_csv(index=False).encode())


def _phantom(options):
    from .phantom.contact_sheet import save_contact_sheet

    chosen = {name: getattr(options, name) for name in ("seed", "view", "contrast", "variation")}
    save_contact_sheet(options.contact_sheet, **chosen)


def _evaluate(options):
    from .evaluation import Predictions, evaluate

    _show(evaluate(Predictions.load(options.predictions)), options)


def _paper(options):
    from .evaluation import paper_reported

    _show(paper_reported(), options)


def _show(report, options):
    """Print a report in the chosen format, or write it to the chosen file."""
    if options.format == "json":
        text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    else:
        text = report.to_html() if options.format == "html" else str(report)
    if not options.out:
        print(text)
        return
    try:
        Path(options.out).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise LumbarError(
            f"{options.out} cannot be written ({error.strerror}); name a file in a folder that exists."
        ) from error


def _zoo(options):
    if options.table:
        from .studies.zoo_table import zoo_table

        table = zoo_table()
        print(json.dumps(table.to_dict(), ensure_ascii=False, allow_nan=False) if options.json else table)
        return
    size = {} if options.patients is None else {"n_patients": options.patients}
    if options.train == "localiser":
        from .studies.localiser import train_localiser

        train_localiser(**size)
        return
    if options.train == "discs":
        from .studies.disc_network import train_discs

        train_discs(
            **size, **({} if options.epochs is None else {"epochs": _whole_numbers(options.epochs, 1)[0]})
        )
        return
    from .studies.zoo import train_zoo
    from .studies.zoo_ensembles import store_ensembles

    if options.train == "ensembles":
        store_ensembles()
        return
    if options.train != "all":
        size["names"] = tuple(options.train.split(","))
    if options.epochs is not None:
        size["epochs"] = _whole_numbers(options.epochs, 2)
    chosen = {name: getattr(options, name) for name in ("view", "precision", "jobs")}
    train_zoo(**size, **chosen, log=partial(print, flush=True))
    if options.train == "all" and options.view == "column":
        store_ensembles()


def _whole_numbers(text: str, how_many: int) -> tuple[int, ...]:
    numbers = text.split(",")
    if len(numbers) != how_many or not all(number.isdecimal() for number in numbers):
        wanted = "one whole number" if how_many == 1 else "two whole numbers, such as 10,8"
        raise LumbarError(f"--epochs is {text!r}, wanted {wanted}; give the epochs so.")
    return tuple(int(number) for number in numbers)


def _explanations(options):
    from .cam.stored import stored_scores, summary_of

    networks = options.networks.split(",") if options.networks else None
    if options.compute:
        from .studies.explanations import explain_zoo

        explain_zoo(networks, jobs=options.jobs, log=partial(print, flush=True))
    table = summary_of(stored_scores(networks), options.score)
    print(
        table.to_json(orient="records") if options.json else table.to_string(index=False, float_format="%.3f")
    )


def _clinical(options):
    from .studies.clinical import clinical_scores, planned_comparisons, run_clinical

    if options.compute:
        size = {} if options.patients is None else {"n_patients": options.patients}
        run_clinical(**size, log=partial(print, flush=True))
    print(f"Phantom scores with 95 % intervals.\n{clinical_scores().to_string(index=False)}\n")
    shown = ["first", "second", "only_first", "only_second", "p_holm", "difference", "low", "high"]
    print(planned_comparisons()[shown].to_string(index=False, float_format="%.3f"))


def _unlabelled(options):
    from .studies.unlabelled import run_unlabelled
    from .studies.unlabelled_real import run_real
    from .studies.unlabelled_table import summarise_unlabelled

    if options.compute:
        run = run_real if options.real else run_unlabelled
        run(jobs=options.jobs, hours=options.hours, log=partial(print, flush=True))
    table = summarise_unlabelled("unlabelled_real" if options.real else "unlabelled")
    print(
        table.to_json(orient="records") if options.json else table.to_string(index=False, float_format="%.3f")
    )


def _real(options):
    from .studies.real import read_discs, run_real_study
    from .studies.real_card import card_of_real, write_card_of_real
    from .studies.real_scores import about_real, real_table, zone_table

    if not options.table:
        discs = None
        if options.path:
            if not options.out:
                raise LumbarError(
                    "Results of your own pictures need --out FOLDER, wanted one that is not results/real; name it."
                )
            names = tuple(options.classes.split(","))
            discs = read_discs(options.path, classes=names, patient_pattern=options.patient_pattern)
        if not run_real_study(
            discs, folder=options.out, jobs=options.jobs, hours=options.hours, log=partial(print, flush=True)
        ):
            print(f"Written: {write_card_of_real(options.out)}")
    if options.json:
        tables = {
            name: json.loads(table(options.out).to_json(orient="records"))
            for name, table in (("models", real_table), ("zones", zone_table))
        }
        print(json.dumps({"about": about_real(options.out), **tables}, ensure_ascii=False))
    else:
        print(card_of_real(options.out))


def _two_views(options):
    from .studies.two_views import run_two_views
    from .studies.two_views_table import auc_table, difference_table, load_two_views

    if options.compute:
        run_two_views(log=partial(print, flush=True))
    study = load_two_views()
    located = study.findings["located"].mean()
    print(
        f"Phantom scores: AUC with 95 % intervals over {study.findings['patient_id'].nunique()} patients, "
        f"{len(study.findings)} discs, of which the localiser placed {located:.1%} rightly.\n"
        f"{auc_table(study).to_string(index=False)}\n\n"
        f"{difference_table(study).to_string(index=False, float_format='%.3f')}"
    )


def _locate(options):
    from .localise import locate
    from .localise.drawing import save_drawing
    from .sources import read_picture

    picture = read_picture(options.image)
    location = locate(picture)
    if options.out:
        save_drawing(options.out, picture, location)
    if options.json:
        print(json.dumps({"picture": options.image, "shape": list(picture.shape), **location.to_dict()}))
    else:
        print(location)


def _study(options):
    from .studies.study import plan, run_study, status
    from .studies.study_run import Configuration

    runs = plan(options.networks.split(",") if options.networks else None)
    configuration = Configuration(view=options.view)
    if options.status:
        table = status(runs, configuration, folder=options.out)
        print(f"{table.to_string()}\n{table['done'].sum()} of {len(runs)} runs are done.")
        return
    run_study(
        runs,
        configuration,
        folder=options.out,
        jobs=options.jobs,
        scheduler=options.scheduler,
        hours=options.hours,
        log=partial(print, flush=True),
    )


def _audit(options):
    from .audit import audit
    from .splits import split_by_patient, split_by_picture

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
    from .studies.crossval import cross_validate_networks

    cross_validate_networks(
        _load(options),
        n_splits=options.folds,
        epochs=options.epochs,
        seed=options.seed,
        out=options.out,
        log=print,
    )


if __name__ == "__main__":
    sys.exit(main())
