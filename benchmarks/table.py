"""The table of all benchmarks, as Markdown, from what each of them found."""

from __future__ import annotations

from .measuring import amount

INTRODUCTION = """\
# Benchmarks

Made by `make bench`. Each row is measured in one run beside what a user would write instead, the two taking turns:
the medians, how many times as fast (or as small) ours is, and in brackets the lowest and the highest of that ratio. The
floor is the least that the work could take on the same machine in the same run.
"""
HEAD = ("", "ours", "the plain way", "ratio", "floor", "aim", "measured")
BUSY = 0.1  # of the cores in use by others: worth saying


def render_table(benchmarks: dict[str, dict]) -> str:
    """Return the page for {name: {"date", "machine", "busy", and "found" or "failed"}}."""
    lines = [_line(HEAD), _line(["---"] * len(HEAD))]
    curves = []
    for name, entry in benchmarks.items():
        date = entry["date"] + (" (busy)" if entry["busy"] > BUSY else "")
        if "failed" in entry:
            lines.append(_line([f"`{name}`", f"**failed**: {entry['failed']}", "", "", "", "", date]))
        found = entry.get("found", {})
        lines += [_line([*_cells(row), date]) for row in found.get("rows", ())]
        curves += [_curve(curve, date) for curve in found.get("curves", ())]
    return "\n".join([INTRODUCTION, *lines, "", _machines(benchmarks), *curves])


def _cells(row: dict) -> list[str]:
    unit = row["unit"]
    ours, plain, ratio, floor = amount(row["ours"], unit), "", "", ""
    if "ratio" in row:
        plain = f"{amount(row['plain'], unit)}: {row['plain_way']}"
        ratio = f"{_times(row['ratio'])} [{_times(row['lowest'])}, {_times(row['highest'])}], {row['over']}"
    elif row["lowest_ours"] < row["highest_ours"]:
        ours += f" [{amount(row['lowest_ours'], unit)}, {amount(row['highest_ours'], unit)}], {row['over']}"
    if "floor" in row:
        floor = f"{amount(row['floor'], unit)}: {row['floor_of']}; ours is {_times(row['times_the_floor'])} times that"
    aim = f"{row['aim']}: {'met' if row['met'] else '**missed**'}" if "aim" in row else ""
    return [row["what"], ours, plain, ratio, floor, aim]


def _times(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _line(cells) -> str:
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _curve(curve: dict, date: str) -> str:
    head, *rows = curve["table"]
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n".join([f"\n## {curve['title']}\n", f"{curve['about']} Measured {date}.\n", *lines, ""])


def _machines(benchmarks: dict[str, dict]) -> str:
    """Return a line a machine with the benchmarks that ran there, and what "busy" means where it stands."""
    places: dict[str, list[str]] = {}
    for name, entry in benchmarks.items():
        places.setdefault(_described(entry["machine"]), []).append(name)
    lines = [f"- {', '.join(names)}: {place}." for place, names in places.items()]
    if any(entry["busy"] > BUSY for entry in benchmarks.values()):
        lines.append(f"- busy: other programs used more than {BUSY:.0%} of the processor when it began.")
    return "\n".join(["Machine and versions:\n", *lines, ""])


def _described(machine: dict) -> str:
    versions = ", ".join(f"{package} {number}" for package, number in machine["versions"].items())
    return ", ".join(
        [
            machine["processor"],
            f"{machine['cores']} cores",
            f"{machine['memory_gb']} GB",
            machine["system"],
            versions,
        ]
    )
