"""How much faster 64 pictures are explained in one call than one at a time, and than the way of the Keras example.

`python -m benchmarks.explain [--json]`. The network is the course CNN with random weights, 128 pixels.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from lumbar_utils import build_model, explain, prepare
from lumbar_utils.explain import default_layer

N_PICTURES = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many rounds is reported")
    options = parser.parse_args()
    found = measure(options.rounds)
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(rounds: int) -> dict:
    """Return medians of seconds for 64 pictures, interleaved round by round, and their ratios."""
    keras.utils.set_random_seed(0)
    model = build_model("cnn")
    images = np.random.default_rng(0).integers(0, 256, (N_PICTURES, 224, 224)).astype(np.uint8)
    x = prepare(images, size=model.input_shape[1])
    forms: dict[str, Callable[[], object]] = {
        "batched": lambda: explain(model, images),
        "one_at_a_time": lambda: [explain(model, image[None]) for image in images],
        "keras_example": lambda: [keras_example(model, picture[None]) for picture in x],
        "forward_batched": lambda: model(x, training=False),
    }
    seconds = {name: [] for name in forms}
    for form in forms.values():
        form()
    for _ in range(rounds):
        for name, form in forms.items():
            start = time.perf_counter()
            form()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "pictures": N_PICTURES,
        **{f"{name}_seconds": round(value, 3) for name, value in medians.items()},
        "batch_ratio": round(medians["one_at_a_time"] / medians["batched"], 2),
        "keras_example_ratio": round(medians["keras_example"] / medians["batched"], 2),
    }


def keras_example(model: keras.Model, picture: np.ndarray) -> np.ndarray:
    """Return the heat of one picture (1, H, W, C) as the example on keras.io makes it."""
    grad_model = keras.Model(model.inputs, [model.get_layer(default_layer(model)).output, model.output])
    with tf.GradientTape() as tape:
        maps, logits = grad_model([picture])
        class_channel = logits[:, tf.argmax(logits[0])]
    pooled = tf.reduce_mean(tape.gradient(class_channel, maps), axis=(0, 1, 2))
    heat = tf.squeeze(maps[0] @ pooled[..., tf.newaxis])
    return (tf.maximum(heat, 0) / tf.math.reduce_max(heat)).numpy()


if __name__ == "__main__":
    main()
