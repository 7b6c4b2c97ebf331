"""Whether a picture is of the kind that the shipped networks learned from: a sagittal T2 slice near the midline."""

from __future__ import annotations

from .location import Location

# Between what was seen of phantoms and real slices (0.90 and more) and of pictures without a column (0.85 and less).
LEAST_CONFIDENCE = 0.875
# T1 phantoms lie below -0.2; T2 phantoms of any scanner above this but for three in a hundred.
LEAST_SAC_CONTRAST = -0.08


def refusal(location: Location) -> str | None:
    """Return why a picture should get no verdict, a clause that names what was found and wanted, or None.

    A network answers one of its classes whatever it is shown, and its probability does not tell that the picture is
    of another kind. What the localiser finds does: nothing that could be a column, a column of which it is unsure,
    or a dural sac darker than the bodies, where T2 near the midline shows it brighter.
    """
    if not location.found:
        return (
            "no lumbar column was found, wanted three vertebral bodies or more with discs between; choose a sagittal "
            "slice near the midline"
        )
    if location.confidence < LEAST_CONFIDENCE:
        return (
            f"what could be a lumbar column was found with a mean probability of {location.confidence:.2f}, wanted "
            f"{LEAST_CONFIDENCE} or more; choose a sagittal slice near the midline"
        )
    if not location.sac_contrast >= LEAST_SAC_CONTRAST:
        found = (
            "no dural sac was found"
            if location.sac_contrast != location.sac_contrast
            else "the dural sac is darker than the vertebral bodies"
        )
        return f"{found}, wanted a T2 picture near the midline, where it is brighter; choose such a slice"
    return None
