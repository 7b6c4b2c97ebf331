# %% [markdown]
# # How sure? Intervals, paired tests, calibration, and a published table read again
#
# **When you have finished you can**
# 1. build an interval from simulated tests, and say what its "95 %" promises;
# 2. resample patients in three lines, and say why resampling pictures promises too much;
# 3. compare two models on the same patients, and correct for the number of comparisons;
# 4. find out whether "90 % sure" means right 9 times in 10, and choose a threshold from what mistakes cost;
# 5. hold a published table against arithmetic.
#
# *About 75 minutes of your time, 15 s of the machine's, 0.2 GB of memory.*

# %% tags=["setup"]
# (written by the generator)

# %% [markdown]
# ## 1. A test is a draw
#
# Lesson 02 ended with 19 right answers out of 19, and a formula that made [0.83, 1.00] of them. The formula fell
# from the sky. Now we build it, from nothing but repeated tests.
#
# Take a model that is right on 9 patients of 10. We *know* that, because we decide it. Ten thousand hospitals test this
# same model, each on 19 patients of its own. *Which scores will they report? How many will call it perfect?*

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lumbar_utils import Predictions, check, evaluate, figures, paper_reported
from lumbar_utils.evaluation import load_results, wilson
from lumbar_utils.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure

rng = np.random.default_rng(16)
right = rng.binomial(n=19, p=0.90, size=10_000)  # right answers, one number a hospital

# %%
share = 100 * np.bincount(right, minlength=20) / len(right)  # share[k] of the hospitals saw k right answers
low, high = np.quantile(right, [0.025, 0.975])

fig = go.Figure(go.Bar(x=np.arange(20), y=share, marker_color=[BLUE] * 19 + [VERMILLION]))
fig.update_xaxes(title_text="right answers out of 19", range=[9.5, 19.5], dtick=1)
fig.update_yaxes(title_text="hospitals (%)")
finish(
    fig,
    f"One model, 10,000 tests: mostly {low:.0f} to {high:.0f} right of 19, and perfect in {share[19]:.0f} %",
    details="Bars: share of simulated hospitals by their number of right answers; the true accuracy is 90 %.",
    height=330,
)

# %% [markdown]
# Nobody made a mistake here. Nobody cheated. Each hospital drew other patients, and that alone moves the score by several
# patients up or down. The hospitals on the right will publish.
#
# How wide is this cloud? Its standard deviation is known: $\sqrt{p\,(1-p)/n}$ for a true accuracy $p$ and $n$ patients.

# %%
print(f"simulated {np.std(right / 19):.2f}, by the formula {np.sqrt(0.9 * 0.1 / 19):.2f}")

# %% tags=["expected"]
# simulated 0.07, by the formula 0.07

# %% [markdown]
# ## 2. Turn the question round
#
# In life we stand on the other side. We see one score, and the true accuracy is hidden. So we ask of *every* possible true
# accuracy: **could you have produced this score?** A candidate stays in the race if our score lies within 1.96
# standard deviations of it, where about 95 of 100 of its own scores lie.
#
# The score is 19 of 19. We try 701 candidates, and let each one be tested 20,000 times.

# %%
seen = 19 / 19
candidates = np.linspace(0.3, 1.0, 701)
spread = np.array([np.std(rng.binomial(19, p, size=20_000) / 19) for p in candidates])
in_the_race = candidates[np.abs(seen - candidates) <= 1.96 * spread]
print(f"{in_the_race.min():.2f} to {in_the_race.max():.2f}")

# %% tags=["expected"]
# 0.83 to 1.00

# %% [markdown]
# There it is, without a formula. In a picture: each true accuracy (across) has a band of scores that it usually gets
# (upwards). Our score is a horizontal line. *Where the line runs inside the band, the candidates live.* That stretch is the
# interval.

# %%
fig = go.Figure()
for edge in (-1.96, 1.96):
    usual = np.clip(candidates + edge * spread, 0, 1)
    fig.add_scatter(
        x=100 * candidates, y=100 * usual, mode="lines", line={"color": GREY, "width": 1.5},
        fill="tonexty" if edge > 0 else None, fillcolor="rgba(107, 107, 107, 0.15)",
        name="where about 95 of 100 scores lie", showlegend=edge > 0,
    )  # fmt: skip
for k, colour in ((19, BLUE), (17, VERMILLION), (13, GREEN)):
    inside = candidates[np.abs(k / 19 - candidates) <= 1.96 * spread]
    fig.add_scatter(
        x=100 * inside[[0, -1]], y=[100 * k / 19] * 2, mode="lines+markers+text", line={"color": colour, "width": 4},
        text=[f"{100 * inside[0]:.0f}", f"{100 * inside[-1]:.0f}"], textposition=["top left", "bottom right"],
        textfont={"color": colour}, cliponaxis=False, name=f"{k} of 19",
    )  # fmt: skip
fig.update_xaxes(title_text="true accuracy (%)", range=[34, 105])
fig.update_yaxes(title_text="score of one test (%)", range=[20, 107])
fig.update_layout(legend={"x": 0.99, "y": 0.03, "xanchor": "right", "yanchor": "bottom"})
finish(
    fig,
    f"Nineteen of nineteen fits every true accuracy from {100 * in_the_race.min():.0f} % up",
    details="Each coloured line runs through the true accuracies that fit its score; its ends are the 95 % interval.",
)

# %% [markdown]
# Now put the formula $\sqrt{p(1-p)/n}$ where we simulated, and ask where the line leaves the band. That is a quadratic
# equation in $p$, and its two roots are **Wilson's interval**, the formula of lesson 02. The package has it:

# %%
print("19 of 19: {:.3f} to {:.3f}".format(*wilson(19, 19)))
print("13 of 19: {:.3f} to {:.3f}".format(*wilson(13, 19)))

# %% tags=["expected"]
# 19 of 19: 0.832 to 1.000
# 13 of 19: 0.460 to 0.846

# %% [markdown]
# Notice what we did *not* do. Many papers write score ± 1.96 · SD, with the SD at the *score*. At 19 of 19 that SD is
# $\sqrt{1 \cdot 0/19} = 0$, and the interval is [1.00, 1.00]: perfectly sure, after 19 patients.
#
# ## 3. What "95 %" promises
#
# Back to our hospitals, who all test the same model. Each puts Wilson's interval around its own score. *In how many of 50
# will it miss the truth?*

# %%
truth = 0.90
rows = [(k / 19, *wilson(k, 19)) for k in right[:50]]
misses = [not low <= truth <= high for _, low, high in rows]

fig = go.Figure()
for missed, colour, symbol, name in (
    (False, BLUE, "circle", "holds the truth"),
    (True, VERMILLION, "x", "misses it"),
):
    chosen = [(i, *row) for i, row in enumerate(rows) if misses[i] == missed]
    if not chosen:
        continue
    i, score, low, high = np.array(chosen).T
    fig.add_scatter(
        x=i + 1, y=100 * score, mode="markers", marker={"color": colour, "symbol": symbol, "size": 8}, name=name,
        error_y={"type": "data", "symmetric": False, "array": 100 * (high - score),
                 "arrayminus": 100 * (score - low), "thickness": 2, "width": 0},
    )  # fmt: skip
fig.add_hline(y=100 * truth, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.update_xaxes(title_text="hospital", range=[0, 51], showgrid=False)
fig.update_yaxes(title_text="score and its interval (%)", range=[35, 103])
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 0.02, "yanchor": "bottom"})
finish(
    fig,
    f"The truth stands still and the intervals move: {sum(misses)} of 50 miss it",
    details="50 simulated tests of one model whose true accuracy, the dotted line, is 90 %.",
    height=360,
)

# %% [markdown]
# So the promise belongs to the *recipe*: of all the intervals made this way, about 95 in 100 hold their truth. Yours
# holds it or does not, and nobody tells you which. Does the recipe "score ± 1.96 · SD" keep the same promise? We ask all
# 10,000 hospitals.

# %%
scores = right / 19
half = 1.96 * np.sqrt(scores * (1 - scores) / 19)
limits = np.array([wilson(k, 19) for k in range(20)])[right]  # (10000, 2)

print(f"Wilson holds the truth in      {np.mean((limits[:, 0] <= truth) & (truth <= limits[:, 1])):.0%}")
print(f"score ± 1.96 SD holds it in    {np.mean((scores - half <= truth) & (truth <= scores + half)):.0%}")

# %% [markdown]
# A "95 %" that keeps its word far less often. The recipe matters most where medicine lives: few patients, high scores.
#
# ### Exercise 1 (warm-up): eight promises
# A paper tests eight models, each on its own test set, and gives each a 95 % interval that keeps its word exactly. What is
# the chance that **all eight** hold their truth?

# %% tags=["exercise"]
all_eight_hold = ...

# %% tags=["check"]
check("sure.eight", all_eight_hold)

# %% tags=["solution"]
all_eight_hold = 0.95**8

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("sure.eight")`. Each call tells you a little more.)*
#
# ## 4. Play: how large must a test be?
#
# Model A is better than model B, by as much as you say. Each is tested on patients of its own. Move the sliders and watch
# three numbers: how wide the interval of A is, how often A is "perfect", and how often B wins, the *worse* model.
#
# *Before you touch it: A is right on 90 %, B on 85 %, with 19 patients each. How often does B win?*

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure

n_tested = widgets.SelectionSlider(
    options=[10, 19, 36, 50, 100, 200, 400, 800], value=19, description="patients"
)
accuracy_a = widgets.IntSlider(
    value=90, min=60, max=99, description="A is right (%)", style={"description_width": "initial"}
)
lead = widgets.IntSlider(
    value=5, min=0, max=20, description="A leads by (points)", style={"description_width": "initial"}
)
screen = widgets.Output()


def draw_duel(n, a, gap):
    draws = np.random.default_rng(0)
    right_a, right_b = draws.binomial(n, a, 20_000), draws.binomial(n, a - gap, 20_000)
    loses, ties = np.mean(right_a < right_b), np.mean(right_a == right_b)
    typical = round(n * a)  # the score nearest to what A deserves
    low, high = wilson(typical, n)

    fig = go.Figure()
    for name, k, colour, pattern in (("A", right_a, BLUE, ""), ("B", right_b, ORANGE, "/")):
        share = 100 * np.bincount(k, minlength=n + 1) / len(k)
        drawn = np.flatnonzero(share)
        fig.add_bar(
            x=100 * drawn / n, y=share[drawn], width=100 / n, name=name, opacity=0.65, marker_color=colour,
            marker_line_width=0, marker_pattern_shape=pattern if n <= 100 else "",
        )  # fmt: skip
    top = 1.12 * max(bar.y.max() for bar in fig.data)
    fig.add_scatter(
        x=[100 * low, 100 * typical / n, 100 * high], y=[top] * 3, mode="lines+markers", name="interval of A",
        line={"color": BLACK, "width": 3}, marker={"size": [10, 11, 10], "symbol": ["line-ns-open", "diamond", "line-ns-open"]},
    )  # fmt: skip
    fig.update_layout(barmode="overlay", legend={"x": 0.01, "y": 0.97, "xanchor": "left", "yanchor": "top"})
    fig.update_xaxes(title_text="score of one test (%)", range=[min(40, 100 * (a - gap) - 25), 101.5])
    fig.update_yaxes(title_text="tests (%)", range=[0, 1.1 * top])
    return finish(
        fig,
        f"{n} patients: the interval runs from {100 * low:.0f} to {100 * high:.0f} %, A is perfect in "
        f"{100 * a**n:.1f} %, and B wins {100 * loses:.0f} % of the duels (ties {100 * ties:.0f} %)",
        details="Scores of 20,000 simulated tests of model A and of model B, each on patients of its own.",
        height=330,
    )  # fmt: skip


def redraw(change=None):
    show_figure(screen, draw_duel(n_tested.value, accuracy_a.value / 100, lead.value / 100))


for control in (n_tested, accuracy_a, lead):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([n_tested, accuracy_a, lead]), screen])

# %% tags=["drive"]
for control in (n_tested, accuracy_a, lead):
    shown = screen.outputs
    control.value = control.options[0] if hasattr(control, "options") else control.min
    assert screen.outputs != shown, control

# %% [markdown]
# Try three things. How many patients does it take until B wins fewer than 5 % of the duels? Which accuracy makes A perfect
# in half of its tests on 19 patients? And what becomes of the duel if the lead is one point?
#
# ## 5. Six slices are not six witnesses
#
# So far one patient was one answer. A scanner gives many slices of each, and a model that fails on a patient tends to fail
# on *all* of that patient's slices. We build such a clinic: 100 patients, six slices each, 90 % right on average. What
# differs is the patient: easy ones are right on nearly every slice, hard ones on few.

# %%
n_patients, n_slices = 100, 6


def one_test_set():
    easy = rng.beta(0.9, 0.1, size=n_patients)  # each patient's own accuracy; the mean is 0.90
    return rng.random((n_patients, n_slices)) < easy[:, None]  # (100, 6) right or wrong


answers = one_test_set()
for patient in answers[:12]:
    print("".join("+" if right_here else "-" for right_here in patient), end="  ")

# %% [markdown]
# Each word is a patient, each sign a slice. Most patients are all plus, and minuses come in company. There is no simple
# formula for such data. But there is a trick that
# needs none: the **bootstrap** (Efron 1979). We cannot draw new patients from the world, so we draw them from the test set
# itself, *with* replacement, and look how much the score moves. Three lines:

# %%
drawn = rng.integers(n_patients, size=(2000, n_patients))  # 2000 new test sets, each of 100 patients
resampled = answers[drawn].mean(axis=(1, 2))  # (2000,) their accuracies
low, high = np.quantile(resampled, [0.025, 0.975])
print(f"accuracy {answers.mean():.3f} [{low:.3f}, {high:.3f}]")

# %% [markdown]
# A patient comes with all six slices or not at all. Now the tempting way: forget the patients, put 600 answers into one
# bag, and draw 600 of them. *Wider or narrower?*

# %%
bag = answers.ravel()  # (600,)
by_picture = bag[rng.integers(600, size=(2000, 600))].mean(axis=1)

fig = go.Figure()
bins = {"start": 70, "end": 100, "size": 0.5}
for scores_drawn, colour, name in (
    (by_picture, ORANGE, "pictures drawn"),
    (resampled, BLUE, "patients drawn"),
):
    fig.add_histogram(
        x=100 * scores_drawn, xbins=bins, marker_color=colour, opacity=0.65, name=name, histnorm="percent"
    )
fig.update_layout(barmode="overlay", legend={"x": 0.01, "y": 0.98})
fig.update_xaxes(title_text="accuracy in a resample (%)")
fig.update_yaxes(title_text="resamples (%)")
finish(
    fig,
    f"Patients move the score {np.std(resampled) / np.std(by_picture):.1f} times as much as pictures admit",
    details="2,000 bootstrap resamples each; 100 simulated patients with six slices.",
    height=340,
)

# %% [markdown]
# Narrower is tempting. Is it *true*? We know the truth here, so we can hold both recipes to their promise: 300 new test
# sets, two intervals for each. How often is 0.90 inside?


# %%
def interval(units, n_resamples=400):
    """Bootstrap the mean of the units, whatever they are."""
    means = units[rng.integers(len(units), size=(n_resamples, len(units)))].mean(axis=1)
    return np.quantile(means, [0.025, 0.975])


kept = {"patients": 0, "pictures": 0}
for _ in range(300):
    test_set = one_test_set()
    for unit, values in (("patients", test_set.mean(axis=1)), ("pictures", test_set.ravel())):
        low, high = interval(values)
        kept[unit] += low <= 0.90 <= high
for unit, count in kept.items():
    print(f"{unit} drawn: {count / 300:.0%} of the intervals hold the truth")

# %% [markdown]
# The unit is the patient, because the patient is what was drawn from the world. Ask what would change in a new test:
# new *people*, not new slices of the same ones.
#
# One thing the bootstrap cannot do. *What does it say about 19 of 19?*

# %%
perfect = np.ones(19)
print(np.quantile(perfect[rng.integers(19, size=(2000, 19))].mean(axis=1), [0.025, 0.975]))

# %% tags=["expected"]
# [1. 1.]

# %% [markdown]
# It can only draw what it has seen, and it has seen no mistake. There `evaluate` goes back to Wilson.
#
# ### Exercise 2: patients as they come
# Real data have no neat table: patients have one slice or ten. You get `right`, one entry a *picture*, and `owners`, whose
# picture it is. Return the lower and the upper limit of the accuracy (share of pictures right), with patients as the unit
# and 2,000 resamples.
#
# *Tools:* `np.unique(owners, return_inverse=True)` numbers the patients; `np.bincount(number, weights=right)` counts the
# right answers of each. An accuracy in a resample is then right answers over pictures, both summed over the drawn patients.


# %% tags=["exercise"]
def patient_interval(right, owners): ...


# %% tags=["check"]
check("sure.bootstrap", patient_interval)


# %% tags=["solution"]
def patient_interval(right, owners):
    patients, number = np.unique(owners, return_inverse=True)
    right_of, pictures_of = np.bincount(number, weights=right), np.bincount(number)
    drawn = np.random.default_rng(0).integers(len(patients), size=(2000, len(patients)))
    accuracy = right_of[drawn].sum(axis=1) / pictures_of[drawn].sum(axis=1)
    return np.quantile(accuracy, [0.025, 0.975])


# %% [markdown]
# ## 6. Two models, the same patients
#
# Model A is right on 180 of 200 patients, model B on 168 of *the same* 200. Their intervals overlap:

# %%
print("A: {:.2f} to {:.2f}".format(*wilson(180, 200)))
print("B: {:.2f} to {:.2f}".format(*wilson(168, 200)))

# %% tags=["expected"]
# A: 0.85 to 0.93
# B: 0.78 to 0.88

# %% [markdown]
# So they do not differ? Wrong question to the wrong numbers. Each interval says how the score would move with *other
# patients*. But hard patients are hard for both models, and if a new test set has more of these, both scores fall together.
# In the difference, that cancels.
#
# So look at patients in pairs. On 164 both were right, on 16 both were wrong. These 180 say nothing about who is better.
# What remains: **16 patients whom only A got right, 4 whom only B got right.**
#
# If the models were equally good, each of these 20 would fall to A or to B like a fair coin. *How often does a fair coin
# fall 16 : 4, or further apart?* We toss.

# %%
heads = rng.binomial(20, 0.5, size=100_000)
print(f"16 : 4 or further apart: {np.mean((heads >= 16) | (heads <= 4)):.3f}")

# %% [markdown]
# And without tossing: of the $2^{20}$ ways in which 20 coins can fall, we count those with 4 heads or fewer, and double
# them, for we would have been just as surprised by 4 : 16. This is **McNemar's exact test**.

# %%
from math import comb

few = sum(comb(20, heads) for heads in range(4 + 1))  # ways to get 0, 1, 2, 3 or 4 heads
p_value = 2 * few / 2**20
print(f"2 x {few:,} / {2**20:,} = {p_value:.3f}")

# %% tags=["expected"]
# 2 x 6,196 / 1,048,576 = 0.012

# %%
ways = 100 * np.array([comb(20, k) for k in range(21)]) / 2**20
surprising = np.minimum(np.arange(21), 20 - np.arange(21)) <= 4
fig = go.Figure(go.Bar(x=np.arange(21), y=ways, marker_color=np.where(surprising, VERMILLION, GREY)))
fig.add_annotation(
    x=16, y=ways[16], text="what we saw", ay=-60, ax=20, arrowcolor=VERMILLION, font={"color": VERMILLION}
)
fig.update_xaxes(title_text="of 20 patients on whom the models part, those that fall to A", dtick=2)
fig.update_yaxes(title_text="if the models were equal (%)")
finish(
    fig,
    f"A fair coin falls 16 : 4 or further apart in only {100 * p_value:.1f} % of all cases",
    details="Bars: probability of each outcome of 20 fair coins; the surprising outcomes are vermillion.",
    height=320,
)

# %% [markdown]
# Unlikely enough to say: A is better. And how much better? The difference has an interval of its own, and the bootstrap
# of section 5 gives it, patient by patient.


# %%
def difference(both, only_a, only_b, neither):
    gain = np.repeat([0, 1, -1, 0], [both, only_a, only_b, neither])  # (200,) who gained, patient by patient
    return 100 * gain.mean(), *(100 * interval(gain, 5000))


print("A minus B: {:.1f} points, {:.1f} to {:.1f}".format(*difference(164, 16, 4, 16)))

# %% [markdown]
# Now the sharp point. Change *only the pairing*: A is right on 180, B on 168, as before. But they part on 52 patients,
# 32 : 20. Same accuracies, same intervals. *And the difference?*

# %%
pairings = {"they part on 20 patients": (164, 16, 4, 16), "they part on 52 patients": (148, 32, 20, 0)}
fig = go.Figure()
for (name, counts), colour, symbol in zip(
    pairings.items(), (BLUE, VERMILLION), ("circle", "diamond"), strict=True
):
    value, low, high = difference(*counts)
    for label, x, left, right_end in (
        ("accuracy of A", 90, *(100 * np.array(wilson(180, 200)))),
        ("accuracy of B", 84, *(100 * np.array(wilson(168, 200)))),
        ("A minus B", value, low, high),
    ):
        fig.add_scatter(
            x=[x], y=[f"{label}, {name}"], mode="markers", marker={"color": colour, "size": 11, "symbol": symbol},
            xaxis="x2" if label == "A minus B" else "x", showlegend=False,
            yaxis="y2" if label == "A minus B" else "y",
            error_x={"type": "data", "symmetric": False, "array": [right_end - x], "arrayminus": [x - left],
                     "thickness": 2.5, "width": 7},
        )  # fmt: skip
fig.update_layout(
    xaxis={"domain": [0, 1], "anchor": "y", "title": {"text": "accuracy (%), with 95 % interval"}},
    yaxis={"domain": [0.62, 1], "autorange": "reversed"},
    xaxis2={"domain": [0, 1], "anchor": "y2", "title": {"text": "difference (points), with 95 % interval"}},
    yaxis2={"domain": [0, 0.24], "autorange": "reversed"},
    shapes=[{"type": "line", "xref": "x2", "yref": "y2 domain", "x0": 0, "x1": 0, "y0": 0, "y1": 1,
             "line": {"color": BLACK, "dash": "dot"}}],
)  # fmt: skip
finish(
    fig,
    "Same accuracies, same intervals: only the pairing says whether they differ",
    details="Above: four identical intervals. Below: the paired differences; one leaves out 0, one does not.",
    height=430,
)

# %% [markdown]
# Two overlapping intervals are **no test**. They cannot see the pairing, and the pairing is where the answer is. (If
# two intervals lie apart, the models do differ. It is the overlap that says nothing.)
#
# ### Exercise 3: write McNemar's test
# `only_a` patients were right with model A alone, `only_b` with model B alone. Return the two-sided p value. Mind the order
# (16 : 4 and 4 : 16 are equally surprising), and mind that no probability is larger than 1.


# %% tags=["exercise"]
def mcnemar(only_a, only_b): ...


# %% tags=["check"]
check("sure.mcnemar", mcnemar)


# %% tags=["solution"]
def mcnemar(only_a, only_b):
    apart = only_a + only_b
    few = sum(comb(apart, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * few / 2**apart)


# %% [markdown]
# ### The stored networks
# The course keeps every prediction of its networks on one locked test set of phantoms. Beside them stands a **ceiling**: a
# random forest that gets no picture but the *true measurements* behind it, millimetres of herniation and all. What the
# forest cannot tell, the drawn disease does not say. *How far below the ceiling is the CNN, and is that luck?*

# %%
from lumbar_utils.evaluation import mcnemar_exact, paired_difference

stored = load_results("zoo")
cnn, ceiling = stored["cnn"], stored["ceiling"]
print("CNN:              ", evaluate(cnn).accuracy)
print("ceiling:          ", evaluate(ceiling).accuracy)
print("ceiling minus CNN:", paired_difference(ceiling, cnn))
mcnemar_exact(ceiling, cnn)

# %% [markdown]
# `only_first` counts the patients whom the forest alone got right. Look at `only_second` too: there the CNN saw something
# that the measurements do not hold, or was lucky. All this is measured on phantoms.
#
# ## 7. Many comparisons
#
# One test at the level 0.05 cries wolf in up to 5 of 100 cases where nothing is there. Eight models make 28 pairs. *How often
# does a study of eight **equally good** models find a "significant" winner?* We simulate such studies: 300 patients, each
# model right on 85 % of them, by its own luck.

# %%
from functools import lru_cache

from lumbar_utils.evaluation import holm
from lumbar_utils.evaluation.comparison import mcnemar_p_value

p_of = lru_cache(None)(mcnemar_p_value)  # the test you wrote, with a memory


def study(n_models, n_patients=300):
    """Return the accuracies of equally good models, and the p values of all their pairs."""
    right = rng.random((n_models, n_patients)) < 0.85
    first, second = np.triu_indices(n_models, k=1)
    only_first = (right[first] & ~right[second]).sum(axis=1)
    only_second = (right[second] & ~right[first]).sum(axis=1)
    return right.mean(axis=1), [
        p_of(*sorted(pair)) for pair in zip(only_first.tolist(), only_second.tolist(), strict=True)
    ]


studies = [study(8) for _ in range(400)]
found = np.mean([min(p_values) < 0.05 for _, p_values in studies])
best = np.mean([accuracies.max() for accuracies, _ in studies])
print(f"studies with a 'significant' pair: {found:.0%}")
print(f"mean score of the best model:      {best:.3f}, and its true accuracy is 0.850")

# %% [markdown]
# Two traps in one cell. Who makes enough comparisons finds something. And the best of many equals *looks* better than it
# is, because it was chosen for its luck. (This is why we choose on validation patients and test on others.)
#
# **Holm's** correction (1979) keeps the chance of *any* false finding under 5 %. Sort the $m$ p values. Multiply the
# smallest by $m$, the next by $m-1$, and so on down to the last by 1. None may fall below the one before it; none exceeds 1.

# %%
numbers_of_models = [2, 3, 4, 6, 8, 10]
alarms = {"uncorrected": [], "after Holm": []}
for n_models in numbers_of_models:
    all_p = [study(n_models)[1] for _ in range(300)]
    alarms["uncorrected"].append(100 * np.mean([min(p) < 0.05 for p in all_p]))
    alarms["after Holm"].append(100 * np.mean([holm(p).min() < 0.05 for p in all_p]))

fig = go.Figure()
for (name, values), colour, dash in zip(alarms.items(), (VERMILLION, BLUE), ("dash", "solid"), strict=True):
    line = {"color": colour, "dash": dash, "width": 2.5}
    fig.add_scatter(x=numbers_of_models, y=values, name=name, line=line, marker_size=9, mode="lines+markers")
fig.add_hline(y=5, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.update_xaxes(title_text="equally good models compared on 300 patients", dtick=1)
fig.update_yaxes(title_text="studies with a false winner (%)", rangemode="tozero")
fig.update_layout(legend={"x": 0.02, "y": 0.98})
finish(
    fig,
    f"With ten equal models, {alarms['uncorrected'][-1]:.0f} % of studies find a false winner; "
    f"after Holm, {alarms['after Holm'][-1]:.0f} %",
    details="300 simulated studies a point; all pairs tested with McNemar's exact test at the level 0.05.",
    height=360,
)

# %% [markdown]
# ### Exercise 4: Holm by hand
# Four comparisons gave the p values 0.004, 0.026, 0.020 and 0.200. Give the four corrected values, in the *same order*.

# %% tags=["exercise"]
corrected = ...

# %% tags=["check"]
check("sure.holm", corrected)

# %% tags=["solution"]
# sorted: 0.004 · 4 = 0.016; 0.020 · 3 = 0.060; 0.026 · 2 = 0.052, lifted to 0.060; 0.200 · 1 = 0.200
corrected = [0.016, 0.060, 0.060, 0.200]

# %% [markdown]
# Correct for what you *planned* to ask. We ask one thing of the stored networks: does each of the others differ from the
# CNN? That is one p value a rival, and Holm over these.

# %%
rows = []
for name, rival in stored.items():
    if name == "cnn":
        continue
    gap = paired_difference(rival, cnn)
    rows.append(
        {"first": name, "second": "cnn", "difference": gap.value, "low": gap.low, "high": gap.high,
         "p_value": mcnemar_exact(rival, cnn).p_value, "method": gap.method, "test": "exact McNemar"}
    )  # fmt: skip
planned = pd.DataFrame(rows)
planned["p_holm"] = holm(planned["p_value"])
figures.paired_forest(planned)

# %% [markdown]
# A filled circle differs from the CNN after Holm; an open diamond does not, *as far as these patients can tell*. No
# difference found is not the same as no difference: read how far its interval reaches.
#
# ## 8. Does "90 % sure" mean right 9 times in 10?
#
# A network ends in a softmax, and its outputs sum to 1. That makes them look like probabilities. Whether they *are* is a
# question to patients. We build a world where we know: each patient gets four true probabilities, and the diagnosis is
# drawn from them. A model that reports just these numbers is **calibrated**. A second one says the same things more boldly.


# %%
def new_patients(n):
    p = rng.dirichlet([0.5] * 4, size=n)  # (n, 4) true probabilities
    return p, (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)  # and diagnoses drawn from them


honest, labels = new_patients(3000)
bold = honest**2.5 / (honest**2.5).sum(axis=1, keepdims=True)  # the same order, more extreme

for name, p in (("honest", honest), ("bold", bold)):
    share_right = np.mean(p.argmax(axis=1) == labels)
    print(f"{name:<7} claims {p.max(axis=1).mean():.2f} on average, is right on {share_right:.2f}")

# %% [markdown]
# Same answers, same accuracy. Only the claims differ. To see it, sort the patients by the claimed probability into ten
# bins, and compare claim and truth in each: a **reliability diagram**.


# %%
def bins_of(p, labels):
    """Return for each bin of the claimed probability: patients, mean claim, share right."""
    claim, is_right = p.max(axis=1), p.argmax(axis=1) == labels
    table = pd.DataFrame({"bin": np.ceil(10 * claim), "claim": claim, "right": is_right})
    return table.groupby("bin").agg(
        patients=("claim", "size"), claim=("claim", "mean"), right=("right", "mean")
    )


fig = go.Figure()
figures.style.add_diagonal(fig, "claim = truth")
for name, p, colour, symbol in (("honest", honest, BLUE, "circle"), ("bold", bold, VERMILLION, "diamond")):
    table = bins_of(p, labels).query("patients >= 20")  # fewer show nothing but luck
    fig.add_scatter(
        x=100 * table["claim"],
        y=100 * table["right"],
        mode="lines+markers",
        name=name,
        line_color=colour,
        marker={"size": 10, "symbol": symbol},
    )
fig.update_xaxes(title_text="probability the model gives its answer (%)", range=[25, 102])
fig.update_yaxes(title_text="right (%)", range=[15, 104])
fig.update_layout(legend={"x": 0.02, "y": 0.98})
surest = bins_of(bold, labels).iloc[-1]
finish(
    fig,
    f"Where the bold model claims {100 * surest['claim']:.0f} %, it is right on {100 * surest['right']:.0f} %",
    details="Reliability of two simulated models; bins with fewer than 20 patients are left out.",
    height=400,
)

# %% [markdown]
# One number for the whole picture: the mean gap between claim and truth over the bins, each bin weighted by its patients.
# It is called the **expected calibration error**, ECE.


# %%
def ece(p, labels):
    claim, is_right = p.max(axis=1), p.argmax(axis=1) == labels
    gaps = np.bincount(np.ceil(10 * claim).astype(int), weights=claim - is_right)  # each bin's gap x patients
    return np.abs(gaps).sum() / len(claim)


print(f"honest {ece(honest, labels):.3f}, bold {ece(bold, labels):.3f}")

# %% [markdown]
# ### Exercise 5: an ECE by hand
# Of 200 patients, a model claims 0.95 for 100 and is right on 80 of them; it claims 0.70 for 60 and is right on 45;
# it claims 0.45 for 40 and is right on 16. What is its ECE, as a fraction?

# %% tags=["exercise"]
error_by_hand = ...

# %% tags=["check"]
check("sure.ece", error_by_hand)

# %% tags=["solution"]
error_by_hand = (100 * abs(0.95 - 80 / 100) + 60 * abs(0.70 - 45 / 60) + 40 * abs(0.45 - 16 / 40)) / 200

# %% [markdown]
# The honest model's ECE is small, but not 0, although its calibration is perfect. An ECE is a mean of *absolute* gaps, and
# in every bin luck opens a gap. *What ECE will the honest model show on 19 patients?*

# %%
test_sizes = [19, 50, 100, 200, 600, 2000]
by_chance = [[ece(*new_patients(size)) for _ in range(300)] for size in test_sizes]
low, middle, high = np.quantile(by_chance, [0.05, 0.5, 0.95], axis=1)

fig = go.Figure()
band = {"mode": "lines", "line_width": 0, "fillcolor": "rgba(0, 114, 178, 0.18)", "hoverinfo": "skip"}
fig.add_scatter(x=test_sizes, y=high, showlegend=False, **band)
fig.add_scatter(x=test_sizes, y=low, fill="tonexty", name="90 of 100 test sets", **band)
fig.add_scatter(x=test_sizes, y=middle, mode="lines+markers", line_color=BLUE, name="median")
fig.update_xaxes(title_text="patients in the test set (logarithmic)", type="log", tickvals=test_sizes)
fig.update_yaxes(title_text="ECE of a calibrated model", rangemode="tozero")
fig.update_layout(legend={"x": 0.98, "y": 0.98, "xanchor": "right"})
finish(
    fig,
    f"A perfectly calibrated model shows an ECE of {middle[0]:.2f} on 19 patients, and still {middle[4]:.2f} on 600",
    details="300 simulated test sets a size, drawn from patients whose probabilities are true.",
    height=350,
)

# %% [markdown]
# So an ECE alone says nothing. It needs its own floor: *what would this model show if its claims were true?* We can ask
# that of any model. Keep its claims, and throw dice for right and wrong: a claim of 0.8 is right with chance 0.8. Here
# for the stored CNN:

# %%
claim = cnn.probabilities.max(axis=1)
if_true = []
for _ in range(1000):
    is_right = rng.random(len(claim)) < claim
    truth_by_dice = np.where(is_right, cnn.predicted, -1)  # -1: some other class
    if_true.append(ece(cnn.probabilities, truth_by_dice))
print(f"the CNN's ECE {ece(cnn.probabilities, cnn.labels):.3f}")
print(f"if its claims were true: under {np.quantile(if_true, 0.95):.3f} in 95 of 100 test sets")

# %% [markdown]
# The course's reliability diagram says both numbers in its title, and puts an interval on every bin. First the CNN, then
# the ceiling. *Which of the two do you believe when it says 60 %?*

# %%
figures.reliability_diagram(cnn)

# %%
figures.reliability_diagram(ceiling)

# %% [markdown]
# A good ranking and honest claims are two different virtues. A model can have one without the other.
#
# ## 9. One number repairs boldness: temperature
#
# Our bold model is right where the honest one is, and claims too much. Guo and colleagues (2017) found the
# simplest repair: divide all logits by one number, the **temperature** $T$. Above 1, the claims cool down towards
# equal shares; below 1 they sharpen. The order of the classes stays, and so does the accuracy.
#
# Which $T$? The one that makes the *validation* patients least surprising: the lowest negative log-likelihood, the loss of
# lesson 04. We made `bold` by raising probabilities to the power 2.5, which multiplies their logarithms by 2.5. *What should
# come out?*


# %%
def loss_at(temperature, p, labels):
    logits = np.log(np.maximum(p, 5e-6)) / temperature  # (N, K); a logarithm of a probability is a logit
    own = logits[np.arange(len(labels)), labels]
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - own)


temperatures = np.arange(0.5, 4.01, 0.05)
first_half = slice(0, 1500)  # the validation patients of this world
losses = [loss_at(t, bold[first_half], labels[first_half]) for t in temperatures]
print(f"best temperature {temperatures[np.argmin(losses)]:.1f}")

# %% [markdown]
# Close to the 2.5 that we put in. Now a case whose answer we do not know. The CNN's predictions on its validation patients
# are stored too. We follow both losses: the validation patients', whom we may ask, and the test patients', whom we may not.

# %%
from lumbar_utils.evaluation import fit_temperature, with_temperature
from lumbar_utils.paths import results_folder

validation = Predictions.load(results_folder() / "zoo" / "validation" / "cnn.csv")
temperature = fit_temperature(validation)  # follows the slope of the same loss to zero

fig = go.Figure()
near_one = np.geomspace(0.5, 2.5, 41)
for name, p, colour, dash in (
    ("validation", validation, BLUE, "solid"),
    ("test, had we peeked", cnn, ORANGE, "dash"),
):
    losses = [loss_at(t, p.probabilities, p.labels) for t in near_one]
    fig.add_scatter(
        x=near_one, y=losses, name=name, mode="lines", line={"color": colour, "dash": dash, "width": 2.5}
    )
fig.add_vline(x=temperature, line={"color": BLUE, "dash": "dot", "width": 1.5})
fig.update_xaxes(title_text="temperature (1 leaves the claims as they are)")
fig.update_yaxes(title_text="negative log-likelihood")
fig.update_layout(legend={"x": 0.5, "y": 0.98, "xanchor": "center"})
verdict = "cool" if temperature > 1.05 else "sharpen" if temperature < 0.95 else "keep"
finish(
    fig,
    f"The validation patients ask for a temperature of {temperature:.2f}: {verdict} the claims",
    details="Loss of the stored CNN against temperature; measured on phantoms.",
    height=340,
)

# %%
cooled = with_temperature(cnn, temperature)
before_after = {"before": evaluate(cnn), "after": evaluate(cooled)}
pd.DataFrame(
    {
        when: {
            "accuracy": f"{r.accuracy.value:.3f}",
            "ECE": f"{r.calibration_error.value:.3f}",
            "ECE by chance, up to": f"{r.calibration_error_by_chance:.3f}",
            "negative log-likelihood": f"{r.nll.value:.3f}",
        }
        for when, r in before_after.items()
    }
)

# %% [markdown]
# The accuracy did not move by a hair: temperature changes claims, not answers. If the temperature came out near 1, there
# was nothing to repair, and finding that out was worth a line of code. Had we fitted it on the test patients, their loss
# would have been flattered, as everything is that is fitted where it is measured.
#
# ## 10. From a probability to an action
#
# Somebody has to *do* something: refer this patient to a spine clinic, or not. From which probability on? The largest of four
# probabilities is no answer. What a mistake costs is.
#
# Say you act from a probability $t$ upwards. At exactly $t$ you do not care which way it goes, so the odds there say what
# you fear: one missed patient is as bad as $(1-t)/t$ needless referrals.
#
# ### Exercise 6: your threshold
# A doctor decides whom to refer. She says: "One missed patient is as bad as nine needless referrals." From
# which probability of a disease on does she refer?

# %% tags=["exercise"]
threshold = ...

# %% tags=["check"]
check("sure.threshold", threshold)

# %% tags=["solution"]
threshold = 1 / (1 + 9)  # (1 - t) / t = 9

# %% [markdown]
# Now count what the CNN is worth to her. A sick patient referred counts 1. A healthy one referred costs $t/(1-t)$, here a
# ninth. The sum over all patients, divided by their number, is the **net benefit** (Vickers and Elkin 2006). *Her plan
# without any model is to refer everybody. Who wins?*

# %%
t = 0.10
healthy = cnn.class_names.index("Healthy")
sick = cnn.labels != healthy

for name, acts in (
    ("refer by the CNN", 1 - cnn.probabilities[:, healthy] >= t),
    ("refer everybody", np.ones(len(cnn), bool)),
    ("refer nobody", np.zeros(len(cnn), bool)),
):
    benefit = (np.sum(acts & sick) - np.sum(acts & ~sick) * t / (1 - t)) / len(cnn)
    print(f"{name:<17} {100 * benefit:5.1f} in 100 patients")

# %% [markdown]
# *Refer everybody* is the rival to beat, and many published models never met it. A doctor who fears needless referrals
# more has a higher threshold, so we draw the net benefit at all of them: a **decision curve**.

# %%
diseases = [name for name in cnn.class_names if name != "Healthy"]
figures.decision_curve(cnn, diseases)

# %% [markdown]
# Where the blue line runs above both others, the model helps. Where it lies on "act on all", the model changes nothing
# that matters to such a doctor, however accurate it is. A decision curve needs honest probabilities: 0.10 must mean one
# patient in ten. And it belongs to its clinic: most of our drawn patients are ill, and where few are, the curve is another.
#
# ## 11. The paper, read again
#
# You now own all the tools. We take the paper's table. All values here are *reported*: the course did not measure them.

# %%
paper = paper_reported()
paper.accuracies[
    ["model", "accuracy", "value", "measured_on", "right", "of", "wilson_low", "wilson_high"]
].round(3)

# %% [markdown]
# Two rows have no interval, and that is a finding. VGG16-Involution's reported 0.90 was measured on *validation*
# pictures, which help to choose a model. AlexNet has no number at all.
#
# Who beats whom? Suppose that all were tested on the same 19 pictures. For a model without a mistake we know the pairs:
# against DenseNet's reported 13 of 19 they fall 6 : 0. For the others we take the case that favours the better model most.
# *How many of 15 pairs stay below 0.05?*

# %%
pairs = paper.comparisons.sort_values("p_value", kind="stable").reset_index(drop=True)
fig = go.Figure()
names = pairs["first"] + " − " + pairs["second"]
ring = {"color": VERMILLION, "symbol": "circle-open", "size": 14, "line": {"width": 2}}
fig.add_scatter(x=pairs["p_value"], y=names, mode="markers", name="McNemar, at best", marker=ring)
dot = {"color": BLUE, "size": 8}
fig.add_scatter(x=pairs["p_holm"], y=names, mode="markers", name="after Holm", marker=dot)
fig.add_vline(x=0.05, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.update_xaxes(
    title_text="p value, from reported accuracies on 19 pictures (logarithmic)",
    type="log",
    tickvals=[0.02, 0.05, 0.1, 0.2, 0.5, 1],
    range=[-1.75, 0.08],
)
fig.update_yaxes(autorange="reversed", tickfont={"size": 12})
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"})
at_best, after = int((pairs["p_value"] < 0.05).sum()), int((pairs["p_holm"] < 0.05).sum())
finish(
    fig,
    f"Of {len(pairs)} reported pairs, {at_best} reach 0.05 at best, and {after or 'none'} after Holm's correction",
    details="Each row a pair of models of the paper, assumed to have been tested on the same 19 pictures.",
    height=480,
    above=34,
)

# %% [markdown]
# The reported winner ties with ResNet50, and with 19 pictures no model of the table can be told from the next.
#
# ### Exercise 7 (open): the 0.67 puzzle
# For MobileNet the paper reports a recall of 0.67 for Herniated Disk. A recall is hits over patients: $k/n$, printed with
# two decimals. **Which numbers of patients $n$ from 1 to 12 can print 0.67?** Give a list. Then hold it
# against the paper's support, 4 for this class, and say aloud what must have happened.

# %% tags=["exercise"]
possible_n = ...

# %% tags=["check"]
check("sure.recall", possible_n)

# %% tags=["solution"]
possible_n = [n for n in range(1, 13) if any(f"{k / n:.2f}" == "0.67" for k in range(n + 1))]

# %% [markdown]
# Here is what else does not fit. All of these are computed from the reported numbers alone; no picture was needed.

# %%
for number, finding in enumerate((f for f in paper.findings if f.how == "computed"), start=1):
    print(f"{number:2}. Reported: {finding.reported}\n    {finding.finding}\n")

# %% [markdown]
# This is no disgrace of one paper. Small test sets, no intervals and no pairing are common, and none of it takes bad will: it is a
# draw, taken for the truth. **What would repair it?** A list of 19 lines would: patient, truth, answer of each model. Whoever
# publishes the predictions lets everybody else do this lesson.
#
# ## Quiz
#
# 1. **A paper reports 95 % [0.75, 0.99]. What does the 95 % of the *interval* mean?**
#    - a) this one interval holds the true accuracy with a probability of 95 %
#    - b) of many intervals made this way, about 95 in 100 hold their truth
#    - c) 95 % of the patients lie between the limits
# 2. **The intervals of two models tested on the same patients overlap. So they ...**
#    - a) do not differ
#    - b) are equally good until one has more patients
#    - c) may well differ; test them patient by patient
# 3. **A network says 99 %. How often is it right when it does?**
#    - a) 99 times in 100, softmax gives probabilities
#    - b) only patients it has not seen can tell, sorted by what it claimed
#    - c) always: it would say 60 % if it were unsure
# 4. **Model X has an ECE of 0.09 on 50 patients. So it is ...**
#    - a) badly calibrated
#    - b) well calibrated, 0.09 is small
#    - c) not judged yet: a calibrated model may show as much on 50
# 5. **You compare ten models, and one pair has p = 0.03. You ...**
#    - a) report that pair
#    - b) correct for all the pairs you looked at
#    - c) add patients until it is clear

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("sure.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "b", "4": "c", "5": "b"}

# %% [markdown]
# ## What you have seen
#
# - A score is a draw. An interval lists the true accuracies that could have drawn it; its 95 % is a promise of the recipe.
# - Resample what was drawn from the world: patients. Pictures promise too much.
# - Two models on the same patients are compared in pairs. Only the patients on whom they part have a say.
# - Who compares much finds much. Holm corrects for that; choosing on other patients than you test on helps as well.
# - A claim of 90 % is a claim. Hold it against patients, against chance, and cool it on the validation set if need be.
# - A threshold is a statement about costs, and "act on everybody" is the rival to beat.
# - A published table can be checked with fractions and coins.
#
# **Take along:** when somebody shows you two numbers, ask on *which patients*, *in pairs or apart*, and *how many others were
# looked at*.
#
# ## References
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, J Am Stat Assoc 22:209.
# - McNemar (1947), *Note on the sampling error of the difference between correlated proportions*, Psychometrika 12:153.
# - Efron (1979), *Bootstrap methods: another look at the jackknife*, Ann Stat 7:1.
# - Holm (1979), *A simple sequentially rejective multiple test procedure*, Scand J Stat 6:65.
# - Vickers and Elkin (2006), *Decision curve analysis*, Med Decis Making 26:565.
# - Bröcker and Smith (2007), *Increasing the reliability of reliability diagrams*, Weather Forecast 22:651.
# - Guo and others (2017), *On calibration of modern neural networks*, ICML, arXiv:1706.04599.
