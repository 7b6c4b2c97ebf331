"""Heat maps from Keras networks."""

import sys
from types import ModuleType

from .gradients import default_layer, explain, maps_and_gradients

__all__ = ["default_layer", "explain", "maps_and_gradients"]


class _CallableRoom(ModuleType):
    """Python binds `lumbar_utils.explain` to this room as soon as it is imported, and the function of the same name
    would be out of reach; so the room can be called in its place."""

    __call__ = staticmethod(explain)


sys.modules[__name__].__class__ = _CallableRoom
