"""How a scanner's settings are sampled: a table of distributions for each protocol, "narrow" or "wide"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lumbar_utils.dataset import LumbarError

Draw = Callable[[np.random.Generator], float | bool | tuple]


def between(low: float, high: float) -> Draw:
    """Uniform."""
    return lambda generator: float(generator.uniform(low, high))


def exp_between(low: float, high: float) -> Draw:
    """The exponential of a uniform value: as often half as double."""
    return lambda generator: float(np.exp(generator.uniform(low, high)))


def sometimes(chance: float, low: float, high: float) -> Draw:
    """Uniform in a share of all cases, else 0."""
    return lambda generator: float(generator.uniform(low, high) * (generator.uniform() < chance))


def happens(chance: float) -> Draw:
    """True in a share of all cases."""
    return lambda generator: bool(generator.uniform() < chance)


def both(*draws: Draw) -> Draw:
    """Several values, as a tuple."""
    return lambda generator: tuple(draw(generator) for draw in draws)


def sample_settings(
    generator: np.random.Generator,
    protocols: dict[str, dict[str, Draw | float]],
    *,
    variation: str,
    fov_mm: float | None,
    noise: float | None,
) -> dict:
    """Return a value for each setting of a protocol, in the table's order; `fov_mm` and `noise` replace theirs."""
    if variation not in protocols:
        raise LumbarError(f'variation is {variation!r}, wanted "narrow" or "wide"; choose one of the two.')
    settings = {
        name: draw(generator) if callable(draw) else draw for name, draw in protocols[variation].items()
    }
    fixed = {"fov_mm": fov_mm, "noise": noise}
    return settings | {name: float(value) for name, value in fixed.items() if value is not None}
