"""What the involution layer costs beside the textbook form: extract patches, multiply, sum.

`python -m benchmarks.involution [--json] [--repeats 9]`. CPU, maps (16, 56, 56, 64), K = 7, G = 4. Each form runs in
its own process; the two take turns, so that another program on the machine slows both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

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
    found = measure(options.repeats)
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(repeats: int) -> dict:
    """Return medians of both forms and their ratios; a ratio above 1 is in favour of the layer."""
    workers = {form: Worker(form) for form in FORMS}
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
    return found


class Worker:
    """A process that holds one form and answers "forward", "step" (seconds) and "memory" (MB)."""

    def __init__(self, form: str):
        command = [sys.executable, "-m", "benchmarks.involution", "--form", form]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, question: str) -> float:
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process died when asked for {question}; run it with --form to see why")
        return float(answer)

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)


def serve(form: str) -> None:
    """Answer the questions that come line by line, with seconds or, for "memory", MB above imports and inputs."""
    import keras
    import psutil
    import tensorflow as tf

    from lumbar_utils.models import Involution2D
    from lumbar_utils.training.fit import peak_memory_mb

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
