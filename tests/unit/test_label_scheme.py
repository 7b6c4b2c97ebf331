"""Classes joined after the fact: probabilities add up, and the answer may change."""

import numpy as np
import pytest
from drawn_predictions import draw

from lumbar_utils.dataset import PAPER4, LumbarError
from lumbar_utils.evaluation import evaluate, healthy_or_ill, join_classes


def test_three_diseases_outweigh_a_healthy_that_is_ahead_of_each():
    told = draw(2, labels=[0, 2], probabilities=[[0.4, 0.2, 0.2, 0.2], [0.1, 0.1, 0.5, 0.3]])
    joined = healthy_or_ill(told)
    assert joined.class_names == ("Healthy", "Ill")
    assert joined.labels.tolist() == [0, 1]
    assert joined.probabilities == pytest.approx(np.array([[0.4, 0.6], [0.1, 0.9]]))
    assert told.predicted.tolist() == [0, 2] and joined.predicted.tolist() == [1, 1]


def test_rows_patients_and_provenance_stay():
    told = draw(40)
    joined = join_classes(told, {"front": PAPER4[1:2], "rest": (*PAPER4[2:], PAPER4[0])})
    assert joined.patient_ids.tolist() == told.patient_ids.tolist() and joined.provenance == told.provenance
    assert joined.labels.tolist() == [0 if label == 1 else 1 for label in told.labels]
    assert evaluate(joined).n_patients == 40


@pytest.mark.parametrize("groups", [{"a": PAPER4[:2]}, {"a": PAPER4, "b": PAPER4[:1]}, {}])
def test_a_class_without_a_group_or_with_two_is_refused(groups):
    with pytest.raises(LumbarError, match="give every class one group"):
        join_classes(draw(5), groups)


def test_two_classes_cannot_be_joined_into_two():
    with pytest.raises(LumbarError, match="keep its classes as they are"):
        healthy_or_ill(draw(5, n_classes=2))
