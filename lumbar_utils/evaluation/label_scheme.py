"""Stored predictions under coarser labels: classes joined, their probabilities added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.predictions import Predictions

HEALTHY, ILL = "Healthy", "Ill"


def join_classes(predictions: Predictions, groups: dict[str, tuple[str, ...]]) -> Predictions:
    """Return the same rows under the names of `groups`, each the classes that it joins.

    A group's probability is the sum of its classes', and so the answer may change: three diseases at 0.2 each outweigh
    a Healthy of 0.4. Every class must stand in exactly one group, else `LumbarError`.
    """
    taken = [name for members in groups.values() for name in members]
    if sorted(taken) != sorted(predictions.class_names):
        raise LumbarError(
            f"the groups join {', '.join(taken) or 'nothing'}, wanted each of {', '.join(predictions.class_names)} "
            "once; give every class one group."
        )
    group_of = {name: k for k, members in enumerate(groups.values()) for name in members}
    to_group = np.array([group_of[name] for name in predictions.class_names])  # (K,)
    joins = np.eye(len(groups))[to_group]  # (K, groups)
    return replace(
        predictions,
        labels=to_group[predictions.labels],
        probabilities=predictions.probabilities @ joins,
        class_names=tuple(groups),
    )


def healthy_or_ill(predictions: Predictions) -> Predictions:
    """Return the same rows with all diseases joined into one class; refuse predictions without a class Healthy."""
    if HEALTHY not in predictions.class_names or len(predictions.class_names) < 3:
        raise LumbarError(
            f"{predictions.model} knows {', '.join(predictions.class_names)}, wanted {HEALTHY} and two diseases or "
            "more; keep its classes as they are."
        )
    ill = tuple(name for name in predictions.class_names if name != HEALTHY)
    return join_classes(predictions, {HEALTHY: (HEALTHY,), ILL: ill})
