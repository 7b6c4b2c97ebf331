"""Verbs that compute a study, or show what is stored of it: study, clinical, unlabelled, real, two-views."""

from __future__ import annotations

import json
from functools import partial

from ..dataset import LumbarError
from .options import add_hours, add_jobs, add_view


def add_verbs(verb):
    command = verb(
        "study", _study, "Compare all networks on the same folds, with learning curves; resumable."
    )
    add_jobs(command)
    command.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster to compute on instead")
    command.add_argument("--out", metavar="FOLDER", help="where results are kept, by default results/study")
    command.add_argument("--networks", metavar="NAMES", help="only these, such as cnn,cnn_svm")
    add_view(command)
    add_hours(command)
    command.add_argument("--status", action="store_true", help="only tell what is done and what is to do")

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
    add_jobs(command)
    add_hours(command)
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
    add_jobs(command)
    add_hours(command)
    command.add_argument("--json", action="store_true", help="print JSON instead of tables")

    command = verb("two-views", _two_views, "Show what a second view of each disc brings, or compute it.")
    command.add_argument("--compute", action="store_true", help="train what is not there yet (half an hour)")


def _study(options):
    from ..studies.study import plan, run_study, status
    from ..studies.study_run import Configuration

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


def _clinical(options):
    from ..studies.clinical import clinical_scores, planned_comparisons, run_clinical

    if options.compute:
        size = {} if options.patients is None else {"n_patients": options.patients}
        run_clinical(**size, log=partial(print, flush=True))
    print(f"Phantom scores with 95 % intervals.\n{clinical_scores().to_string(index=False)}\n")
    shown = ["first", "second", "only_first", "only_second", "p_holm", "difference", "low", "high"]
    print(planned_comparisons()[shown].to_string(index=False, float_format="%.3f"))


def _unlabelled(options):
    from ..studies.unlabelled import run_unlabelled
    from ..studies.unlabelled_real import run_real
    from ..studies.unlabelled_table import summarise_unlabelled

    if options.compute:
        run = run_real if options.real else run_unlabelled
        run(jobs=options.jobs, hours=options.hours, log=partial(print, flush=True))
    table = summarise_unlabelled("unlabelled_real" if options.real else "unlabelled")
    print(
        table.to_json(orient="records") if options.json else table.to_string(index=False, float_format="%.3f")
    )


def _real(options):
    from ..studies.real import read_discs, run_real_study
    from ..studies.real_card import card_of_real, write_card_of_real
    from ..studies.real_scores import about_real, real_table, zone_table

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
    from ..studies.two_views import run_two_views
    from ..studies.two_views_table import auc_table, difference_table, load_two_views

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
