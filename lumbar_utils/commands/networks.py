"""Verbs for the shipped networks: zoo, explanations."""

from __future__ import annotations

import json
from functools import partial

from ..dataset import LumbarError
from .options import add_jobs, add_view


def add_verbs(verb):
    command = verb("zoo", _zoo, "Train the shipped networks on phantoms, or tell what they reach.")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--train",
        metavar="NAMES",
        help="all, or such as cnn,vgg16,cnn_svm,ceiling; then ensembles; before all, localiser; discs",
    )
    what.add_argument("--table", action="store_true", help="scores of the shipped networks, computed again")
    command.add_argument("--json", action="store_true", help="the table as JSON")
    add_view(command)
    command.add_argument("--patients", type=int, help="how many phantoms; by default 12000, localiser 9000")
    command.add_argument(
        "--epochs", metavar="N,N", help="how often each is seen at half and at whole size; discs: N"
    )
    command.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    add_jobs(command, help="networks trained at once")

    command = verb("explanations", _explanations, "Score heat maps against true lesions, or show the scores.")
    command.add_argument(
        "--compute",
        action="store_true",
        help="explain the locked test patients anew (an hour or two on two cores)",
    )
    command.add_argument("--networks", metavar="NAMES", help="only these, such as cnn,vgg16")
    add_jobs(command, help="networks explained at once")
    command.add_argument("--score", default="energy", help="pointing, energy, iou, auprc or level_hit")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _zoo(options):
    if options.table:
        from ..studies.zoo_table import zoo_table

        table = zoo_table()
        print(json.dumps(table.to_dict(), ensure_ascii=False, allow_nan=False) if options.json else table)
        return
    size = {} if options.patients is None else {"n_patients": options.patients}
    if options.train == "localiser":
        from ..studies.localiser import train_localiser

        train_localiser(**size)
        return
    if options.train == "discs":
        from ..studies.disc_network import train_discs

        train_discs(
            **size, **({} if options.epochs is None else {"epochs": _whole_numbers(options.epochs, 1)[0]})
        )
        return
    from ..studies.zoo import train_zoo
    from ..studies.zoo_ensembles import store_ensembles

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


def _explanations(options):
    from ..cam.stored import stored_scores, summary_of

    networks = options.networks.split(",") if options.networks else None
    if options.compute:
        from ..studies.explanations import explain_zoo

        explain_zoo(networks, jobs=options.jobs, log=partial(print, flush=True))
    table = summary_of(stored_scores(networks), options.score)
    print(
        table.to_json(orient="records") if options.json else table.to_string(index=False, float_format="%.3f")
    )


def _whole_numbers(text: str, how_many: int) -> tuple[int, ...]:
    numbers = text.split(",")
    if len(numbers) != how_many or not all(number.isdecimal() for number in numbers):
        wanted = "one whole number" if how_many == 1 else "two whole numbers, such as 10,8"
        raise LumbarError(f"--epochs is {text!r}, wanted {wanted}; give the epochs so.")
    return tuple(int(number) for number in numbers)
