"""Drawn patients whose truth is known: grades are sampled, rendered as MR slices, and labelled by a written rule."""

from lumbar_utils.phantom.anatomy import Anatomy
from lumbar_utils.phantom.pathology import EXTENDED6, Level, derive_label, severities
from lumbar_utils.phantom.render import render
from lumbar_utils.phantom.rendering import Rendering, lesion_mask
from lumbar_utils.phantom.sample import Patient, make_dataset, sample_patient
from lumbar_utils.phantom.version import PHANTOM_VERSION

__all__ = [
    "EXTENDED6",
    "PHANTOM_VERSION",
    "Anatomy",
    "Level",
    "Patient",
    "Rendering",
    "derive_label",
    "lesion_mask",
    "make_dataset",
    "render",
    "sample_patient",
    "severities",
]
