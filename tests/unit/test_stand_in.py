"""The stand-in of a published set: what lies on the disk can be read as the published one is."""

import numpy as np

from lumbar_utils.beyond.disc_crops import read_discs
from lumbar_utils.beyond.stand_in import write_stand_in


def test_it_is_read_like_a_published_set_and_drawn_alike_twice(tmp_path):
    folder = write_stand_in(tmp_path / "a", n_patients=4, slices=1, copies=2)
    names = sorted(file.name for file in (folder / "images").iterdir())
    assert names[:2] == ["1_0_jpg.rf.0.jpg", "1_0_jpg.rf.1.jpg"] and len(names) == 8
    assert {file.stem for file in (folder / "labels").iterdir()} == {
        name.removesuffix(".jpg") for name in names
    }
    discs = read_discs(folder)
    assert set(np.unique(discs.patient_ids)) == {"1", "2", "3", "4"} and set(np.unique(discs.labels)) == {
        0,
        1,
    }
    assert len(discs) > 0.8 * 4 * 2 * 4
    again = write_stand_in(tmp_path / "b", n_patients=4, slices=1, copies=2)
    for name in names:
        assert (folder / "images" / name).read_bytes() == (again / "images" / name).read_bytes()
