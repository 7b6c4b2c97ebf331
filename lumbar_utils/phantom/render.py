"""One picture of a phantom patient: tissue drawn in millimetres, then scanned, with its label map."""

from __future__ import annotations

from lumbar_utils.dataset import LUMBAR_DISCS, LumbarError
from lumbar_utils.phantom.axial import AXIAL_REACH_MM, render_axial
from lumbar_utils.phantom.radiograph import render_radiograph
from lumbar_utils.phantom.rendering import Rendering, check_settings
from lumbar_utils.phantom.sagittal import render_sagittal
from lumbar_utils.phantom.signal import SEQUENCES


def render(
    patient,
    *,
    view: str = "sagittal",
    level: str = "L4-L5",
    contrast: str = "T2",
    offset_mm: float = 0.0,
    size: int = 224,
    fov_mm: float | None = None,
    noise: float | None = None,
    variation: str = "narrow",
    seed: int | None = None,
) -> Rendering:
    """Return a picture of a patient, `size` x `size` pixels, with its label map.

    Parameters
    ----------
    view : "sagittal", or "axial": a slice through the disc `level`, the patient's right on the picture's left.
    contrast : "T2" or "T1" (spin echo), or "XR": one lateral radiograph, a projection of the whole patient.
    offset_mm : of a sagittal slice from the midline, right is positive; of an axial one from the middle of its disc,
        head is positive.
    fov_mm, noise : side of the field of view, and the noise's spread over the signal of CSF (of a radiograph: over
        the brightest exposure); without them both are sampled with the other settings.
    variation : "narrow" is one hospital with one protocol, "wide" any picture somebody may bring.
    seed : of those settings and all texture; without it, it follows from the patient: same seed, same pixels.

    Raises
    ------
    LumbarError : a picture that the phantom cannot make.
    """
    if view not in ("sagittal", "axial"):
        raise LumbarError(f'view is {view!r}, wanted "sagittal" or "axial"; choose one of the two.')
    if contrast not in (*SEQUENCES, "XR") or (view, contrast) == ("axial", "XR"):
        raise LumbarError(
            f'contrast is {contrast!r} in the {view} view, wanted "T2", "T1" or (sagittal) "XR"; choose one of those.'
        )
    if level not in LUMBAR_DISCS:
        raise LumbarError(f"level is {level!r}, wanted one of {', '.join(LUMBAR_DISCS)}; check its spelling.")
    farthest = {"sagittal": 20, "axial": AXIAL_REACH_MM}[view] if contrast != "XR" else 0
    if not abs(offset_mm) <= farthest:
        raise LumbarError(
            f"offset_mm is {offset_mm:g}, wanted at most {farthest:g} mm either way for this {contrast} picture; "
            "choose a slice nearer to the middle."
        )
    check_settings(size, fov_mm, noise)
    common = {"size": size, "fov_mm": fov_mm, "noise": noise, "variation": variation, "seed": seed}
    if view == "axial":
        return render_axial(patient, level=level, contrast=contrast, offset_mm=offset_mm, **common)
    if contrast == "XR":
        return render_radiograph(patient, **common)
    return render_sagittal(patient, contrast=contrast, offset_mm=offset_mm, **common)
