"""Cases of the locked test set, chosen by what the shipped networks made of them."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np

from lumbar_utils.dashboard.parts import box, control, text
from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import Predictions, load_results
from lumbar_utils.phantom import Patient, Rendering, render, sample_patient

ALL_RIGHT, DIVIDED, ALL_WRONG = "every network is right", "the networks disagree", "every network is wrong"
CASES_A_CLASS = 5


class StoredCases:
    """Two lists, what the networks made of a case and the case; `patient` is the one that is chosen.

    The patients are drawn again from the seed that is stored with the predictions. `on_change()` is called whenever
    another case is chosen.
    """

    is_usual, view = True, "T2, on the midline, of the locked test set"

    def __init__(self, watch, on_change):
        self._on_change, self._quiet = on_change, False
        networks = stored_networks()
        first = next(iter(networks.values()))
        drawn = first.provenance["data"]["test"]["make_dataset"]
        self._seeds = np.random.SeedSequence(drawn["seed"]).generate_state(drawn["n_patients"])
        self._names, self._labels = first.class_names, first.labels
        self._n_networks = len(networks)
        self._n_right = sum((each.predicted == each.labels).astype(int) for each in networks.values())  # (N,)
        self._kind = control(widgets.Dropdown, "Cases of which", options=(DIVIDED, ALL_WRONG, ALL_RIGHT))
        self._case = control(widgets.Dropdown, "Case")
        self._fill()
        self.widget = box(
            [
                self._kind,
                self._case,
                text(
                    "<p>Phantom patients of the locked test set, whom no network has learned from; the first few of "
                    "each disease.</p>",
                    "lumbar-note",
                ),
            ],
            "lumbar-controls",
        )
        self._kind.observe(watch(self._take_kind), "value")
        self._case.observe(watch(self._take_case), "value")

    @property
    def patient(self) -> Patient:
        if self._case.value is None:
            raise LumbarError(f"There is no case of which {self._kind.value}; choose another kind of case.")
        return sample_patient(int(self._seeds[self._case.value]))

    def draw(self) -> Rendering:
        """Return the picture that the networks were tested on, with its label map."""
        return render(self.patient)

    def _fill(self) -> None:
        rows = self._rows(self._kind.value)
        self._quiet = True
        try:
            self._case.options = [
                (
                    f"{self._names[self._labels[row]]}, patient {row}: "
                    f"{self._n_right[row]} of {self._n_networks} right",
                    row,
                )
                for row in rows
            ]
            self._case.index = 0 if rows else None
        finally:
            self._quiet = False

    def _rows(self, kind: str) -> list[int]:
        """Return the first cases of each disease; where networks disagree, the most divided come first."""
        of_kind = {
            ALL_RIGHT: self._n_right == self._n_networks,
            ALL_WRONG: self._n_right == 0,
            DIVIDED: (0 < self._n_right) & (self._n_right < self._n_networks),
        }[kind]
        unlike = np.abs(self._n_right - self._n_networks / 2) if kind == DIVIDED else np.zeros(len(of_kind))
        rows = []
        for k in range(len(self._names)):
            found = np.flatnonzero(of_kind & (self._labels == k))
            rows += found[np.argsort(unlike[found], kind="stable")][:CASES_A_CLASS].tolist()
        return rows

    def _take_kind(self, _):
        self._fill()
        self._on_change()

    def _take_case(self, change):
        if not self._quiet and change["new"] is not None:
            self._on_change()


def stored_networks() -> dict[str, Predictions]:
    """Return what the zoo's single networks said of its locked test patients; votes and the hybrid are left out."""
    networks = {
        name: each for name, each in load_results("zoo").items() if "configuration" in each.provenance
    }
    if not networks:
        raise LumbarError(
            "There is no network's prediction in results/zoo; make them with `make zoo`, or choose a phantom instead."
        )
    return networks
