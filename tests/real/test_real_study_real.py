"""The published discs as the study of real discs sees them."""

import numpy as np

from lumbar_utils.beyond.disc_crops import SIDE_PX
from lumbar_utils.studies import real
from lumbar_utils.studies.crossval import things
from lumbar_utils.studies.real import RealRun, Recipe, perform_real_run, published_discs
from lumbar_utils.studies.real_scores import stored_real


def test_the_stored_study_was_made_from_these_pictures(real_data, monkeypatch):
    monkeypatch.setattr(
        real, "limit_threads", lambda threads: None
    )  # TensorFlow computes in other tests already
    discs = published_discs()
    assert len(discs) >= 0.97 * (len(discs) + discs.meta.attrs["left_out"])
    assert discs.images.shape[1:] == (SIDE_PX, SIDE_PX) and len(np.unique(discs.patient_ids)) == 15
    stored = stored_real()
    assert stored["box"][0].provenance["configuration"]["data"] == discs.fingerprint()
    for source in ("box", "zero_shot"):
        recipe = Recipe(**stored[source][0].provenance["configuration"])
        threads = stored[source][0].provenance["threads"]
        found, _ = perform_real_run(RealRun(source, 0, 15), recipe, threads, discs=discs)
        assert np.allclose(found.probabilities, stored[source][0].probabilities, atol=0.005)
    assert len(found) == len(np.unique(things(discs)))
