"""How long the first training step takes by `lumbar_utils.fit` beside plain Keras, for networks with many layers.

`python -m benchmarks.first_step [--json] [--rounds 1]`. Both train on 16 pictures of 128 x 128 once, each in its own
process. Keras traces the step a second time when the optimizer makes its variables inside the first one; `fit` has
them made before.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

NETWORKS = ("densenet121",)
WAYS = ("ours", "keras")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--way", choices=WAYS, help="be the process of one way")
    parser.add_argument("--network", choices=NETWORKS)
    options = parser.parse_args()
    if options.way:
        print(first_step_seconds(options.network, options.way))
        return
    found = measure(options.rounds)
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(rounds: int) -> dict:
    """Return the median seconds of both ways and their ratio, below 1 where ours is faster."""
    found = {}
    for network in NETWORKS:
        seconds = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                command = [sys.executable, "-m", "benchmarks.first_step", "--way", way, "--network", network]
                answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                seconds[way].append(float(answer.split()[-1]))
        median = {way: statistics.median(values) for way, values in seconds.items()}
        found[f"{network}_ratio"] = round(median["ours"] / median["keras"], 2)
        found |= {f"{network}_{way}_seconds": round(median[way], 1) for way in WAYS}
    return found


def first_step_seconds(network: str, way: str) -> float:
    """Return seconds from the compiled-to-be network to the end of its first training step."""
    import keras
    import numpy as np

    from lumbar_utils import build_model
    from lumbar_utils.training.fit import compile_for

    keras.utils.set_random_seed(0)
    model = build_model(network, "paper", input_shape=(128, 128, 3))
    x, y = np.random.default_rng(0).random((16, 128, 128, 3)).astype(np.float32), np.arange(16) % 4
    begin = time.perf_counter()
    if way == "ours":
        compile_for(model, learning_rate=1e-3)
    else:
        model.compile(
            keras.optimizers.Adam(1e-3),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
    model.fit(x, y, batch_size=16, epochs=1, verbose=0)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
