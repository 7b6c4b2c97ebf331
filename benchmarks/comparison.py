"""The comparison of all eight models on 190 phantom patients: as the course does it, and the plain way.

`python -m benchmarks.comparison [--json] [--steps 5] [--networks cnn cnn_svm]`. One fold of five, seed 0; each network
in its own process, ours and the plain one in turn.

Ours is the study's own run: course size, the column of the spine, early stopping, measured from start to end. The plain
way is that of the paper: 224 pixels, three channels, 100 epochs of Adam on the same patients, networks of
keras.applications with a pooled head where it has them, else of the package's paper size. Of these epochs a few steps
and one validation are measured and scaled to 100. Both read the same pictures, drawn once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise

from lumbar_utils.memory import peak_memory_mb

from .measuring import amount, in_own_process, matrix_rate, row, show

NETWORKS = (
    "cnn",
    "alexnet",
    "vgg16",
    "involution_vgg16",
    "resnet50",
    "densenet121",
    "mobilenet",
    "cnn_svm",
)
APPLICATIONS = {
    "vgg16": "VGG16",
    "resnet50": "ResNet50",
    "densenet121": "DenseNet121",
    "mobilenet": "MobileNet",
}
WAYS = ("draw", "ours", "plain")
PAPER_PATIENTS, PAPER_EPOCHS, SIDE, BATCH = 190, 100, 224, 16


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--patients", type=int, default=PAPER_PATIENTS)
    parser.add_argument("--steps", type=int, default=5, help="of the plain way, measured after the first")
    parser.add_argument("--epochs", type=int, help="at most, of ours; by default the study's")
    parser.add_argument("--side", type=int, default=SIDE, help="of the plain way, in pixels")
    parser.add_argument(
        "--way", choices=WAYS, help="be the process of one way, for the first of the networks"
    )
    options = parser.parse_args()
    sizes = {name: getattr(options, name) for name in ("patients", "steps", "epochs", "side")}
    if options.way:
        ways = {"draw": draw, "ours": run_ours, "plain": run_plain}
        print(json.dumps(ways[options.way](options.networks[0], **sizes)), flush=True)
        return
    show(measure(options.networks, **sizes), options.json)


def measure(networks: Sequence[str] = NETWORKS, **sizes) -> dict:
    """Return seconds and peak memory of both ways by network, and the rows of the table.

    sizes : patients, steps, epochs and side, as on the command line.
    """
    arguments = [part for name, value in sizes.items() if value for part in (f"--{name}", value)]
    measured, drawn = {}, None
    with tempfile.TemporaryDirectory() as cache:
        for network in networks:
            ask = lambda way, name=network: in_own_process(
                "comparison",
                "--way",
                way,
                "--networks",
                name,
                *arguments,
                environment={"LUMBAR_CACHE": cache},
            )
            if drawn is None:
                drawn = ask("draw")[0]["seconds"]
            ours, seconds = ask("ours")
            ours["seconds"] = seconds - ours.pop("counting_seconds")
            plain, _ = ask("plain")
            measured[network] = {"ours": ours, "plain": plain}
    return {
        "drawing_seconds": round(drawn, 1),
        "networks": measured,
        "rows": rows(measured, drawn, sizes["patients"], sizes["side"], matrix_rate()),
        "curves": [by_network(measured, sizes["side"])],
    }


def rows(measured: dict, drawn: float, patients: int, side: int, rate: float) -> list[dict]:
    """Return the whole comparison, an epoch of it, and the most memory of a process."""
    ours, plain = ([of[way] for of in measured.values()] for way in ("ours", "plain"))
    whole = drawn + sum(of["seconds"] for of in ours)
    scaled = [drawn + sum(of[f"seconds_{step}"] for of in plain) for step in ("least", "median", "most")]
    epoch = sum(of["training_seconds"] / of["epochs"] for of in ours)
    models = f"{len(measured)} models on {patients} patients"
    epochs = sum(of["epochs"] for of in ours)
    floor = {"floor_of": "multiply-adds of our networks at the matrix rate"}
    return [
        row(
            f"Comparison of {models}, one fold: ours with early stopping, {epochs} epochs in all",
            [whole] * 3,
            scaled,
            plain_way=f"{side} px, keras.applications, {PAPER_EPOCHS} epochs each, scaled from some steps",
            over="fastest and slowest step",
            floor=sum(of["multiply_adds"] for of in ours) / rate,
            at_least=20,
            **floor,
        ),
        row(
            f"One epoch of {models}",
            [epoch] * 3,
            [sum(of[f"epoch_seconds_{step}"] for of in plain) for step in ("least", "median", "most")],
            plain_way="the same, scaled from some steps",
            over="fastest and slowest step",
            floor=sum(of["multiply_adds"] / of["epochs"] for of in ours) / rate,
            **floor,
        ),
        row(
            "Its largest process, peak memory",
            [max(of["peak_mb"] for of in ours)],
            [max(of["peak_mb"] for of in plain)],
            plain_way="the same",
            unit="MB",
            over="peaks",
            at_most=2000,
        ),
    ]


def by_network(measured: dict, side: int) -> dict:
    """Return both ways network by network."""
    table = [["network", "ours", "epochs", "peak", "plain, 100 epochs", "peak", "ratio"]]
    for network, of in measured.items():
        ours, plain = of["ours"], of["plain"]
        table.append(
            [
                network,
                amount(ours["seconds"], "s"),
                ours["epochs"],
                amount(ours["peak_mb"], "MB"),
                amount(plain["seconds_median"], "s"),
                amount(plain["peak_mb"], "MB"),
                f"{plain['seconds_median'] / ours['seconds']:.0f}",
            ]
        )
    about = (
        f"Ours whole, with imports; the plain way's {PAPER_EPOCHS} epochs scaled from some steps, "
        f"pictures of {side} px, each epoch with its validation, without imports."
    )
    return {"title": "The comparison, network by network", "about": about, "table": table}


def draw(_network: str, *, patients: int, **_) -> dict:
    """Draw the patients, and keep them where both ways find them."""
    from lumbar_utils import load_dataset
    from lumbar_utils.studies.study_run import COMPARISON_SEED

    return {"seconds": _seconds(lambda: load_dataset("phantom", n_patients=patients, seed=COMPARISON_SEED))}


def run_ours(network: str, *, patients: int, epochs: int | None, **_) -> dict:
    """Do one run of the study; return its epochs, training seconds, peak memory and multiply-adds."""
    import keras

    from lumbar_utils import build_model
    from lumbar_utils.studies.study_run import HYBRIDS, Configuration, Run, parts_of, perform

    from .network_costs import PASSES_OF_A_STEP, multiply_adds

    configuration = Configuration(**({"epochs": epochs} if epochs else {}))
    run = Run("comparison", network, patients, seed=0, fold=0)
    _, history = perform(run, configuration, threads=os.cpu_count() or 1)
    peak_mb, done = peak_memory_mb(), time.perf_counter()
    training, validation, _, _ = parts_of(run, configuration)
    keras.backend.clear_session()
    shape = (*training.frames.pictures.shape[1:], 1)
    pictures = PASSES_OF_A_STEP * len(training.dataset) + len(validation.dataset)
    each = multiply_adds(build_model(HYBRIDS.get(network, network), "course", input_shape=shape))
    return {
        "epochs": len(history),
        "stopped": history.attrs["stopped"],
        "training_seconds": history.attrs["seconds"],
        "peak_mb": peak_mb,
        "multiply_adds": len(history) * pictures * each,
        "counting_seconds": time.perf_counter() - done,
    }


def run_plain(network: str, *, patients: int, steps: int, side: int, **_) -> dict:
    """Measure some steps and one validation; return the seconds of 100 epochs, scaled, and peak memory."""
    import keras

    from lumbar_utils.preparation import scale_values
    from lumbar_utils.studies.study_run import HYBRIDS, Configuration, Run, parts_of

    began = time.perf_counter()
    run = Run("comparison", network, patients, seed=0, fold=0)
    parts = parts_of(run, Configuration(view="whole", height=side))[:3]
    (x, y), (known, labels), (unseen, _) = (
        (scale_values(part.frames.pictures, channels=3), part.dataset.labels) for part in parts
    )
    model = plain_network(HYBRIDS.get(network, network), side)
    model.compile(
        keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    prepared = time.perf_counter() - began
    first, *later = _step_seconds(model, x[: BATCH * (steps + 1)], y[: BATCH * (steps + 1)])
    model.evaluate(known[:BATCH], labels[:BATCH], batch_size=BATCH, verbose=0)  # traces
    validation = _seconds(lambda: model.evaluate(known, labels, batch_size=BATCH, verbose=0))
    end = _seconds(lambda: model.predict(unseen, batch_size=BATCH, verbose=0))
    if network in HYBRIDS:
        end += _seconds(lambda: _fit_svm(model, x, y, unseen))
    found = {"first_step_seconds": first, "step_seconds": later, "peak_mb": peak_memory_mb()}
    for name, step in (("least", min(later)), ("median", statistics.median(later)), ("most", max(later))):
        epoch = step * len(x) / BATCH + validation
        found[f"epoch_seconds_{name}"] = epoch
        found[f"seconds_{name}"] = prepared + first + PAPER_EPOCHS * epoch + end
    return found


def plain_network(network: str, side: int):
    """Return a network of full size with random weights, four logits."""
    import keras

    from lumbar_utils import build_model

    shape = (side, side, 3)
    keras.utils.set_random_seed(0)
    if network not in APPLICATIONS:
        return build_model(network, "paper", input_shape=shape)
    application = getattr(keras.applications, APPLICATIONS[network])
    body = application(include_top=False, weights=None, input_shape=shape, pooling="avg")
    return keras.Model(body.input, keras.layers.Dense(4)(body.output))


def _step_seconds(model, x, y) -> list[float]:
    """Train one epoch; return the seconds of each whole step, the first of which traces."""
    import keras

    marks = [time.perf_counter()]

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            marks.append(time.perf_counter())

    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0, callbacks=[Clock()])
    return [after - before for before, after in pairwise(marks)][: len(x) // BATCH]


def _fit_svm(model, x, y, unseen) -> None:
    """Features of the last pooling, and a support vector machine on them."""
    import keras
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    body = keras.Model(model.inputs[0], model.layers[-1].input)
    learned, new = (body.predict(each, batch_size=BATCH, verbose=0) for each in (x, unseen))
    make_pipeline(StandardScaler(), SVC()).fit(learned, y).predict(new)


def _seconds(work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
