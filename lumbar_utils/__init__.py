"""Helpers behind the course *Deep learning for the lumbar spine*.

Names load when they are first used: `import lumbar_utils` alone imports neither TensorFlow nor Keras.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME_OF = {
    "LumbarDataset": "dataset",
    "LumbarError": "dataset",
    "MASK_LABELS": "dataset",
    "PAPER4": "dataset",
    "load_dataset": "sources",
    "sample_patient": "phantom",
    "render": "phantom",
    "lesion_mask": "phantom",
    "audit": "audit",
    "download": "sources.download",
    "locate": "localise",
    "prepare": "preparation",
    "augmenter": "augmentation",
    "split_by_patient": "splits",
    "Predictions": "evaluation",
    "evaluate": "evaluation",
    "compare": "evaluation",
    "diversity": "evaluation",
    "SoftVotingEnsemble": "evaluation",
    "WeightedVotingEnsemble": "evaluation",
    "StackingEnsemble": "evaluation",
    "paper_reported": "evaluation",
    "load_predictor": "runtime",
    "build_model": "models",
    "list_models": "models",
    "count_parameters": "models",
    "Involution2D": "models",
    "fit": "training",
    "fit_head": "training",
    "backbone_features": "training",
    "predict": "training",
    "HandcraftedFeatures": "handcrafted",
    "CNNSVMClassifier": "hybrid",
    "explain": "explain",
    "score_explanations": "cam.scores",
    "check": "teaching",
    "hint": "teaching",
    "course_size": "teaching",
    "doctor": "teaching",
}
__all__ = sorted(_HOME_OF)


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(
            f"module 'lumbar_utils' has no attribute {name!r}; it offers {', '.join(__all__)}"
        )
    return getattr(import_module(f"lumbar_utils.{_HOME_OF[name]}"), name)


def __dir__():
    return __all__
