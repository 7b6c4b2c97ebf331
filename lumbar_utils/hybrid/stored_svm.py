"""Reads the support vector machine of a stored CNN-SVM hybrid: verified, without pickle, its answers compared."""

from __future__ import annotations

import warnings
import zipfile

import numpy as np
import skops.io
from sklearn import __version__ as sklearn_version
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skops.io.exceptions import UntrustedTypesFoundException

from ..checkpoints import Checkpoint
from ..dataset import LumbarError

SVM = "svm.skops"
# skops itself trusts scikit-learn's public estimators and NumPy's arrays. These two hold what CalibratedClassifierCV
# learned, a list of estimators and two numbers a class; neither runs anything when it is read.
TRUSTED = ("sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration")
TOLERANCE = 1e-6  # of probabilities, between the machine that stored the hybrid and the one that reads it
_BREAKS = (AttributeError, ImportError, LookupError, OSError, TypeError, ValueError, zipfile.BadZipFile)


def read_svm(checkpoint: Checkpoint) -> dict:
    """Return what svm.skops holds: `svm` (scaler, perhaps PCA, SVC), `calibrated`, and made-up rows with their answers.

    Raises
    ------
    LumbarError : a type that is not trusted, another scikit-learn that cannot read it, or answers to the made-up rows
        that differ by more than `TOLERANCE` from those stored with them.
    """
    file = checkpoint.file(SVM)
    try:
        with warnings.catch_warnings():
            # another version alone is no harm: whether it answers alike is measured
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            content = skops.io.load(file, trusted=list(TRUSTED))
        _require_our_estimators(content["svm"], content["calibrated"])
        found = content["calibrated"].predict_proba(content["features"])
        furthest = float(np.abs(found - content["probabilities"]).max())
    except UntrustedTypesFoundException as error:
        raise LumbarError(
            f"{file} was not read: {str(error).splitlines()[0].rstrip('.')}; take hybrids only from those you trust, "
            "and store this one again with save_hybrid."
        ) from error
    except _BREAKS as error:
        raise LumbarError(
            f"{file} cannot be read ({type(error).__name__}: {error}); {remedy_of(checkpoint)}."
        ) from error
    if not furthest <= TOLERANCE:
        raise answers_otherwise(checkpoint, f"by {furthest:.2g} in a probability")
    return content


def remedy_of(checkpoint: Checkpoint) -> str:
    """Return what helps where the scikit-learn that stored a hybrid and this one differ."""
    stored = checkpoint.card["made_with"]["scikit-learn"]
    return (
        f"it was stored with scikit-learn {stored}, here is {sklearn_version}: install that version or train the "
        "hybrid again"
    )


def answers_otherwise(checkpoint: Checkpoint, how: str) -> LumbarError:
    return LumbarError(
        f"The hybrid in {checkpoint.folder} answers otherwise, {how}; {remedy_of(checkpoint)}."
    )


def _require_our_estimators(svm, calibrated) -> None:
    """Raise `TypeError` for others: trusted types alone could still be foreign estimators."""
    steps = [type(step) for _, step in svm.steps] if isinstance(svm, Pipeline) else [type(svm)]
    if steps not in ([StandardScaler, SVC], [StandardScaler, PCA, SVC]):
        raise TypeError(
            f"it holds {', '.join(step.__name__ for step in steps)} instead of the SVM's pipeline"
        )
    if not isinstance(calibrated, CalibratedClassifierCV):
        raise TypeError(f"it holds {type(calibrated).__name__} instead of the calibration")
