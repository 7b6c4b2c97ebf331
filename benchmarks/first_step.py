"""How long the first training step takes by `lumbar_utils.fit` beside plain Keras, for networks with many layers.

`python -m benchmarks.first_step [--json] [--rounds 3] [--networks densenet121]`. Both train on 16 pictures of
128 x 128 once, each in its own process. Keras traces the step a second time when the optimizer makes its variables
inside the first one; `fit` has them made before.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence

from .measuring import in_own_process, matrix_rate, row, show

NETWORKS = ("densenet121",)
WAYS = ("ours", "keras")
PICTURES, SIDE = 16, 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument(
        "--way", choices=WAYS, help="be the process of one way, for the first of the networks"
    )
    options = parser.parse_args()
    if options.way:
        print(json.dumps(first_step(options.networks[0], options.way)))
        return
    show(measure(options.rounds, options.networks), options.json)


def measure(rounds: int, networks: Sequence[str] = NETWORKS) -> dict:
    """Return the median seconds of both ways and their ratio, below 1 where ours is faster."""
    found, rows, rate = {}, [], matrix_rate()
    for network in networks:
        seconds = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                answer, _ = in_own_process("first_step", "--way", way, "--networks", network)
                seconds[way].append(answer["seconds"])
        median = {way: statistics.median(values) for way, values in seconds.items()}
        found[f"{network}_ratio"] = round(median["ours"] / median["keras"], 2)
        found |= {f"{network}_{way}_seconds": round(median[way], 1) for way in WAYS}
        rows.append(
            row(
                f"First training step of {network}, {PICTURES} pictures of {SIDE} px",
                seconds["ours"],
                seconds["keras"],
                plain_way="Keras, compile and fit",
                floor=answer["multiply_adds"] / rate,
                floor_of="multiply-adds of the step at the matrix rate; the rest is tracing",
                at_least=1 / 0.6,
                aim="at most 0.6 of the time",
            )
        )
    return found | {"rows": rows}


def first_step(network: str, way: str) -> dict:
    """Return seconds from the compiled-to-be network to the end of its first training step, and its multiply-adds."""
    import keras
    import numpy as np

    from lumbar_utils import build_model
    from lumbar_utils.training.fit import compile_for

    from .network_costs import PASSES_OF_A_STEP, multiply_adds

    keras.utils.set_random_seed(0)
    model = build_model(network, "paper", input_shape=(SIDE, SIDE, 3))
    x = np.random.default_rng(0).random((PICTURES, SIDE, SIDE, 3)).astype(np.float32)
    y = np.arange(PICTURES) % 4
    begin = time.perf_counter()
    if way == "ours":
        compile_for(model, learning_rate=1e-3)
    else:
        model.compile(
            keras.optimizers.Adam(1e-3),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
    model.fit(x, y, batch_size=PICTURES, epochs=1, verbose=0)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "multiply_adds": PASSES_OF_A_STEP * PICTURES * multiply_adds(model)}


if __name__ == "__main__":
    main()
