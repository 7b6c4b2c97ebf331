"""Verbs that serve pages or look after a course: dashboard, lab, doctor, marks."""

from __future__ import annotations

from pathlib import Path


def add_verbs(verb):
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


def _dashboard(options):
    from ..dashboard.serve import dashboard

    return dashboard(host=options.host, port=options.port)


def _lab(options):
    from ..dashboard.serve import lab

    return lab(port=options.port)


def _doctor(options):
    from ..teaching import doctor

    findings = doctor()
    print(findings)
    return 0 if findings.in_order else 1


def _marks(options):
    from ..paths import write_whole
    from ..teaching.marks import read_marks, summarise_marks

    marks = read_marks(options.folder)
    print(summarise_marks(marks).to_string())
    if options.out:
        write_whole(Path(options.out), marks.to_csv(index=False).encode())
