"""Involution: a convolution turned inside out, its kernel made anew at each pixel and shared by the maps of a group.

Li et al., Involution: Inverting the Inherence of Convolution for Visual Recognition, CVPR 2021.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from ..dataset import LumbarError


@keras.saving.register_keras_serializable(package="lumbar_utils")
class Involution2D(layers.Layer):
    """Involution of (N, H, W, C) maps: (N, H', W', C), H' = ceil(H / stride), zeros beyond the border.

    The kernel of pixel (i, j) is made from that pixel alone (equation 6 of the paper), the pictures averaged over
    stride x stride cells first where `stride` is above 1:

        H(i, j) = W1 · relu(BN(W0 · x(i, j)))              W0: C to C / reduction, W1: to K · K · G
        y(i, j, k) = sum over u, v of H(i, j)[u, v, group of k] · x(stride · i + u, stride · j + v, k)

    A convolution has one kernel for all places and another for each map; an involution has one for all maps of a
    group and another for each place. It mixes no maps: where widths change, a 1 x 1 convolution has to stand beside.

    Parameters
    ----------
    kernel_size : K, odd; the paper prefers 7.
    stride, dilation : as in a convolution.
    groups : G. Neighbouring maps share a group, C / G of them, as in the authors' code (Keras's example interleaves
        them instead). By default 16 maps a group, and one group for fewer maps.
    reduction : by how much W0 narrows; the paper takes 4.

    Under TensorFlow, pictures of known size are computed by XLA programs with their own gradient (`involution_xla`);
    where there is no XLA, on other backends, and where height or width is not known beforehand, by `involve`. Both
    give the same numbers.

    Raises
    ------
    LumbarError : an even kernel, a number below 1, or maps that cannot be shared out among the groups.
    """

    def __init__(
        self,
        kernel_size: int = 7,
        *,
        stride: int = 1,
        groups: int | None = None,
        reduction: int = 4,
        dilation: int = 1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for what, value in (
            ("kernel_size", kernel_size),
            ("stride", stride),
            ("groups", 1 if groups is None else groups),
            ("reduction", reduction),
            ("dilation", dilation),
        ):
            if not isinstance(value, int) or value < 1 or (what == "kernel_size" and value % 2 == 0):
                wanted = "an odd whole number" if what == "kernel_size" else "a whole number"
                raise LumbarError(
                    f"{what} of the involution {self.name} is {value!r}, wanted {wanted} from 1; correct it."
                )
        self.kernel_size, self.stride, self.groups = kernel_size, stride, groups
        self.reduction, self.dilation = reduction, dilation

    def build(self, input_shape) -> None:
        channels = input_shape[-1]
        self.n_groups = self.groups or max(1, channels // 16)
        if channels % self.n_groups:
            raise LumbarError(
                f"The involution {self.name} gets {channels} maps and has {self.n_groups} groups, wanted groups of "
                "equal size; set groups to a divisor of the number of maps."
            )
        reduced = max(1, channels // self.reduction)
        # a 1 x 1 convolution is a dense layer at each pixel; as such its gradient takes a third of the time
        self.reduce = layers.Dense(reduced, use_bias=False, name="reduce")
        # the authors' (PyTorch's) momentum and epsilon, in Keras's counting
        self.normalise = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="normalise")
        self.span = layers.Dense(self.kernel_size**2 * self.n_groups, name="span")
        self.reduce.build(input_shape)
        self.normalise.build((*input_shape[:-1], reduced))
        self.span.build((*input_shape[:-1], reduced))

    def call(self, x, training=None):
        reduced = self._reduced(x, training)
        arguments = (self.kernel_size, self.stride, self.n_groups, self.dilation)
        if keras.backend.backend() == "tensorflow":
            from .involution_xla import can_compile, involve_compiled

            if can_compile(x):
                weights, bias = (ops.cast(part, reduced.dtype) for part in (self.span.kernel, self.span.bias))
                return involve_compiled(x, reduced, weights, bias, *arguments)
        return involve(x, self.span(reduced), *arguments)

    def kernels(self, x, training=False):
        """Return the kernel at each pixel of the output, (N, H', W', K, K, G)."""
        flat = self.span(self._reduced(ops.convert_to_tensor(x), training))  # (N, H', W', K * K * G)
        return ops.reshape(flat, (*ops.shape(flat)[:3], self.kernel_size, self.kernel_size, self.n_groups))

    def _reduced(self, x, training):
        """Return what the kernels are made of, (N, H', W', C / reduction)."""
        if self.stride > 1:
            x = ops.average_pool(x, self.stride, self.stride, padding="same")  # (N, H', W', C)
        return ops.relu(self.normalise(self.reduce(x), training=training))

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(None if side is None else -(-side // self.stride) for side in sides), channels)

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "groups": self.groups,
            "reduction": self.reduction,
            "dilation": self.dilation,
        }


def involve(x, kernels, kernel_size: int, stride: int, groups: int, dilation: int):
    """Return (N, H', W', C): K * K shifted pictures, each times its number of the kernels, added up.

    x is (N, H, W, C), `kernels` (N, H', W', K * K * G). Written in `keras.ops`: any backend, sizes that are not known
    beforehand, and export. Never more than one shifted picture is held, where extracted patches are K * K of them.
    """
    channels, reach = x.shape[-1], dilation * (kernel_size - 1) // 2
    padded = ops.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    total = 0.0
    for number, (down, right) in enumerate(offsets(kernel_size, dilation)):
        window = padded[:, _shifted(down, reach, stride), _shifted(right, reach, stride), :]  # (N, H', W', C)
        weight = kernels[..., number * groups : (number + 1) * groups]  # (N, H', W', G)
        total += ops.reshape(window, (-1, groups, channels // groups)) * ops.reshape(weight, (-1, groups, 1))
    return ops.reshape(total, (*ops.shape(kernels)[:3], channels))


def offsets(kernel_size: int, dilation: int) -> list[tuple[int, int]]:
    """Return where each number of a kernel stands, (down, right) from its upper left corner, in pixels."""
    steps = range(0, kernel_size * dilation, dilation)
    return [(down, right) for down in steps for right in steps]


def _shifted(start: int, reach: int, stride: int) -> slice:
    return slice(start, (start - 2 * reach) or None, stride)
