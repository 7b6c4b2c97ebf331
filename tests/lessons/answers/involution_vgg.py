"""Right and typical wrong answers of lesson 11, and the words that a wrong one must meet."""

import numpy as np
from scipy.stats import t


def interval(quantile=0.975, freedom=-1, ddof=1, root=np.sqrt, sign=1):
    def over_starts(with_layer, without):
        gains = sign * (np.asarray(with_layer) - np.asarray(without))
        half = t.ppf(quantile, len(gains) + freedom) * gains.std(ddof=ddof) / root(len(gains))
        return gains.mean(), gains.mean() - half, gains.mean() + half

    return over_starts


def normal(with_layer, without):
    gains = with_layer - without
    half = 1.96 * gains.std(ddof=1) / 2
    return gains.mean(), gains.mean() - half, gains.mean() + half


def unpaired(with_layer, without):
    half = t.ppf(0.975, 3) * np.sqrt((with_layer.var(ddof=1) + without.var(ddof=1)) / 4)
    gain = with_layer.mean() - without.mean()
    return gain, gain - half, gain + half


def turned(of_w1, of_bias):
    """Return a dial from what W1 is multiplied by and what the bias becomes."""

    def turn(w1, bias, reduced, alpha):
        return of_w1(alpha) * w1, of_bias(bias, reduced.mean(axis=(0, 1, 2)) @ w1, alpha)

    return turn


RIGHT = [
    ("involution_vgg.choices", 240),
    ("involution_vgg.saved", 6_769_824),
    ("involution_vgg.control", {"entry": "ab", "view": "bc", "place": "cd", "package": "ad"}),
    ("involution_vgg.control", {"entry": "BA", "view": "cb", "place": "dc", "package": "da"}),
    ("involution_vgg.dial", turned(lambda alpha: alpha, lambda b, m, alpha: b + (1 - alpha) * m)),
    ("involution_vgg.starts", interval()),
    ("involution_vgg.quiz", {"1": "b", "2": "b", "3": "c", "4": "a", "5": "b"}),
]
WRONG = [
    ("involution_vgg.choices", 16, "multiply"),
    ("involution_vgg.choices", 80, "the other weights"),
    ("involution_vgg.choices", 48, "five places"),
    ("involution_vgg.choices", 120, "one of the four lines"),
    ("involution_vgg.choices", 64, "five answers"),
    ("involution_vgg.choices", 6, "number of choices"),
    ("involution_vgg.choices", 7, "does not fit"),
    ("involution_vgg.saved", -6_769_824, "the sign"),
    ("involution_vgg.saved", 2_256_608, "one layer"),
    ("involution_vgg.saved", 309_600, "subtract it"),
    ("involution_vgg.saved", 7_079_424, "parameters as well"),
    ("involution_vgg.saved", 6_768_288, "biases, 512 each"),
    ("involution_vgg.saved", 6_771_360, "the normalisation inside"),
    ("involution_vgg.saved", 6_770_592, "running numbers"),
    ("involution_vgg.saved", 6_770_688, "biases of W1"),
    ("involution_vgg.saved", 6_877_797, "32 groups"),
    ("involution_vgg.saved", 1, "does not fit"),
    (
        "involution_vgg.control",
        {"entry": "ab", "view": "bd", "place": "cd", "package": "ad"},
        "two things come in",
    ),
    (
        "involution_vgg.control",
        {"entry": "ab", "view": "bc", "place": "ad", "package": "ad"},
        "three things differ",
    ),
    (
        "involution_vgg.control",
        {"entry": "ac", "view": "ab", "place": "bd", "package": "cd"},
        "package: plain VGG",
    ),
    ("involution_vgg.control", {"entry": "ab", "view": "bc", "place": "c", "package": "ad"}, "not two of"),
    ("involution_vgg.control", "cd", "a dict with the keys"),
    ("involution_vgg.dial", turned(lambda alpha: alpha, lambda b, m, alpha: b), "a ReLU"),
    (
        "involution_vgg.dial",
        turned(lambda alpha: alpha, lambda b, m, alpha: alpha * b),
        "turned the bias down",
    ),
    ("involution_vgg.dial", turned(lambda alpha: alpha, lambda b, m, alpha: b + m), "the whole mean"),
    ("involution_vgg.dial", turned(lambda alpha: alpha, lambda b, m, alpha: b - m), "the bias is not"),
    ("involution_vgg.dial", turned(lambda alpha: 1 - alpha, lambda b, m, alpha: b), "the wrong way"),
    ("involution_vgg.dial", turned(lambda alpha: 1, lambda b, m, alpha: b), "multiplies just that"),
    ("involution_vgg.dial", lambda w1, bias, reduced, alpha: (w1.T, bias), "the same shapes"),
    ("involution_vgg.dial", lambda w1, bias, reduced, alpha: w1, "two arrays"),
    ("involution_vgg.dial", 4, "a function"),
    ("involution_vgg.starts", normal, "1.96"),
    ("involution_vgg.starts", interval(root=lambda n: 1), "forgot to divide"),
    ("involution_vgg.starts", interval(root=lambda n: n), "divided by n"),
    ("involution_vgg.starts", interval(ddof=0), "ddof=1"),
    ("involution_vgg.starts", interval(freedom=0), "n - 1"),
    ("involution_vgg.starts", interval(quantile=0.95), "90 % interval"),
    ("involution_vgg.starts", interval(sign=-1), "with_layer minus without"),
    ("involution_vgg.starts", unpaired, "come in pairs"),
    ("involution_vgg.starts", interval(quantile=0.999), "to each side"),
    ("involution_vgg.starts", interval(quantile=0.025), "comes first"),
    ("involution_vgg.starts", lambda a, b: (a.mean(), 0.0, 1.0), "mean difference is"),
    ("involution_vgg.starts", lambda a, b: 0.02, "3 numbers"),
    (
        "involution_vgg.quiz",
        {"1": "b", "2": "a", "3": "c", "4": "a", "5": "b"},
        "Question 2: they are trained",
    ),
    ("involution_vgg.quiz", {"1": "b", "2": "b", "3": "a", "4": "b", "5": "a"}, "Question 4: that is about"),
]
