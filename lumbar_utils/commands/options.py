"""Options that several verbs share."""

from __future__ import annotations

import argparse


def add_jobs(command, help="processes on this machine"):
    command.add_argument("--jobs", type=_one_or_more, default=1, metavar="N", help=help)


def add_hours(command):
    command.add_argument("--hours", type=float, metavar="HOURS", help="begin no run after so many hours")


def add_view(command):
    command.add_argument(
        "--view", choices=("column", "whole"), default="column", help="what the networks see"
    )


def _one_or_more(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} given, wanted a whole number from 1 on; leave it out for one"
        )
    return int(text)
