# %% [markdown]
# # Involution: a filter that belongs to the place
#
# **When you have finished you can**
# 1. say what an involution computes, and do one by hand;
# 2. count its parameters and its multiply-adds beside a convolution's, and say why the textbook form is slow all the same;
# 3. look at the filter that the layer builds at any pixel you choose, before and after training;
# 4. explain what it shares with attention, and what it does not;
# 5. hold it against a convolution on the same patients, fairly.
#
# *About 60 minutes of your time, 70 s of the machine's, 1.3 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# ## 1. Two habits of a convolution
#
# Lesson 04 built everything from one idea: a small filter slides over the picture, the *same* weights everywhere. And each
# map that comes out has a filter of *its own*. These are two habits, and we have never questioned them:
#
# | | at another **place** | for another **map** |
# |---|---|---|
# | **convolution** | the same filter | another filter |
# | **involution** | another filter | the same filter |
#
# The same filter for bone, for disc and for fluid: is that wise? Li and colleagues (2021) turned both habits round and
# called the result **involution**. Its filter belongs to the place, and all maps at that place share it.
#
# Before we compute anything, let us see it. We take one slice, find the column of the spine, and make four maps of it:
# brightness, brightness of the surroundings, and the two differences of lesson 04, section 2.

# %%
import cv2
import keras
import numpy as np
from keras import layers

from lumbar_utils import Involution2D, check, figures, render, sample_patient
from lumbar_utils.framing import frame


def as_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


slice_ = render(sample_patient(3))
column = frame(slice_.image[None], (192, 96), "column")
picture, anatomy = column.pictures[0], column.carry(slice_.mask[None])[0]  # (192, 96) both

bright = cv2.resize(picture, (24, 48), interpolation=cv2.INTER_AREA) / 255  # one cell is 4 x 4 pixels
down, right = cv2.Sobel(bright, -1, 0, 1), cv2.Sobel(bright, -1, 1, 0)
maps = np.stack([bright, cv2.blur(bright, (5, 5)), down, right], axis=-1)[None].astype("float32")
print(maps.shape)

# %% tags=["expected"]
# (1, 48, 24, 4)

# %% [markdown]
# Four places: in the body of L2, in two discs further down, and in the fluid of the canal. A fresh convolution, 7 × 7,
# not trained at all. *Which filter will it use at each of the four?*


# %%
def middle_of(region):
    """Return row and column of a region's middle, in cells."""
    rows, columns = np.nonzero(region)
    return int(np.median(rows)) // 4, int(np.median(columns)) // 4


disc, lower_disc = middle_of(anatomy == 103), middle_of(anatomy == 102)
at_the_height = abs(np.arange(192)[:, None] - 4 * lower_disc[0]) < 4
places = {
    "body L2": middle_of(anatomy == 4),
    "disc L3-L4": disc,
    "disc L4-L5": lower_disc,
    "fluid": middle_of(np.isin(anatomy, [40, 41, 42]) & at_the_height),
}
in_pixels = [(4 * row + 1.5, 4 * column + 1.5) for row, column in places.values()]

keras.utils.set_random_seed(5)
convolution = layers.Conv2D(4, 7, padding="same", use_bias=False)
convolution.build(maps.shape)
same = as_numpy(convolution.kernel)[:, :, 0, 0]  # from the first map to the first map, (7, 7)
figures.filters_on_picture(picture, in_pixels, [same] * 4, list(places), side=28)

# %% [markdown]
# Of course. And a fresh involution, 7 × 7, not trained either? `kernels` returns the filter that the layer uses at each cell.

# %%
involution = Involution2D(7, groups=1, reduction=1)
involution.build(maps.shape)
built = as_numpy(involution.kernels(maps))
print(built.shape)

# %% tags=["expected"]
# (1, 48, 24, 7, 7, 1)

# %% [markdown]
# Read the shape: one picture, 48 × 24 cells, and **at each cell a filter of 7 × 7** (the last 1 we come to in section 6).

# %%
there = [built[0, row, column, ..., 0] for row, column in places.values()]
bone_fluid, disc_disc = (np.corrcoef(there[a].ravel(), there[b].ravel())[0, 1] for a, b in ((0, 3), (1, 2)))
figures.filters_on_picture(
    picture, in_pixels, there, list(places), side=28,
    title=f"Four filters: the two discs' correlate {disc_disc:.2f}, those of bone and fluid {bone_fluid:.2f}",
)  # fmt: skip

# %% [markdown]
# Four places, four filters, and nobody has trained anything. But look at the two discs: *are their filters as different
# as those of bone and fluid?* Keep the question for section 3.
#
# The filters cannot have been *stored*: 1,152 cells with 49
# weights each would be 56,448 numbers, and another picture size would need others. So where do they come from?
#
# ## 2. One involution by hand
#
# **Each pixel makes its own filter, out of the numbers that it holds.** A pixel of $C$ maps is a row of $C$ numbers. Two
# small matrices turn this row into a filter:
#
# $$\text{filter}(i, j) = W_1 \cdot \text{ReLU}(W_0 \cdot x(i, j)) + b$$
#
# $W_0$ narrows $C$ numbers to $R$. $W_1$ spreads these to $K \cdot K \cdot G$: a filter of $K \times K$ for each of $G$
# **groups** of maps. The matrices are learned; they are the same at all pixels. Only what goes into them differs.
#
# We do it with loops, on a scrap of 6 × 6 cells: $C = 4$ maps, narrowed to $R = 2$, filters of $K = 3$ for $G = 2$
# groups. *How many numbers will all filters of this scrap have together, and how many of these were learned?*

# %%
rng = np.random.default_rng(10)
scrap = maps[0, 20:26, 10:16]  # (6, 6, 4)
C, R, K, G = 4, 2, 3, 2
w0 = rng.normal(size=(C, R))
w1, b = rng.normal(size=(R, K * K * G)), rng.normal(size=K * K * G)

filters = np.zeros((6, 6, K, K, G))
for i in range(6):
    for j in range(6):
        narrow = np.maximum(scrap[i, j] @ w0, 0)  # (4,) to (2,)
        filters[i, j] = (narrow @ w1 + b).reshape(K, K, G)  # (2,) to (18,) to (3, 3, 2)

print(f"{filters.size} numbers of filters, made by {w0.size + w1.size + b.size} learned ones")

# %% tags=["expected"]
# 648 numbers of filters, made by 62 learned ones

# %% [markdown]
# Now apply them. The output at pixel $(i, j)$ of map $k$ is the window of *that same map*, weighed by the filter of that
# pixel, and added up. Maps 0 and 1 form the first group, 2 and 3 the second.

# %%
bordered = np.pad(scrap, ((1, 1), (1, 1), (0, 0)))  # zeros beyond the border
by_hand = np.zeros((6, 6, C))
for i in range(6):
    for j in range(6):
        for k in range(C):
            window = bordered[i : i + K, j : j + K, k]  # (3, 3)
            group = k // (C // G)
            by_hand[i, j, k] = (window * filters[i, j, :, :, group]).sum()
print(by_hand.shape)

# %% tags=["expected"]
# (6, 6, 4)

# %% [markdown]
# That is the whole of it. Look at what is *missing*: no map was ever added to another. A convolution adds up over all
# maps that come in; in an involution they meet only where the filter is made. So it cannot change the number of maps, and whoever builds a
# network with it sets 1 × 1 convolutions beside it, which mix maps and see no neighbours.
#
# Does our layer do the same? We hand it our matrices. (Between $W_0$ and ReLU it has a batch normalisation. A
# fresh one changes nothing.)

# %%
layer = Involution2D(3, groups=2, reduction=2)
layer.build((None, 6, 6, 4))
layer.reduce.set_weights([w0])
layer.span.set_weights([w1, b])
print("the layer gives the same:", np.allclose(as_numpy(layer(scrap[None]))[0], by_hand, atol=1e-3))

# %% tags=["expected"]
# the layer gives the same: True

# %% [markdown]
# ## 3. "Place" does not mean "row and column"
#
# People hear *the filter belongs to the place* and think that the layer learns one filter for the top of the picture and another
# for the bottom. Then it would lose what made convolution strong: what it learns at L4-L5, it would not know at L5-S1.
# *The patient lies three cells lower. What happens to the output?*

# %%
before = as_numpy(involution(maps))
lower = as_numpy(involution(np.roll(maps, 3, axis=1)))
inside = np.s_[:, 10:-10]  # away from the upper and lower border
print("it moves along:", np.allclose(np.roll(before, 3, axis=1)[inside], lower[inside], atol=1e-4))

# %% tags=["expected"]
# it moves along: True

# %% [markdown]
# The layer does not know where a pixel lies. It knows what the pixel *holds*. Two pixels that hold the same numbers get the same
# filter, at the top and at the bottom. That is why the two discs of section 1 had filters so alike.
#
# One thing does get lost. A convolution (without bias) is linear: twice the signal, twice the output. *And a
# fresh involution, whose bias is still 0?*

# %%
for name, of_layer in (("convolution", convolution), ("involution", involution)):
    once, twice = as_numpy(of_layer(maps)), as_numpy(of_layer(2 * maps))
    print(f"{name}: {np.abs(twice).sum() / np.abs(once).sum():.1f} times the output")

# %% tags=["expected"]
# convolution: 2.0 times the output
# involution: 4.0 times the output

# %% [markdown]
# Twice the signal makes twice the filter, and twice the filter meets twice the signal. The picture is multiplied *by
# itself*. No single convolution can do that. It also means that a brighter scanner changes more than the brightness:
# normalise what goes in and what comes out.
#
# ## 4. Counting parameters
#
# A usual size: $C = 64$ maps, a 7 × 7 filter, 16 maps a group, so $G = 4$, and $W_0$ narrows to a quarter, $R = 16$. Three parts
# have numbers to keep:

# %%
C, R, K, G = 64, 16, 7, 4
reduce = C * R  # W0, no bias: the normalisation brings one
normalise = 4 * R  # two learned and two running numbers a map, as in lesson 04
span = R * K * K * G + K * K * G  # W1 and its bias
print(f"{reduce:,} + {normalise} + {span:,} = {reduce + normalise + span:,}")

layer = Involution2D(7)
layer.build((None, 48, 24, 64))
print(f"the layer: {layer.count_params():,}")
print(f"a 7 x 7 convolution: {7 * 7 * 64 * 64:,}, a 3 x 3 one: {3 * 3 * 64 * 64:,}")

# %% tags=["expected"]
# 1,024 + 64 + 3,332 = 4,420
# the layer: 4,420
# a 7 x 7 convolution: 200,704, a 3 x 3 one: 36,864

# %% [markdown]
# ### Exercise 1 (warm-up): twice as many maps
# 128 maps, 7 × 7, sixteen maps a group, narrowed to a quarter. How many parameters does the involution have (all that
# `count_params` counts)?

# %% tags=["exercise"]
involution_parameters = ...

# %% tags=["check"]
check("involution.parameters", involution_parameters)

# %% tags=["solution"]
involution_parameters = 128 * 32 + 4 * 32 + (32 * 49 * 8 + 49 * 8)

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("involution.parameters")`. Each call tells you a little more.)*
#
# How do both grow, with the filter and with the maps? *The involution has few parameters. Does it also* grow *more slowly?*

# %%
import plotly.graph_objects as go
from lumbar_utils.figures.style import BLUE, GREEN, VERMILLION, finish
from plotly.subplots import make_subplots


def of_convolution(C, K):
    return K * K * C * C


def of_involution(C, K, G=None):
    G, R = G or C // 16, C // 4
    return C * R + 4 * R + (R + 1) * K * K * G


widths, sizes = np.array([16, 32, 64, 128, 256, 512]), np.arange(1, 16, 2)
fig = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.04)
for name, colour, dash, symbol, count in (
    ("convolution", VERMILLION, "solid", "diamond", of_convolution),
    ("involution, 16 maps a group", BLUE, "dash", "circle", of_involution),
    ("involution, one group", GREEN, "dot", "square", lambda C, K: of_involution(C, K, G=1)),
):
    style = {"line": {"color": colour, "dash": dash}, "marker": {"symbol": symbol, "size": 8}, "name": name}
    fig.add_scatter(x=sizes, y=[count(64, K) for K in sizes], mode="lines+markers", **style, row=1, col=1)
    fig.add_scatter(
        x=widths,
        y=[count(C, 7) for C in widths],
        mode="lines+markers",
        showlegend=False,
        **style,
        row=1,
        col=2,
    )
fig.update_yaxes(type="log", dtick=1)
fig.update_yaxes(title_text="parameters (logarithmic)", col=1)
fig.update_xaxes(title_text="size of the filter K, at 64 maps", dtick=2, col=1)
fig.update_xaxes(title_text="maps C (logarithmic), at K = 7", type="log", tickvals=widths, col=2)
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
fewer = [of_convolution(C, 7) / of_involution(C, 7) for C in (64, 512)]
finish(
    fig,
    f"At K = 7 an involution has {fewer[0]:.0f} times fewer parameters at 64 maps, {fewer[1]:.0f} times at 512",
    details="Parameters of one layer by the size of its filter (left) and by the number of its maps (right).",
    height=380,
    above=26,
)

# %% [markdown]
# On the right the lines run side by side: with 16 maps a group, there are more groups when there are more maps, and the
# involution grows with $C^2$ like the convolution. What it saves is a factor, about 48 at $K = 7$. On the left you see why its authors
# can afford 7 × 7 where networks of convolutions stay at 3 × 3.
#
# ## 5. What it costs
#
# Parameters are what you store. A machine pays for **multiply-adds**, the products it has to form and sum. At one pixel of our
# usual layer (the cell below). *Which of the three steps is the dearest: narrowing, spreading, or applying?*

# %%
steps = {
    "narrow, 64 x 16": 64 * 16,
    "spread, 16 x 7 x 7 x 4": 16 * 7 * 7 * 4,
    "apply, 7 x 7 x 64": 7 * 7 * 64,
}
for step, products in steps.items():
    print(f"{step:<22} {products:7,}")
print(f"{'in all':<22} {sum(steps.values()):7,}")
print(f"{'convolution 3 x 3':<22} {3 * 3 * 64 * 64:7,}")
print(f"{'convolution 7 x 7':<22} {7 * 7 * 64 * 64:7,}")

# %% tags=["expected"]
# narrow, 64 x 16          1,024
# spread, 16 x 7 x 7 x 4   3,136
# apply, 7 x 7 x 64        3,136
# in all                   7,296
# convolution 3 x 3       36,864
# convolution 7 x 7      200,704

# %% [markdown]
# Making the filters costs more than using them. And still the 7 × 7 involution needs a fifth of a 3 × 3 convolution.
#
# ### Exercise 2: how far could it look?
# 64 maps, $G = 4$, $R = 16$ as above. What is the **largest** $K$ for which the involution needs fewer multiply-adds than a
# 3 × 3 convolution? (A filter has a middle, so $K$ is odd.)

# %% tags=["exercise"]
largest_k = ...

# %% tags=["check"]
check("involution.cost", largest_k)

# %% tags=["solution"]
largest_k = max(k for k in range(1, 50, 2) if 64 * 16 + 16 * k * k * 4 + k * k * 64 < 3 * 3 * 64 * 64)

# %% [markdown]
# ### The clock disagrees
# The textbook writes an involution in three lines: **cut out the window of every pixel** ("extract patches"), multiply by the filters,
# sum. Each number of the picture lies in $K \cdot K$ windows. So the patches are 49 copies of the picture, all at once. The
# other way shifts the *whole* picture 49 times, and adds each shift, times its weight, to one running sum. The
# multiply-adds are the same, number for number.
#
# Eight pictures of 48 × 24 cells with 32 maps: 1.2 MB. *How many MB does each form hold at its peak?*

# %%
import time
import tracemalloc

import pandas as pd

N, H, W, C, K, G = 8, 48, 24, 32, 7, 2
x = rng.normal(size=(N, H, W, C)).astype("float32")
weights = rng.normal(size=(N, H, W, K * K, G)).astype("float32")
shifts = [(down, right) for down in range(K) for right in range(K)]


def bordered(x):
    return np.pad(x, ((0, 0), (3, 3), (3, 3), (0, 0))).reshape(N, H + 6, W + 6, G, C // G)


def by_patches(x, weights):
    around = bordered(x)
    patches = np.stack(
        [around[:, u : u + H, v : v + W] for u, v in shifts], axis=3
    )  # (N, H, W, 49, G, C / G)
    return (patches * weights[..., None]).sum(axis=3).reshape(x.shape)


def by_shifting(x, weights):
    around, total = bordered(x), np.zeros((N, H, W, G, C // G), "float32")
    for number, (u, v) in enumerate(shifts):
        total += around[:, u : u + H, v : v + W] * weights[:, :, :, number, :, None]
    return total.reshape(x.shape)


print("the same numbers:", np.allclose(by_patches(x, weights), by_shifting(x, weights), atol=1e-4))

# %% tags=["expected"]
# the same numbers: True


# %%
def seconds(run):
    run()  # the first run compiles
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


def peak_mb(run):
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


layer, rival = Involution2D(7), layers.Conv2D(32, 7, padding="same", use_bias=False)
applying, making = N * H * W * K * K * C, N * H * W * (32 * 8 + 8 * K * K * G)
patches, shifting = lambda: by_patches(x, weights), lambda: by_shifting(x, weights)
rows = [
    ("apply only, patches (numpy)", applying, seconds(patches), peak_mb(patches)),
    ("apply only, shifting (numpy)", applying, seconds(shifting), peak_mb(shifting)),
    ("our layer: make and apply (compiled)", applying + making, seconds(lambda: as_numpy(layer(x))), None),
    ("convolution 7 x 7 (Keras)", N * H * W * K * K * C * C, seconds(lambda: as_numpy(rival(x))), None),
]
pd.DataFrame(
    {
        "form": [row[0] for row in rows],
        "million multiply-adds": [round(row[1] / 1e6) for row in rows],
        "milliseconds": [f"{1000 * row[2]:.1f}" for row in rows],
        "MB at the peak": ["" if row[3] is None else f"{row[3]:.0f}" for row in rows],
    }
).set_index("form")

# %% [markdown]
# Look at the memory of the first two rows: 49 copies, and then 49 products, against one running sum. In training it is
# worse, for the gradient wants the patches again. Our layer shifts as well; its 49 steps are compiled into one program
# that walks over the output once (`lumbar_utils/models/involution_xla.py`).
#
# Now compare multiply-adds and milliseconds in the last two rows. The convolution does nearly twenty times the arithmetic, and does
# not take twenty times as long. Processors are built for it: a filter that is loaded once serves the whole picture. An
# involution's filter serves one pixel of 16 maps and is thrown away. **Few multiply-adds are a promise that memory has to
# keep.**
#
# ## 6. Groups
#
# The last number of the filters' shape was $G$. One group: all maps of a pixel share one filter. As many groups as maps:
# each has its own. The authors take 16 maps a group. *Which* maps share is a matter of agreement, and here implementations
# part. With 8 maps and 2 groups:
#
# | map | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
# |---|---|---|---|---|---|---|---|---|
# | neighbours share (the authors' code, ours) | 0 | 0 | 0 | 0 | 1 | 1 | 1 | 1 |
# | every second one (Keras's published example) | 0 | 1 | 0 | 1 | 0 | 1 | 0 | 1 |
#
# Both are right. But weights that were trained in one give nonsense in the other, *and no error message*, since all shapes fit.
#
# ### Exercise 3: a colleague's weights
# A colleague trained an involution of 8 maps and 2 groups in which map $k$ has the kernel of group $k \bmod 2$. You want to
# use it in our layer. In which `order` must the maps be handed over, `x[..., order]`, so that each meets its own kernel? A
# list of 8 numbers.

# %% tags=["exercise"]
order = ...

# %% tags=["check"]
check("involution.order", order)

# %% tags=["solution"]
order = [0, 2, 4, 6, 1, 3, 5, 7]

# %% [markdown]
# ### Exercise 4 (open): from one group to many
# You have a trained layer with **one** group: $W_1$ of shape $(R, K \cdot K)$ and its bias $(K \cdot K)$. Write
# `regroup(w1, bias, groups)`: it returns $W_1$ and bias of a layer with `groups` groups that computes *exactly the same*.
#
# In our layer, column $n \cdot G + g$ of $W_1$ makes number $n$ of the kernel of group $g$: the groups of one position stand
# together, then come those of the next.


# %% tags=["exercise"]
def regroup(w1, bias, groups): ...


# %% tags=["check"]
check("involution.port", regroup)


# %% tags=["solution"]
def regroup(w1, bias, groups):
    return np.repeat(w1, groups, axis=1), np.repeat(bias, groups)


# %% [markdown]
# ## 7. "So it is attention?"
#
# Weights that depend on the input: that sounds like the **self-attention** of transformers. There each pixel asks with a
# *query*, each neighbour answers with a *key*, and how well the two fit decides the neighbour's weight:
# $\text{softmax}(\text{query} \cdot \text{keys})$.
#
# We test it. At the place in the disc we change **one neighbour** and nothing else. *Whose weights will move?*

# %%
to_query, to_key = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))


def attention_weights(maps, row, column):
    window = maps[0, row - 3 : row + 4, column - 3 : column + 4].reshape(49, 4)
    fit = (window @ to_key) @ (maps[0, row, column] @ to_query)  # (49,) each key against the query
    return np.exp(fit) / np.exp(fit).sum()


def involution_weights(maps, row, column):
    return as_numpy(involution.kernels(maps))[0, row, column].ravel()  # (49,)


row, column = disc
changed = maps.copy()
changed[0, row, column + 1] += 1.0  # the neighbour on the right
for name, weights_at in (("involution", involution_weights), ("attention", attention_weights)):
    old, new = weights_at(maps, row, column), weights_at(changed, row, column)
    print(f"{name:<11} weights moved: {not np.allclose(old, new)!s:<6} all positive: {(old > 0).all()}")

# %% tags=["expected"]
# involution  weights moved: False  all positive: False
# attention   weights moved: True   all positive: True

# %% [markdown]
# **Alike:** both build the weights while the picture runs through, and both share them over many maps.
# **Not alike:** in an involution the neighbours have no say. The pixel in the middle decides by itself, "two cells to the left
# weighs −0.4", *whatever lies there*. There are no queries and keys and no softmax; weights may be negative, as an edge filter's
# must be. And the weights have fixed positions, as in a convolution.
#
# The authors put it the other way round: they see self-attention as one way, and a complicated one, to make an involution's
# kernel. That is a view, not a measurement. (In a deep network the pixel of a map has already seen its neighbourhood, through
# the layers before. "From the pixel alone" holds for the layer, not for the network.)
#
# ## 8. A fair race
#
# Fewer parameters, wider view, filters made to measure. Does it *help*? On ImageNet, 1.3 million pictures, Li and
# colleagues *reported* up to 1.6 points more than a ResNet-50. We have a few hundred patients. So let us see, on ours.
#
# Fair means: one thing differs. Three networks, alike in width, data, order of pictures, learning rate and epochs. In the middle
# stands, on 48 × 24 cells with 32 maps: an **involution** 7 × 7, or a **convolution** 3 × 3 (the swap that the authors made), or
# **nothing**. *Why the third?*

# %%
from dataclasses import replace

from lumbar_utils import course_size, load_dataset, prepare, split_by_patient

size = course_size(epochs=9, patients=800)
clinic = load_dataset("phantom", n_patients=size.patients, seed=0)
columns = frame(clinic.images, (192, 96), "column")
clinic = replace(clinic, images=columns.pictures, masks=columns.carry(clinic.masks))
train, validation, test = split_by_patient(clinic, fractions=(0.7, 0.1, 0.2), seed=0)
train = train.subset(np.arange(len(train) // 16 * 16))  # whole batches: XLA compiles anew for each batch size
x_train, x_validation, x_test = (prepare(part, size=(96, 48)) for part in (train, validation, test))
clinic.summary()

# %% [markdown]
# The pictures are the columns that the localiser of lesson 04, section 8 cuts out. The networks see them at 96 × 48 pixels.


# %%
def normed(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def network(middle, name):
    keras.utils.set_random_seed(0)
    pictures = keras.Input((96, 48, 1))
    x = normed(layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(pictures))  # (N, 48, 24, 32)
    if middle is not None:
        x = normed(middle(x))  # (N, 48, 24, 32)
    x = layers.MaxPooling2D()(x)  # (N, 24, 12, 32)
    x = normed(layers.Conv2D(64, 3, padding="same", use_bias=False)(x))  # (N, 24, 12, 64)
    x = layers.MaxPooling2D()(x)  # (N, 12, 6, 64)
    x = normed(layers.Conv2D(64, 3, padding="same", use_bias=False)(x))  # (N, 12, 6, 64)
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))  # (N, 64)
    return keras.Model(pictures, layers.Dense(4)(x), name=name)


networks = {
    "involution": network(Involution2D(7, name="middle"), "with_involution"),
    "convolution": network(
        layers.Conv2D(32, 3, padding="same", use_bias=False, name="middle"), "with_convolution"
    ),
    "nothing": network(None, "with_nothing"),
}
for name, model in networks.items():
    middle = 0 if name == "nothing" else model.get_layer("middle").count_params()
    print(f"{name:<11} {middle:5,} parameters in the middle, {model.count_params():,} in all")

# %% tags=["expected"]
# involution  1,170 parameters in the middle, 57,782 in all
# convolution 9,216 parameters in the middle, 65,828 in all
# nothing         0 parameters in the middle, 56,484 in all

# %% [markdown]
# Check the first: $32 \cdot 8 + 4 \cdot 8 + (8 + 1) \cdot 49 \cdot 2 = 1{,}170$. Now train all three. (The involution first compiles
# its programs, and then takes longer an epoch. Section 5 told you why.)

# %%
from lumbar_utils import fit

histories = {}
for name, model in networks.items():
    falling = keras.optimizers.schedules.CosineDecay(0.003, size.epochs * len(train) // 16, alpha=0.01)
    seen = (x_train, train.labels), (x_validation, validation.labels)
    histories[name] = fit(model, *seen, epochs=size.epochs, learning_rate=falling, seed=0)
    print(f"{name:<11} {histories[name].attrs['seconds']:3.0f} s")

# %%
fig = go.Figure()
for (name, history), colour, symbol in zip(
    histories.items(), (BLUE, VERMILLION, GREEN), ("circle", "diamond", "square"), strict=True
):
    for column_name, dash, part in (("loss", "dot", "training"), ("val_loss", "solid", "validation")):
        fig.add_scatter(
            x=history["epoch"], y=history[column_name], mode="lines+markers", name=f"{name}, {part}",
            line={"color": colour, "dash": dash}, marker={"symbol": symbol, "size": 7},
        )  # fmt: skip
fig.update_xaxes(title_text="epoch", dtick=1)
fig.update_yaxes(title_text="loss (cross-entropy, logarithmic)", type="log", tickvals=[0.25, 0.5, 1, 2, 4, 8])
lowest = {name: history["val_loss"].min() for name, history in histories.items()}
finish(
    fig,
    "Lowest validation loss: " + ", ".join(f"{value:.2f} with {name}" for name, value in lowest.items()),
    details="Training and validation loss of three networks that differ in their middle layer.",
    height=400,
)

# %% [markdown]
# And the test patients, once. *Whom do you expect in front? And by how much would you want to see it before you believe it?*

# %%
from lumbar_utils import Predictions, evaluate
from lumbar_utils.training import predict

answers = {
    name: Predictions.of_dataset(
        test, predict(model, x_test), model=model.name, measured_on="phantoms", provenance={}
    )
    for name, model in networks.items()
}
shown = {
    "involution": "CNN with involution",
    "convolution": "CNN with convolution",
    "nothing": "CNN with neither",
}
figures.compare_accuracy({shown[name]: evaluate(answers[name]) for name in networks})

# %% [markdown]
# Overlapping intervals are no test (lesson 16, section 6). All three answered the same patients, so we compare in pairs.

# %%
from lumbar_utils.evaluation import paired_difference

for rival in ("convolution", "nothing"):
    gap = paired_difference(answers["involution"], answers[rival])
    verdict = "holds 0: not told apart" if gap.low <= 0 <= gap.high else "leaves 0 out"
    print(f"involution minus {rival:<11}: {gap}  {verdict}")

# %% [markdown]
# Read the interval, not its middle. If it holds 0, these patients cannot tell the two apart, *and an advantage as large as the
# interval's far end is still possible*. The row "nothing" is the humbling one: a middle layer that does not beat its own
# absence has shown nothing yet, however elegant it is.
#
# How fair was it? One start per network; another seed moves each score by some points too, and the interval does not know
# that (it draws patients, not starts). Nobody tuned the learning rate for one of them. The involution had an eighth of the
# convolution's parameters in the middle, and needed more time. And these are phantoms: what holds on ImageNet need not hold
# on a few hundred columns, and what holds here says nothing about ImageNet. **The result is the interval; the method to get
# it is what you take along.**
#
# ## 9. The filter at your pixel
#
# Whether or not it wins, one thing a convolution cannot offer: we can ask the trained layer what it *does* at a place. Choose
# a patient, a row and a column, and watch the filter. Then set **layer** to *untrained*: the same network before its first step.
#
# *Before you touch it: will the filter change between two pixels of the same vertebra? Between bone and fluid? And in the
# untrained layer?*

# %%
import ipywidgets as widgets

from lumbar_utils.dataset import MASK_LABELS
from lumbar_utils.live import show_figure

untrained = network(Involution2D(7, name="middle"), "untrained")  # the same seed, so the same first weights
inside_of = {
    name: (keras.Model(model.input, model.get_layer("middle").input), model.get_layer("middle"))
    for name, model in (("trained", networks["involution"]), ("untrained", untrained))
}
name_of = {number: name for name, number in MASK_LABELS.items()}


def filters_of(state, pictures):
    """Return the filter at each cell, (N, 48, 24, 7, 7, 2)."""
    up_to_the_middle, middle = inside_of[state]
    seen = prepare(pictures, size=(96, 48))  # (N, 96, 48, 1)
    return as_numpy(middle.kernels(up_to_the_middle(seen, training=False)))


state = widgets.Dropdown(options=["trained", "untrained"], description="layer")
patient = widgets.BoundedIntText(value=0, min=0, max=len(test) - 1, description="patient")
at_row = widgets.IntSlider(value=24, min=0, max=47, description="row", continuous_update=False)
at_column = widgets.IntSlider(value=8, min=0, max=23, description="column", continuous_update=False)
of_group = widgets.Dropdown(options=[("maps 0 to 15", 0), ("maps 16 to 31", 1)], description="group")
screen = widgets.Output()


def draw_filter():
    n, row, column, group = patient.value, at_row.value, at_column.value, of_group.value
    filters = filters_of(state.value, test.images[[n]])[0, ..., group]  # (48, 24, 7, 7)
    weights, place = filters[row, column], (4 * row + 1.5, 4 * column + 1.5)
    tissue = name_of[int(test.masks[n][4 * row + 2, 4 * column + 2])]
    return figures.filters_on_picture(
        test.images[n], [place], [weights], [f"row {row}, column {column}"], side=28,
        limit=float(np.quantile(np.abs(filters), 0.995)),  # one scale for all pixels of this slice
        title=f"{state.value.capitalize()} layer, at {tissue}: the filter's weights add up to {weights.sum():.1f}, "
        f"their sizes to {np.abs(weights).sum():.1f}",
    )  # fmt: skip


def redraw(change=None):
    show_figure(screen, draw_filter())


controls = (state, patient, at_row, at_column, of_group)
for control in controls:
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox(controls[:2]), widgets.HBox(controls[2:]), screen])

# %% tags=["drive"]
for control, value in ((state, "untrained"), (patient, 1), (at_row, 10), (at_column, 15), (of_group, 1)):
    shown = screen.outputs
    control.value = value
    assert screen.outputs != shown, control

# %% [markdown]
# Three walks worth taking. Go down the middle of the vertebral bodies, across bone and discs. Step sideways from the body into
# the bright fluid. And do the second walk again with the untrained layer.
#
# Did you see the filter follow the tissue? Then comes the question that decides what that means: **how much of it has the
# layer learned?** We measure it. Of all that differs between the filters of 24 patients, what share is explained by knowing the
# tissue at the pixel (body, disc, canal, other)? *Guess for the trained layer, and for the untrained one.*

# %%
kinds = {"vertebral body": [1, 2, 3, 4, 5], "disc": [101, 102, 103, 104, 105], "canal": [40, 41, 42]}
cells = test.masks[:24, 2::4, 2::4]  # (24, 48, 24) the label in each cell
tissue = sum(number * np.isin(cells, labels) for number, labels in enumerate(kinds.values(), start=1)).ravel()


def explained_by_tissue(filters):
    rows = filters.reshape(len(tissue), -1)  # (24 * 48 * 24, 98)
    means = np.stack([rows[tissue == kind].mean(axis=0) for kind in np.unique(tissue)])
    shares = np.bincount(tissue) / len(tissue)
    return (shares @ (means - rows.mean(axis=0)) ** 2).sum() / rows.var(axis=0).sum()


built = {name: filters_of(name, test.images[:24]) for name in inside_of}
explained = {name: explained_by_tissue(filters) for name, filters in built.items()}
strength = {name: np.abs(filters[0]).sum(axis=(2, 3, 4)) for name, filters in built.items()}  # (48, 24)
figures.picture_grid(
    [
        test.images[0],
        *(strength[name] / np.quantile(strength[name], 0.99) for name in ("untrained", "trained")),
    ],
    ["the slice", "strength, untrained", "strength, trained"],
    title=f"Tissue explains {explained['untrained']:.0%} of how the filters differ before training, "
    f"and {explained['trained']:.0%} after",
)

# %% [markdown]
# The middle picture is the sobering one. A layer that has learned *nothing* already draws the anatomy, since its filters are
# made from the picture. So "the filters follow the spine" is no evidence that it understood the spine. Whoever shows you a
# beautiful map of kernels, or of attention, or of heat: **ask for the same map from the untrained network.**
#
# ## 10. Where to put it
#
# The reference paper of this course names a VGG16 with involution and reports 90 % *validation* accuracy for it, yet it leaves open
# where in the network the involution stands. Lesson 11 builds two placements and says that they are ours.
#
# ## Quiz
#
# 1. **Where does the layer keep the filter of pixel (10, 20)?**
#    - a) in a table, one filter a pixel
#    - b) nowhere: it makes it from what the pixel holds
#    - c) it is the mean over the picture
# 2. **What makes an involution differ from self-attention?**
#    - a) it takes weighted means of neighbours
#    - b) its softmax is taken over the window
#    - c) the neighbours have no say in the weights they get
# 3. **The patient lies two centimetres lower. The involution ...**
#    - a) gives the same answers, two centimetres lower
#    - b) uses the filters that it learned for those rows
#    - c) has to be trained again
# 4. **Why do we not extract patches?**
#    - a) it takes more multiply-adds
#    - b) it holds K · K shifted copies at once
#    - c) its numbers are less exact
# 5. **In a trained network the filters follow the anatomy. What does that show?**
#    - a) the layer has learned the anatomy
#    - b) it decides as a radiologist does
#    - c) little, as long as nobody has looked at the untrained one

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("involution.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"}

# %% [markdown]
# ## What you have seen
#
# - A convolution has one filter for all places and another for each map. An involution has it the other way round.
# - The filter is made at each pixel, from that pixel, by two small matrices. It is not stored, and it moves along with the patient.
# - 4,420 parameters where a 7 × 7 convolution has 200,704; both grow with the square of the maps.
# - Fewer multiply-adds are not less time. Shift and add up; do not hold 49 copies.
# - Implementations share out the groups differently, and no error message tells.
# - It is not attention: the neighbours have no say.
# - Whether it helps is a paired question with an interval, and "nothing in its place" is a rival worth inviting.
# - Filters of an untrained layer follow the anatomy too.
#
# **All scores here are phantom scores.** They say how methods compare on drawn patients, and nothing about a clinic.
#
# ## References
# - Li and others (2021), *Involution: Inverting the Inherence of Convolution for Visual Recognition*, CVPR, arXiv:2103.06255.
# - Vaswani and others (2017), *Attention Is All You Need*, NeurIPS, arXiv:1706.03762.
# - Ramachandran and others (2019), *Stand-Alone Self-Attention in Vision Models*, NeurIPS, arXiv:1906.05909.
