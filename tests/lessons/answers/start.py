"""Right and typical wrong answers of lesson 00, and the words that a wrong one must meet."""

RIGHT = [
    ("start.one_picture", 100 / 19),
    ("start.one_picture", 5.3),
    ("start.perfect", 0.9**19),
    ("start.perfect", 0.135),
    ("start.mine", (13, 20)),
    ("start.mine", (4, 12)),
    ("start.quiz", {"1": "c", "2": "b", "3": "b"}),
]
WRONG = [
    ("start.one_picture", 1 / 19, "hundred times"),
    ("start.one_picture", 1, "a hundred"),
    ("start.one_picture", 19, "number of pictures"),
    ("start.one_picture", 25, "four herniations"),
    ("start.one_picture", 7, "share 100"),
    ("start.one_picture", "5.3 points", "one number"),
    ("start.perfect", 13.5, "percentage"),
    ("start.perfect", 0.9, "*one* right answer"),
    ("start.perfect", 1 - 0.9**19, "opposite"),
    ("start.perfect", 0.1**19, "nineteen mistakes"),
    ("start.perfect", 17.1, "on average"),
    ("start.perfect", 0.5, "nineteen times"),
    ("start.mine", (20, 13), "order"),
    ("start.mine", (2, 3), "too wide"),
    ("start.mine", (0.65, 20), "Two counts"),
    ("start.mine", 13, "2 numbers"),
    ("start.quiz", {"1": "a", "2": "b", "3": "b"}, "Question 1: nothing about"),
    ("start.quiz", {"1": "c", "2": "a", "3": "c"}, "Question 3: the notebook's file"),
]
