"""What the involution layer costs beside the textbook form: extract patches, multiply, sum.

`python -m benchmarks.involution [--json] [--repeats 9]`. CPU, maps (16, 56, 56, 64), K = 7, G = 4. Each form runs in
its own process; the two take turns, so that another program on the machine slows both.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time

from .measuring import Worker, matrix_rate, memory_rate, row, show

SHAPE, KERNEL_SIZE, GROUPS = (16, 56, 56, 64), 7, 4
FORMS = ("ours", "patches")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--form", choices=FORMS, help="be the process of one form")
    options = parser.parse_args()
    if options.form:
        serve(options.form)
        return
    show(measure(options.repeats), options.json)


def measure(repeats: int) -> dict:
    """Return medians of both forms and their ratios; a ratio above 1 is in favour of the layer."""
    workers = {form: Worker("involution", "--form", form) for form in FORMS}
    first = {
        form: {task: worker.ask(task) for task in ("forward", "step")} for form, worker in workers.items()
    }
    seconds = {form: {"forward": [], "step": []} for form in FORMS}
    for _ in range(repeats):
        for task in ("forward", "step"):
            for form, worker in workers.items():
                seconds[form][task].append(worker.ask(task))
    memory_mb = {form: worker.ask("memory") for form, worker in workers.items()}
    for worker in workers.values():
        worker.stop()
    median = {
        form: {task: statistics.median(values) for task, values in tasks.items()}
        for form, tasks in seconds.items()
    }
    found = {
        "forward_ratio": round(median["patches"]["forward"] / median["ours"]["forward"], 1),
        "step_ratio": round(median["patches"]["step"] / median["ours"]["step"], 1),
        "memory_ratio": round(memory_mb["patches"] / memory_mb["ours"], 1),
        "compile_seconds": round(sum(first["ours"].values()) - sum(median["ours"].values()), 1),
    }
    for form in FORMS:
        found |= {f"{form}_{task}_ms": round(1000 * median[form][task]) for task in ("forward", "step")}
        found[f"{form}_memory_mb"] = round(memory_mb[form])
    return found | {"rows": rows(seconds, memory_mb)}


def rows(seconds: dict, memory_mb: dict) -> list[dict]:
    """Return the rows of the table, with the floor: each map read and written once, or the multiply-adds."""
    from .network_costs import PASSES_OF_A_STEP, involution_multiply_adds

    maps = 4 * math.prod(SHAPE)  # bytes
    reduced = SHAPE[-1] // 4  # the layer's default reduction
    work = SHAPE[0] * involution_multiply_adds(SHAPE[1:], KERNEL_SIZE, GROUPS, reduced) / matrix_rate()
    bytes_a_second = memory_rate()
    # forward reads x and writes y; the gradients read x and what comes from above, and write one of x's size
    moved = {"forward": 2 * maps / bytes_a_second, "step": 5 * maps / bytes_a_second}
    work = {"forward": work, "step": PASSES_OF_A_STEP * work}
    names = {"forward": "Involution, forward", "step": "Involution, forward and gradients"}
    found = []
    for task, at_least in (("forward", 12), ("step", 5)):
        by_bytes = moved[task] > work[task]
        found.append(
            row(
                f"{names[task]}, maps {SHAPE}, K = {KERNEL_SIZE}, G = {GROUPS}",
                seconds["ours"][task],
                seconds["patches"][task],
                plain_way="extract patches, multiply, sum",
                floor=max(moved[task], work[task]),
                floor_of="each map moved once" if by_bytes else "multiply-adds at the matrix rate",
                at_least=at_least,
            )
        )
    memory = row(
        "Memory of both",
        [memory_mb["ours"]],
        [memory_mb["patches"]],
        plain_way="the same",
        unit="MB",
        over="peak above imports and inputs",
        floor=5 * maps / 1e6,
        floor_of="the maps alone",
        at_least=3,
    )
    return [*found, memory]


def serve(form: str) -> None:
    """Answer the questions that come line by line, with seconds or, for "memory", MB above imports and inputs."""
    import keras
    import psutil
    import tensorflow as tf

    from lumbar_utils.memory import peak_memory_mb
    from lumbar_utils.models import Involution2D

    keras.utils.set_random_seed(0)
    layer = Involution2D(KERNEL_SIZE, groups=GROUPS)
    layer.build(SHAPE)
    x, upstream = tf.random.normal(SHAPE), tf.random.normal(SHAPE)
    before_mb = psutil.Process().memory_info().rss / 1e6

    def output(x, training):
        return layer(x, training=training) if form == "ours" else from_patches(layer, x, training)

    @tf.function
    def forward():
        return output(x, training=False)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = output(x, training=True)
        return y, tape.gradient(y, [x, *layer.trainable_variables], output_gradients=upstream)

    for question in map(str.strip, sys.stdin):
        if question == "memory":
            answer = peak_memory_mb() - before_mb
        else:
            begin = time.perf_counter()
            for result in tf.nest.flatten({"forward": forward, "step": step}[question]()):
                result.numpy()
            answer = time.perf_counter() - begin
        print(answer, flush=True)


def from_patches(layer, x, training):
    """The same involution, with the layer's weights, as a textbook writes it."""
    import tensorflow as tf

    def convolve(maps, kernel):
        return tf.nn.conv2d(maps, tf.convert_to_tensor(kernel)[None, None], 1, "VALID")

    batch, height, width, channels = SHAPE
    reduced = tf.nn.relu(layer.normalise(convolve(x, layer.reduce.kernel), training=training))
    kernels = tf.nn.bias_add(convolve(reduced, layer.span.kernel), layer.span.bias)
    kernels = tf.reshape(kernels, (batch, height, width, KERNEL_SIZE**2, GROUPS, 1))
    window = (1, KERNEL_SIZE, KERNEL_SIZE, 1)
    patches = tf.image.extract_patches(x, window, (1, 1, 1, 1), (1, 1, 1, 1), "SAME")
    patches = tf.reshape(patches, (batch, height, width, KERNEL_SIZE**2, GROUPS, channels // GROUPS))
    return tf.reshape(tf.reduce_sum(kernels * patches, axis=3), SHAPE)


if __name__ == "__main__":
    main()
