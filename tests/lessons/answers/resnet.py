"""Right and typical wrong answers of lesson 07, and the words that a wrong one must meet."""

import numpy as np


def by_size(pixels, found_a, found_b):
    small = pixels <= np.median(pixels)
    gain = found_a.astype(int) - found_b.astype(int)
    return gain[small].mean(), gain[~small].mean()


def by_size_turned(pixels, found_a, found_b):
    return by_size(pixels, found_a, found_b)[::-1]


def by_size_other_sign(pixels, found_a, found_b):
    return by_size(pixels, found_b, found_a)


def by_size_of_all(pixels, found_a, found_b):
    small = pixels <= np.median(pixels)
    gain = found_a.astype(int) - found_b.astype(int)
    return gain[small].sum() / len(gain), gain[~small].sum() / len(gain)


def by_size_strictly(pixels, found_a, found_b):
    small = pixels < np.median(pixels)
    gain = found_a.astype(int) - found_b.astype(int)
    return gain[small].mean(), gain[~small].mean()


def by_size_around_the_mean(pixels, found_a, found_b):
    small = pixels <= np.mean(pixels)
    gain = found_a.astype(int) - found_b.astype(int)
    return gain[small].mean(), gain[~small].mean()


def by_size_of_a(pixels, found_a, found_b):
    small = pixels <= np.median(pixels)
    return found_a[small].mean(), found_a[~small].mean()


def by_size_without_bools(pixels, found_a, found_b):
    return (found_a - found_b).mean(), 0.0  # numpy refuses to subtract truth values


PLAIN, NARROW = 1_179_648, 69_632
WORK = 218_365_952
RIGHT = [
    ("resnet.bottleneck", (PLAIN, NARROW, WORK)),
    ("resnet.sister", 23),
    ("resnet.paths", (65_536, 8_192)),
    ("resnet.by_size", by_size),
    ("resnet.quiz", {"1": "b", "2": "a", "3": "c", "4": "b", "5": "b"}),
]
WRONG = [
    ("resnet.bottleneck", (NARROW, PLAIN, WORK), "wrong order"),
    ("resnet.bottleneck", (589_824, NARROW, WORK), "has two"),
    ("resnet.bottleneck", (131_072, NARROW, WORK), "nine for each pair"),
    ("resnet.bottleneck", (PLAIN + 512, NARROW, WORK), "biases"),
    ("resnet.bottleneck", (PLAIN, 331_776, WORK), "two of them are 1 x 1"),
    ("resnet.bottleneck", (PLAIN, 36_864, WORK), "middle convolution"),
    ("resnet.bottleneck", (PLAIN, 53_248, WORK), "widens from 64"),
    ("resnet.bottleneck", (PLAIN, 622_592, WORK), "the whole point"),
    ("resnet.bottleneck", (PLAIN, 70_016, WORK), "biases"),
    ("resnet.bottleneck", (PLAIN, NARROW, PLAIN * 56 * 56), "plain block"),
    ("resnet.bottleneck", (PLAIN, NARROW, NARROW * 56), "56 · 56 cells"),
    ("resnet.bottleneck", (PLAIN, NARROW, NARROW), "one cell"),
    ("resnet.bottleneck", (PLAIN, NARROW, 218.4), "in millions"),
    ("resnet.sister", 33, "all its blocks"),
    ("resnet.sister", 69, "layers in that stage"),
    ("resnet.sister", 91, "layer for a block"),
    ("resnet.sister", 6, "gives 50"),
    ("resnet.sister", 101 / 3 - 10, "before you divide"),
    ("resnet.paths", (32, 26), "multiply"),
    ("resnet.paths", (256, 169), "16²"),
    ("resnet.paths", (17, 14), "lengths"),
    ("resnet.paths", (2**50, 2**41), "once a layer"),
    ("resnet.paths", (65_536, 65_533), "three paths"),
    ("resnet.paths", (65_536, 53_248), "halves the paths"),
    ("resnet.paths", (65_536, 32_768), "one block is off"),
    ("resnet.by_size", by_size_turned, "small comes first"),
    ("resnet.by_size", by_size_other_sign, "signs"),
    ("resnet.by_size", by_size_of_all, "all herniations"),
    ("resnet.by_size", by_size_strictly, "<=, not <"),
    ("resnet.by_size", by_size_around_the_mean, "at the mean"),
    ("resnet.by_size", by_size_of_a, "A alone"),
    ("resnet.by_size", by_size_without_bools, "stopped with TypeError"),
    ("resnet.quiz", {"1": "a", "2": "a", "3": "c", "4": "b", "5": "b"}, "Question 1: an overfitted"),
    ("resnet.quiz", {"1": "b", "2": "a", "3": "b", "4": "b", "5": "b"}, "there would be 54"),
]
