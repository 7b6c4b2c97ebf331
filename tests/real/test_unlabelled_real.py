"""Published discs as the localiser cuts them out, and the pictures that nobody labelled."""

import numpy as np

from lumbar_utils.audit.duplicates import near_duplicates
from lumbar_utils.studies.unlabelled_real import FOLDER, labelled_discs, unlabelled_discs


def test_the_localiser_finds_nearly_every_published_disc(real_data, discs):
    found = labelled_discs(real_data / FOLDER, 48)
    assert len(found) >= 0.97 * len(discs)  # measured: 726 of 730
    assert len(np.unique(found.patient_ids)) == 15
    assert not found.meta.duplicated(["source_file", "disc"]).any()


def test_no_labelled_patient_is_among_the_unlabelled(real_data):
    found, (crops, patients) = (
        labelled_discs(real_data / FOLDER, 48),
        unlabelled_discs(real_data / FOLDER, 48),
    )
    assert len(crops) > 1200 and 15 <= len(np.unique(patients)) <= 18
    assert not set(patients) & set(found.patient_ids)
    # nor under another number
    pairs, _ = near_duplicates(np.concatenate([found.images, crops]))
    across = (pairs[:, 0] < len(found)) != (pairs[:, 1] < len(found))
    assert across.sum() <= 0.001 * len(found)
