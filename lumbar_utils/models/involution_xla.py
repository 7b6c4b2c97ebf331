"""The involution as TensorFlow programs that XLA compiles, with a gradient written by hand: same numbers, less time."""

from __future__ import annotations

import tensorflow as tf

from .involution import offsets


def can_compile(x) -> bool:
    """Return whether height and width are known and this TensorFlow was built with XLA."""
    return None not in x.shape[1:] and tf.test.is_built_with_xla()


def involve_compiled(x, reduced, weights, bias, kernel_size: int, stride: int, groups: int, dilation: int):
    """Return what `involution.involve` does with the kernels reduced · weights + bias, (N, H', W', C).

    x is (N, H, W, C) of known height and width, `reduced` (N, H', W', R), `weights` (R, K * K * G). The shifted
    pictures are never stored: XLA runs over the output once and adds all K * K products on the way. The gradient of
    the kernels goes on to `reduced` and `weights` as it is computed, maps before rows and columns, and is never
    turned round.
    """
    how = (kernel_size, stride, groups, dilation)

    @tf.custom_gradient
    def involution(x, reduced, weights, bias):
        kernels = tf.tensordot(reduced, weights, 1) + bias  # (N, H', W', K * K * G)

        def gradient(upstream):
            of_x = _gradient_of_x(kernels, upstream, x.shape[1:3], *how)
            return of_x, *_through_span(_gradient_of_kernels(x, upstream, *how), reduced, weights)

        return _forward(x, kernels, *how), gradient

    return involution(x, reduced, weights, bias)


def _through_span(of_kernels, reduced, weights):
    """Return the gradients of `reduced`, `weights` and the bias from that of the kernels, (N, K * K * G, H' * W')."""
    rows, columns, maps = reduced.shape[1:]
    pixels = tf.reshape(reduced, (-1, rows * columns, maps))
    of_reduced = tf.transpose(tf.matmul(weights[None], of_kernels), (0, 2, 1))  # (N, H' * W', R)
    of_weights = tf.reduce_sum(tf.matmul(of_kernels, pixels), axis=0)  # (K * K * G, R)
    return (
        tf.reshape(of_reduced, (-1, rows, columns, maps)),
        tf.transpose(of_weights),
        tf.reduce_sum(of_kernels, axis=(0, 2)),
    )


@tf.function(jit_compile=True, autograph=False)
def _forward(x, kernels, kernel_size, stride, groups, dilation):
    height, width, channels = x.shape[1:]
    padded, total = _bordered(x, _reach(kernel_size, dilation)), 0.0
    for number, (down, right) in enumerate(offsets(kernel_size, dilation)):
        window = padded[:, down : down + height : stride, right : right + width : stride]  # (N, H', W', C)
        total += _in_groups(window, groups) * _weight(kernels, number, groups)
    return tf.reshape(total, (-1, *total.shape[1:3], channels))


@tf.function(jit_compile=True, autograph=False)
def _gradient_of_x(kernels, upstream, size, kernel_size, stride, groups, dilation):
    """Return (N, H, W, C): again a sum of shifted maps, upstream times kernel, each shifted the other way."""
    (height, width), channels = size, upstream.shape[-1]
    reach, total = _reach(kernel_size, dilation), 0.0
    kernels = _bordered(_spread(kernels, stride, size), reach)
    upstream = _bordered(_spread(upstream, stride, size), reach)
    for number, (down, right) in enumerate(offsets(kernel_size, dilation)):
        top, left = 2 * reach - down, 2 * reach - right
        there = (slice(None), slice(top, top + height), slice(left, left + width))
        total += _in_groups(upstream[there], groups) * _weight(kernels[there], number, groups)
    return tf.reshape(total, (-1, height, width, channels))


def _gradient_of_kernels(x, upstream, kernel_size, stride, groups, dilation):
    """Return (N, K * K * G, H' * W'): for each offset, window times upstream, added up over the maps of a group.

    Maps stand before rows and columns here, and are added one by one: XLA then works on whole rows at once, where its
    own sum over the last axis goes number by number. One program serves all K rows of the kernel.
    """
    padded, upstream = _maps_first(x, upstream, _reach(kernel_size, dilation), groups)
    rows = [
        _kernel_row(padded, upstream, tf.constant(down), kernel_size, stride, dilation)
        for down in range(0, kernel_size * dilation, dilation)
    ]
    pixels = upstream.shape[-2] * upstream.shape[-1]
    return tf.reshape(tf.stack(rows, axis=1), (-1, kernel_size**2 * groups, pixels))


@tf.function(jit_compile=True, autograph=False)
def _maps_first(x, upstream, reach: int, groups: int):
    """Return x with a border and upstream as (N, G, C / G, H, W)."""
    split = [_in_groups(maps, groups) for maps in (_bordered(x, reach), upstream)]
    return [tf.transpose(maps, (0, 3, 4, 1, 2)) for maps in split]


@tf.function(jit_compile=True, autograph=False)
def _kernel_row(padded, upstream, down, kernel_size: int, stride: int, dilation: int):
    """Return the gradient of the kernel's row that looks `down` pixels below its first, (N, K, G, H', W')."""
    _, groups, depth, rows, columns = upstream.shape
    height, width = (
        stride * (rows - 1) + 1,
        stride * (columns - 1) + 1,
    )  # from the first to the last pixel met
    band = tf.slice(
        padded, (0, 0, 0, down, 0), (tf.shape(padded)[0], groups, depth, height, padded.shape[-1])
    )
    sums = []
    for right in range(0, kernel_size * dilation, dilation):
        window = band[..., ::stride, right : right + width : stride]
        total = 0.0
        for number in range(depth):
            total += window[:, :, number] * upstream[:, :, number]
        sums.append(total)
    return tf.stack(sums, axis=1)


def _reach(kernel_size: int, dilation: int) -> int:
    return dilation * (kernel_size - 1) // 2


def _bordered(maps, reach: int):
    return tf.pad(maps, ((0, 0), (reach, reach), (reach, reach), (0, 0)))


def _in_groups(maps, groups: int):
    """Return (N, H, W, C) as (N, H, W, G, C / G)."""
    return tf.reshape(maps, (-1, *maps.shape[1:3], groups, maps.shape[-1] // groups))


def _weight(kernels, number: int, groups: int):
    """Return one number of each kernel, (N, H, W, G, 1)."""
    return kernels[..., number * groups : (number + 1) * groups, None]


def _spread(maps, stride: int, size):
    """Return `maps` on the grid before the stride, zeros in between: (N, H', W', C) to (N, H, W, C)."""
    if stride == 1:
        return maps
    rows, columns, channels = maps.shape[1:]
    maps = tf.reshape(maps, (-1, rows, 1, columns, 1, channels))
    maps = tf.pad(maps, ((0, 0), (0, 0), (0, stride - 1), (0, 0), (0, stride - 1), (0, 0)))
    return tf.reshape(maps, (-1, rows * stride, columns * stride, channels))[:, : size[0], : size[1]]
