"""A shipped network opened without Keras: the maps of each layer, and the same network with its weights drawn anew."""

from __future__ import annotations

import re
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from lumbar_utils.cam import method_named
from lumbar_utils.checkpoints import Checkpoint, read_checkpoint
from lumbar_utils.framing import Frames
from lumbar_utils.preparation import scale_values
from lumbar_utils.quiet import native_stderr_silenced
from lumbar_utils.runtime import Predictor

LAST_MAPS, KERNELS = "last maps", "kernels"
# the twin's tensors carry the names of the Keras layers: functional_2_1/block1_relu_1/Relu;...
# an involution has a ReLU inside, which is no layer of the network
_LAYER = re.compile(r"[^/]+/(?P<layer>[^/;]+?)(?<!_involution)_1/(?:Relu6?|MaxPool2d|AvgPool)(?:;|$)")
_KERNELS = re.compile(r"[^/]+/stem_involution_1/add$")
_HEAD = re.compile(r"[^/]+/logits_1/MatMul$")


class ExplainedNetwork(Predictor):
    """A network that explains one picture by several methods, and runs once for all of them."""

    def heat_maps(self, frames: Frames, class_index: int, methods) -> dict[str, np.ndarray]:
        """Return {method: (H, W) heat in [0, 1]} of the first of the frames; methods are names of `cam.METHODS`."""
        x, frames = scale_values(frames.pictures[:1]), frames[:1]
        maps, classes = self._answer(x)[1], np.array([class_index])
        return {
            method: frames.back(self._heat(method_named(method), x, maps, classes))[0] for method in methods
        }


class OpenNetwork(ExplainedNetwork):
    """A network whose inner layers can be read.

    Attributes
    ----------
    layers : names of the activations and poolings in the order of the network, the last maps last.
    has_involution : whether it begins with an involution, whose kernels `kernels` returns.
    """

    def __init__(self, checkpoint: Checkpoint):
        super().__init__(checkpoint)
        self._file = checkpoint.file("model.tflite")
        self._seen = self._tensors = None  # the frames looked at last, and what every layer made of them
        self._index = {}
        for tensor in self._interpreter.get_tensor_details():
            if len(tensor["shape"]) != 4 or tensor["shape_signature"][0] != -1:
                continue  # a constant, whose name tells all layers that it was folded into
            if layer := _LAYER.match(tensor["name"]):
                self._index[layer["layer"]] = tensor["index"]
            elif _KERNELS.match(tensor["name"]):
                self._index[KERNELS] = tensor["index"]
        outputs = self._interpreter.get_output_details()
        self._index[LAST_MAPS] = next(each["index"] for each in outputs if len(each["shape"]) == 4)
        self.layers = tuple(name for name in self._index if name != KERNELS)
        self.has_involution = KERNELS in self._index

    def maps(self, frames: Frames, layer: str) -> np.ndarray:
        """Return what a layer of `layers` gives for the first of the frames, (h, w, C) float32."""
        return self._look_at(frames)[layer]

    def kernels(self, frames: Frames) -> np.ndarray:
        """Return the kernel that the involution makes at each of its cells, (h, w, K, K), for the first frame."""
        flat = self._look_at(frames)[KERNELS]  # (h, w, K * K), for one group
        side = round(flat.shape[-1] ** 0.5)
        return flat.reshape(*flat.shape[:2], side, side)

    def forget(self) -> None:
        """Free what the layers made of the picture looked at last."""
        self._seen = self._tensors = None

    def _look_at(self, frames: Frames) -> dict[str, np.ndarray]:
        """Return all layers for the first frame; the interpreter that keeps them lives for one run (up to 70 MB)."""
        if self._seen is not frames:
            with warnings.catch_warnings(), native_stderr_silenced():
                warnings.simplefilter("ignore", UserWarning)  # it says that all tensors take memory
                interpreter = Interpreter(model_path=str(self._file), experimental_preserve_all_tensors=True)
                interpreter.allocate_tensors()
            interpreter.get_signature_runner()(pictures=scale_values(frames.pictures[:1]))
            self._tensors = {name: interpreter.get_tensor(at)[0] for name, at in self._index.items()}
            self._seen = frames
        return self._tensors


@cache
def opened_network(name: str) -> OpenNetwork:
    """Return a shipped network such as "cnn", opened once for all panels of the page.

    Raises `LumbarError` as `read_checkpoint` does.
    """
    return OpenNetwork(read_checkpoint(name))


class RandomisedNetwork(ExplainedNetwork):
    """The network as it stood before training: every layer's weights drawn anew, nothing learned is left.

    Kernels and dense weights come from Glorot's uniform distribution, as Keras draws them; biases are 0 and each
    normalisation passes its input on. It is the last stage of the cascading randomisation of Adebayo et al. (Sanity
    checks for saliency maps, NeurIPS 2018).
    """

    def __init__(self, checkpoint: Checkpoint, *, seed: int = 0):
        self._seed = seed
        super().__init__(checkpoint)
        details = self._interpreter.get_tensor_details()
        head = next(each["index"] for each in details if _HEAD.match(each["name"]))
        self._kernel = self._interpreter.get_tensor(head).T.copy()  # (C, K)

    def _interpreter_of(self, file: Path) -> Interpreter:
        return Interpreter(
            model_content=weights_drawn_anew(file.read_bytes(), seed=self._seed),
            # slower than the default, which takes 35 MB more for a network with an involution
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )


def weights_drawn_anew(content: bytes, *, seed: int) -> bytes:
    """Return a LiteRT file in which every constant of floats is drawn anew or reset, and nothing else is changed."""
    rng, changed = np.random.default_rng(seed), bytearray(content)
    model = schema.Model.GetRootAs(changed, 0)
    graph = model.Subgraphs(0)
    for number in range(graph.TensorsLength()):
        tensor = graph.Tensors(number)
        buffer = model.Buffers(tensor.Buffer())
        if tensor.Type() != schema.TensorType.FLOAT32 or not buffer.DataLength() or not tensor.ShapeLength():
            continue
        shape = tuple(int(side) for side in tensor.ShapeAsNumpy())
        values = buffer.DataAsNumpy().view(np.float32)  # a view on `changed`
        if len(shape) == 1:
            values[:] = 1.0 if tensor.Name().endswith(b"batchnorm/mul") else 0.0
        else:
            limit = np.sqrt(6 / sum(_fans(shape)))
            values[:] = rng.uniform(-limit, limit, size=values.size)
    return bytes(changed)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan-in and fan-out as Keras counts them; kernels: (out, in), (out, h, w, in), depthwise (1, h, w, C)."""
    *window, last = shape[1:]
    field = int(np.prod(window))
    depthwise = len(shape) == 4 and shape[0] == 1
    return field * last, field * (1 if depthwise else shape[0])
