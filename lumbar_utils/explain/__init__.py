"""Heat maps from Keras networks."""

import sys
from types import ModuleType

from .gradients import explain, maps_and_gradients
from .probe import default_layer, layers_with_maps
from .sanity import cascading_randomisation, random_label_similarity, randomised_network

__all__ = [
    "cascading_randomisation",
    "default_layer",
    "explain",
    "layers_with_maps",
    "maps_and_gradients",
    "random_label_similarity",
    "randomised_network",
]


class _CallableRoom(ModuleType):
    """Python binds `lumbar_utils.explain` to this room as soon as it is imported, and the function of the same name
    would be out of reach; so the room can be called in its place."""

    __call__ = staticmethod(explain)


sys.modules[__name__].__class__ = _CallableRoom
