"""Scores heat maps against masks, each score beside what maps score that never saw a network."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..dataset import LumbarError
from ..framing import Frames
from .masks import auprc, dilated, energy, iou, level_hit, level_zones, pointing
from .references import centre_map, chance_map, discs_map, edge_map, perfect_maps

SCORES = ("pointing", "energy", "iou", "auprc", "level_hit")
REFERENCES = ("chance", "centre", "edges", "discs", "ceiling")


def score_explanations(
    heat: np.ndarray,
    masks: np.ndarray,
    *,
    label_maps: np.ndarray | None = None,
    pictures: np.ndarray | None = None,
    cells: tuple[int, int] | None = None,
    frames: Frames | None = None,
    patient_ids: np.ndarray | None = None,
    tolerance_px: int = 8,
    threshold: float = 0.5,
) -> pd.DataFrame:
    """Return one row a picture: how well its heat map finds its mask, and how well other maps do.

    Parameters
    ----------
    heat : (N, H, W) of 0 or more, as `explain` gives it.
    masks : (N, H, W) bool, where the evidence is, as from `lesion_mask`. A picture without a lesion has NaN scores.
    label_maps : (N, H, W) label maps (`dataset.masks`); without them there is neither level_hit nor "discs".
    pictures : (N, H, W); without them there is no "edges".
    cells : (h, w), the size of the maps the heat came from; without it there is no "ceiling".
    frames : what the network saw, from `frame`; by default whole pictures.
    patient_ids : (N,), by default each picture is a patient of its own.
    tolerance_px : how far from the mask the hottest pixel may lie. At 224 pixels of 280 mm, 8 are a centimetre.
    threshold : share of a map's maximum from which on a pixel counts as chosen for the intersection over union.

    Returns
    -------
    DataFrame with patient_id; area, the mask's share of the picture; empty, whether the map is all zeros; the
    scores pointing, energy, iou, auprc (all `cam.masks`) and level_hit; and each score again for the
    references, as energy_chance, energy_centre (a Gaussian in the middle), energy_edges (the picture's edges),
    energy_discs (all discs alike, with a margin of `tolerance_px`) and energy_ceiling (the mask itself drawn in
    `cells`).

    A map of zeros scores what chance scores. A score means something only by what it has above chance, centre, edges
    and discs; and two networks can be compared only where their ceilings are alike.

    Raises
    ------
    LumbarError : arrays of different sizes, masks that are no masks, heat that is negative or NaN.
    """
    heat, masks = np.asarray(heat), np.asarray(masks)
    _check(heat, masks, {"label_maps": label_maps, "pictures": pictures}, patient_ids)
    patients = np.arange(len(heat)) if patient_ids is None else np.asarray(patient_ids)
    masks = masks.astype(bool)
    wide = np.stack([dilated(mask, tolerance_px) for mask in masks])
    perfect = None if cells is None else perfect_maps(masks, cells, frames)
    rows = []
    for row in range(len(heat)):
        mask = masks[row]
        found = {"patient_id": str(patients[row]), "area": mask.mean(), "empty": not heat[row].any()}
        zones = None if label_maps is None else level_zones(np.asarray(label_maps[row]))
        maps = {"": heat[row], "_chance": chance_map(*mask.shape), "_centre": centre_map(*mask.shape)}
        if pictures is not None:
            maps["_edges"] = edge_map(np.asarray(pictures[row]))
        if label_maps is not None:
            maps["_discs"] = discs_map(np.asarray(label_maps[row]), tolerance_px)
        if cells is not None:
            maps["_ceiling"] = perfect[row]
        for name, each in maps.items():
            scores = _scores(each, mask, wide[row], zones, threshold)
            found |= {f"{score}{name}": value for score, value in scores.items()}
        rows.append(found)
    return pd.DataFrame(rows)


def _scores(heat, mask, wide, zones, threshold: float) -> dict[str, float]:
    names = SCORES if zones is not None else SCORES[:-1]
    if not mask.any():
        return dict.fromkeys(names, np.nan)
    if not heat.any():
        heat = chance_map(*heat.shape)
    scores = {
        "pointing": pointing(heat, wide),
        "energy": energy(heat, mask),
        "iou": iou(heat, mask, threshold),
        "auprc": auprc(heat, mask),
    }
    return scores if zones is None else scores | {"level_hit": level_hit(heat, mask, zones)}


def summarise_scores(table: pd.DataFrame, *, n_resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return one row a score: mean and interval, the references' means, and what lies above the best of them.

    The unit is the patient: whole patients are drawn with replacement, and the limits are the 2.5 and
    97.5 % quantiles of the resampled means (Efron 1979); of one patient there is no interval.

    Parameters
    ----------
    table : from `score_explanations`; rows without a score are left out of it.

    Returns
    -------
    DataFrame, index score; columns value, low, high; chance, centre, edges, discs and ceiling as far as `table` has
    them; rival, the highest of these but for the ceiling, and above_rival, above_rival_low, above_rival_high,
    the paired difference from it; n_pictures, n_patients.
    """
    summary = {}
    for score in (name for name in SCORES if name in table):
        known = table[table[score].notna()]
        references = {
            name: known[f"{score}_{name}"].mean() for name in REFERENCES if f"{score}_{name}" in table
        }
        rivals = {name: mean for name, mean in references.items() if name != "ceiling"}
        rival = max(rivals, key=rivals.get)
        above = known[score] - known[f"{score}_{rival}"]
        low, high = _interval(known[score], known["patient_id"], n_resamples, seed)
        above_low, above_high = _interval(above, known["patient_id"], n_resamples, seed)
        summary[score] = {
            "value": known[score].mean(), "low": low, "high": high, **references, "rival": rival,
            "above_rival": above.mean(), "above_rival_low": above_low, "above_rival_high": above_high,
            "n_pictures": len(known), "n_patients": known["patient_id"].nunique(),
        }  # fmt: skip
    return pd.DataFrame.from_dict(summary, orient="index").rename_axis("score")


def _interval(values: pd.Series, patients: pd.Series, n_resamples: int, seed: int) -> tuple[float, float]:
    """Return the percentile limits of the mean over pictures, whole patients resampled; NaN for fewer than two."""
    sums = values.groupby(patients).agg(["sum", "size"]).to_numpy(dtype=float)  # (P, 2)
    if len(sums) < 2:
        return np.nan, np.nan
    n = len(sums)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_resamples)  # (B, P)
    totals = counts @ sums
    low, high = np.quantile(totals[:, 0] / totals[:, 1], [0.025, 0.975])
    return float(low), float(high)


def _check(heat, masks, others: dict, patient_ids) -> None:
    if heat.ndim != 3 or len(heat) == 0 or masks.shape != heat.shape:
        raise LumbarError(
            f"The heat maps have shape {heat.shape} and the masks {masks.shape}, wanted two arrays (N, H, W) of one "
            "shape; explain the pictures that the masks were drawn on."
        )
    if masks.dtype != bool and not np.isin(masks, (0, 1)).all():
        raise LumbarError(
            f"The masks hold numbers up to {masks.max()}, wanted True and False; take the lesion out of a label map "
            "with lesion_mask(label_map, class_name) and hand the label maps in as label_maps."
        )
    wrong = np.flatnonzero(~(np.isfinite(heat) & (heat >= 0)).all(axis=(1, 2)))
    if len(wrong):
        raise LumbarError(
            f"The heat map in row {wrong[0]} holds negative, infinite or missing values, wanted 0 or more; show the "
            "positive part."
        )
    for name, array in others.items():
        if array is not None and np.shape(array) != heat.shape:
            raise LumbarError(
                f"{name} has shape {np.shape(array)} and the heat maps {heat.shape}; hand in one for each, of its size."
            )
    if patient_ids is not None and len(patient_ids) != len(heat):
        raise LumbarError(
            f"There are {len(patient_ids)} patient_ids for {len(heat)} heat maps; give one a picture."
        )
