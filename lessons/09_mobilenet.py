# %% [markdown]
# # MobileNet: what does a convolution cost, and can one do with a ninth of it?
#
# **When you have finished you can**
# 1. split a convolution into its two jobs, looking around and mixing maps, and do each by hand;
# 2. count the parameters and multiply-adds of any convolution, and of MobileNet's 4,253,864 parameters by hand;
# 3. say what a trained network loses when its windows are forced to be separable, and why MobileNet is not such a forced one;
# 4. choose a network's width and input size for a budget;
# 5. explain why fewer multiply-adds need not mean fewer milliseconds, and measure both.
#
# *About 60 minutes of your time, 80 s of the machine's, 1.5 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# In 2017, Howard and colleagues at Google wanted networks that run on a telephone. They did not look for a better picture
# of the world; they looked at the bill. What does one convolution cost, who runs up that cost, and can the same work be done
# for less? The course's paper took their network because it is "lightweight". We read the bill line by line.

# %%
import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from keras import layers

from lumbar_utils import Predictions, augmenter, build_model, check, count_parameters, course_size
from lumbar_utils import evaluate, figures, fit, lesion_mask, load_dataset, load_predictor
from lumbar_utils import paper_reported, predict, split_by_patient
from lumbar_utils.evaluation import load_results, paired_difference, wilson
from lumbar_utils.figures.style import BLACK, BLUE, DASHES, GREEN, GREY, ORANGE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure

size = course_size(epochs=10, patients=800)
clinic = load_dataset("phantom", n_patients=size.patients, seed=0)
train, validation, test = split_by_patient(clinic, fractions=(0.7, 0.1, 0.2), seed=0)
print(f"{len(train)} patients to train, {len(validation)} to validate, {len(test)} to test")

# %% [markdown]
# The same drawn patients as in lesson 04, split in the same way.
#
# ## 1. Two jobs at once
#
# Take the last convolution of lesson 04's network: 128 maps come in, 128 go out, on 16 × 16 cells. For one number of one
# output map it looks at a 3 × 3 window of *every* input map, and adds up 9 · 128 products. One product and one addition make
# a **multiply-add**, the unit in which networks are billed. *How many does this one layer need for one picture? Guess the
# number of digits.*

# %%
weights = 3 * 3 * 128 * 128
cells = 16 * 16
print(f"{weights:,} weights, each used in {cells} cells: {weights * cells:,} multiply-adds")

# %% tags=["expected"]
# 147,456 weights, each used in 256 cells: 37,748,736 multiply-adds

# %% [markdown]
# Thirty-eight million for one layer and one picture. Note the rule, we shall need it all the time: **multiply-adds = weights ×
# cells of the output**, because each weight is used once in each place.
#
# What are they for? Two things at once. The layer looks *around*: an endplate is a change from one row to the next, and one
# cell alone cannot see it. And it *mixes*: "bright here in map 3 and dark there in map 7". Each of the 128 × 128 pairs of
# maps has its own 3 × 3 window, as if the way of looking had to be invented anew for every pair.
#
# Now do the two jobs one after the other. First look: one window a map, and each map stays by itself. This is a
# **depthwise** convolution. Then mix: in each cell, a weighted sum over the maps, without a glance at the neighbours. This is
# a **pointwise** convolution, with a "window" of 1 × 1. A toy: two maps of 5 × 5 cells, three maps out.

# %%
maps = (np.arange(50).reshape(5, 5, 2) * 3 % 7).astype("float32")  # (5, 5, 2), any numbers will do
windows = np.stack([[[1, 1, 1], [0, 0, 0], [-1, -1, -1]], [[1, 0, -1]] * 3], axis=-1).astype(
    "float32"
)  # (3, 3, 2)
table = np.array([[1, 0, 1], [0, 1, -1]], dtype="float32")  # (2, 3): from two maps to three


def look(maps, windows):
    """Slide one window over each map: (H, W, M) and (3, 3, M) to (H - 2, W - 2, M)."""
    height, width, n_maps = maps.shape
    seen = np.zeros((height - 2, width - 2, n_maps), "float32")
    for i in range(height - 2):
        for j in range(width - 2):
            seen[i, j] = (maps[i : i + 3, j : j + 3] * windows).sum(
                axis=(0, 1)
            )  # over the window, not over maps
    return seen


def mix(maps, table):
    """Weigh and add the maps, cell by cell: (H, W, M) and (M, N) to (H, W, N)."""
    return maps @ table


by_hand = mix(look(maps, windows), table)
print("in", maps.shape, "-> looked", look(maps, windows).shape, "-> mixed", by_hand.shape)
print("one cell looked:", look(maps, windows)[0, 0], " and mixed:", by_hand[0, 0])

# %% tags=["expected"]
# in (5, 5, 2) -> looked (3, 3, 2) -> mixed (3, 3, 3)
# one cell looked: [ 2. -1.]  and mixed: [ 2. -1.  3.]

# %% [markdown]
# Keras has both. The shapes of the weights tell the jobs apart: the first has a window and no second map axis, the
# second has two map axes and no window. *Do they agree with the loops?*

# %%
depthwise = layers.DepthwiseConv2D(3, use_bias=False)
pointwise = layers.Conv2D(3, 1, use_bias=False)
looked = depthwise(maps[None])  # builds the layer; (1, 3, 3, 2)
pointwise(looked)
depthwise.set_weights([windows[..., None]])  # (3, 3, 2, 1)
pointwise.set_weights([table[None, None]])  # (1, 1, 2, 3)
by_keras = keras.ops.convert_to_numpy(pointwise(depthwise(maps[None])))[0]
print("Keras agrees with the loops:", np.allclose(by_keras, by_hand))

# %% tags=["expected"]
# Keras agrees with the loops: True

# %% [markdown]
# ## 2. The bill
#
# $K$ is the side of the window, $M$ the maps that come in, $N$ those that go out. For each cell:
#
# | | weights | 128 to 128 maps |
# |---|---|---|
# | standard | $K^2 \cdot M \cdot N$ | 147,456 |
# | looking (depthwise) | $K^2 \cdot M$ | 1,152 |
# | mixing (pointwise) | $M \cdot N$ | 16,384 |
#
# ### Exercise 1 (warm-up): the same layer in two steps
# The layer of section 1, 128 to 128 maps, 3 × 3, on 16 × 16 cells, now as depthwise and pointwise convolution. How many
# multiply-adds for one picture?

# %% tags=["exercise"]
two_steps = ...

# %% tags=["check"]
check("mobilenet.two_steps", two_steps)

# %% tags=["solution"]
two_steps = (3 * 3 * 128 + 128 * 128) * 16 * 16

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("mobilenet.two_steps")`.)*
#
# Divide the two bills, and nearly everything cancels:
#
# $$\frac{K^2 M + M N}{K^2 M N} = \frac{1}{N} + \frac{1}{K^2}$$
#
# The first term is the looking, the second the mixing. The number of cells plays no part, and neither does $M$. *How far
# down can one get with 3 × 3 windows?*

# %%
n_maps = np.unique(np.geomspace(4, 1024, 60).round())
fig = go.Figure()
for window, colour, dash in ((3, BLUE, "solid"), (5, VERMILLION, "dash"), (7, GREEN, "dot")):
    share = 100 * (1 / n_maps + 1 / window**2)
    line = {"color": colour, "dash": dash, "width": 2.5}
    fig.add_scatter(x=n_maps, y=share, mode="lines", line=line, name=f"{window} x {window}")
    fig.add_hline(y=100 / window**2, line={"color": colour, "width": 1, "dash": "dot"}, opacity=0.5)
at_128 = 1 / 128 + 1 / 9
point = {"color": BLUE, "size": 11}
fig.add_scatter(x=[128], y=[100 * at_128], mode="markers", marker=point, name="the layer above")
fig.update_xaxes(
    title_text="maps that go out (logarithmic)", type="log", tickvals=[4, 16, 64, 128, 256, 1024]
)
fig.update_yaxes(title_text="cost, % of the standard convolution", range=[0, 40])
fig.update_layout(legend={"x": 0.98, "y": 0.98, "xanchor": "right"})
finish(
    fig,
    f"With 128 maps, two steps cost {100 * at_128:.1f} % of one; with ever more maps, a ninth",
    details="1/N + 1/K² for windows of 3, 5 and 7 cells; the thin lines are 1/K².",
    height=340,
)

# %% [markdown]
# So that is the ninth. The looking has become so cheap that its share vanishes, and what remains is the mixing. One more
# consequence. *You want wider windows, 7 × 7 instead of 3 × 3. By how much does each kind of layer grow, at 128 maps?*

# %%
print(f"standard:  {7 * 7 / (3 * 3):.2f} times")
print(f"two steps: {(7 * 7 + 128) / (3 * 3 + 128):.2f} times")

# %% tags=["expected"]
# standard:  5.44 times
# two steps: 1.29 times

# %% [markdown]
# ### Exercise 2: an eighth
# From how many output maps $N$ on does a 3 × 3 convolution in two steps cost *at most an eighth* of the standard one?

# %% tags=["exercise"]
maps_for_an_eighth = ...

# %% tags=["check"]
check("mobilenet.eighth", maps_for_an_eighth)

# %% tags=["solution"]
maps_for_an_eighth = 72  # 1/N <= 1/8 - 1/9 = 1/72

# %% [markdown]
# ## 3. What is lost?
#
# Nothing comes free. Put look and mix together, and the window from map $m$ to map $n$ is `windows[m] * table[m, n]`: all output
# maps share *one* way of looking at map $m$, and may only turn it up, down or over. A standard convolution whose windows happen
# to be like that gives exactly the same maps:

# %%
as_one = windows[:, :, :, None] * table[None, None]  # (3, 3, 2, 3), an ordinary kernel
standard = layers.Conv2D(3, 3, use_bias=False)
standard(maps[None])
standard.set_weights([as_one])
in_one_step = keras.ops.convert_to_numpy(standard(maps[None]))[0]
print("one step gives the same maps:", np.allclose(in_one_step, by_hand))

# %% tags=["expected"]
# one step gives the same maps: True

# %% [markdown]
# Every pair of steps is a standard convolution. Is every standard convolution a pair of steps? Write the 128 windows that look
# at one map as rows of a table of 128 × 9 numbers. Shared looking means: all rows are multiples of one. Such a
# table has **rank** 1. The singular value decomposition tells how far a table is from that: it writes it as a sum of rank-1 tables,
# the largest first, and the squares of the singular values add up to the sum of all squared weights.
#
# The course ships lesson 04's CNN, trained on many phantoms. Nobody told it to share. *Did it do so anyway?*

# %%
cnn = build_model("cnn", weights="phantom")
blocks = [f"block{number}_conv" for number in (2, 3, 4, 5)]  # block 1 has one input map


def with_looks(kernel, looks):
    """Return the nearest kernel with so many windows a map, (3, 3, M, N), and the share of the squares it keeps."""
    n_in, n_out = kernel.shape[2:]
    tables = np.moveaxis(kernel, 2, 0).reshape(n_in, 9, n_out)  # a table for each input map
    u, s, v = np.linalg.svd(tables, full_matrices=False)
    nearest = (u[:, :, :looks] * s[:, None, :looks]) @ v[:, :looks]  # (M, 9, N)
    kept = (s[:, :looks] ** 2).sum() / (s**2).sum()
    return np.moveaxis(nearest.reshape(n_in, 3, 3, n_out), 0, 2), kept


trained = {block: cnn.get_layer(block).get_weights()[0] for block in blocks}
for block, kernel in trained.items():
    print(
        f"{block} {kernel.shape}: one look a map keeps {with_looks(kernel, 1)[1]:.0%} of the squared weights"
    )

# %% [markdown]
# No table has rank 1. But small weights may matter little. So we ask the patients: we force the trained network's windows to one
# look a map, then to two, three and so on, and let it answer. (Nine looks are the network as it was: a 3 × 3 window has nine
# numbers.) The column of the spine is cut out once; all shipped networks see that. *How many looks will it take?*

# %%
from lumbar_utils.framing import COLUMN_SIZE, frame
from plotly.subplots import make_subplots

frames = frame(test.images, COLUMN_SIZE, "column")
columns = frames.pictures[..., None] / np.float32(255)  # (N, 192, 96, 1)

all_looks = (1, 2, 3, 4, 6, 9)
kept = {block: [] for block in blocks}
n_right = []
for looks in all_looks:
    for block, kernel in trained.items():
        forced, share = with_looks(kernel, looks)
        cnn.get_layer(block).set_weights([forced])
        kept[block].append(share)
    n_right.append(int((predict(cnn, columns).argmax(axis=1) == test.labels).sum()))
for block, kernel in trained.items():  # as it was
    cnn.get_layer(block).set_weights([kernel])

# %%
fig = make_subplots(rows=1, cols=2, horizontal_spacing=0.14)
for number, (block, shares) in enumerate(kept.items()):
    style = {"line_dash": DASHES[number], "marker_symbol": number, "mode": "lines+markers"}
    fig.add_scatter(
        x=all_looks, y=100 * np.array(shares), name=block.removesuffix("_conv"), row=1, col=1, **style
    )
right = np.array(n_right) / len(test)
low, high = np.array([wilson(k, len(test)) for k in n_right]).T
fig.add_scatter(
    x=all_looks, y=100 * right, mode="lines+markers", line_color=BLACK, name="accuracy", showlegend=False,
    error_y={"type": "data", "symmetric": False, "array": 100 * (high - right), "arrayminus": 100 * (right - low)},
    row=1, col=2,
)  # fmt: skip
fig.update_xaxes(title_text="looks a map", tickvals=all_looks)
fig.update_yaxes(title_text="squared weights kept (%)", range=[0, 103], row=1, col=1)
fig.update_yaxes(title_text="right on test phantoms (%)", range=[0, 103], row=1, col=2)
fig.update_layout(legend={"x": 0.42, "y": 0.03, "xanchor": "right", "yanchor": "bottom"})
finish(
    fig,
    f"Forced to one look a map, the trained CNN falls from {right[-1]:.0%} to {right[0]:.0%}"
    if right[0] < right[-1]
    else f"Forced to one look a map, the trained CNN stays at {right[0]:.0%} ({right[-1]:.0%} before)",
    details="Left: share of the squared weights. Right: accuracy on test phantoms with Wilson intervals.",
    height=340,
)

# %% [markdown]
# Not at all: what the network learned needs many looks a map. (Guessing would be right on a quarter or so.) Read this figure with care:
# it shows what happens to a network that learned *without* the restriction and is then bent. Part of the fall comes from its
# normalisations, which still expect the maps of before. MobileNet is not bent. It learns
# with one look a map from the first step, and finds other weights. It also gets something in return for what it saves: more
# layers, more maps. And it is not even a restricted convolution: between look and mix it sets a batch normalisation and a
# ReLU, so the two steps no longer melt into one.
#
# The authors tested this on ImageNet, with the same network built both ways (*reported*, their table 4): 71.7 % with
# 4,866 million multiply-adds in one step, 70.6 % with 569 million in two. One point for eight ninths of the bill. For our
# spines we shall have to look for ourselves.
#
# ## 4. MobileNet at full size
#
# One standard convolution, 13 pairs of depthwise and pointwise, a mean of each map, a dense layer. All fits into one list: maps and
# stride. Where the stride is 2, the window moves by two cells, and the grid halves; there is no pooling. We write the
# bill by hand. (Batch normalisation keeps four numbers a map; nothing but the dense layer has a bias.)

# %%
paper_blocks = [
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
]

side, channels = 112, 32  # a picture of 224 x 224 x 3, first convolution with stride 2
bill = [("first", 3 * 3 * 3 * channels, side**2), ("normalising", 4 * channels, 0)]
print(f"first convolution  {side:3} x {side:3} x {channels:4}   {3 * 3 * 3 * channels:9,}")
for number, (maps_out, stride) in enumerate(paper_blocks, start=1):
    side //= stride
    looking, mixing = 3 * 3 * channels, channels * maps_out
    print(f"look and mix {number:2}    {side:3} x {side:3} x {maps_out:4}   {looking:9,} + {mixing:9,}")
    bill += [
        ("looking", looking, side**2),
        ("mixing", mixing, side**2),
        ("normalising", 4 * (channels + maps_out), 0),
    ]
    channels = maps_out
bill.append(("dense", channels * 1000 + 1000, 1))
bill = pd.DataFrame(bill, columns=["part", "parameters", "cells"])
print(f"dense, 1000 classes                  {channels * 1000 + 1000:9,}")
print(f"normalising                          {bill.parameters[bill.part == 'normalising'].sum():9,}")
print(f"in all                               {bill.parameters.sum():9,}")

# %% tags=["expected"]
# first convolution  112 x 112 x   32         864
# look and mix  1    112 x 112 x   64         288 +     2,048
# look and mix  2     56 x  56 x  128         576 +     8,192
# look and mix  3     56 x  56 x  128       1,152 +    16,384
# look and mix  4     28 x  28 x  256       1,152 +    32,768
# look and mix  5     28 x  28 x  256       2,304 +    65,536
# look and mix  6     14 x  14 x  512       2,304 +   131,072
# look and mix  7     14 x  14 x  512       4,608 +   262,144
# look and mix  8     14 x  14 x  512       4,608 +   262,144
# look and mix  9     14 x  14 x  512       4,608 +   262,144
# look and mix 10     14 x  14 x  512       4,608 +   262,144
# look and mix 11     14 x  14 x  512       4,608 +   262,144
# look and mix 12      7 x   7 x 1024       4,608 +   524,288
# look and mix 13      7 x   7 x 1024       9,216 + 1,048,576
# dense, 1000 classes                  1,025,000
# normalising                             43,776
# in all                               4,253,864

# %% [markdown]
# The published network has 4,253,864 parameters. The package builds it and counts:

# %%
print(f"{count_parameters('mobilenet', 'paper', input_shape=(224, 224, 3), num_classes=1000):,}")

# %% tags=["expected"]
# 4,253,864

# %% [markdown]
# ### Exercise 3: one pair
# The pair "look and mix 12" gets 512 maps, gives 1,024, and has stride 2. How many parameters does it have, *with* the batch
# normalisation after each of its two steps?

# %% tags=["exercise"]
pair_12 = ...

# %% tags=["check"]
check("mobilenet.pair", pair_12)

# %% tags=["solution"]
pair_12 = 3 * 3 * 512 + 4 * 512 + 512 * 1024 + 4 * 1024

# %% [markdown]
# Where do parameters sit, and where multiply-adds? (A dense layer uses each weight once, and its 1,000 biases are additions
# alone. Normalisation can be folded into the weights before it, so we do not bill it.) *Guess the share of the looking.*

# %%
bill["multiply_adds"] = bill.parameters * bill.cells
bill.loc[bill.part == "dense", "multiply_adds"] -= 1000  # the biases
parts = bill.groupby("part", sort=False)[["parameters", "multiply_adds"]].sum()
print(f"{parts.multiply_adds.sum():,} multiply-adds for one picture")

# %% tags=["expected"]
# 568,740,352 multiply-adds for one picture

# %%
shares = 100 * parts / parts.sum()
fig = go.Figure()
for part, colour, pattern in (
    ("first", GREY, ""), ("looking", ORANGE, "/"), ("mixing", BLUE, ""), ("normalising", GREEN, "x"), ("dense", VERMILLION, "\\"),
):  # fmt: skip
    values = shares.loc[part, ["multiply_adds", "parameters"]]
    fig.add_bar(
        y=["multiply-adds", "parameters"], x=values, orientation="h", name=part, marker_color=colour,
        marker_pattern_shape=pattern, marker_pattern_fillmode="overlay", marker_pattern_fgopacity=0.3, text=[f"{value:.0f} %" if value > 5 else "" for value in values],
        textposition="inside", insidetextanchor="middle", textangle=0,
    )  # fmt: skip
fig.update_layout(
    barmode="stack",
    legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
)
fig.update_xaxes(title_text="share (%)", range=[0, 100])
finish(
    fig,
    f"Mixing takes {shares.multiply_adds['mixing']:.0f} % of MobileNet's multiply-adds, looking "
    f"{shares.multiply_adds['looking']:.0f} %",
    details="Parameters and multiply-adds of MobileNet with 1000 classes at 224 x 224 pixels, by kind of layer.",
    height=210,
    above=30,
)

# %% [markdown]
# A network for *pictures* spends next to nothing on looking around. The dense layer's share is ImageNet's: with our four
# classes it shrinks to 4,100 parameters.
#
# ## 5. Two knobs
#
# The authors add two knobs. The **width** $\alpha$ multiplies all numbers of maps; the mixing, maps times maps, falls with
# $\alpha^2$. The **input size** changes the cells and leaves the parameters alone. *Before you touch them: you want a quarter of
# the multiply-adds. Where do you have to set $\alpha$? Where the input size? And which of the two makes the file smaller?*

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure

alphas, sides = [0.25, 0.5, 0.75, 1.0], list(range(96, 257, 32))


def mobilenet_bill(alpha, side, classes=1000):
    """Return parameters and multiply-adds of MobileNet for pictures of side x side x 3."""
    channels, side = int(32 * alpha), side // 2
    parameters = 27 * channels + 4 * channels
    multiply_adds = 27 * channels * side**2
    for maps, stride in paper_blocks:
        maps, side = int(maps * alpha), side // stride
        parameters += 9 * channels + 4 * channels + channels * maps + 4 * maps
        multiply_adds += (9 * channels + channels * maps) * side**2
        channels = maps
    return parameters + (channels + 1) * classes, multiply_adds + channels * classes


print("width 1, 224 pixels: {:,} parameters, {:,} multiply-adds".format(*mobilenet_bill(1.0, 224)))

# %% tags=["expected"]
# width 1, 224 pixels: 4,253,864 parameters, 568,740,352 multiply-adds

# %%
alpha_knob = widgets.SelectionSlider(options=alphas, value=1.0, description="width α")
side_knob = widgets.SelectionSlider(options=sides, value=224, description="input (px)")
screen = widgets.Output()


def draw_bill(alpha, side):
    parameters, multiply_adds = mobilenet_bill(alpha, side)
    fig = go.Figure()
    for number, one in enumerate(alphas):
        p, m = np.array([mobilenet_bill(one, each) for each in sides]).T / 1e6
        dots = {"symbol": number, "size": 8}
        line = {"dash": DASHES[number], "width": 1}
        fig.add_scatter(x=p, y=m, mode="lines+markers", marker=dots, line=line, name=f"α = {one:g}")
    ring = {"symbol": "circle-open", "size": 20, "color": BLACK, "line": {"width": 3}}
    fig.add_scatter(
        x=[parameters / 1e6], y=[multiply_adds / 1e6], mode="markers", marker=ring, name="your choice"
    )
    fig.update_xaxes(title_text="parameters (millions), 1000 classes", range=[0, 4.6])
    fig.update_yaxes(
        title_text="multiply-adds (millions, logarithmic)", type="log", tickvals=[10, 30, 100, 300, 1000]
    )
    fig.update_layout(legend={"x": 1.02, "y": 1, "xanchor": "left"})
    return finish(
        fig,
        f"α = {alpha:g} at {side} px: {parameters / 1e6:.2f} million parameters, {multiply_adds / 1e6:.0f} million "
        f"multiply-adds, {multiply_adds / 568_740_352:.0%} of the full network",
        details="Each line one width; its points are input sizes from 96 (bottom) to 256 pixels (top).",
        height=330,
    )  # fmt: skip


def redraw(change=None):
    show_figure(screen, draw_bill(alpha_knob.value, side_knob.value))


for knob in (alpha_knob, side_knob):
    knob.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([alpha_knob, side_knob]), screen])

# %% tags=["drive"]
for knob, other in ((alpha_knob, 0.5), (side_knob, 128)):
    shown = screen.outputs
    knob.value = other
    assert screen.outputs != shown, knob

# %% [markdown]
# Half the width, or half the side: each pays about a quarter. But width makes the network smaller, and size makes the *patient*
# smaller: at 128 pixels, one pixel is 2.2 mm. On ImageNet the full network reached 70.6 %; half the width cost it 6.9
# points, 128 pixels cost 6.2 (*reported*, their tables 6 and 7). A dog at 128 pixels is still a dog. A herniation of 5 mm is two pixels.
#
# ### Exercise 4 (open): a budget
# A tablet in a small practice allows **100 million** multiply-adds a picture. Choose width and input size from the knobs' values,
# `(alpha, side)`, such that the budget holds and neither knob can be turned one step further up. There are several
# answers; say for yours how many pixels a herniation of 5 mm gets (the slice shows 280 mm).

# %% tags=["exercise"]
my_choice = (..., ...)

# %% tags=["check"]
check("mobilenet.budget", my_choice)

# %% tags=["solution"]
my_choice = (0.25, 256)  # 5 mm are 4.6 pixels. (0.5, 160) and (0.75, 96) hold too, with 2.9 and 1.7 pixels

# %% [markdown]
# ## 6. The course's MobileNet, in the open
#
# Half the width, eight pairs instead of thirteen, grey pictures. We have learned to watch the input's size: instead of whole slices
# our network will see the column of the spine, cut out by the localiser (lesson 04, section 8), in 128 × 64 pixels. One
# pair, line by line; $N$ is the number of pictures. The ReLU is cut off at 6, as in the authors' code; that suits arithmetic in few bits.


# %%
def look_and_mix(x, maps, stride=1):
    """(N, H, W, M) to (N, H / stride, W / stride, maps)."""
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(
        x
    )  # (N, H / stride, W / stride, M)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU(6.0)(x)
    x = layers.Conv2D(maps, 1, use_bias=False)(x)  # (N, H / stride, W / stride, maps)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU(6.0)(x)


course_blocks = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 1), (256, 1), (256, 1)]

inputs = keras.Input((128, 64, 1))  # (N, 128, 64, 1)
x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(inputs)  # (N, 64, 32, 16)
x = layers.BatchNormalization(momentum=0.9)(x)
x = layers.ReLU(6.0)(x)
for number, (maps_out, stride) in enumerate(course_blocks, start=1):
    x = look_and_mix(x, maps_out, stride)
    print(f"after pair {number}: {x.shape}")
x = layers.GlobalAveragePooling2D()(x)  # (N, 256)
x = layers.Dropout(0.3)(x)
ours = keras.Model(inputs, layers.Dense(4)(x))  # (N, 4)

# %% tags=["expected"]
# after pair 1: (None, 64, 32, 32)
# after pair 2: (None, 32, 16, 64)
# after pair 3: (None, 32, 16, 64)
# after pair 4: (None, 16, 8, 128)
# after pair 5: (None, 16, 8, 128)
# after pair 6: (None, 16, 8, 256)
# after pair 7: (None, 16, 8, 256)
# after pair 8: (None, 16, 8, 256)

# %% [markdown]
# Eighteen layers with weights, where lesson 04's network has six. *And does it have more parameters than that one's 246,356?*

# %%
counted, channels = 9 * 1 * 16 + 4 * 16, 16
for maps_out, _ in course_blocks:
    counted += 9 * channels + 4 * channels + channels * maps_out + 4 * maps_out
    channels = maps_out
counted += channels * 4 + 4
print(f"by hand {counted:,}, by Keras {ours.count_params():,}")

# %% tags=["expected"]
# by hand 213,316, by Keras 213,316

# %% [markdown]
# Three times as deep, with twice the maps at the end, for less. `build_model("mobilenet")` builds it with the same layers; only
# where the stride is 2 it pads below and on the right by hand, so that at full size published weights fit. And our rule
# "weights × cells" becomes a function for any network:

# %%
from lumbar_utils import Involution2D


def multiply_adds(network):
    """Return the multiply-adds of one picture: each weight of a kernel once for each cell of the output."""
    total = 0
    for layer in network.layers:
        cells = int(np.prod(layer.output.shape[1:-1]))  # 1 after the mean of each map
        total += cells * sum(
            int(np.prod(weight.shape)) for weight in layer.weights if weight.name == "kernel"
        )
        if isinstance(layer, Involution2D):  # makes its windows anew in each cell (lesson 10)
            total += cells * layer.kernel_size**2 * layer.output.shape[-1]
    return total


keras.utils.set_random_seed(0)
model = build_model("mobilenet", input_shape=(128, 64, 1))
for network in (model, build_model("cnn", input_shape=(128, 64, 1))):
    print(
        f"{network.name:16} {network.count_params():,} parameters, {multiply_adds(network):,} multiply-adds"
    )

# %% tags=["expected"]
# mobilenet_course 213,316 parameters, 30,303,232 multiply-adds
# cnn_course       246,356 parameters, 48,366,080 multiply-adds

# %% [markdown]
# ## 7. Training
#
# As in lesson 04: cross-entropy, Adam, a learning rate that falls along a cosine. One thing is new: each time a training picture
# comes along it is turned, enlarged and given another contrast, all by a little (**augmentation**). Without it, these eighteen
# layers know our few hundred patients by heart after ten epochs; leave `augment` out and see. *An epoch of the CNN takes a certain time. This
# network has fewer multiply-adds. Will its epoch be shorter?* Remember your guess until section 9.

# %%
steps = size.epochs * -(-len(train) // 16)  # batches of 16, so many epochs long
falling = keras.optimizers.schedules.CosineDecay(0.003, steps, alpha=0.01)

slightly = augmenter(rotation_degrees=4, zoom=0.06, contrast=0.15, seed=0)

history = fit(model, train, validation, epochs=size.epochs, learning_rate=falling, augment=slightly, seed=0)
print(f"best epoch {history.attrs['best_epoch']} of {len(history)}, {history.attrs['seconds']:.0f} s")

# %% [markdown]
# The loss began near the 1.386 of a network without an idea, as it should. A few hundred steps are little for
# eighteen layers. The shipped MobileNet has the same layers, learned from many more phantoms, and sees the column in
# 192 × 96 pixels. Its stored result stands beside those of the other shipped networks, all on the same locked test
# patients. We compare with two of them, in pairs. *Does the ninth of the bill cost accuracy?*

# %%
stored = load_results("zoo")
print(f"{len(stored['mobilenet'])} test patients, measured on {stored['mobilenet'].measured_on}")
for name in ("mobilenet", "cnn", "vgg16"):
    print(f"{stored[name].model:34} {evaluate(stored[name]).accuracy}")
for name in ("cnn", "vgg16"):
    print(f"MobileNet minus {name:5}              {paired_difference(stored['mobilenet'], stored[name])}")

# %% [markdown]
# Before you call small networks weak, ask what each was given. The files remember:

# %%
rows = []
for name in ("mobilenet", "cnn", "vgg16"):
    told = stored[name].provenance
    epochs = told["configuration"]["epochs"]
    rows.append(
        [stored[name].model, epochs, told["configuration"]["epochs_by_size"][0], told["training"]["best_epoch"],
         told["training"]["seconds"] / 60]
    )  # fmt: skip
pd.DataFrame(rows, columns=["network", "epochs", "at half size", "best epoch", "minutes"]).round(1)

# %% [markdown]
# Look at the best epoch. Where it is the last one, the network was still learning when its time was up, and its score is that of
# a training cut short, not that of an architecture. (All saw pictures of half the height and width first, where an epoch costs a
# quarter.) Look at the last column too: those minutes were measured on one core of a machine that was not always quiet, but they
# hint at the answer to the guess above. Section 9 takes it up.
#
# Now our own test patients, new to all networks here.

# %%
from lumbar_utils.training import predictions_of

answers = {"MobileNet, trained here": predictions_of(model, test, measured_on="phantoms")}
for name, label in (("mobilenet", "MobileNet, shipped"), ("cnn", "CNN, shipped")):
    probabilities = load_predictor(name).predict(frames)  # LiteRT, of which more in section 9
    answers[label] = Predictions.of_dataset(
        test, probabilities, model=label, measured_on="phantoms", provenance={}
    )

figures.compare_accuracy({name: evaluate(each) for name, each in answers.items()})

# %%
on_ours, here, cnn_on_ours = (
    answers[name] for name in ("MobileNet, shipped", "MobileNet, trained here", "CNN, shipped")
)
print("MobileNet, shipped minus trained here:", paired_difference(on_ours, here))
print("shipped, MobileNet minus CNN:         ", paired_difference(on_ours, cnn_on_ours))

# %% [markdown]
# An interval that holds 0 says: with so many patients one cannot tell the two apart. It does not say that they are equal; on the
# 600 patients of the locked test the interval is narrower.
#
# ## 8. What it gets wrong, and whether that is its own fault

# %%
figures.confusion_matrix(evaluate(on_ours))

# %% [markdown]
# If the saving makes MobileNet blind to something, it should fail where the others succeed. If its errors sit in
# the pictures, the others fail there too. The stored predictions can tell. For each patient of the locked test whom MobileNet gets
# wrong: *how many of the other networks are wrong as well?*

# %%
others = [name for name in stored if name not in ("mobilenet", "ceiling", "cnn_svm")]
missed = stored["mobilenet"].predicted != stored["mobilenet"].labels
wrong_too = np.sum([stored[name].predicted != stored[name].labels for name in others], axis=0)  # (patients,)
counts = np.bincount(wrong_too[missed], minlength=len(others) + 1)

fig = go.Figure(
    go.Bar(x=np.arange(len(others) + 1), y=counts, marker_color=[VERMILLION] + [BLUE] * len(others))
)
fig.update_xaxes(title_text=f"other networks that are wrong too, out of {len(others)}", dtick=1)
fig.update_yaxes(title_text="patients")
finish(
    fig,
    f"Of MobileNet's {missed.sum()} errors, {counts[0]} are its own; {counts[-1]} are made by all {len(others)} others too",
    details=f"Locked test of {len(missed)} phantoms; others: {', '.join(others)}.",
    height=290,
)

# %% [markdown]
# Errors at the right end sit in the pictures, or in the labels: lesson 04 showed herniations of a few pixels. Errors at the left end are
# the network's. Here are the four of our test patients that the shipped MobileNet gets most wrong, with the true lesion's outline.

# %%
truth = on_ours.probabilities[np.arange(len(test)), test.labels]
worst = np.argsort(truth)[:4]
carried = frames[worst].carry(test.masks[worst])
outlines = [
    lesion_mask(mask, test.class_names[test.labels[row]]) for row, mask in zip(worst, carried, strict=True)
]
captions = [
    f"{test.class_names[test.labels[row]]},<br>said {test.class_names[on_ours.predicted[row]]}"
    for row in worst
]
fig = figures.picture_grid(
    list(frames.pictures[worst]),
    captions,
    overlays=[outline if outline.any() else None for outline in outlines],
    title=f"MobileNet gave these four truths {truth[worst].max():.0%} at most; {sum(o.any() for o in outlines)} show a lesion",
)
fig.update_layout(margin_t=fig.layout.margin.t + 20, height=fig.layout.height + 20)

# %% [markdown]
# ## 9. Multiply-adds are not milliseconds
#
# Now the guess of section 7. Each shipped network answers one picture of a column, 31 times over. We let them take turns, so that a
# moment when the machine is busy hits all alike, and take medians with the middle half of the times. They run in **LiteRT**, the
# small library that the dashboard uses. LiteRT multiplies the normalisation into the weights before it, cuts off
# at zero while the number is still at hand, and knows nothing of training or Python. *Draw in your mind: multiply-adds across,
# milliseconds upwards. A straight line?*

# %%
import time

from lumbar_utils.checkpoints import CHECKPOINTS

names = [name for name in stored if (CHECKPOINTS / f"{name}_course").is_dir()]
predictors = {name: load_predictor(name) for name in names}
one_column = frames[:1]


def milliseconds(function, *arguments):
    started = time.perf_counter()
    function(*arguments)
    return 1000 * (time.perf_counter() - started)


times = {name: [] for name in names}
for turn in range(34):
    for name, predictor in predictors.items():
        taken = milliseconds(predictor.predict, one_column)
        if turn >= 3:  # the first turns warm up
            times[name].append(taken)

needed = {}
for name in names:
    needed[name] = multiply_adds(build_model(name, input_shape=(*COLUMN_SIZE, 1)))
low, median, high = np.quantile([times[name] for name in names], [0.25, 0.5, 0.75], axis=1)
million = np.array([needed[name] for name in names]) / 1e6
measured = pd.DataFrame(
    {"multiply-adds (millions)": million, "ms": median, "from": low, "to": high}, index=names
)
measured["million a ms"] = million / median
measured.sort_values("multiply-adds (millions)").round(2)

# %%
fig = go.Figure()
for number, name in enumerate(names):
    own = name == "mobilenet"
    error = {"type": "data", "symmetric": False, "array": [high[number] - median[number]]}
    fig.add_scatter(
        x=[million[number]], y=[median[number]], error_y={**error, "arrayminus": [median[number] - low[number]]},
        mode="markers+text", text=[f"  {name}"], textposition="middle right",
        marker={"size": 12, "symbol": "diamond" if own else "circle", "color": VERMILLION if own else BLUE},
        showlegend=False,
    )  # fmt: skip
a, b = names.index("mobilenet"), names.index("cnn")
at_this_speed = median[b] / million[b]
ends = np.array([0.7 * million.min(), 1.5 * million.max()])
line = {"color": GREY, "dash": "dot"}
fig.add_scatter(x=ends, y=ends * at_this_speed, mode="lines", line=line, name="at the CNN's speed")
fig.update_xaxes(
    title_text="multiply-adds a picture (millions, logarithmic)",
    type="log",
    tickvals=[50, 70, 100, 150, 200, 300],
)
fig.update_xaxes(range=np.log10(ends))
fig.update_yaxes(
    title_text="ms a picture (logarithmic)", type="log", tickvals=[0.5, 1, 2, 5, 10, 20, 50, 100]
)
fig.update_yaxes(range=np.log10([0.5 * low.min(), 2 * high.max()]))
fig.update_layout(legend={"x": 0.02, "y": 0.98})
finish(
    fig,
    f"On this machine MobileNet needs {million[a] / million[b]:.0%} of the CNN's multiply-adds, and "
    f"{median[a] / median[b]:.0%} of its milliseconds",
    details="Medians of 31 pictures in LiteRT, with the middle half of the times; the networks took turns.",
    height=380,
)

# %% [markdown]
# Both axes are logarithmic, so the dotted line joins all networks that would work as fast as the CNN: twice the multiply-adds, twice the time. In a network
# above it a multiply-add takes longer than in the CNN. And
# in Keras, where Python and TensorFlow hand each layer over one by one?

# %%
shipped = build_model("mobilenet", weights="phantom")
in_keras = {"mobilenet": [], "cnn": []}
for turn in range(18):
    for name, network in (("mobilenet", shipped), ("cnn", cnn)):
        taken = milliseconds(network.predict_on_batch, columns[:1])
        if turn >= 3:
            in_keras[name].append(taken)
for name, values in in_keras.items():
    print(f"{name:10} Keras {np.median(values):6.1f} ms   LiteRT {np.median(times[name]):5.1f} ms")

# %% [markdown]
# There each layer costs a handover, whatever it computes, and MobileNet has three times as many layers as the CNN.
#
# Now the cause that remains everywhere. A processor does not only multiply. It fetches numbers and puts them away, and that is often the slower part. What counts is
# how many multiply-adds it can do for each number that it moves, the **arithmetic intensity**. *Which kind of layer is
# the worst off: standard, looking or mixing?*

# %%
cells, n = 48 * 24, 128  # 128 maps in and out
kinds = pd.DataFrame(
    {"weights": [9 * n * n, 9 * n, n * n]},
    index=["standard 3 x 3", "looking (depthwise)", "mixing (pointwise)"],
)
kinds["multiply_adds"] = kinds.weights * cells
kinds["moved"] = 2 * n * cells + kinds.weights  # maps in, maps out, weights
for kind, row in kinds.iterrows():
    print(
        f"{kind:20} {row.multiply_adds:11,} multiply-adds, {row.moved:7,} numbers moved: {row.multiply_adds / row.moved:5.1f} each"
    )

# %% tags=["expected"]
# standard 3 x 3       169,869,312 multiply-adds, 442,368 numbers moved: 384.0 each
# looking (depthwise)    1,327,104 multiply-adds, 296,064 numbers moved:   4.5 each
# mixing (pointwise)    18,874,368 multiply-adds, 311,296 numbers moved:  60.6 each

# %% [markdown]
# Looking does not even get five multiply-adds out of a number that it fetched or put away. The standard convolution uses each of
# them hundreds of times. So for looking the moving sets the pace. *We saved 99 % of the multiply-adds of that step. How much of the time?*

# %%
import tensorflow as tf

batch = tf.random.normal((16, 48, 24, n))
steps_of = {
    "standard 3 x 3": layers.Conv2D(n, 3, padding="same", use_bias=False),
    "looking (depthwise)": layers.DepthwiseConv2D(3, padding="same", use_bias=False),
    "mixing (pointwise)": layers.Conv2D(n, 1, use_bias=False),
}
compiled = {kind: tf.function(layer) for kind, layer in steps_of.items()}
taken = {kind: [] for kind in compiled}
for turn in range(12):
    for kind, step in compiled.items():
        ms = milliseconds(lambda step=step: step(batch).numpy())
        if turn >= 2:
            taken[kind].append(ms)
kinds["ms"] = [np.median(taken[kind]) / 16 for kind in kinds.index]

# %%
relative = 100 * kinds / kinds.iloc[0]
fig = go.Figure()
for column, name, colour, pattern in (
    ("multiply_adds", "multiply-adds", BLUE, ""), ("moved", "numbers moved", ORANGE, "/"), ("ms", "time", VERMILLION, "x"),
):  # fmt: skip
    fig.add_bar(
        x=kinds.index, y=relative[column], name=name, marker_color=colour, marker_pattern_shape=pattern,
        marker_pattern_fillmode="overlay", marker_pattern_fgopacity=0.4, text=[f"{value:.1f}" if value < 10 else f"{value:.0f}" for value in relative[column]], textposition="outside",
    )  # fmt: skip
fig.update_yaxes(
    title_text="% of the standard convolution",
    range=[0, 1.15 * max(100, relative[["moved", "ms"]].max().max())],
)
fig.update_layout(barmode="group", legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
share_of_work, share_of_time = (
    relative.loc["looking (depthwise)", column] for column in ("multiply_adds", "ms")
)
finish(
    fig,
    f"Looking needs {share_of_work:.1f} % of the standard layer's multiply-adds, and {share_of_time:.0f} % of its time",
    details="128 maps in and out on 48 x 24 cells, 16 pictures at once, medians of 10, TensorFlow on this machine.",
    height=340,
    above=30,
)

# %% [markdown]
# How large the gap comes out depends on the machine and the library. A telephone's chip, a server's processor and a graphics card each have
# another ratio of multiplying to moving, and so has each library's code for depthwise layers. Training is hit harder still: the way back moves
# the maps again, and our course network has 17 normalisations to pass on the way, the CNN five. That is what the seconds an epoch in
# section 7 hinted at.
#
# So whoever writes "efficient" in a paper should write milliseconds, and on what. Multiply-adds are a count for the drawing board.
#
# ### And on disk?
# A parameter is a number of 32 bits, or, rounded to about three digits, of 16 bits (**float16**). Keras's file of the shipped network is in float16, LiteRT's in
# float32. *Does the rounding change answers?* We round the network trained in this lesson.

# %%
for file in ("model.tflite", "weights.weights.h5"):
    print(f"{file:20} {(CHECKPOINTS / 'mobilenet_course' / file).stat().st_size / 1e6:.2f} MB")
print(f"213,316 parameters of 4 bytes: {213_316 * 4 / 1e6:.2f} MB, of 2 bytes: {213_316 * 2 / 1e6:.2f} MB")

model.set_weights([weight.astype("float16").astype("float32") for weight in model.get_weights()])
rounded = predictions_of(model, test, measured_on="phantoms")
moved = np.abs(rounded.probabilities - here.probabilities).max()
print(f"answers changed by rounding: {(rounded.predicted != here.predicted).sum()} of {len(test)}")
print(f"largest change of a probability: {moved:.4f}")

# %% [markdown]
# Half the size, for changes far smaller than the intervals of section 7. (The `.h5` file is larger than its parameters: it also holds
# the names and places of a hundred small arrays.) Fewer bits are another way to save, and a better bargain than fewer pixels.
#
# ## 10. At the paper's size
#
# One line changes: `build_model("mobilenet", preset="paper", weights="imagenet")`, 224 pixels, three channels, `epochs=100`. What would it cost?
# We know how many multiply-adds our own training did; a step costs about three forward passes, and so we can *compute* a guess.

# %%
done = 3 * multiply_adds(model) * len(train) * len(history)
speed = done / history.attrs["seconds"]
paper_work = 3 * mobilenet_bill(1.0, 224, classes=4)[1] * 152 * 100  # 80 % of about 190 pictures, 100 epochs
print(f"this machine did {speed / 1e9:.0f} billion multiply-adds a second while it trained")
print(
    f"100 epochs of 152 pictures at the paper's size: about {paper_work / speed / 60:.0f} minutes (computed, not measured)"
)

# %% [markdown]
# Take a runtime with a GPU for it, and more memory than this lesson needs.
#
# And the paper's own score? For MobileNet it *reports* an accuracy of 0.89 and, for Herniated Disk, a recall of 0.67.

# %%
reported = paper_reported().accuracies.set_index("model").loc["MobileNet"]
print(
    f"reported: {reported['right']:.0f} of {reported['of']:.0f} pictures, interval {reported['wilson_low']:.2f} to {reported['wilson_high']:.2f}"
)

# %% tags=["expected"]
# reported: 17 of 19 pictures, interval 0.69 to 0.97

# %% [markdown]
# ### Exercise 5: the recall
# Recall is found patients over all patients of a class. The paper's table lists **4** herniations in the test. Give a list of
# *all* recalls that 4 patients allow. Then look for 0.67.

# %% tags=["exercise"]
possible_recalls = ...

# %% tags=["check"]
check("mobilenet.recalls", possible_recalls)

# %% tags=["solution"]
possible_recalls = [found / 4 for found in range(5)]

# %% [markdown]
# Lesson 16 follows this trace further. Here it is enough: no architecture has that recall on those patients.
#
# ## Quiz
#
# 1. **What does a pointwise (1 × 1) convolution look at?**
#    - a) one cell, all maps
#    - b) one map, a window
#    - c) one cell of one map
# 2. **You halve the input's side. What happens?**
#    - a) a quarter of the parameters, a quarter of the multiply-adds
#    - b) the same parameters, a quarter of the multiply-adds
#    - c) half of both
# 3. **Network A has half the multiply-adds of network B. On your processor A is ...**
#    - a) twice as fast
#    - b) faster, by an unknown factor
#    - c) perhaps faster; measure it there
# 4. **"MobileNet is small, so it is less accurate, and only good for telephones."**
#    - a) true: accuracy grows with the number of parameters
#    - b) false: small networks overfit less and are therefore more accurate
#    - c) neither: compare them in pairs on the same patients, with enough training for both
# 5. **Depthwise and pointwise together, without anything in between, are ...**
#    - a) a standard convolution whose windows are shared
#    - b) more powerful than a standard convolution
#    - c) something else altogether

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("mobilenet.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "a", "2": "b", "3": "c", "4": "c", "5": "a"}

# %% [markdown]
# ## What you have seen
#
# - A convolution looks and mixes at once. One after the other costs $1/N + 1/K^2$ of it, nearly a ninth for 3 × 3 windows.
# - One look a map is a restriction: a network that was trained without it does not survive it unharmed. MobileNet is trained with it.
# - In MobileNet nearly all multiply-adds mix. Looking is so cheap that one could afford wider windows.
# - Width shrinks the network, input size shrinks the patient.
# - Multiply-adds count work, not time: a layer that moves many numbers for few multiplications runs at the pace of the memory.
# - A score is that of a network *and* its training. Ask for the pairs and the epochs before you blame the architecture.
#
# **All scores here are phantom scores.** They say how methods compare on drawn patients, and nothing about a clinic.
#
# ## References
# - Howard, Zhu, Chen and others (2017), *MobileNets: efficient convolutional neural networks for mobile vision applications*,
#   arXiv:1704.04861.
# - Chollet (2017), *Xception: deep learning with depthwise separable convolutions*, CVPR, arXiv:1610.02357.
# - Williams, Waterman and Patterson (2009), *Roofline: an insightful visual performance model for multicore architectures*,
#   Commun ACM 52:65 (arithmetic intensity).
