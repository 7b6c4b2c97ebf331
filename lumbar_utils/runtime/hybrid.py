"""The shipped CNN-SVM hybrid: LiteRT computes the features, a twin of the support vector machine the answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..checkpoints import WEIGHTS, Checkpoint, read_checkpoint
from ..dataset import LumbarError
from ..framing import Frames
from .predictor import Predictor, load_predictor
from .svm_twin import TWIN, SVMTwin

HYBRID = "cnn_svm"


class HybridPredictor:
    """A support vector machine on the pooled last maps of a shipped network.

    Attributes
    ----------
    class_names : K names, in the order of the probabilities.
    network : the `Predictor` whose features it takes.
    card : the model card.
    """

    def __init__(self, checkpoint: Checkpoint, network: Predictor):
        self.card, self.network = checkpoint.card, network
        self.class_names: tuple[str, ...] = tuple(self.card["class_names"])
        wanted, found = self.card["network"]["shipped_sha256"], network.card["files"][WEIGHTS]
        if wanted is None:
            raise LumbarError(
                f"The hybrid in {checkpoint.folder} brings a network of its own, wanted one that stands on a shipped "
                "network; read it with lumbar_utils.hybrid.load_hybrid."
            )
        if wanted != found:
            raise LumbarError(
                f"The hybrid in {checkpoint.folder} stands on a network with the sha256 {str(wanted)[:12]}…, and "
                f"{network.card['name']} has {found[:12]}…; train it again with python -m lumbar_utils zoo --train "
                f"{checkpoint.folder.name}."
            )
        self._svm = SVMTwin.load(checkpoint.file(TWIN))

    def predict(self, images: np.ndarray | Frames) -> np.ndarray:
        """Return the calibrated probability of each class, (N, K) float64; pictures as for `Predictor.predict`."""
        return self._svm.predict_proba(self.network.features(images))


def load_hybrid_predictor(
    name: str = HYBRID, *, open_network: Callable[[str], Predictor] = load_predictor
) -> HybridPredictor:
    """Return the shipped hybrid `name`; neither TensorFlow nor scikit-learn is imported.

    open_network : called with the name of the shipped network that the hybrid stands on.

    Raises
    ------
    LumbarError : no such hybrid, a damaged one, one of another phantom version or of another network.
    """
    checkpoint = read_checkpoint(name)
    return HybridPredictor(checkpoint, open_network(checkpoint.card["network"]["name"]))
