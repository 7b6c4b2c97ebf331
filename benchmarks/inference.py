"""How fast the shipped CNN answers by LiteRT, as the dashboard asks it, beside `model.predict` of Keras.

`python -m benchmarks.inference [--json] [--rounds 9]`. Both get the same pictures of the column, uint8, and give
probabilities. Start-up is from nothing to the first answer, each in its own process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

import numpy as np

from lumbar_utils.memory import peak_memory_mb

from .measuring import in_own_process, interleaved, matrix_rate, row, show

NETWORK, BATCHES = "cnn", (1, 32)
WAYS = ("litert", "keras")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=9, help="of start-up a third of them")
    parser.add_argument("--repeats", type=int, default=10, help="calls a round")
    parser.add_argument("--way", choices=WAYS, help="be the process of one way")
    options = parser.parse_args()
    if options.way:
        answer_with(options.way)(1)
        print(json.dumps({"peak_mb": peak_memory_mb()}), flush=True)
        return
    show(measure(options.rounds, options.repeats), options.json)


def measure(rounds: int, repeats: int) -> dict:
    """Return milliseconds a call by batch, start-up seconds and peak memory of both ways, and their ratios."""
    start_up, peak_mb, bare = _start_ups(max(1, rounds // 3))
    answers = {way: answer_with(way) for way in WAYS}
    difference = np.abs(answers["litert"](32) - answers["keras"](32)).max()

    from lumbar_utils import build_model

    from .network_costs import multiply_adds

    work = multiply_adds(build_model(NETWORK, weights="phantom")) / matrix_rate()
    found, rows = {"largest_difference": float(f"{difference:.1e}")}, []
    for batch in BATCHES:
        forms = {
            way: lambda ask=ask, n=batch: [ask(n) for _ in range(repeats)] for way, ask in answers.items()
        }
        seconds = {
            way: [each / repeats for each in taken] for way, taken in interleaved(forms, rounds).items()
        }
        rows.append(
            row(
                f"Inference, course CNN, batch {batch}",
                seconds["litert"],
                seconds["keras"],
                plain_way="Keras, model.predict",
                floor=batch * work,
                floor_of="multiply-adds at the matrix rate",
                at_least=1,
            )
        )
        found[f"batch_{batch}_ratio"] = round(rows[-1]["ratio"], 2)
        found |= {
            f"{way}_batch_{batch}_ms": round(1000 * statistics.median(taken), 2)
            for way, taken in seconds.items()
        }
    rows += [
        row(
            "Start-up: imports, weights, first answer",
            start_up["litert"],
            start_up["keras"],
            plain_way="Keras",
            floor=bare,
            floor_of="Python importing NumPy and LiteRT",
        ),
        row(
            "Memory of that process, peak",
            peak_mb["litert"],
            peak_mb["keras"],
            plain_way="Keras",
            unit="MB",
        ),
    ]
    for way in WAYS:
        found[f"{way}_start_up_seconds"] = round(statistics.median(start_up[way]), 2)
        found[f"{way}_peak_mb"] = round(max(peak_mb[way]))
    return found | {"rows": rows}


def answer_with(way: str):
    """Return a function from a number of pictures, 1 or 32, to their probabilities."""
    if way == "litert":
        from lumbar_utils.framing import Frames
        from lumbar_utils.runtime import load_predictor

        predictor = load_predictor(NETWORK)
        columns = _columns(predictor.input_size)
        matrices = np.tile(np.eye(2, 3), (len(columns), 1, 1))
        frames = Frames(columns, matrices, np.ones(len(columns), bool), predictor.input_size)
        return lambda n: predictor.predict(frames[:n])

    from scipy.special import softmax

    from lumbar_utils import build_model

    model = build_model(NETWORK, weights="phantom")
    columns = _columns(model.input_shape[1:3])
    return lambda n: softmax(
        model.predict(columns[:n, ..., None].astype("float32") / 255, batch_size=32, verbose=0), axis=1
    )


def _columns(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (max(BATCHES), *size)).astype(np.uint8)


def _start_ups(rounds: int) -> tuple[dict, dict, float]:
    """Return seconds and peak MB by way, round by round, and the median seconds of the imports alone."""
    seconds, peak_mb = ({way: [] for way in WAYS} for _ in range(2))
    for turn in range(rounds + 1):
        for way in WAYS:
            answer, taken = in_own_process("inference", "--way", way)
            if turn:  # the first reads the libraries from the disk
                seconds[way].append(taken)
                peak_mb[way].append(answer["peak_mb"])
    imports = [sys.executable, "-c", "import numpy, ai_edge_litert.interpreter"]
    bare = interleaved({"bare": lambda: subprocess.run(imports, check=True)}, rounds)["bare"]
    return seconds, peak_mb, statistics.median(bare)


if __name__ == "__main__":
    main()
