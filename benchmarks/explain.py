"""How much faster 64 pictures are explained in one call than one at a time, by the Keras example, and by eli5.

`python -m benchmarks.explain [--json] [--rounds 5]`. The network is the course CNN with random weights, 128 pixels.
eli5 is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from lumbar_utils import build_model, explain, prepare
from lumbar_utils.explain import default_layer

from .measuring import interleaved, matrix_rate, row, show
from .network_costs import multiply_adds

try:
    from eli5.keras.explain_prediction import explain_prediction_keras
except ImportError:
    explain_prediction_keras = None

N_PICTURES = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many rounds is reported")
    parser.add_argument("--pictures", type=int, default=N_PICTURES)
    options = parser.parse_args()
    show(measure(options.rounds, options.pictures), options.json)


def measure(rounds: int, pictures: int = N_PICTURES) -> dict:
    """Return medians of seconds for all pictures, interleaved round by round, and their ratios."""
    tf.get_logger().setLevel(
        "ERROR"
    )  # the example and eli5 build a new graph for each picture, and are warned
    keras.utils.set_random_seed(0)
    model = build_model("cnn")
    images = np.random.default_rng(0).integers(0, 256, (pictures, 224, 224)).astype(np.uint8)
    x = prepare(images, size=model.input_shape[1])
    rivals: dict[str, tuple[str, Callable[[], object]]] = {
        "one_at_a_time": ("one at a time", lambda: [explain(model, image[None]) for image in images]),
        "keras_example": (
            "the example of keras.io",
            lambda: [keras_example(model, picture[None]) for picture in x],
        ),
    }
    if explain_prediction_keras is not None:
        rivals["eli5"] = ("eli5", lambda: [by_eli5(model, picture[None]) for picture in x])
    forms = {"batched": lambda: explain(model, images), "forward_batched": lambda: model(x, training=False)}
    seconds = interleaved(forms | {name: form for name, (_, form) in rivals.items()}, rounds)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    floor = pictures * multiply_adds(model) / matrix_rate()
    return {
        "pictures": pictures,
        **{f"{name}_seconds": round(value, 3) for name, value in medians.items()},
        "batch_ratio": round(medians["one_at_a_time"] / medians["batched"], 2),
        **{
            f"{name}_ratio": round(medians[name] / medians["batched"], 2)
            for name in rivals
            if name != "one_at_a_time"
        },
        "rows": [
            row(
                f"Grad-CAM of {pictures} pictures, course CNN",
                seconds["batched"],
                seconds[name],
                plain_way=way,
                floor=floor,
                floor_of="multiply-adds of one pass forward at the matrix rate",
                at_least=5 if name == "one_at_a_time" else None,
            )
            for name, (way, _) in rivals.items()
        ],
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


def by_eli5(model: keras.Model, picture: np.ndarray) -> np.ndarray:
    """Return the heat of one picture (1, H, W, C) as eli5 makes it, at the size of the maps."""
    _, height, width, _ = picture.shape
    found = explain_prediction_keras(
        model, picture, image=Image.new("L", (width, height)), layer=default_layer(model)
    )
    return found.targets[0].heatmap


if __name__ == "__main__":
    main()
