"""How cost grows: with the number of patients, and with one process or two on the same cores.

`python -m benchmarks.growth [--json] [--full]`. Patients: drawing, framing of the column, and one epoch of the course
CNN after its first step, each number of patients in its own process. Workers: two trainings of that network at once,
in two processes with half the cores each, beside one process with all of them that does one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence

from lumbar_utils.memory import peak_memory_mb

from .measuring import Worker, amount, in_own_process, interleaved, matrix_rate, row, show

PATIENTS, MANY = (100, 300, 1000), (3000, 10_000)
NETWORK, SHAPE, BATCH = "cnn", (192, 96, 1), 16
PICTURES = 256  # of a worker's epoch


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--full", action="store_true", help=f"also {MANY[0]} and {MANY[1]} patients")
    parser.add_argument("--patients", type=int, nargs="+", default=PATIENTS)
    parser.add_argument("--rounds", type=int, default=5, help="of the workers")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="a worker's epoch has")
    parser.add_argument("--part", choices=("patients", "worker"), help="be one process")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.part == "patients":
        print(json.dumps(one_size(options.patients[0])), flush=True)
    elif options.part == "worker":
        serve(options.threads, options.pictures)
    else:
        patients = (*options.patients, *(MANY if options.full else ()))
        show(measure(patients, options.rounds, options.pictures), options.json)


def measure(patients: Sequence[int], rounds: int, pictures: int = PICTURES) -> dict:
    """Return seconds and memory by number of patients, and what two workers save."""
    sizes = {}
    for n in patients:
        sizes[n], _ = in_own_process("growth", "--part", "patients", "--patients", n)
    parts = ("drawing", "framing", "epoch")
    table = [["patients", *parts, "per patient", "peak memory"]]
    for n, found in sizes.items():
        seconds = [found[f"{part}_seconds"] for part in parts]
        table.append(
            [
                n,
                *(amount(each, "s") for each in seconds),
                amount(sum(seconds) / n, "s"),
                amount(found["peak_mb"], "MB"),
            ]
        )
    about = "Drawing with label maps, cropping along the column, one epoch of the course CNN, one process."
    curve = {"title": "Cost by number of patients", "about": about, "table": table}
    return {"patients": sizes, "rows": [workers(rounds, pictures)], "curves": [curve]}


def one_size(n_patients: int) -> dict:
    """Return the seconds of drawing, framing and one epoch, and the peak of this process in MB."""
    import keras

    from lumbar_utils import load_dataset
    from lumbar_utils.preparation import scale_values
    from lumbar_utils.studies.patients import framed

    marks = [time.perf_counter()]
    dataset = load_dataset("phantom", n_patients=n_patients, seed=0, cache=False)
    marks.append(time.perf_counter())
    part = framed(dataset, "column")
    marks.append(time.perf_counter())
    x, y = scale_values(part.frames.pictures), dataset.labels
    keras.utils.set_random_seed(0)
    seconds = epoch_seconds(compiled(), x, y)
    return {
        "drawing_seconds": marks[1] - marks[0],
        "framing_seconds": marks[2] - marks[1],
        "epoch_seconds": seconds,
        "peak_mb": peak_memory_mb(),
    }


def compiled():
    """Return the course CNN, compiled as `fit` does it, after its first step."""
    import numpy as np

    from lumbar_utils import build_model
    from lumbar_utils.training.fit import compile_for

    model = build_model(NETWORK, input_shape=SHAPE)
    compile_for(model, learning_rate=1e-3)
    model.fit(np.zeros((BATCH, *SHAPE), np.float32), np.zeros(BATCH, int), batch_size=BATCH, verbose=0)
    return model


def epoch_seconds(model, x, y) -> float:
    begin = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, verbose=0)
    return time.perf_counter() - begin


def workers(rounds: int, pictures: int) -> dict:
    """Return the row of two trainings at once beside one after the other, with as many threads in all."""
    from lumbar_utils import build_model

    from .network_costs import PASSES_OF_A_STEP, multiply_adds

    cores = max(2, os.cpu_count() or 1)
    rate = matrix_rate()  # before the others start
    start = lambda threads: Worker("growth", "--part", "worker", "--threads", threads, "--pictures", pictures)
    alone, pair = start(cores), [start(cores // 2) for _ in range(2)]

    def at_once():
        for worker in pair:
            worker.send("epoch")
        for worker in pair:
            worker.answer()

    seconds = interleaved({"two": at_once, "one": lambda: [alone.ask("epoch") for _ in range(2)]}, rounds)
    for worker in (alone, *pair):
        worker.stop()
    work = 2 * PASSES_OF_A_STEP * pictures * multiply_adds(build_model(NETWORK, input_shape=SHAPE))
    return row(
        f"Two trainings at once, a process with {cores // 2} of {cores} threads each",
        seconds["two"],
        seconds["one"],
        plain_way=f"one after the other with {cores} threads",
        floor=work / rate,
        floor_of="multiply-adds at the matrix rate",
    )


def serve(threads: int, pictures: int) -> None:
    """Train an epoch for each line that comes, and answer with its seconds."""
    import numpy as np

    from lumbar_utils.studies.study_run import limit_threads

    limit_threads(threads)
    generator = np.random.default_rng(0)
    x, y = generator.random((pictures, *SHAPE), dtype=np.float32), generator.integers(0, 4, pictures)
    model = compiled()
    for _ in sys.stdin:
        print(epoch_seconds(model, x, y), flush=True)


if __name__ == "__main__":
    main()
