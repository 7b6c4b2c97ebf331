"""Looks for what makes a score too good: copies, patients on both sides of a split, and labels that nuisances tell."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from types import ModuleType

import numpy as np
import pandas as pd

from ..dataset import LumbarDataset, LumbarError
from .duplicates import exact_duplicates, near_duplicates
from .nuisances import nuisance_score, nuisances
from .report import AuditReport, Finding

__all__ = ["AuditReport", "Finding", "audit"]

_MIN_PATIENTS = 10  # with fewer, an interval over patients says nothing


def audit(dataset: LumbarDataset, split: Sequence | None = None, *, seed: int = 0) -> AuditReport:
    """Return what may make a score on `dataset` too good.

    Exact and near duplicates (turned by up to 15 degrees, brighter or darker, with salt-and-pepper noise), classes
    with one patient, and nuisances that tell the label; with a split also patients and duplicates that stand on both
    sides, and classes missing from a part. Copies of whole pictures are found nearly all; of cut-outs that are framed
    anew in each copy only about one in four, so there a `source_picture` column, which tells copies by name, is
    looked at too.

    Parameters
    ----------
    split : a `Split`, or a sequence of datasets or of row numbers, one a part; of two parts the second is the test.
    seed : of the folds, forests and resamples behind the nuisances' score.

    Raises
    ------
    LumbarError : a split that has fewer than two parts, an empty part, row numbers outside the dataset, or
        pictures of different sizes.
    """
    names, parts = _parts(dataset, split)
    pool = _join(dataset, parts)
    part = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    findings = _class_findings(pool, part, names)
    if split is not None:
        findings += _shared_findings(pool, part, names)
    exact = exact_duplicates(pool.images)
    near, _ = near_duplicates(pool.images, skip=exact)
    findings += _duplicate_findings(pool, part, names, "exact", exact)
    findings += _duplicate_findings(pool, part, names, "near", near)
    findings += _nuisance_findings(pool, seed)
    findings.sort(key=lambda finding: ("error", "warning", "note").index(finding.severity))
    sizes = ", ".join(f"{n} {len(p)}" for n, p in zip(names, parts, strict=True)) if split is not None else ""
    summary = f"{len(pool)} pictures of {len(np.unique(pool.patient_ids))} patients" + (
        f" ({sizes})" if sizes else ""
    )
    return AuditReport(dataset.name, summary, tuple(findings))


def _parts(dataset: LumbarDataset, split) -> tuple[tuple[str, ...], list[LumbarDataset]]:
    if split is None:
        return ("all",), [dataset]
    if len(split) < 2:
        raise LumbarError(
            f"{dataset.name}: the split has {len(split)} part(s), wanted at least 2; give training and test."
        )
    usual = {2: ("train", "test"), 3: ("train", "validation", "test")}
    names = (
        getattr(split, "_fields", None) or usual.get(len(split)) or [f"part {i}" for i in range(len(split))]
    )
    parts = []
    for name, part in zip(names, split, strict=True):
        if not isinstance(part, LumbarDataset):
            index = np.asarray(part)
            index = np.flatnonzero(index) if index.dtype == bool else index
            if index.size == 0 or index.min() < 0 or index.max() >= len(dataset):
                found = f"row {index.max()}" if index.size else "no row"
                raise LumbarError(
                    f"{dataset.name}: part {name!r} of the split names {found}, wanted rows from 0 to "
                    f"{len(dataset) - 1}; make the split from this dataset."
                )
            part = dataset.subset(index)
        parts.append(part)
    return tuple(names), parts


def _join(dataset: LumbarDataset, parts: list[LumbarDataset]) -> LumbarDataset:
    sizes = sorted({part.images.shape[1:] for part in parts})
    if len(sizes) > 1:
        raise LumbarError(
            f"{dataset.name}: the parts hold pictures of {' and '.join(map(str, sizes))} pixels, "
            "wanted one size; read them with the same size."
        )
    grey = [
        p.images if p.images.dtype == np.uint8 else np.round(p.images * 255).astype(np.uint8) for p in parts
    ]
    return replace(
        dataset,
        images=np.concatenate(grey),
        labels=np.concatenate([part.labels for part in parts]),
        patient_ids=np.concatenate([part.patient_ids for part in parts]),
        meta=pd.concat([part.meta for part in parts], ignore_index=True),
        masks=None,
    )


def _finding(
    pool: LumbarDataset, severity: str, kind: str, sentence: str, rows=(), pairs=(), **numbers
) -> Finding:
    rows = tuple(int(row) for row in rows)
    named = pool.meta["source_file"].astype(str).iloc[list(rows)] if "source_file" in pool.meta else ()
    pairs = tuple((int(a), int(b)) for a, b in pairs)
    return Finding(severity, kind, sentence, rows, tuple(dict.fromkeys(named)), pairs, numbers)


def _some(values, most: int = 4) -> str:
    values = [str(value) for value in values]
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")


# --- classes and patients ---


def _class_findings(pool, part, names) -> list[Finding]:
    findings = []
    for label, name in enumerate(pool.class_names):
        rows = np.flatnonzero(pool.labels == label)
        patients = np.unique(pool.patient_ids[rows])
        if len(patients) == 1:
            sentence = (
                f"Class {name!r} has one patient ({patients[0]}, {len(rows)} pictures), so what a network learns of "
                "the class is that patient."
            )
            findings.append(_finding(pool, "warning", "single patient", sentence, rows))
        missing = [n for i, n in enumerate(names) if not np.any(part[rows] == i)]
        if missing:
            where = f"missing from {_some(missing)}" if len(names) > 1 else "without a picture"
            sentence = f"Class {name!r} is {where}, so no score there can speak of it."
            findings.append(_finding(pool, "warning", "missing class", sentence))
    return findings


def _shared_findings(pool, part, names) -> list[Finding]:
    """Return patients, and source pictures where `meta` names them, that stand in more than one part."""
    findings = []
    units = {"patients": pool.patient_ids}
    if "source_picture" in pool.meta:
        units["source pictures"] = pool.meta["source_picture"].fillna("").to_numpy(dtype=str)
    for what, of_row in units.items():
        for a, b in combinations(range(len(names)), 2):
            shared = np.setdiff1d(np.intersect1d(of_row[part == a], of_row[part == b]), [""])
            if not len(shared):
                continue
            in_b = len(np.unique(of_row[part == b]))
            sentence = (
                f"{len(shared)} of the {in_b} {what} in {names[b]} stand in {names[a]} too ({_some(shared)}); split "
                "by patient."
            )
            rows = np.flatnonzero(np.isin(of_row, shared) & np.isin(part, (a, b)))
            findings.append(
                _finding(pool, "error", f"shared {what}", sentence, rows, shared=len(shared), of=in_b)
            )
    return findings


# --- duplicates ---


def _duplicate_findings(pool, part, names, how, pairs) -> list[Finding]:
    findings = []
    a, b = pairs.T
    strangers = pool.patient_ids[a] != pool.patient_ids[b]
    across = part[a] != part[b]
    what = "of the same pixels" if how == "exact" else "that are turned, brighter or noisier copies"
    for i, j in combinations(range(len(names)), 2):
        here = (np.minimum(part[a], part[b]) == i) & (np.maximum(part[a], part[b]) == j)
        if here.any():
            sentence = (
                f"{here.sum()} pairs of pictures {what} stand across {names[i]} and {names[j]}, "
                f"{(here & strangers).sum()} of them under two patients' names; keep copies on one side."
            )
            rows = np.unique(pairs[here])
            findings.append(_finding(pool, "error", f"{how} duplicates across", sentence, rows, pairs[here]))
    inside = ~across
    clash = inside & (pool.labels[a] != pool.labels[b])
    for mask, severity, tail in (
        (clash, "warning", "carry two labels; at least one is wrong"),
        (inside & strangers & ~clash, "warning", "stand under two patients' names; a split may part them"),
        (inside & ~strangers & ~clash, "note", "belong to one patient and label; count them once"),
    ):
        if mask.any():
            rows = np.unique(pairs[mask])
            sentence = f"{mask.sum()} pairs of pictures {what} ({len(rows)} pictures) {tail}."
            findings.append(_finding(pool, severity, f"{how} duplicates", sentence, rows, pairs[mask]))
    return findings


def _nuisance_findings(pool: LumbarDataset, seed: int) -> list[Finding]:
    groups = nuisances(pool)
    usable = [
        label
        for label in range(len(pool.class_names))
        if len(np.unique(pool.patient_ids[pool.labels == label])) >= 2
    ]
    rows = np.flatnonzero(np.isin(pool.labels, usable))
    n_patients = len(np.unique(pool.patient_ids[rows]))
    if len(usable) < 2 or n_patients < _MIN_PATIENTS:
        sentence = (
            f"Whether nuisances tell the label was not tested: {len(usable)} class(es) with two patients or more and "
            f"{n_patients} patients, wanted 2 and {_MIN_PATIENTS}."
        )
        return [_finding(pool, "note", "nuisances not tested", sentence)]
    findings = []
    for what, table in groups.items():
        score = nuisance_score(table.iloc[rows], pool.labels[rows], pool.patient_ids[rows], seed=seed)
        told = score["low"] > 0.5
        sentence = (
            f"{what} alone ({', '.join(table)}) {'predicts' if told else 'does not clearly predict'} the label of "
            f"unseen patients: AUC {score['auc']:.2f} [{score['low']:.2f}, {score['high']:.2f}] over {n_patients} "
            f"patients, where chance is 0.50"
        )
        sentence += (
            f"; {score['most']} matters most (AUC falls by {score['drop']:.2f} without it)." if told else "."
        )
        kind = "nuisances" if told else "nuisances tested"
        findings.append(
            _finding(
                pool, "warning" if told else "note", kind, sentence, columns=list(table), group=what, **score
            )
        )
    return findings


class _CallableRoom(ModuleType):
    """Lets `lumbar_utils.audit`, which Python binds to this room once it is imported, be called as the function."""

    __call__ = staticmethod(audit)


sys.modules[__name__].__class__ = _CallableRoom
