"""The command line: `python -m lumbar_utils VERB`, what make calls and what Windows users type."""

from __future__ import annotations

import argparse
import sys

from .commands import networks, pictures, reports, serving, studies
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

    for kind in (serving, pictures, reports, networks, studies):
        kind.add_verbs(verb)
    return parser


if __name__ == "__main__":
    sys.exit(main())
