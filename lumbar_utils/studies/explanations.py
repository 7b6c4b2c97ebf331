"""Scores the heat maps of the shipped networks against the true lesions of the zoo's locked test patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ..cam import METHODS, method_named
from ..cam.scores import score_explanations
from ..cam.stored import FOLDER, RANDOMISED, store_scores, summary_of
from ..checkpoints import WEIGHTS, read_checkpoint
from ..dataset import LumbarError
from ..evaluation import load_results
from ..evaluation.results import CEILING
from ..explain import explain, randomised_network
from ..models import build_model, cam_layer_of, display_name_of
from ..paths import results_folder
from ..phantom import PHANTOM_VERSION, lesion_mask
from ..training import scaled_for
from .patients import Part
from .study_executors import one_by_one_or_at_once
from .study_run import limit_threads
from .zoo import NETWORKS, SEEDS, draw_parts


def explain_zoo(
    names: Sequence[str] | None = None,
    *,
    methods: Sequence[str] = tuple(METHODS),
    n_patients: int | None = None,
    jobs: int = 1,
    results: Path | None = None,
    log: Callable[[str], None] = print,
) -> None:
    """Explain the true class of every locked test patient with a visible lesion, and store each picture's scores.

    Everything is scored in what the network sees, the column: in the whole picture the crop alone would lie far above
    chance. Written are, by default in results/explanations, NETWORK.csv with one row a picture and method, of the
    network as it ships and with weights drawn anew, NETWORK_references.csv with what maps that know nothing of a
    network would score on the same pictures, and NETWORK.json with what was explained.

    Parameters
    ----------
    names : shipped networks, by default all. methods : names of `cam.METHODS`; "scorecam" runs a network a hundred
        times a picture.
    n_patients : only so many of the test patients, by default all.
    jobs : networks explained at once, each in a process of its own.

    Raises
    ------
    LumbarError : a network that does not ship, an unknown method, no patient with a lesion.
    """
    for method in methods:
        method_named(method)
    names = tuple(load_results("zoo").keys() & set(NETWORKS)) if names is None else tuple(names)
    for name in names:
        read_checkpoint(name)
    results = results_folder() / FOLDER if results is None else Path(results)
    part, masks, label_maps = with_lesion(locked_patients(n_patients))
    work = partial(
        _score_and_store,
        part=part,
        masks=masks,
        label_maps=label_maps,
        methods=tuple(methods),
        results=results,
    )
    one_by_one_or_at_once(work, sorted(names), jobs=jobs, log=log)


def _score_and_store(
    name: str, *, part, masks, label_maps, methods, results: Path, threads: int | None = None
) -> str:
    """Explain one network and store the scores; return their summary as text."""
    if threads is not None:
        limit_threads(threads)
    table = score_network(name, part, masks, label_maps, methods)
    provenance = {
        "weights_sha256": read_checkpoint(name).card["files"][WEIGHTS],
        "phantom_version": PHANTOM_VERSION,
        "seed": SEEDS["test"],
        "patients": len(part.dataset),
        "fingerprint": part.dataset.fingerprint(),
        "view": "column",
        "methods": list(methods),
    }
    store_scores(table, results / f"{name}.csv", provenance)
    return f"{summary_of(table).to_string(float_format='{:.3f}'.format)}\n"


def locked_patients(n_patients: int | None = None) -> Part:
    """Return the zoo's test patients, the column of each cut out."""
    stored = load_results("zoo")
    if CEILING not in stored:
        raise LumbarError("There are no locked test patients without results/zoo; train it with `make zoo`.")
    return draw_parts({"test": n_patients or len(stored[CEILING])})["test"]


def with_lesion(part: Part) -> tuple[Part, np.ndarray, np.ndarray]:
    """Return the patients whose lesion shows in the frame, lesion masks and label maps of the frames, (N, h, w)."""
    label_maps = part.frames.carry(part.dataset.masks)
    names = part.dataset.class_names
    masks = np.stack(
        [lesion_mask(each, names[label]) for each, label in zip(label_maps, part.dataset.labels, strict=True)]
    )
    rows = np.flatnonzero(masks.any(axis=(1, 2)))
    if len(rows) == 0:
        raise LumbarError(
            f"None of the {len(part.dataset)} patients shows the lesion of its class; draw more of them."
        )
    return part.subset(rows), masks[rows], label_maps[rows]


def score_network(
    name: str, part: Part, masks: np.ndarray, label_maps: np.ndarray, methods: Sequence[str]
) -> pd.DataFrame:
    """Return the scores of each picture, method and network, as it ships and with all its weights drawn anew."""
    trained = build_model(name, weights="phantom")
    cells = tuple(trained.get_layer(cam_layer_of(trained)).output.shape[1:3])
    tables = []
    for kind, model in (("trained", trained), (RANDOMISED, randomised_network(trained))):
        x = scaled_for(model, part.frames)
        for method in methods:
            heat = explain(model, x, method, class_index=part.dataset.labels)
            scores = score_explanations(
                heat,
                masks,
                label_maps=label_maps,
                pictures=part.frames.pictures,
                cells=cells,
                patient_ids=part.dataset.patient_ids,
            )
            label = [part.dataset.class_names[k] for k in part.dataset.labels]
            scores.insert(1, "label", label)
            scores.insert(0, "method", method)
            scores.insert(0, "weights", kind)
            scores.insert(0, "network", display_name_of(trained))
            tables.append(scores)
    keras.backend.clear_session()
    return pd.concat(tables, ignore_index=True)
