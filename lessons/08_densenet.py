# %% [markdown]
# # DenseNet: what is gained by keeping every map instead of adding them up?
#
# **When you have finished you can**
# 1. say what addition destroys and concatenation keeps, and why each can still imitate the other;
# 2. build a dense block, and count DenseNet121's 8,062,504 parameters by hand;
# 3. explain why a network with few parameters and few multiply-adds can still be slow and need much memory;
# 4. compare networks at equal epochs, equal work and equal time, and say why the three may disagree;
# 5. show which old maps a trained network really reads, by cutting them off.
#
# *About 75 minutes of your time, 85 s of the machine's, 1.5 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# ## 1. Four cells, two maps
#
# A ResNet's block adds its result to what came in (lesson 07). Suppose four cells of a map `a`, and four of a map `b`
# which a later layer has made. *Add them. What can the next layer still know about `a`?*

# %%
import numpy as np

from lumbar_utils import check

a = np.array([3, 0, 1, 5])
b = np.array([1, 4, 3, -1])
added = a + b
kept = np.stack([a, b], axis=-1)  # (4, 2): four cells, two maps
print("added:", added)
print("kept: ", kept.tolist())

# %% tags=["expected"]
# added: [4 4 4 4]
# kept:  [[3, 1], [0, 4], [1, 3], [5, -1]]

# %% [markdown]
# Four different cells have become one. Whatever told them apart is gone, and no later layer brings it back. To **keep**
# means to put the maps side by side, which is called **concatenation**. And who wants the sum can still have it: a 1 ×
# 1 convolution is a weighted sum over the maps, cell by cell, so it is a product with a small table.

# %%
print("the sum:       ", kept @ [1, 1])
print("the difference:", kept @ [1, -1])
print("a alone:       ", kept @ [1, 0])

# %% tags=["expected"]
# the sum:        [4 4 4 4]
# the difference: [ 2 -4 -2  6]
# a alone:        [3 0 1 5]

# %% [markdown]
# ### Exercise 1 (warm-up): a table for two readers
# Three maps `a`, `b`, `c` were kept. One reader wants `a + b + c`, another wants `a - c`. Write the table of a 1 × 1
# convolution that serves both: with `kept` of shape (cells, 3), the product `kept @ table` must have the shape (cells,
# 2).

# %% tags=["exercise"]
table = ...

# %% tags=["check"]
check("densenet.table", table)

# %% tags=["solution"]
table = [[1, 1], [1, 0], [1, -1]]

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("densenet.table")`.)*
#
# So is adding simply worse? Look closely. Give the maps *room*: two channels, the second of them empty, and a block
# that writes into the empty one alone.

# %%
with_room = np.stack([a, 0 * a], axis=-1)  # a, and an empty map
written = np.stack([0 * b, b], axis=-1)  # what a careful block adds
print("adding with room = keeping:", np.array_equal(with_room + written, kept))

# %% tags=["expected"]
# adding with room = keeping: True

# %% [markdown]
# Each can imitate the other. A ResNet *may* keep old maps, if it has learned to write beside them. A DenseNet *must*
# keep them. That is the whole difference, and all that follows comes from it:
#
# - nothing is ever overwritten, so a layer need not hand on what others have found, and can do with **few new maps**;
# - every layer reads everything before it, so it is its own decision what to use;
# - somebody has to store and read all of it.
#
# The first two are the gain, and the third is the price. We look at both, beginning with a real slice.

# %%
import keras
import pandas as pd
import plotly.graph_objects as go
from keras import layers
from plotly.subplots import make_subplots

from lumbar_utils import Predictions, build_model, count_parameters, course_size, evaluate, figures
from lumbar_utils import fit, lesion_mask, load_dataset, paper_reported, predict, split_by_patient
from lumbar_utils.evaluation import load_results, paired_difference, wilson
from lumbar_utils.figures.style import BLACK, BLUE, DASHES, GREY, HEAT, ORANGE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure
from lumbar_utils.framing import COLUMN_SIZE, frame

size = course_size(epochs=5, patients=700)
train, validation, test = split_by_patient(
    load_dataset("phantom", n_patients=size.patients, seed=0), fractions=(0.7, 0.1, 0.2), seed=0
)

# %% [markdown]
# The two filters of lesson 04, section 2, top minus bottom and left minus right, now with their signs. We add the two
# maps, and then try to read the first one back with the best single weight that a 1 × 1 convolution could find. *How
# much of it will return?*

# %%
import cv2

slice_ = train.images[0].astype("float32") / 255
top_minus_bottom = np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]], dtype="float32")
first = cv2.filter2D(slice_, -1, top_minus_bottom)
second = cv2.filter2D(slice_, -1, top_minus_bottom.T)
total = first + second
weight = (first * total).sum() / (total**2).sum()  # least squares
lost = ((first - weight * total) ** 2).sum() / (first**2).sum()

to_grey = lambda map_: np.clip(0.5 + map_ / 3, 0, 1)  # zero is mid-grey
figures.picture_grid(
    [to_grey(each) for each in (first, second, total, weight * total)],
    ["first map", "second map", "their sum", "first, from the sum"],
    title=f"From the sum, {lost:.0%} of the first map cannot be read back; from the kept pair, nothing is lost",
)

# %% [markdown]
# ("Of the first map" means: of the sum of its squares.) The picture on the right still shows the walls of the canal,
# which belong to the second map. A wider convolution would guess better, and a network may learn maps that do not get
# in each other's way. But it would have to learn that.
#
# ## 2. A dense block
#
# Huang and colleagues took the consequence in 2017. In a **dense block** each layer reads the maps of *all* layers
# before it, and adds $k$ new ones beside them. This $k$ is called the **growth rate**, and it is small: 32 in
# DenseNet121, 16 in ours.
#
# One layer works in two steps, of which you know both (lesson 07, section 3): a 1 × 1 convolution *reads* the many maps
# and boils them down to $4k$, then a 3 × 3 convolution *looks* around and makes the $k$ new ones. What is unusual is
# the order: normalise, ReLU, *then* convolve. *Why first? Think of one map that ten layers read.*


# %%
def normalise_relu(x):
    x = layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(x)
    return layers.ReLU()(x)


def dense_layer(x, growth):
    """(N, H, W, C) to (N, H, W, C + growth)."""
    new = normalise_relu(x)  # (N, H, W, C)
    new = layers.Conv2D(4 * growth, 1, use_bias=False)(new)  # (N, H, W, 4 growth): read
    new = normalise_relu(new)
    new = layers.Conv2D(growth, 3, padding="same", use_bias=False)(new)  # (N, H, W, growth): look
    return layers.Concatenate()([x, new])  # keep


inputs = keras.Input((56, 56, 64))
x = inputs
for number in range(1, 7):
    x = dense_layer(x, growth=32)
    print(f"after layer {number}: {x.shape}")

# %% tags=["expected"]
# after layer 1: (None, 56, 56, 96)
# after layer 2: (None, 56, 56, 128)
# after layer 3: (None, 56, 56, 160)
# after layer 4: (None, 56, 56, 192)
# after layer 5: (None, 56, 56, 224)
# after layer 6: (None, 56, 56, 256)

# %% [markdown]
# The order follows from the keeping. What is stored is the raw result of the 3 × 3 convolution, with nothing cut off.
# Each reader has a normalisation of its *own* before it, and so its own threshold: where one reader's ReLU sees zero,
# another's may see a map full of detail.
#
# Is really nothing overwritten? We send random maps through, and compare the first 64 maps at the end with those that
# came in.

# %%
block = keras.Model(inputs, x)
maps = np.random.default_rng(0).normal(size=(1, 56, 56, 64)).astype("float32")
out = keras.ops.convert_to_numpy(block(maps))  # (1, 56, 56, 256)
print("the first 64 maps are the input:", np.array_equal(out[..., :64], maps))

sources_read = sum(range(1, 7))  # layer 1 reads one source, layer 2 reads two ...
print("sources read by the six layers:", sources_read, "and by what follows the block: 7")

# %% tags=["expected"]
# the first 64 maps are the input: True
# sources read by the six layers: 21 and by what follows the block: 7

# %% [markdown]
# To the last bit. A plain chain of six layers has 6 connections, this block has 6 · 7 / 2 = 21. Backwards they work as
# well: what follows the block reads each layer *directly*, so the gradient reaches each layer without passing through
# any other. Lesson 07 needed a shortcut for that. Huang and colleagues call what has been gathered the block's
# **collective knowledge**.
#
# ## 3. The bill of a block
#
# *The maps grow linearly from layer to layer. How do the weights grow? Which of the two steps do they burden?* A layer
# that reads $c$ maps has
#
# | | weights |
# |---|---|
# | normalise $c$ maps | $4c$ |
# | read, 1 × 1, $c$ to $4k$ | $c \cdot 4k$ |
# | normalise $4k$ maps | $4 \cdot 4k$ |
# | look, 3 × 3, $4k$ to $k$ | $3 \cdot 3 \cdot 4k \cdot k$ |


# %%
def layer_bill(c, k):
    """Weights of one dense layer that reads c maps: (read, look, normalise)."""
    return c * 4 * k, 9 * 4 * k * k, 4 * c + 4 * 4 * k


print("layer   reads      read     look  normalise")
for number in range(1, 7):
    c = 64 + (number - 1) * 32
    read, look, normalise = layer_bill(c, 32)
    print(f"{number:5} {c:7} {read:9,} {look:8,} {normalise:10,}")
print(
    f"the block: {sum(sum(layer_bill(64 + 32 * n, 32)) for n in range(6)):,}, Keras: {block.count_params():,}"
)

# %% tags=["expected"]
# layer   reads      read     look  normalise
#     1      64     8,192   36,864        768
#     2      96    12,288   36,864        896
#     3     128    16,384   36,864      1,024
#     4     160    20,480   36,864      1,152
#     5     192    24,576   36,864      1,280
#     6     224    28,672   36,864      1,408
# the block: 338,304, Keras: 338,304

# %% [markdown]
# Looking costs the same in every layer, for it always sees $4k$ maps and makes $k$. What grows is the *reading*. If
# each layer reads a little more than the one before, then all layers together read a sum 1 + 2 + 3 + … of it, and that
# grows with the square. *A block twice as deep: twice the maps at its end. How many times the reading?*

# %%
for depth in (6, 12, 24, 48, 96):
    read, look = np.array([layer_bill(64 + 32 * n, 32)[:2] for n in range(depth)]).sum(axis=0)
    print(f"{depth:3} layers: {64 + 32 * depth:5,} maps at the end, look {look:9,}, read {read:10,}")

# %% tags=["expected"]
#   6 layers:   256 maps at the end, look   221,184, read    110,592
#  12 layers:   448 maps at the end, look   442,368, read    368,640
#  24 layers:   832 maps at the end, look   884,736, read  1,327,104
#  48 layers: 1,600 maps at the end, look 1,769,472, read  5,013,504
#  96 layers: 3,136 maps at the end, look 3,538,944, read 19,464,192

# %% [markdown]
# The maps double (nearly), the looking doubles, and the reading comes ever closer to *four times*. Keeping everything
# is cheap at first and dear in the long run. So a DenseNet must stop now and then and sum up.
#
# Without the 1 × 1 the 3 × 3 convolution would read all $c$ maps itself, $9 \cdot c \cdot k$ weights. So the bottleneck
# pays as soon as $4ck + 36k^2 < 9ck$, that is from $c > 7.2\,k$ on. With $k = 32$ those are 230 maps. The first block
# never gets there: its bottlenecks cost more than they save. In the deep blocks they save up to two fifths of the bill.
#
# ### Exercise 2: one layer
# The fifth layer of a dense block with growth rate 16, which starts with 48 maps. How many parameters has the layer,
# with both normalisations?

# %% tags=["exercise"]
layer_parameters = ...

# %% tags=["check"]
check("densenet.layer", layer_parameters)

# %% tags=["solution"]
layer_parameters = sum(layer_bill(48 + 4 * 16, 16))

# %% [markdown]
# ## 4. Summing up: the transition, and 121 layers
#
# Between two blocks stands a **transition**: a 1 × 1 convolution makes half as many maps, and a mean over 2 × 2 cells
# halves the grid. Here, and only here, something is thrown away. (The share that is kept, 0.5, is called the
# **compression**.)


# %%
def transition(x):
    """(N, H, W, C) to (N, H / 2, W / 2, C / 2)."""
    x = normalise_relu(x)
    x = layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False)(x)  # (N, H, W, C / 2)
    return layers.AveragePooling2D(2)(x)


print(transition(keras.Input((56, 56, 256))).shape)

# %% tags=["expected"]
# (None, 28, 28, 128)

# %% [markdown]
# DenseNet121 has the coarse entry of ResNet50 (7 × 7, stride 2, then a pooling), four dense blocks of 6, 12, 24 and 16
# layers with three transitions between them, the mean of each map, and one dense layer. We count, by hand. *ResNet50
# has 25.6 million parameters in 50 layers. Guess how many these 121 layers have.*


# %%
def densenet_bill(blocks, growth, *, channels, side, classes, pool=True):
    """Return a row for each part: its name, the grid's side and maps at its end, parameters, multiply-adds."""
    c, side = 2 * growth, side // 2
    rows = [("entry", side, c, 49 * channels * c + 4 * c, 49 * channels * c * side**2)]
    side = side // 2 if pool else side
    for number, depth in enumerate(blocks, start=1):
        bills = np.array([layer_bill(c + n * growth, growth) for n in range(depth)])
        c += depth * growth
        rows.append((f"block {number}: {depth} layers", side, c, bills.sum(), bills[:, :2].sum() * side**2))
        if number < len(blocks):
            rows.append(("transition", side // 2, c // 2, 4 * c + c * (c // 2), c * (c // 2) * side**2))
            c, side = c // 2, side // 2
    rows.append(("normalise", side, c, 4 * c, 0))
    rows.append(("dense", 1, classes, (c + 1) * classes, c * classes))
    return pd.DataFrame(rows, columns=["part", "side", "maps", "parameters", "multiply_adds"])


DENSENET121 = (6, 12, 24, 16)
by_hand = densenet_bill(DENSENET121, 32, channels=3, side=224, classes=1000)
for row in by_hand.itertuples():
    print(
        f"{row.part:<20}{row.side:>4} x {row.side:>3} x {row.maps:>5,} {row.parameters:>11,} {row.multiply_adds:>14,}"
    )
print(f"{'in all':<38} {by_hand.parameters.sum():>11,} {by_hand.multiply_adds.sum():>14,}")

# %% tags=["expected"]
# entry                112 x 112 x    64       9,664    118,013,952
# block 1: 6 layers     56 x  56 x   256     338,304  1,040,449,536
# transition            28 x  28 x   128      33,792    102,760,448
# block 2: 12 layers    28 x  28 x   512     930,048    712,900,608
# transition            14 x  14 x   256     133,120    102,760,448
# block 3: 24 layers    14 x  14 x 1,024   2,873,856    549,126,144
# transition             7 x   7 x   512     528,384    102,760,448
# block 4: 16 layers     7 x   7 x 1,024   2,186,240    104,366,080
# normalise              7 x   7 x 1,024       4,096              0
# dense                  1 x   1 x 1,000   1,025,000      1,024,000
# in all                                   8,062,504  2,834,161,664

# %% [markdown]
# The package builds the published network in a graph, where no weight takes memory, and counts the same. With our four
# classes it is less:

# %%
print(f"{count_parameters('densenet121', 'paper', num_classes=1000):,} with 1000 classes")
print(f"{by_hand.parameters.sum() - 1025 * 1000 + 1025 * 4:,} with four")

# %% tags=["expected"]
# 8,062,504 with 1000 classes
# 7,041,604 with four

# %% [markdown]
# A third of ResNet50's parameters, and three quarters of its multiply-adds (2.8 against 3.9 billion), because each
# layer makes few new maps. On ImageNet the authors report that their 201 layers with 20 million parameters do about as
# well as a ResNet of 101 layers with more than 40 million. Layer by layer:

# %%
reads, start = [], 64
for depth in DENSENET121:
    reads += [start + 32 * n for n in range(depth)]
    start = (start + 32 * depth) // 2
read, look, _ = np.array([layer_bill(c, 32) for c in reads]).T

fig = go.Figure()
number = np.arange(1, len(reads) + 1)
fig.add_bar(x=number, y=look, name="look (3 x 3)", marker_color=ORANGE)
fig.add_bar(x=number, y=read, name="read (1 x 1)", marker_color=BLUE, marker_pattern_shape="/", marker_pattern_fgopacity=0.3, marker_pattern_fillmode="overlay")  # fmt: skip
for border in np.cumsum(DENSENET121)[:-1]:
    fig.add_vline(x=border + 0.5, line={"color": BLACK, "dash": "dot", "width": 1})
for end, depth, name in zip(np.cumsum(DENSENET121), DENSENET121, "1234", strict=True):
    fig.add_annotation(x=end - depth / 2 + 0.5, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"block {name}")  # fmt: skip
fig.update_layout(barmode="stack", legend={"x": 0.02, "y": 0.95, "traceorder": "normal"})
fig.update_xaxes(title_text="dense layer", range=[0.2, len(reads) + 0.8])
fig.update_yaxes(title_text="weights")
finish(
    fig,
    f"Looking costs {look[0]:,} weights in each of {len(reads)} layers; reading rises from {read.min():,} to {read.max():,}",
    details="Weights of the two convolutions of each dense layer of DenseNet121; transitions are not shown.",
    height=330,
    above=20,
)

# %% [markdown]
# A saw: within a block the reading rises, and the transition cuts it back. And why **121**? The entry, two convolutions
# in each of the 6 + 12 + 24 + 16 = 58 dense layers, three transitions, and the dense layer at the end.

# %%
print(1 + 2 * (6 + 12 + 24 + 16) + 3 + 1)

# %% tags=["expected"]
# 121

# %% [markdown]
# ### Exercise 3: the sister's last maps
# DenseNet169 has blocks of 6, 12, 32 and 32 layers. All else is alike: 64 maps at the start, growth rate 32, each
# transition halves the maps. How many maps does its last block hand to the classifier?

# %% tags=["exercise"]
last_maps = ...

# %% tags=["check"]
check("densenet.maps", last_maps)

# %% tags=["solution"]
last_maps = ((((64 + 6 * 32) // 2 + 12 * 32) // 2) + 32 * 32) // 2 + 32 * 32

# %% [markdown]
# ## 5. The price
#
# On paper all is well: few parameters, few multiply-adds. Then one trains it, and it is slow and the memory is full.
# *Where could that come from?*
#
# Training must hold on to what each step handed on, until the gradient comes back that way. "Put side by side" is
# easily said; in memory side by side means *copied*. And each reader normalises all it reads for itself, which makes
# two more copies. For the third block of DenseNet121, 24 layers that start from 256 maps:

# %%
once = 256 + 24 * 32
concatenated = sum(256 + 32 * n for n in range(1, 25))  # each concatenation is a new array
normalised = sum(256 + 32 * (n - 1) for n in range(1, 25))  # and what each reader normalises is another
print(f"maps that exist at the end of the block:  {once:7,}")
print(f"handed on by the concatenations:          {concatenated:7,}")
print(f"by the readers' normalisations and ReLUs: {2 * normalised:7,}")
print(f"copies: {(concatenated + 2 * normalised) / once:.0f} times what exists")

# %% tags=["expected"]
# maps that exist at the end of the block:    1,024
# handed on by the concatenations:           15,744
# by the readers' normalisations and ReLUs:  29,952
# copies: 45 times what exists

# %% [markdown]
# $L$ layers hand on a number of maps that grows with $L^2$. It need not be so: Pleiss and colleagues (2017) let all
# layers write into one shared array, and compute the cheap normalisations a second time on the way back. Then it grows
# with $L$, for some more time. Keras does it the plain way.
#
# Now hold four measures of our course-size networks side by side. Three are counts; the fourth you measure, on your
# machine: 16 pictures of 128 × 128 pixels forward, the networks taking turns. (Multiply-adds are weights times cells;
# lesson 09 takes that bill apart.) *Rank the three networks by parameters. Will the ranks be the same in the other
# three measures?*

# %%
import time

import tensorflow as tf


def multiply_adds(network):
    """Each weight of a convolution or dense layer, once for each cell of its output; one picture."""
    cells = lambda layer: int(np.prod(layer.output.shape[1:-1]))
    kernels = lambda layer: sum(int(np.prod(w.shape)) for w in layer.weights if w.name == "kernel")
    return sum(cells(layer) * kernels(layer) for layer in network.layers)


def handed_on(network):
    """How many numbers the layers hand on for one picture: what a plain training has to hold."""
    return sum(int(np.prod(layer.output.shape[1:])) for layer in network.layers[1:])


names = {"cnn": "CNN, 6 layers", "resnet50": "ResNet, 14 layers", "densenet121": "DenseNet, 32 layers"}
networks = {name: build_model(name) for name in names}
forward = {name: tf.function(network) for name, network in networks.items()}
batch, taken = tf.random.normal((16, 128, 128, 1)), {name: [] for name in names}
for turn in range(8):
    for name, step in forward.items():
        started = time.perf_counter()
        step(batch).numpy()
        if turn >= 2:  # the first turns make the graph and warm up
            taken[name].append(1000 * (time.perf_counter() - started) / 16)

measures = pd.DataFrame(
    {
        "parameters": {name: network.count_params() for name, network in networks.items()},
        "multiply-adds": {name: multiply_adds(network) for name, network in networks.items()},
        "numbers handed on": {name: handed_on(network) for name, network in networks.items()},
        "time": {name: np.median(values) for name, values in taken.items()},
    }
)
print(measures.iloc[:, :3].to_string(formatters=["{:,}".format] * 3))

# %% tags=["expected"]
#             parameters multiply-adds numbers handed on
# cnn            246,356    96,731,648           999,684
# resnet50       389,572   109,020,672         2,654,600
# densenet121    220,260   200,934,080         6,969,224

# %%
relative = measures / measures.loc["cnn"]
fig = go.Figure()
for name, colour, pattern in (("cnn", GREY, ""), ("resnet50", ORANGE, "/"), ("densenet121", BLUE, "x")):
    fig.add_bar(
        x=relative.columns, y=relative.loc[name], name=names[name], marker_color=colour,
        marker_pattern_shape=pattern, marker_pattern_fillmode="overlay", marker_pattern_fgopacity=0.3,
        text=[f"{value:.1f}" for value in relative.loc[name]], textposition="outside",
    )  # fmt: skip
fig.update_yaxes(title_text="times the CNN's", range=[0, 1.15 * relative.to_numpy().max()])
fig.update_layout(barmode="group", legend={"x": 0.02, "y": 0.98})
dense = relative.loc["densenet121"]
finish(
    fig,
    f"DenseNet against the CNN: {dense['parameters']:.1f} times the parameters, {dense['multiply-adds']:.1f} times the "
    f"multiply-adds, {dense['time']:.1f} times the time",
    details="Course size, one picture of 128 x 128 pixels, forward; time is the median of 6 turns with 16 pictures each.",
    height=340,
)

# %% [markdown]
# Three measures of size, and a fourth on the clock; none follows from another. **Parameters** are what lies on the
# disk. **Multiply-adds** are what there is to multiply. **Numbers handed on** are what has to be fetched, put away, and
# held while training. **Seconds** are what you wait, and they depend on all that, on the number of small steps, and on
# the machine. (Do not read too much into one machine's clock: a busy neighbour moves the last group of bars.) A
# sentence such as "DenseNet is more efficient" lacks its second half: in what?
#
# ## 6. The experiment: keep or add, at equal parameters
#
# Back to our question. Whoever compares DenseNet with *a* ResNet compares blocks, widths, entries and depths all at
# once. So we build twins. Both have 14 layers that read and look, in three groups of 2, 4 and 8, with two transitions
# between them. They differ in **one line**, keep or add, and in the widths which go with it: the one adds 16 new maps a
# layer beside the old ones; the other adds what its layer has found onto the 24 maps it has, everywhere 24, a number
# chosen so that parameters come out (nearly) equal.


# %%
def twin(keep, side=(96, 48)):
    """The course's DenseNet, or the same network with addition in the place of concatenation."""
    pictures = keras.Input((*side, 1))
    x = layers.ZeroPadding2D(3)(pictures)
    x = layers.Conv2D(32 if keep else 24, 7, strides=2, use_bias=False)(x)  # (N, 48, 24, 32)
    x = normalise_relu(x)
    for depth in (2, 4, 8):
        for _ in range(depth):
            new = layers.Conv2D(64, 1, use_bias=False)(normalise_relu(x))
            new = layers.Conv2D(16 if keep else 24, 3, padding="same", use_bias=False)(normalise_relu(new))
            x = layers.Concatenate()([x, new]) if keep else layers.Add()([x, new])  # the one line
        if depth < 8:
            x = layers.Conv2D(x.shape[-1] // 2 if keep else 24, 1, use_bias=False)(normalise_relu(x))
            x = layers.AveragePooling2D(2)(x)  # (N, 24, 12, C), then (N, 12, 6, C)
    x = layers.GlobalAveragePooling2D()(normalise_relu(x))  # (N, 176) or (N, 24)
    return keras.Model(pictures, layers.Dense(4)(layers.Dropout(0.3)(x)), name="keeps" if keep else "adds")


twins = {}
for keep in (True, False):
    keras.utils.set_random_seed(0)
    network = twin(keep)
    twins[network.name] = network
    print(
        f"{network.name}: {network.count_params():,} parameters, {multiply_adds(network):,} multiply-adds, "
        f"{handed_on(network):,} numbers handed on"
    )
ours = densenet_bill((2, 4, 8), 16, channels=1, side=128, classes=4, pool=False)
print(f"the course's DenseNet: {networks['densenet121'].count_params():,}, by hand {ours.parameters.sum():,}")

# %% tags=["expected"]
# keeps: 220,260 parameters, 56,513,216 multiply-adds, 1,960,808 numbers handed on
# adds: 222,780 parameters, 64,115,808 multiply-adds, 1,365,496 numbers handed on
# the course's DenseNet: 220,260, by hand 220,260

# %% [markdown]
# The twin that keeps *is* the course's DenseNet, 32 layers with weights. From here on "DenseNet, course size, 32
# layers" means this one, and never DenseNet121.
#
# Both see the column of the spine (lesson 04, section 8), in 96 × 48 pixels so that you need not wait. The same
# patients in the same order, the same number of epochs. *Which will be ahead after the last epoch? And which after half
# the time?*


# %%
def columns_of(dataset):
    """The column of the spine in 192 x 96 pixels, (N, 192, 96) uint8."""
    return frame(dataset.images, COLUMN_SIZE, "column").pictures


def halved(pictures):
    """(N, 192, 96) uint8 to (N, 96, 48, 1) in [0, 1]: the mean of 2 x 2 pixels."""
    return pictures.reshape(-1, 96, 2, 48, 2, 1).mean(axis=(2, 4), dtype="float32") / 255


small_train, small_validation = halved(columns_of(train)), halved(columns_of(validation))
test_columns = columns_of(test)
small_test, columns = halved(test_columns), test_columns[..., None] / np.float32(255)  # (N, 192, 96, 1)

histories = {}
for name, network in twins.items():
    steps = size.epochs * -(-len(train) // 16)
    falling = keras.optimizers.schedules.CosineDecay(0.003, steps, alpha=0.01)
    histories[name] = fit(
        network, (small_train, train.labels), (small_validation, validation.labels),
        epochs=size.epochs, learning_rate=falling, seed=0,
    )  # fmt: skip

# %%
fig = make_subplots(rows=1, cols=2, subplot_titles=("by epoch", "by the clock"), shared_yaxes=True)
for (name, history), colour, symbol in zip(
    histories.items(), (BLUE, VERMILLION), ("circle", "diamond"), strict=True
):
    clock = history.attrs["seconds"] * history["epoch"] / len(history)
    for column, across in enumerate((history["epoch"], clock), start=1):
        for part, label, dash in (("loss", "training", "solid"), ("val_loss", "validation", "dash")):
            fig.add_scatter(
                x=across, y=history[part], name=f"{name}, {label}", mode="lines+markers", showlegend=column == 1,
                line={"color": colour, "dash": dash, "width": 2.5}, marker={"symbol": symbol, "size": 8}, row=1, col=column,
            )  # fmt: skip
for column in (1, 2):
    fig.add_hline(y=np.log(4), line={"color": BLACK, "dash": "dot", "width": 1}, row=1, col=column)
shown = np.concatenate([history[["loss", "val_loss"]].to_numpy().ravel() for history in histories.values()])
fig.update_xaxes(title_text="epoch", range=[0.6, size.epochs + 0.4], dtick=1, row=1, col=1)
fig.update_xaxes(title_text="seconds, preparation included", rangemode="tozero", row=1, col=2)
fig.update_yaxes(range=[0, min(1.9, 1.1 * shown.max())])  # the first validation losses may run off
fig.update_yaxes(title_text="loss (cross-entropy)", row=1, col=1)
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.09, "yanchor": "bottom"})
ends = {name: history.iloc[-1]["loss"] for name, history in histories.items()}
waited = {name: history.attrs["seconds"] for name, history in histories.items()}
finish(
    fig,
    f"After {size.epochs} epochs the training loss is {ends['keeps']:.2f} where maps are kept and {ends['adds']:.2f} where "
    f"they are added, after {waited['keeps']:.0f} and {waited['adds']:.0f} seconds",
    details="Training and validation loss of the twins, by epoch and by seconds; the dotted line is ln 4, no idea.",
    above=58,
)

# %% [markdown]
# The left panel asks what a look at each patient teaches. The right one asks what a second of your machine teaches. Now
# the test patients, in pairs:


# %%
def ask(network, pictures, name):
    probabilities = predict(network, pictures, batch_size=4)  # few at once: section 5
    return Predictions.of_dataset(test, probabilities, model=name, measured_on="phantoms", provenance={})


on_test = {name: ask(network, small_test, name) for name, network in twins.items()}
for name, answers in on_test.items():
    print(f"{name}: accuracy {evaluate(answers).accuracy} on {len(test)} phantoms")
print("keeps minus adds, in pairs:", paired_difference(on_test["keeps"], on_test["adds"]))

# %% [markdown]
# If this interval holds 0, the experiment has not told the twins apart. Either way it is *one* seed, a few hundred
# patients and a few epochs: a design that you can repeat, and no verdict. What differs between the twins' answers is
# due to keeping or adding at equal parameters, or to luck. The luck of the test patients is in the interval; the luck
# of the training is not. Change the seed, and see whether the winner stays.
#
# ## 7. The shipped network, and what "equal" means
#
# The shipped DenseNet has these same layers. It was trained on many more phantoms, and sees the column in 192 × 96
# pixels. Beside it the CNN and the ResNet, on the same locked test patients. What had each of them been given?

# %%
stored = load_results("zoo")
rows = []
for name, shown_as in names.items():
    told = stored[name].provenance
    epochs = told["configuration"]["epochs"]
    rows.append(
        [shown_as, epochs, told["configuration"]["epochs_by_size"][0], told["training"]["best_epoch"],
         told["training"]["seconds"] / 60, str(evaluate(stored[name]).accuracy)]
    )  # fmt: skip
print(f"{len(stored['densenet121'])} test patients, measured on {stored['densenet121'].measured_on}")
pd.DataFrame(rows, columns=["network", "epochs", "at half size", "best epoch", "minutes", "accuracy"]).set_index("network").round(0)  # fmt: skip

# %%
for name in ("cnn", "resnet50"):
    print(
        f"DenseNet minus {names[name]:18} {paired_difference(stored['densenet121'], stored[name])} (phantoms)"
    )

# %% [markdown]
# (The minutes were taken on one core of a machine that was not always quiet. They are a hint. All shipped networks saw pictures of
# half the height and width first, where an epoch costs a quarter, and whole ones at the end: *progressive resizing*.) Look at
# the columns before you call an architecture good or bad. Were the epochs equal? Was the best epoch the last one, so that the training ended before
# the learning did? The history is stored as well. *What would a network that learns its patients by heart look like?
# And one that was stopped too early?*

# %%
from lumbar_utils.paths import results_folder

curves = {name: pd.read_csv(results_folder() / "zoo" / f"{name}_history.csv") for name in names}
own = curves["densenet121"]
fig = figures.training_curves(own)
fig.update_yaxes(range=[0, 1.4], row=1, col=1)  # the first validation losses may run off
fig

# %%
gap = 100 * (own["accuracy"].iloc[-1] - own["val_accuracy"].iloc[-1])
fell = own["loss"].iloc[-4] - own["loss"].iloc[-1], own["val_loss"].iloc[-4] - own["val_loss"].iloc[-1]
print(
    f"in the last three epochs the training loss fell by {fell[0]:.3f}, the validation loss by {fell[1]:.3f}"
)
print(f"at the end the training patients are {gap:+.1f} points ahead of the validation patients")

# %% [markdown]
# Two illnesses, two pictures. **By heart:** the training curve runs away from the validation curve. **Stopped early**
# (or too small): both end together, and both still move. Which one do you see? (Augmentation and dropout make training
# patients harder, so the training curve may even lie on the worse side. And the learning rate falls to nearly zero at
# the end, so that any training settles: a longer one would have taken *another* road.)
#
# The paper says of its own DenseNet that the training accuracy rose and the validation accuracy did not: the first
# illness. Two weak networks of one name can be ill in different ways, and the cures are opposite.
#
# ### Exercise 4 (open): what can be had for a budget?
# Write a function that answers: *if each epoch costs so much, and I may spend so much, what do I get?* It receives two
# arrays with one entry an epoch, `val_loss` and `val_accuracy`, then `cost_an_epoch` and `budget` in the same unit.
# Only epochs that are **finished** within the budget count. Among them take the one with the lowest validation loss, as
# `fit` does, and return its validation accuracy. The budget always pays for one epoch at least.


# %% tags=["exercise"]
def best_within(val_loss, val_accuracy, cost_an_epoch, budget): ...


# %% tags=["check"]
check("densenet.budget", best_within)


# %% tags=["solution"]
def best_within(val_loss, val_accuracy, cost_an_epoch, budget):
    finished = int(budget // cost_an_epoch)
    return val_accuracy[np.argmin(val_loss[:finished])]


# %% [markdown]
# The unit is yours to choose, and so the same function makes three comparisons: cost 1 an epoch (**equal epochs**),
# multiply-adds an epoch (**equal work**; a step costs about three forward passes), and seconds an epoch as stored
# (**equal time**).

# %%
patients = stored["cnn"].provenance["data"]["training"]["make_dataset"]["n_patients"]
share = {
    name: (curves[name]["height"] / COLUMN_SIZE[0]) ** 2 for name in names
}  # an epoch's cost beside a whole-size one
costs = {"epochs": {}, "multiply-adds (10¹²)": {}, "minutes, as stored": {}}  # of each epoch
for name in names:
    work = 3 * patients * multiply_adds(build_model(name, input_shape=(*COLUMN_SIZE, 1))) / 1e12
    minutes = stored[name].provenance["training"]["seconds"] / 60
    costs["epochs"][name] = np.ones(len(curves[name]))
    costs["multiply-adds (10¹²)"][name] = work * share[name]
    costs["minutes, as stored"][name] = minutes * share[name] / share[name].sum()


def reached(name, cost, budget):
    """What your function does, where epochs cost differently; in percent."""
    finished = curves[name][np.cumsum(cost) <= 1.0001 * budget]  # a little room for rounding
    return 100 * finished.loc[finished["val_loss"].idxmin(), "val_accuracy"] if len(finished) else np.nan


fig = make_subplots(rows=1, cols=3, shared_yaxes=True, horizontal_spacing=0.04)
gaps = {}
for column, (unit, cost) in enumerate(costs.items(), start=1):
    for number, (name, colour) in enumerate(zip(names, (GREY, ORANGE, BLUE), strict=True)):
        spent = np.cumsum(cost[name])
        fig.add_scatter(
            x=spent, y=[reached(name, cost[name], budget) for budget in spent], name=names[name],
            line={"color": colour, "dash": DASHES[number], "width": 2.5, "shape": "hv"}, mode="lines", showlegend=column == 1, row=1, col=column,
        )  # fmt: skip
    common = min(np.sum(cost[name]) for name in ("cnn", "densenet121"))
    fig.add_vline(x=common, line={"color": BLACK, "dash": "dot", "width": 1}, row=1, col=column)
    gaps[unit] = [reached(name, cost[name], common) for name in ("densenet121", "cnn")]
    fig.update_xaxes(title_text=unit, rangemode="tozero", row=1, col=column)
fig.update_yaxes(title_text="validation accuracy on phantoms (%)", row=1, col=1)
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
by_epochs, by_work, by_time = (d - c for d, c in gaps.values())
finish(
    fig,
    f"DenseNet minus CNN on validation: {by_epochs:+.0f} points at equal epochs, {by_work:+.0f} at equal work, "
    f"{by_time:+.0f} at equal time",
    details="Accuracy of the best epoch within a budget; the dotted lines are the largest budgets that both networks spent.",
    height=340,
    above=30,
)

# %% [markdown]
# Three answers to "which network is better?", from the same stored files. Equal epochs ask what a network makes of a
# *patient*. Equal work asks what it makes of a multiplication. Equal time asks what it makes of *this machine*, and a
# network of many small steps does badly on a processor and less badly on a graphics card. (Equal parameters was section
# 6.) None of the three is the right one, but a sentence that does not say which it means is worth nothing. And one more
# caution: the longer training is read in its middle, where the learning rate was still high or the pictures still small. One that had been
# *planned* for the smaller budget might well have ended better.
#
# Finally our own test patients, new to all of them:

# %%
shipped = build_model("densenet121", weights="phantom")
shipped_cnn = build_model("cnn", weights="phantom")
on_test["DenseNet, shipped"] = ask(shipped, columns, "DenseNet, shipped")
on_test["CNN, shipped"] = ask(shipped_cnn, columns, "CNN, shipped")
labels = {"keeps": "twin that keeps, trained here", "adds": "twin that adds, trained here"}
figures.compare_accuracy({labels.get(name, name): evaluate(each) for name, each in on_test.items()})

# %%
print(
    "shipped, DenseNet minus CNN:", paired_difference(on_test["DenseNet, shipped"], on_test["CNN, shipped"])
)
print(
    "DenseNet, shipped minus trained here:", paired_difference(on_test["DenseNet, shipped"], on_test["keeps"])
)

# %% [markdown]
# ## 8. What it gets wrong
#
# The paper's DenseNet found none of its four herniations; all four were called stenosis (*reported*). And ours, on the
# locked test?

# %%
figures.confusion_matrix(evaluate(stored["densenet121"]))

# %%
answers = stored["densenet121"]
hernia = answers.class_names.index("Herniated Disk")
ill = answers.labels == hernia
found = int((answers.predicted[ill] == hernia).sum())
low, high = wilson(found, int(ill.sum()))
print(
    f"herniations found: {found} of {ill.sum()} phantoms, recall {found / ill.sum():.2f} [{low:.2f}, {high:.2f}]"
)
print(f"if 0.5 were the recall, 0 of 4 would happen in {(1 - 0.5) ** 4:.0%} of such tests")
print(f"with ours, in {(1 - found / ill.sum()) ** 4:.1%}")

# %% [markdown]
# Four patients cannot show that an architecture is blind to herniations (lesson 16). The four of our own test patients
# on whom the shipped DenseNet is furthest behind the shipped CNN, with the lesion's outline where the slice shows one:

# %%
truth = np.arange(len(test)), test.labels
behind = on_test["CNN, shipped"].probabilities[truth] - on_test["DenseNet, shipped"].probabilities[truth]
worst = np.argsort(-behind)[:4]
frames = frame(test.images[worst], COLUMN_SIZE, "column")
outlines = [
    lesion_mask(mask, test.class_names[test.labels[row]])
    for row, mask in zip(worst, frames.carry(test.masks[worst]), strict=True)
]
said = {name: on_test[name].predicted[worst] for name in ("DenseNet, shipped", "CNN, shipped")}
fig = figures.picture_grid(
    list(frames.pictures),
    [
        f"{test.class_names[test.labels[row]]},<br>said {test.class_names[said['DenseNet, shipped'][i]]}"
        for i, row in enumerate(worst)
    ],
    overlays=[outline if outline.any() else None for outline in outlines],
    title=f"Of these four, DenseNet has {np.sum(said['DenseNet, shipped'] == test.labels[worst])} right and the CNN "
    f"{np.sum(said['CNN, shipped'] == test.labels[worst])}",
)
fig.update_layout(margin_t=fig.layout.margin.t + 20, height=fig.layout.height + 20)

# %% [markdown]
# ## 9. Which old maps are really read?
#
# A DenseNet keeps everything. Does it *use* everything? Huang and colleagues looked at the weights: how strongly does
# each layer, on average, weigh the maps of each source before it? We do the same with the shipped network. One detail:
# between the kept map and the weight stands the reader's own normalisation, which multiplies the map by a learned
# $\gamma$. So we take the mean of $|\gamma \cdot w|$ over a source's maps. And we give it in units of the reader's own
# mean over its sources: 1 everywhere is a reader that weighs all sources alike.
#
# *Guess first: will a layer read mostly its direct predecessor, or also what came into the block?*

# %%
DEPTHS = {2: 2, 3: 4, 4: 8}  # Keras counts the entry as 1, so the three blocks are 2, 3 and 4


def reader_of(block, number):
    """The normalisation, and the layer with weights, through which a layer or what follows the block reads."""
    if number <= DEPTHS[block]:
        parts = f"conv{block}_block{number}_0_bn", f"conv{block}_block{number}_1_conv"
    else:
        parts = ("bn", "logits") if block == 4 else (f"pool{block}_bn", f"pool{block}_conv")
    return [shipped.get_layer(part) for part in parts]


def maps_from(block, source):
    """Where the maps of a source lie: 0 is what came into the block, s the 16 maps of its layer s."""
    start = maps_in[block]
    return slice(0, start) if source == 0 else slice(start + 16 * (source - 1), start + 16 * source)


maps_in = {block: reader_of(block, 1)[0].input.shape[-1] for block in DEPTHS}
weighs = {}
for block, depth in DEPTHS.items():
    weighs[block] = np.full((depth + 1, depth + 1), np.nan)  # source, reader
    for number in range(1, depth + 2):
        gamma, weights = (layer.get_weights()[0] for layer in reader_of(block, number))
        strength = np.abs(gamma[:, None] * weights.reshape(len(gamma), -1)).mean(axis=1)  # (C,)
        means = np.array([strength[maps_from(block, source)].mean() for source in range(number)])
        weighs[block][:number, number - 1] = means / means.mean()
print("maps that come into the blocks:", maps_in)

# %% tags=["expected"]
# maps that come into the blocks: {2: 32, 3: 32, 4: 48}

# %% [markdown]
# So much for the weights. But a weight is not yet a use: what it multiplies may always be the same, and what it finds
# may be found elsewhere too. So we *cut* each connection, one at a time, and ask a few patients again. To cut means
# here: this one reader gets, instead of the source's maps, their mean over all cells and patients. The level stays, the
# message is gone. All other readers go on reading that source.
#
# For this we walk through the shipped network by our own hand, layer by layer. It is section 2 once more:


# %%
guests = test.subset(np.arange(min(24, len(test))))


def read(block, number, sources, cut=()):
    """What a layer reads: all sources side by side, normalised, ReLU; cut ones hold only their level."""
    x = tf.nn.relu(reader_of(block, number)[0](tf.concat(sources, axis=-1), training=False))
    for reader, source in cut:
        if reader == number:
            stays = np.ones(x.shape[-1], "float32")
            stays[maps_from(block, source)] = 0
            x = x * stays + levels[block, number] * (1 - stays)
    return x  # (N, H, W, C)


def new_maps(block, number, read_maps):
    """The 16 maps that a layer makes of what it read."""
    x = read_maps
    for part in ("1_conv", "1_bn", "1_relu", "2_conv"):
        x = shipped.get_layer(f"conv{block}_block{number}_{part}")(x, training=False)
    return x  # (N, H, W, 16)


def walk(block, sources, cut=()):
    """Go on from the sources that a block has so far to its end: all sources, and what comes after the block."""
    sources = list(sources)
    for number in range(len(sources), DEPTHS[block] + 1):
        sources.append(new_maps(block, number, read(block, number, sources, cut)))
    x = read(block, DEPTHS[block] + 1, sources, cut)
    if block < 4:
        x = shipped.get_layer(f"pool{block}_pool")(shipped.get_layer(f"pool{block}_conv")(x))
        return sources, x  # the maps of the next block
    logits = shipped.get_layer("logits")(tf.reduce_mean(x, axis=(1, 2)))
    return sources, tf.nn.softmax(logits).numpy()  # (N, 4)


def answers_from(block, sources, cut=()):
    """The probabilities, when the walk begins in a block, with some of this block's connections cut."""
    _, x = walk(block, sources, cut)
    return x if block == 4 else answers_from(block + 1, [x])


entry = keras.Model(shipped.inputs[0], shipped.get_layer("conv1_relu").output)
whole, x = {}, entry(columns[: len(guests)])
for block in DEPTHS:
    whole[block], x = walk(block, [x])
uncut = x
expected = predict(shipped, columns[: len(guests)], batch_size=4)
print("our walk is the network:", np.allclose(uncut, expected, atol=1e-4))

# %% tags=["expected"]
# our walk is the network: True

# %%
levels = {
    (block, number): read(block, number, whole[block][:number]).numpy().mean(axis=(0, 1, 2))
    for block in DEPTHS
    for number in range(1, DEPTHS[block] + 2)
}
after, damage = {}, {block: np.full_like(table, np.nan) for block, table in weighs.items()}
for block, depth in DEPTHS.items():
    for number in range(1, depth + 2):
        for source in range(number):
            p = answers_from(block, whole[block][:number], cut=[(number, source)])
            after[block, number, source] = p
            damage[block][source, number - 1] = 50 * np.abs(p - uncut).sum(axis=1).mean()  # points that moved
print(f"{len(after)} connections cut, one at a time, {len(guests)} patients asked about each")

# %% [markdown]
# How much an answer moves, we measure in **points of probability** that change their class: 0 if nothing changes, 100
# if all goes over to another class. Weights above, damage below; a column is a reader, a row is a source. *Do the
# bright cells lie in the same places?*

# %%
fig = make_subplots(
    rows=2, cols=3, column_widths=[0.2, 0.28, 0.52], horizontal_spacing=0.06, vertical_spacing=0.1,
    subplot_titles=[f"block {number}" for number in (1, 2, 3)],
)  # fmt: skip
for row, (tables, text) in enumerate(((weighs, "%{z:.1f}"), (damage, "%{z:.0f}")), start=1):
    for column, (block, table) in enumerate(tables.items(), start=1):
        steps = [str(number) for number in range(1, DEPTHS[block] + 1)]
        fig.add_heatmap(
            z=table, x=[*steps, "end"], y=["in", *steps], colorscale=HEAT, zmin=0, zmax=np.nanmax(table),
            showscale=False, texttemplate=text, textfont={"size": 11}, xgap=1, ygap=1, row=row, col=column,
            hovertemplate="%{x} reads %{y}: %{z:.2f}<extra></extra>", hoverongaps=False,
        )  # fmt: skip
        fig.update_xaxes(title_text="reader (layer)" if row == 2 else None, type="category", showgrid=False, row=row, col=column)  # fmt: skip
        fig.update_yaxes(type="category", autorange="reversed", showgrid=False, row=row, col=column)
fig.update_yaxes(title_text="source: weight", row=1, col=1)
fig.update_yaxes(title_text="source: damage (points)", row=2, col=1)
weights, costs = (np.concatenate([t[~np.isnan(t)] for t in tables.values()]) for tables in (weighs, damage))
finish(
    fig,
    f"A reader weighs its sources between {weights.min():.1f} and {weights.max():.1f} times their mean; "
    f"cutting one moves between {costs.min():.0f} and {costs.max():.0f} points",
    details=f"Shipped DenseNet; above the mean of |gamma w| by source in units of the reader's mean, below the mean "
    f"change of the answers of {len(guests)} phantoms when one connection is cut, each block with colours of its own. "
    "'in' is what came into the block, 'end' what follows it.",
    height=540,
    above=30,
)

# %% [markdown]
# Weights and damages in numbers: do they at least *order* a reader's sources alike? A **rank correlation** puts both in
# order, and correlates the places. We take block 3, where a reader has up to nine sources, and the damages in units of
# the reader's mean too.

# %%
several = ~np.isnan(weighs[4][:, 1:])  # readers with two or more sources
in_means = damage[4] / np.nanmean(damage[4], axis=0)
pairs = pd.DataFrame({"weight": weighs[4][:, 1:][several], "damage": in_means[:, 1:][several]})
print(
    f"rank correlation of weight and damage, {len(pairs)} connections: {pairs.rank().corr().iloc[0, 1]:.2f}"
)
print("from the lightest to the heaviest (times the mean):")
for what in pairs:
    print(f"   {what}: {pairs[what].min():.2f} to {pairs[what].max():.2f}")

# %% [markdown]
# Read the upper row like Huang's figure, column by column: a 1 far above the diagonal is an old source that weighs as
# much as the others. The lower row is the test of it. A rank correlation of 1 would mean that the weights already tell
# which cut hurts a reader most; the lower it is, the less a picture of weights proves about use. And even where the
# order agrees, compare the two ranges: sources of nearly the same weight may differ many times over in what their loss
# costs. Why may the two differ? A map that is wanted may be had a second time, from
# another layer that read it (a cut then costs little). And a weight says nothing about what happens to the result
# further on.
#
# Now the question of this lesson, put to the trained network: in the last block, let every layer read only the nearest
# $m$ sources. $m = 9$ is the network as it is. $m = 1$ is a plain chain: each layer reads its predecessor alone. *How
# far back must it be allowed to read?*

# %%
until_last_block = keras.Model(shipped.inputs[0], shipped.get_layer("pool3_pool").output)
at_last_block = tf.concat([until_last_block(columns[i : i + 4]) for i in range(0, len(test), 4)], axis=0)
reach, n_right = np.arange(1, 10), []
for m in reach:
    too_far = [(number, source) for number in range(1, 10) for source in range(number - m)]
    n_right.append(int((answers_from(4, [at_last_block], too_far).argmax(axis=1) == test.labels).sum()))

# %%
right = np.array(n_right) / len(test)
low, high = np.array([wilson(k, len(test)) for k in n_right]).T
fig = go.Figure()
fig.add_scatter(
    x=reach, y=100 * right, mode="lines+markers", line_color=BLUE, marker_size=10, showlegend=False,
    error_y={"type": "data", "symmetric": False, "array": 100 * (high - right), "arrayminus": 100 * (right - low)},
)  # fmt: skip
enough = 1 + max(reach[right < right[-1] - 0.02], default=0)
guess = 100 * np.bincount(test.labels).max() / len(test)
fig.add_hline(y=guess, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.add_annotation(x=9, y=guess, xanchor="right", yanchor="bottom", showarrow=False, text="always the commonest class")  # fmt: skip
fig.update_xaxes(title_text="sources that each layer of the last block may read, the nearest first", dtick=1)
fig.update_yaxes(title_text="right on test phantoms (%), with 95 % interval", range=[0, 103])
finish(
    fig,
    f"With everything to read {right[-1]:.0%} are right, with the predecessor alone {right[0]:.0%}; "
    f"from {enough} sources on, less than 2 points are lost",
    details=f"Shipped DenseNet on {len(test)} phantoms; connections that reach further back hold only their mean level.",
    height=340,
)

# %% [markdown]
# The more the curve still rises on its right, the more the network lives on old maps. The same caution as in lessons 07
# and 09: a network that *learned* with all its sources was bent here, and a chain that had been trained as a chain
# may well do better than its point at $m = 1$. For that comparison one must train, as in section 6.
#
# ### Play: cut it yourself
# Choose a patient, a block, a layer and one of its sources. On the left the column; in the middle the 16 new maps that
# the layer makes (mid-grey is zero); on the right what it weighs, with the cut source hatched. *Find a source which
# changes the layer's maps a lot and the answer hardly. And one the other way round.*

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure

who = widgets.BoundedIntText(value=0, min=0, max=len(guests) - 1, description="patient")
which_block = widgets.Dropdown(options=[("1", 2), ("2", 3), ("3", 4)], value=3, description="block")
which_layer = widgets.IntSlider(value=3, min=1, max=8, description="layer", continuous_update=False)
which_cut = widgets.Dropdown(description="cut")
screen = widgets.Output()


def sources_offered(number):
    return [("nothing", -1), ("what came in", 0), *((f"layer {s}", s) for s in range(1, number))]


def draw_layer(row, block, number, source):
    cut = [(number, source)] if source >= 0 else []
    sources = [each[row : row + 1] for each in whole[block][:number]]
    before = new_maps(block, number, read(block, number, sources)).numpy()[0]  # (H, W, 16)
    made = new_maps(block, number, read(block, number, sources, cut)).numpy()[0]
    span = 3 * before.std()
    height, width = made.shape[:2]
    mosaic = np.full((2 * (height + 2), 8 * (width + 2)), np.nan)
    for k in range(16):
        y, x = (height + 2) * (k // 8), (width + 2) * (k % 8)
        mosaic[y : y + height, x : x + width] = made[..., k]

    fig = make_subplots(
        rows=1, cols=3, column_widths=[0.13, 0.61, 0.26], horizontal_spacing=0.06,
        subplot_titles=("", f"the 16 maps of layer {number}", "weight (times the mean)"),
    )  # fmt: skip
    fig.add_heatmap(
        z=columns[row, ::-1, :, 0], colorscale="gray", showscale=False, hoverinfo="skip", row=1, col=1
    )
    grey = {"colorscale": "gray", "zmin": -span, "zmax": span, "showscale": False, "hoverinfo": "skip"}
    fig.add_heatmap(z=mosaic[::-1], **grey, row=1, col=2)
    for column in (1, 2):
        anchor = "x" if column == 1 else "x2"
        fig.update_xaxes(visible=False, constrain="domain", row=1, col=column)
        fig.update_yaxes(visible=False, scaleanchor=anchor, constrain="domain", row=1, col=column)
    read_from = ["in", *(str(s) for s in range(1, number))]
    is_cut = np.arange(number) == source
    fig.add_bar(
        x=read_from, y=weighs[block][:number, number - 1], marker_color=np.where(is_cut, VERMILLION, BLUE),
        marker_pattern_shape=np.where(is_cut, "x", ""), showlegend=False, row=1, col=3,
    )  # fmt: skip
    fig.update_xaxes(title_text="source", type="category", row=1, col=3)
    fig.update_yaxes(range=[0, 1.1 * max(weighs[block][:number, number - 1])], row=1, col=3)
    p = after[block, number, source][row] if cut else uncut[row]
    best = uncut[row].argmax()
    changed = 100 * np.abs(made - before).mean() / np.abs(before).mean()
    finding = (
        f"{guests.class_names[best]} {uncut[row][best]:.0%}, truth: {guests.class_names[guests.labels[row]]}"
    )
    if cut:
        finding = (
            f"{dict((s, name) for name, s in sources_offered(number))[source].capitalize()} cut off: the maps change by "
            f"{changed:.0f} %, {guests.class_names[best]} from {uncut[row][best]:.0%} to {p[best]:.0%} "
            f"(truth: {guests.class_names[guests.labels[row]]}); all {len(guests)} patients: {damage[block][source, number - 1]:.1f} points"
        )
    return finish(fig, finding, details="A layer of the shipped DenseNet and one phantom patient.", height=300, above=24)  # fmt: skip


def redraw(change=None):
    show_figure(screen, draw_layer(who.value, which_block.value, which_layer.value, which_cut.value))


def offer_sources(change=None):
    which_layer.max = DEPTHS[which_block.value]
    which_cut.options = sources_offered(which_layer.value)


offer_sources()
which_cut.value = 1
for control in (which_block, which_layer):
    control.observe(offer_sources, names="value")
for control in (who, which_block, which_layer, which_cut):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([who, which_block]), widgets.HBox([which_layer, which_cut]), screen])

# %% tags=["drive"]
for control, other in ((who, 1), (which_layer, 4), (which_cut, 0), (which_block, 2), (which_cut, 1)):
    shown = screen.outputs
    control.value = other
    assert screen.outputs != shown, control
assert which_layer.value == 2 and which_layer.max == 2  # the first block has two layers

# %% [markdown]
# ## 10. At the paper's size
#
# One line changes: `build_model("densenet121", preset="paper", weights="imagenet")`, 224 pixels, three channels,
# `epochs=100`. What would it cost? From multiply-adds we *compute* a guess for this machine, and with section 5 what
# the dense layers hand on in training. (A layer that reads $c$ maps hands on $3c + 14k$: twice the reading, the two
# steps in between, and the longer row of maps.)

# %%
paper = densenet_bill(DENSENET121, 32, channels=3, side=224, classes=4)
sides = np.repeat([56, 28, 14, 7], DENSENET121)
held = ((3 * np.array(reads) + 14 * 32) * sides**2).sum()
print(
    f"dense layers hand on {held:,} numbers a picture; 16 pictures: {16 * 4 * held / 1e9:.1f} GB in float32"
)

# %% tags=["expected"]
# dense layers hand on 42,386,176 numbers a picture; 16 pictures: 2.7 GB in float32

# %%
seconds_a_picture = histories["keeps"].attrs["seconds"] / (len(histories["keeps"]) * len(train))
ratio = paper.multiply_adds.sum() / multiply_adds(twins["keeps"])
hours = 152 * 100 * seconds_a_picture * ratio / 3600
print(f"one picture takes {ratio:.0f} times the work of ours")
print(f"152 pictures x 100 epochs on this machine: about {hours:.1f} hours, computed and not measured")

# %% [markdown]
# That is for a runtime with a GPU, and with more memory than this lesson needs. And the score? For DenseNet the paper
# *reports* an accuracy of 0.68, the lowest that it gives.

# %%
row = paper_reported().accuracies.set_index("model").loc["DenseNet"]
print(f"reported: {row['right']:.0f} of {row['of']:.0f} right, 95 % [{row['wilson_low']:.2f}, {row['wilson_high']:.2f}]")  # fmt: skip

# %% tags=["expected"]
# reported: 13 of 19 right, 95 % [0.46, 0.85]

# %% [markdown]
# The paper concludes that DenseNet "might not be appropriate for identifying minute pathogenic variations in lumbar MRI
# data". From 13 of 19 pictures that does not follow. (One more suspect: the paper brings all grey values to the range
# from 0 to 1. Published DenseNet weights expect others, lesson 03; if it began from such weights, which it does not
# say, that alone may spoil a network.)
#
# ## Quiz
#
# 1. **How does the fifth layer of a dense block get the maps of the first?**
#    - a) added to those of layers 2 to 4
#    - b) as they were made, side by side with the others
#    - c) only backwards, as a gradient
# 2. **Which weights grow from layer to layer within a dense block?**
#    - a) those that look (3 × 3)
#    - b) those that read (1 × 1)
#    - c) both alike
# 3. **DenseNet121 has a third of ResNet50's parameters. So it ...**
#    - a) takes a third of the file on the disk
#    - b) takes a third of the memory in training
#    - c) takes a third of the time
# 4. **Layer 8 puts large weights on what came into the block. What have you shown?**
#    - a) that the diagnosis rests on those maps
#    - b) that these maps cannot be had elsewhere
#    - c) where it might be worth cutting; then one has to cut
# 5. **Network A is behind network B. Both trained ten minutes. A saw nine epochs, B thirty-two, and A's best epoch is its last. So ...**
#    - a) A overfits and needs fewer parameters
#    - b) A is behind at equal *time*, here; at equal epochs one has to look again
#    - c) B has the better architecture

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("densenet.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "b", "3": "a", "4": "c", "5": "b"}

# %% [markdown]
# ## What you have seen
#
# - A sum cannot be undone. Maps kept side by side can still be summed, and with room enough a sum can keep.
# - In a dense block each layer reads everything before it and adds $k$ maps. Looking costs the same in each layer; the reading of a block grows with the square of its depth.
# - DenseNet121: 8,062,504 parameters, 121 layers with weights, and three transitions where something is thrown away.
# - Parameters, multiply-adds, numbers handed on and seconds are four different things. Keeping is dear in the last two.
# - Twins that differ in one line, at equal parameters, are an experiment. Two architectures from two papers are not.
# - Equal epochs, equal work, equal time: say which, before you say better.
# - Weights show what *might* be read. Cutting shows what is.
#
# **All scores measured here are phantom scores.**
#
# ## References
# - Huang, Liu, van der Maaten, Weinberger (2017), *Densely connected convolutional networks*, CVPR, arXiv:1608.06993.
# - Pleiss, Chen, Huang, Li, van der Maaten, Weinberger (2017), *Memory-efficient implementation of DenseNets*, arXiv:1707.06990.
# - He, Zhang, Ren, Sun (2016), *Deep residual learning for image recognition*, CVPR, arXiv:1512.03385.
