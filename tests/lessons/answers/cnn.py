"""Right and typical wrong answers of lesson 04, and the words that a wrong one must meet."""

RIGHT = [
    ("cnn.receptive", 11),
    ("cnn.colour", 246_644),
    ("cnn.weight", 19 / 12),
    ("cnn.pointing", (0.06, 0.002)),
    ("cnn.quiz", {"1": "a", "2": "b", "3": "c"}),
]
WRONG = [
    ("cnn.receptive", 15, "side by side"),
    ("cnn.receptive", 10, "in the middle"),
    ("cnn.receptive", 54, "with pooling"),
    ("cnn.receptive", 121, "area"),
    ("cnn.colour", 3 * 246_356, "three times everything"),
    ("cnn.colour", 246_356 + 432, "144"),
    ("cnn.colour", 432, "whole network"),
    ("cnn.colour", 246_356, "grey network"),
    ("cnn.weight", 19 / 3, "number of classes"),
    ("cnn.weight", 3 / 19, "larger weight"),
    ("cnn.weight", 19 / 32, "Spinal Stenosis"),
    ("cnn.weight", 12 / 19, "turned the fraction over"),
    ("cnn.pointing", (0.002, 0.06), "order"),
    ("cnn.pointing", (0.4, 0.1), "far smaller"),
    ("cnn.pointing", (0.002, 0.002), "Both are the same"),
    ("cnn.pointing", (0.1, 0.0), "without a single pixel"),
    ("cnn.pointing", (3, 0.1), "between 0 and 1"),
    ("cnn.quiz", {"1": "a", "2": "c", "3": "c"}, "Question 2: then nobody"),
]
