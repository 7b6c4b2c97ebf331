# %% [markdown]
# # VGG16 and transfer learning: does it help to have seen the world first?
#
# **When you have finished you can**
# 1. put small windows in the place of a large one, and say what is saved and what is gained;
# 2. walk through VGG16's sixteen layers, count its 138,357,544 parameters by hand, and say where the weight sits and where
#    the work is done;
# 3. feed grey pictures to a network that was trained on colour, and say what the wrong preparation does to it;
# 4. take a trained network to a new clinic in three ways (frozen, fine-tuned, from scratch) and compare them in pairs;
# 5. measure what a network forgets when it learns something new.
#
# *About 70 minutes of your time, 75 s of the machine's, 1.4 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# A student who has never seen a spine still knows what an edge is, a bright blob, a curved outline. She has looked at the world
# for twenty years. A network with random weights has looked at nothing. Must it learn edges from our few patients, or can it
# borrow somebody else's?
#
# In 2014 Karen Simonyan and Andrew Zisserman built the network that was borrowed more than any other: **VGG16**, trained on
# 1.2 million photographs. First we build it. Then we borrow.

# %%
import os
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import tensorflow as tf
from keras import layers
from plotly.subplots import make_subplots
from scipy.signal import convolve2d

from lumbar_utils import Predictions, backbone_features, build_model, check, compare, count_parameters
from lumbar_utils import course_size, evaluate, figures, fit, fit_head, load_dataset, paper_reported
from lumbar_utils import predict, prepare, render, sample_patient, split_by_patient
from lumbar_utils.evaluation import load_results, paired_difference, wilson
from lumbar_utils.figures.style import BLACK, BLUE, GREY, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure

tf.get_logger().setLevel("ERROR")  # it would warn that we train several networks in one session
size = course_size(epochs=12, patients=400)

# %% [markdown]
# ## 1. Two small windows for a large one
#
# AlexNet looked through windows of 11, 5 and 3 pixels. VGG has one size only: **3 × 3**, everywhere. How far does it see,
# then? Stack two such windows, and follow one pixel of the second map back to the picture. On how many ways does each pixel
# of the picture reach it? *How large is the patch, and which pixel counts most?*

# %%
window = np.ones((3, 3), dtype=int)
print(convolve2d(window, window))

# %% tags=["expected"]
# [[1 2 3 2 1]
#  [2 4 6 4 2]
#  [3 6 9 6 3]
#  [2 4 6 4 2]
#  [1 2 3 2 1]]

# %% [markdown]
# A patch of 5 × 5, as far as one 5 × 5 window sees. The middle has nine ways in, a corner has one. What does it cost? Between $C$
# maps and $C$ maps, a window of $k \times k$ has $k^2 C^2$ weights.

# %%
C = 64
print(f"one 5 x 5: {5 * 5 * C * C:,} weights, one ReLU")
print(f"two 3 x 3: {2 * 3 * 3 * C * C:,} weights, two ReLUs")

# %% tags=["expected"]
# one 5 x 5: 102,400 weights, one ReLU
# two 3 x 3: 73,728 weights, two ReLUs

# %% [markdown]
# Fewer weights. And the second ReLU, is that a cost or a gift? Try it on a slice: two random 3 × 3 windows, once without and once with a
# ReLU between them. *Can a single 5 × 5 window do the same?*

# %%
slice_ = render(sample_patient(6)).image / 255.0
first, second = np.random.default_rng(0).normal(size=(2, 3, 3))
one_5x5 = convolve2d(first, second)  # (5, 5): the two windows multiplied out

plain = convolve2d(convolve2d(slice_, first), second)
with_relu = convolve2d(np.maximum(convolve2d(slice_, first), 0), second)
print("without ReLU, one 5 x 5 does the same:", np.allclose(plain, convolve2d(slice_, one_5x5)))
print("with ReLU:                            ", np.allclose(with_relu, convolve2d(slice_, one_5x5)))

# %% tags=["expected"]
# without ReLU, one 5 x 5 does the same: True
# with ReLU:                             False

# %% [markdown]
# Without the ReLU, the pair is a 5 × 5 window with fewer free numbers: a loss. With it, the pair can say "an edge here, *and*
# beside it another", which no single window can, since a
# window only adds. That is VGG's whole idea: **see as far, weigh less, bend more often.**
#
# ### Exercise 1 (warm-up): three for a seven
# Three 3 × 3 windows see 7 × 7 pixels. What share of the weights do they *save* against one 7 × 7 window? (As many maps in as out,
# biases left out.)

# %% tags=["exercise"]
share_saved = ...

# %% tags=["check"]
check("vgg.windows", share_saved)

# %% tags=["solution"]
share_saved = 1 - 3 * 3 * 3 / (7 * 7)

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("vgg.windows")`. Each call tells you a little more.)*
#
# ## 2. Sixteen layers of one kind
#
# Thirteen convolutions in five blocks, then three dense layers. After each block the picture is halved, and the maps are doubled until
# there are 512. At full size it is too large for a small machine, so we draw a **blueprint**: inside a
# TensorFlow graph layers know their shapes, but not one number is made.

# %%
blueprint = tf.Graph()

with blueprint.as_default():
    pictures = keras.Input((224, 224, 3))
    x = pictures
    for block, (maps, depth) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], start=1):
        for index in range(1, depth + 1):
            x = layers.Conv2D(maps, 3, padding="same", activation="relu", name=f"block{block}_conv{index}")(x)
        x = layers.MaxPooling2D(2)(x)
        print(f"after block {block}: {x.shape[1:]}")

# %% tags=["expected"]
# after block 1: (112, 112, 64)
# after block 2: (56, 56, 128)
# after block 3: (28, 28, 256)
# after block 4: (14, 14, 512)
# after block 5: (7, 7, 512)

# %% [markdown]
# Now the dense layers. `Flatten` lays all the numbers that are left in a row, and `fc1` ("fully connected") joins each of them with each
# of 4,096 neurons.
#
# ### Exercise 2: the heaviest layer
# How many parameters has `fc1`?

# %% tags=["exercise"]
first_dense_parameters = ...

# %% tags=["check"]
check("vgg.first_dense", first_dense_parameters)

# %% tags=["solution"]
first_dense_parameters = 7 * 7 * 512 * 4096 + 4096

# %%
with blueprint.as_default():
    x = layers.Flatten()(x)  # (N, 25088)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)  # (N, 4096)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)  # (N, 4096)
    x = layers.Dropout(0.5)(x)
    logits = layers.Dense(1000, name="logits")(x)  # (N, 1000), the classes of ImageNet
    vgg16 = keras.Model(pictures, logits)

print(f"in the open:      {vgg16.count_params():,}")
print(f"count_parameters: {count_parameters('vgg16', 'paper', num_classes=1000):,}")

# %% tags=["expected"]
# in the open:      138,357,544
# count_parameters: 138,357,544

# %% [markdown]
# And by hand, layer by layer. A convolution has $3 \cdot 3 \cdot C_{in} \cdot C_{out} + C_{out}$ parameters.
# Its **multiply-adds** (lesson 05, section 3) are its weights times the places where the window stops.

# %%
rows, channels, side = [], 3, 224
for block, (maps, depth) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], start=1):
    for index in range(1, depth + 1):
        weights = 3 * 3 * channels * maps
        rows.append((f"block{block}_conv{index}", weights + maps, weights * side * side))
        channels = maps
    side = side // 2
for name, numbers_in, numbers_out in (
    ("fc1", 7 * 7 * 512, 4096),
    ("fc2", 4096, 4096),
    ("logits", 4096, 1000),
):
    rows.append((name, numbers_in * numbers_out + numbers_out, numbers_in * numbers_out))

table = pd.DataFrame(rows, columns=["layer", "parameters", "multiply_adds"]).set_index("layer")
for name, row in table.iterrows():
    assert row.parameters == vgg16.get_layer(name).count_params()
    print(f"{name:<12} {row.parameters:11,}")
print(f"{'sum':<12} {table.parameters.sum():11,}")

# %% tags=["expected"]
# block1_conv1       1,792
# block1_conv2      36,928
# block2_conv1      73,856
# block2_conv2     147,584
# block3_conv1     295,168
# block3_conv2     590,080
# block3_conv3     590,080
# block4_conv1   1,180,160
# block4_conv2   2,359,808
# block4_conv3   2,359,808
# block5_conv1   2,359,808
# block5_conv2   2,359,808
# block5_conv3   2,359,808
# fc1          102,764,544
# fc2           16,781,312
# logits         4,097,000
# sum          138,357,544

# %% [markdown]
# *Where is the weight? Where is the work? Guess both before you look.*

# %%
fig = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.06)
for col, (column, unit, colour, pattern) in enumerate(
    (("parameters", 1e6, BLUE, ""), ("multiply_adds", 1e9, VERMILLION, "/")), start=1
):
    fig.add_bar(
        x=table[column] / unit, y=table.index, orientation="h", showlegend=False,
        marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "white", "bgcolor": colour, "size": 6}},
        text=[f"{value / unit:.1f}" if value >= 0.05 * unit else "< 0.1" for value in table[column]],
        textposition="outside", cliponaxis=False, textfont_color=BLACK, row=1, col=col,
    )  # fmt: skip
fig.update_yaxes(autorange="reversed", showgrid=False, ticks="")
fig.update_xaxes(title_text="parameters (millions)", range=[0, 125], row=1, col=1)
fig.update_xaxes(title_text="multiply-adds a picture (thousand millions)", range=[0, 2.3], row=1, col=2)
share = table / table.sum()
convolutions = share.index.str.startswith("block")
finish(
    fig,
    f"One dense layer holds {share.parameters['fc1']:.0%} of VGG16's weight; the convolutions, "
    f"{share.parameters[convolutions].sum():.0%} of it, do {share.multiply_adds[convolutions].sum():.0%} of the work",
    details=f"{table.multiply_adds.sum():,} multiply-adds a picture of 224 x 224. "
    + "; ".join(f"{name}: {row.parameters:,} parameters" for name, row in table.iterrows())
    + ".",
    height=430,
)

# %%
print(f"VGG16: {table.multiply_adds.sum() / 1e9:.1f} thousand million multiply-adds a picture")

# %% tags=["expected"]
# VGG16: 15.5 thousand million multiply-adds a picture

# %% [markdown]
# That is nearly fourteen times AlexNet's work (1.1). Notice which part is worth borrowing. The dense layers know *places* and the 1,000
# classes of ImageNet: dogs, boats, mushrooms. The convolutions, a tenth of the weight, know edges and textures. When people say that they
# "use VGG16" on medical pictures, they mean the convolutions, the **backbone**, and put their own small **head** on it.
#
# ## 3. The course VGG, in the open
#
# A backbone that trains on a laptop: the same kind of blocks, narrower, eight convolutions instead of thirteen, and three repairs
# that came after 2014. Batch normalisation after each convolution (lesson 04); no pooling after blocks 4 and 5, so that small
# lesions keep a cell of their own; and the mean of each map instead of `Flatten`.
#
# It sees what the shipped networks see: the column from L1 to S1, 192 × 96 pixels. *Before you run it: how large is the map at the end?*

# %%
column = keras.Input((192, 96, 1))
x = column
for block, (maps, depth) in enumerate([(16, 1), (32, 1), (64, 2), (96, 2), (96, 2)], start=1):
    for _ in range(depth):
        x = layers.Conv2D(maps, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    if block <= 3:
        x = layers.MaxPooling2D(2)(x)
    print(f"after block {block}: {x.shape[1:]}")

x = layers.GlobalAveragePooling2D(name="features")(x)  # (N, 96)
x = layers.Dropout(0.3)(x)
in_the_open = keras.Model(column, layers.Dense(4, name="logits")(x))  # (N, 4)
print(f"{in_the_open.count_params():,} parameters")

# %% tags=["expected"]
# after block 1: (96, 48, 16)
# after block 2: (48, 24, 32)
# after block 3: (24, 12, 64)
# after block 4: (24, 12, 96)
# after block 5: (24, 12, 96)
# 366,804 parameters

# %%
total, channels = 0, 1
for block, (maps, depth) in enumerate([(16, 1), (32, 1), (64, 2), (96, 2), (96, 2)], start=1):
    here = 0
    for _ in range(depth):
        here += 3 * 3 * channels * maps + 4 * maps  # weights, and four numbers a map of batch normalisation
        channels = maps
    print(f"block {block}: {here:7,}")
    total += here
print(f"head:    {96 * 4 + 4:7,}")
print(f"in all:  {total + 96 * 4 + 4:7,}")

# %% tags=["expected"]
# block 1:     208
# block 2:   4,736
# block 3:  55,808
# block 4: 139,008
# block 5: 166,656
# head:        388
# in all:  366,804

# %% [markdown]
# Remember the head: **388 numbers**. Everything else is backbone.
#
# The course ships this network, trained on phantoms of one scanner:

# %%
shipped = build_model("vgg16", weights="phantom")
stored = load_results("zoo")["vgg16"]
n_seen = stored.provenance["data"]["training"]["make_dataset"]["n_patients"]

print(f"{shipped.name}: {shipped.count_params():,} parameters, trained on {n_seen:,} patients")
print(
    f"{len(stored)} locked test patients, measured on {stored.measured_on}: accuracy {evaluate(stored).accuracy}"
)

# %% [markdown]
# That is a *phantom* score, with the interval of its test. Keep the network; it is our student who has seen the world. A small world, of
# 12,000 drawn patients in **one scanner**.
#
# ## 4. A clinic with another scanner
#
# A second clinic asks for help. Its patients have the same diseases, its doctors the same rule for the label. But its scanner has other
# coils, other fields of view, other noise and windows, and the patients lie more crookedly.
#
# A phantom can do what no clinic can: put **the same people** into both scanners. The new clinic has 400 patients on file. We learn
# from 80, watch 40 while learning, and keep 280 for the test: few to learn from is our subject, few to test on would only blur it.

# %%
from lumbar_utils.framing import COLUMN_SIZE

away = load_dataset("phantom", n_patients=size.patients, seed=6, variation="wide")
home = load_dataset(
    "phantom", n_patients=size.patients, seed=6
)  # the same people in the shipped network's scanner

shares = (0.2, 0.1, 0.7)
train, validation, test = split_by_patient(away, fractions=shares, seed=0)
test_at_home = split_by_patient(home, fractions=shares, seed=0)[2]
same_people = np.array_equal(test.patient_ids, test_at_home.patient_ids)
print(
    f"{len(train)} to learn from, {len(validation)} to watch, {len(test)} to test; same people: {same_people}"
)

figures.picture_grid(
    [*test_at_home.images[:4], *test.images[:4]],
    [f"{where}: {test.class_names[label]}" for where in ("home", "away") for label in test.labels[:4]],
    title="Four people in the scanner at home (above) and in the other one (below)",
)

# %% [markdown]
# The localiser cuts out the columns, as for all shipped networks. We do it once, and keep the arrays for everything that follows.

# %%
del away, home  # the three parts hold what we need
x_train, x_validation, x_test, x_home = (
    prepare(part, size=COLUMN_SIZE, crop="column") for part in (train, validation, test, test_at_home)
)
print(x_train.shape[1:])

# %% tags=["expected"]
# (192, 96, 1)

# %% [markdown]
# First the laziest plan: take the network as it is. *Same people, same diseases. What will the other scanner cost?*


# %%
def ask(model, x, dataset, name):
    probabilities = predict(model, x, batch_size=16)
    return Predictions.of_dataset(dataset, probabilities, model=name, measured_on="phantoms", provenance={})


shipped_at_home = ask(shipped, x_home, test_at_home, "at home")
as_is = ask(shipped, x_test, test, "unchanged")
cost = paired_difference(shipped_at_home, as_is)
print("home minus away, the same people:", cost)

figures.compare_accuracy({"home scanner": evaluate(shipped_at_home), "other scanner": evaluate(as_is)})

# %% [markdown]
# Nothing in these people has changed. Only the pictures have: this is called a **domain shift**, and it is the usual reason why a
# network that shone in a paper disappoints elsewhere.
#
# ## 5. Play: look through its filters
#
# Where does the sight get lost? Walk through the eight convolutions of the shipped network. Each answers with maps: left a person at
# home, right *the same person* elsewhere. The maps are sorted, the liveliest first; both are drawn on one scale.
#
# Three things to find: a map of block 1 that draws the canal's edges; a map of block 3 that keeps the discs; and a map of
# block 5 that is lively at home and silent in **T1**, where water is dark and the canal has turned from white to black.

# %%
import cv2
import ipywidgets as widgets

from lumbar_utils.live import show_figure

steps = [layer.name for layer in shipped.layers if isinstance(layer, layers.ReLU)]
looks = {"home": {}, "other scanner": {"variation": "wide"}, "T1": {"contrast": "T1"}}
people = {disease: sample_patient(2087, disease=disease) for disease in test.class_names}

shown = np.stack([render(person, **look).image for person in people.values() for look in looks.values()])
columns = prepare(shown, size=COLUMN_SIZE, crop="column")  # (12, 192, 96, 1)
probe = keras.Model(shipped.inputs[0], [shipped.get_layer(step).output for step in steps])
maps_of = {
    step: keras.ops.convert_to_numpy(maps).reshape(len(people), len(looks), *maps.shape[1:])
    for step, maps in zip(steps, probe(columns, training=False), strict=True)
}  # step: (4 people, 3 looks, h, w, maps)
columns = columns.reshape(len(people), len(looks), *COLUMN_SIZE)

which_step = widgets.SelectionSlider(options=steps, value=steps[0], description="layer")
which_map = widgets.IntSlider(value=1, min=1, max=16, description="map")
which_person = widgets.Dropdown(options=list(people), value="Herniated Disk", description="person")
beside = widgets.Dropdown(options=["other scanner", "T1"], value="other scanner", description="beside it")
screen = widgets.Output()


def draw_maps(step, number, disease, look):
    person, other = list(people).index(disease), list(looks).index(look)
    of_person = maps_of[step][person]  # (3 looks, h, w, maps)
    liveliest = np.argsort(-of_person[0].mean(axis=(0, 1)))
    chosen = of_person[..., liveliest[number - 1]]
    top = max(np.percentile(chosen[[0, other]], 99.5), 1e-6)
    enlarged = [
        cv2.resize(chosen[k] / top, COLUMN_SIZE[::-1], interpolation=cv2.INTER_NEAREST) for k in (0, other)
    ]
    before, after = chosen[0].mean(), chosen[other].mean()
    change = f"{after / before:.0%} of that" if before > 1e-6 else f"{after:.2f}"
    return figures.picture_grid(
        [columns[person, 0], enlarged[0], columns[person, other], enlarged[1]],
        ["home", "its map", look, "its map"],
        title=f"{step}, map {number} of {len(liveliest)} ({chosen.shape[1]} × {chosen.shape[2]} cells): mean answer "
        f"{before:.2f} at home, {change} {'in T1' if look == 'T1' else 'in the other scanner'}",
    )


def redraw(change=None):
    which_map.max = maps_of[which_step.value].shape[-1]
    show_figure(screen, draw_maps(which_step.value, which_map.value, which_person.value, beside.value))


for control in (which_step, which_map, which_person, beside):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([which_step, which_map]), widgets.HBox([which_person, beside]), screen])

# %% tags=["drive"]
for control, value in (
    (which_step, steps[-1]),
    (which_map, 3),
    (which_person, "Healthy"),
    (beside, "T1"),
):
    before = screen.outputs
    control.value = value
    assert screen.outputs != before, control
assert which_map.max == 96

# %% [markdown]
# Early maps are edges and blobs, and would serve a photograph of a dog just as well. The deeper the layer, the more
# it is made for *this* task and *these* pictures. That is the bet of transfer learning (Yosinski and others, 2014): **the bottom is common property, the
# top is private.**
#
# ## 6. Three ways to a new clinic
#
# - **Frozen.** Keep the backbone, throw the head away, learn a new head: 388 numbers from 80 patients.
# - **Fine-tuned.** Then let *all* weights move, in small steps.
# - **From scratch.** The same architecture with random weights: what would these 80 patients teach alone?
#
# ### Frozen
# We take a copy of the shipped network and give it a random head. (Our two clinics share four classes, so the old head would fit. With
# ImageNet it would not: that head knows 1,000 things, and no spine.)


# %%
def borrowed(seed=0):
    """Return a copy of the shipped network with a random head."""
    keras.utils.set_random_seed(seed)
    old = build_model("vgg16", weights="phantom")
    features = old.get_layer("features").output  # (N, 96)
    return keras.Model(old.inputs[0], layers.Dense(4, name="logits")(features), name="borrowed")


frozen = borrowed()

# %% [markdown]
# If the backbone stands still, what it answers to a picture never changes. So we compute each picture's 96 **features** once;
# `backbone_features` also keeps them on disk, under a fingerprint of pixels, layers and weights.

# %%
features_train, features_validation, features_test = (
    backbone_features(frozen, x, batch_size=16) for x in (x_train, x_validation, x_test)
)
print("features of a picture:", features_train.shape[1])

# %% tags=["expected"]
# features of a picture: 96

# %% [markdown]
# `fit_head` finds them there, and trains the head on the features alone. An epoch takes no time.

# %%
fit_head(
    frozen,
    (x_train, train.labels),
    (x_validation, validation.labels),
    epochs=5 * size.epochs,
    learning_rate=0.01,
    patience=10,
)
frozen_away = ask(frozen, x_test, test, "frozen")

# %% [markdown]
# ### Fine-tuned
# Now the backbone may move as well. It starts where it is, with the head that has just been learned, and with a learning rate that
# begins at 0.001, well below what it was trained with, and falls along a cosine.
#
# *Which curve will show first that 366,804 numbers meet 80 patients?*


# %%
def falling(rate, epochs):
    steps = epochs * -(-len(train) // 16)  # batches of 16
    return keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.01)


tuned = borrowed()
tuned.set_weights(frozen.get_weights())
tuned_history = fit(
    tuned,
    (x_train, train.labels),
    (x_validation, validation.labels),
    epochs=size.epochs,
    learning_rate=falling(0.001, size.epochs),
)
tuned_away = ask(tuned, x_test, test, "fine-tuned")

# %% [markdown]
# ### From scratch
# The same layers, random weights, twice the learning rate, and more epochs, so that nobody says it had no chance.

# %%
keras.utils.set_random_seed(0)
scratch = build_model("vgg16", input_shape=(192, 96, 1))
scratch_epochs = size.epochs * 4 // 3
fit(
    scratch,
    (x_train, train.labels),
    (x_validation, validation.labels),
    epochs=scratch_epochs,
    patience=scratch_epochs,
    learning_rate=falling(0.002, scratch_epochs),
)
scratch_away = ask(scratch, x_test, test, "from scratch")

# %% [markdown]
# Look at the dotted line. `fit` keeps the weights of the lowest validation loss; where that lies among the first epochs, all that came after was
# learning 80 patients by heart. (A smaller rate, or 40 epochs? Try it.)
#
# *Place your bet: who wins on the 280 people whom nobody has learned from, and by how much?*

# %%
ways = {
    "unchanged": as_is,
    "frozen": frozen_away,
    "fine-tuned": tuned_away,
    "from scratch": scratch_away,
}
figures.compare_accuracy({name: evaluate(answers) for name, answers in ways.items()})

# %% [markdown]
# All four answered for the same people, so the question is a paired one, and there are six pairs (lesson 16, sections 6 and 7):

# %%
figures.paired_forest(compare(ways))

# %% [markdown]
# Read it row by row. *From scratch* is the price of not borrowing. *Frozen* against *unchanged* says what a new head alone is
# worth: it can only weigh anew what the backbone still sees, and what the other scanner has hidden from the backbone no head
# brings back. *Fine-tuned* against *frozen* says what it is worth to let the eyes learn too. An open diamond means that 280
# people cannot tell, not that there is nothing.
#
# One draw of 80 patients and one seed stand behind this. Another draw would move these numbers, the validation patients are
# only 40, and a paper should repeat it all several times.
#
# ### Exercise 3 (open): how few are enough?
# A head of 388 numbers needs no GPU, not even Keras: a logistic regression on the features does it. Fit one on the **first** 10, 20, 40
# and 80 training patients (`features_train`, `train.labels`) and score each on `features_test`, `test.labels`. Give the four
# accuracies in a list.
#
# *Tools:* `make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))`, with `.fit` and `.score`.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# %% tags=["exercise"]
accuracies = [..., ..., ..., ...]

# %% tags=["check"]
check("vgg.few", accuracies)


# %% tags=["solution"]
def head(n):
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    classifier.fit(features_train[:n], train.labels[:n])
    return classifier.score(features_test, test.labels)


accuracies = [head(n) for n in (10, 20, 40, 80)]

# %% [markdown]
# ### What the fine-tuned one still gets wrong

# %%
figures.confusion_matrix(evaluate(tuned_away))

# %% [markdown]
# Some people nobody gets right, whichever way we went. Are they hard because of the other scanner? Ask the shipped network about *their pictures
# at home*:

# %%
nobody = np.flatnonzero(np.all([answers.predicted != test.labels for answers in ways.values()], axis=0))
found_at_home = (shipped_at_home.predicted == test.labels)[nobody]
print(
    f"{len(nobody)} people whom all four ways get wrong; at home {found_at_home.sum()} of them were recognised"
)

if len(nobody):
    grid = figures.picture_grid(
        [x_test[row, ..., 0] for row in nobody[:4]],
        [
            f"{test.class_names[test.labels[row]]},<br>said {test.class_names[tuned_away.predicted[row]]}"
            for row in nobody[:4]
        ],
        title=f"{min(4, len(nobody))} of the {len(nobody)} people whom no way gets right",
    )
    grid.update_layout(margin_t=84)  # room for captions of two lines
    grid.show()

# %% [markdown]
# Those who are missed at home too are missed for reasons that no scanner cures: a lesion beside the slice, or findings at the border of two classes
# (lesson 04, section 9).
#
# ## 7. What was forgotten
#
# We have asked what a network *gains* at the new clinic. Nobody asked the old one. Each of our networks can be shown the same 280 people
# at home. And we add one more, the **impatient** way: a random head, all layers
# free at once, and a learning rate that begins at 0.02, as many epochs as fine-tuning had.
#
# Why is that dangerous? At the first step the head is random, so its errors are large and mean nothing. They are sent down
# through the backbone, and with large steps they knock over what 12,000 patients had taught, before the head has learned to ask for anything.
# *Where will it end up?*

# %%
impatient = borrowed(seed=1)
fit(
    impatient,
    (x_train, train.labels),
    (x_validation, validation.labels),
    epochs=size.epochs,
    learning_rate=falling(0.02, size.epochs),
)
ways["impatient"] = ask(impatient, x_test, test, "impatient")

# %%
at_home = {"unchanged": shipped_at_home}
for name, model in (
    ("frozen", frozen),
    ("fine-tuned", tuned),
    ("from scratch", scratch),
    ("impatient", impatient),
):
    at_home[name] = ask(model, x_home, test_at_home, name)

fig = go.Figure()
for name, symbol, colour, place in (
    ("unchanged", "square", BLACK, "bottom right"),
    ("frozen", "diamond", BLUE, "bottom left"),
    ("fine-tuned", "circle", BLUE, "top left"),
    ("from scratch", "triangle-up", GREY, "top left"),
    ("impatient", "x", VERMILLION, "bottom right"),
):
    old, new = evaluate(at_home[name]).accuracy, evaluate(ways[name]).accuracy
    error_x, error_y = (
        {"type": "data", "symmetric": False, "array": [100 * (each.high - each.value)],
         "arrayminus": [100 * (each.value - each.low)], "thickness": 1.5, "width": 0}
        for each in (old, new)
    )  # fmt: skip
    fig.add_scatter(
        x=[100 * old.value], y=[100 * new.value], error_x=error_x, error_y=error_y, mode="markers+text",
        marker={"size": 13, "symbol": symbol, "color": colour}, text=[name], textposition=place,
        textfont={"color": colour}, name=name, showlegend=False,
    )  # fmt: skip
kept = paired_difference(at_home["fine-tuned"], shipped_at_home)
fig.update_xaxes(title_text="right on the people at home, the old scanner (%)", range=[0, 100])
fig.update_yaxes(title_text="right on them in the new scanner (%)")
finish(
    fig,
    f"Fine-tuning moves the score in the old scanner by {100 * kept.value:+.0f} points "
    f"[{100 * kept.low:+.0f}, {100 * kept.high:+.0f}], impatience by "
    f"{100 * paired_difference(at_home['impatient'], shipped_at_home).value:+.0f}",
    details=f"Five networks asked about the same {len(test)} phantom patients in both scanners, with 95 % intervals.",
    height=430,
)

# %% [markdown]
# To the left lies what was lost, upwards what was gained. Even the frozen way forgets: its backbone is untouched, but its new head was taught by the new
# pictures alone. *From scratch* had nothing to forget, and shows where a network stands that knows too little. Losing the old while learning the new is called **catastrophic forgetting**. Nothing in
# the loss speaks for the old clinic, so nothing keeps it.
#
# Hence the usual order: **head first, then everything, in small steps.** Some give each block its own rate, the lower the smaller
# (*discriminative* rates), or free the blocks one by one from the top. And if you will need the old clinic again: keep the old weights, or mix some of
# its pictures into the training.
#
# ## 8. Grey pictures in a colour network
#
# So much for a student who had seen spines. Now the one who has seen the *world*: VGG16 with the weights that it learned on ImageNet. She wants
# three colour channels. A slice has one. There are two ways out:
#
# - **repeat** the grey channel three times;
# - **sum** the first layer's kernels over their channels, and feed one.
#
# *Which one keeps more of what was learned?*

# %%
keras.utils.set_random_seed(0)
colour_layer = layers.Conv2D(64, 3, padding="same")
colour_layer.build((None, 224, 224, 3))
kernel, bias = (np.asarray(each) for each in colour_layer.get_weights())  # (3, 3, 3, 64), (64,)

grey_layer = layers.Conv2D(64, 3, padding="same")
grey_layer.build((None, 224, 224, 1))
grey_layer.set_weights([kernel.sum(axis=2, keepdims=True), bias])  # (3, 3, 1, 64)

grey = prepare(test.images[:1], size=224)  # (1, 224, 224, 1)
repeated = np.repeat(grey, 3, axis=-1)  # (1, 224, 224, 3)
same = np.allclose(colour_layer(repeated), grey_layer(grey), atol=1e-5)
print(f"the same maps: {same}; {colour_layer.count_params():,} and {grey_layer.count_params():,} parameters")

# %% tags=["expected"]
# the same maps: True; 1,792 and 640 parameters

# %% [markdown]
# Neither. $w_1 t + w_2 t + w_3 t = (w_1 + w_2 + w_3)\, t$: they are the same function, to the last bits of rounding. Repeat if you want no trouble, sum
# if you want to save two thirds of a layer that has no weight anyway. (A colour map in the place of grey is neither: it bends the
# grey values, and shows the network colours that it will misread.)
#
# ### The same pictures, wrongly prepared
# What matters far more is the **range**. A network knows its pictures in the units in which it met them. VGG16 met photographs from 0 to 255, blue before
# red, minus the mean colour of ImageNet: `prepare(…, mode="caffe", channels=3)`. Others want [-1, 1] (MobileNet), or [0, 1] minus mean over spread
# (DenseNet). The paper *reports* that it scaled all pictures to [0, 1] for all its networks, and it does not say with which weights they began.
#
# Our shipped network was trained on [0, 1]. What if somebody prepares its pictures for another one? No error message will come. *Guess the
# accuracies.*

# %%
some = np.arange(min(120, len(test_at_home)))
x_some, some_people = x_home[some], test_at_home.subset(some)
wrongly_prepared = {
    "0 to 1, as trained": x_some,
    "-1 to 1": 2 * x_some - 1,
    "0 to 255 minus 117": 255 * x_some - 117,
    "turned: 1 to 0": 1 - x_some,
}
reports = {name: evaluate(ask(shipped, x, some_people, name)) for name, x in wrongly_prepared.items()}
fig = figures.compare_accuracy(reports)
proper, *wrong_ones = (report.accuracy.value for report in reports.values())
figures.retitle(
    fig,
    f"Prepared as trained {proper:.0%}, prepared for others {min(wrong_ones):.0%} to {max(wrong_ones):.0%}",
)

# %% [markdown]
# Same network, same people, the same information in every pixel. One slip may cost a part of the score and the next
# everything, and none of them raises an error. When a borrowed network disappoints, check its preparation before you doubt its
# architecture.
#
# ### Exercise 4: one channel for VGG16
# Write the summed layer for the real VGG16. Its first layer computes, in each window and for each map, the sum over the channels $c$ of
# `kernel[:, :, c]` · (255 · t - `CAFFE_MEAN[c]`), plus `bias`, where $t$ in [0, 1] is the grey picture, the same in all channels. Return kernel (3, 3, 1, M) and
# bias (M,) of a layer that takes $t$ itself and gives the same.
#
# `CAFFE_MEAN` holds the three means (blue, green, red).

# %%
from lumbar_utils.preparation import CAFFE_MEAN


# %% tags=["exercise"]
def for_grey(kernel, bias): ...


# %% tags=["check"]
check("vgg.grey", for_grey)


# %% tags=["solution"]
def for_grey(kernel, bias):
    means = np.array(CAFFE_MEAN)[:, None]  # (3, 1), beside the kernel's axes: channel, map
    grey_kernel = 255 * kernel.sum(axis=2, keepdims=True)  # (3, 3, 1, M)
    return grey_kernel, bias - (kernel * means).sum(axis=(0, 1, 2))


# %% [markdown]
# `build_model("vgg16", preset="paper", input_shape=(224, 224, 1), weights="imagenet")` does just this.
#
# ## 9. The one who has seen the world
#
# VGG16's published weights are a file of 59 MB, which is not part of the course. Put it where Keras looks, and the next cell goes the
# frozen way with ImageNet's eyes: thirteen convolutions, 512 features a picture, a new head of 2,052 numbers. (At 128 × 64 pixels, two
# thirds of the others' height, so that two cores need seconds and not minutes.) Without the file, the cell says what to do, and the lesson goes on.

# %%
from lumbar_utils.models.imagenet import PUBLISHED

file_name = PUBLISHED["vgg16"][1]
keras_folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
imagenet_file = keras_folder / file_name  # or the path of your own copy
own_copy = Path(os.environ.get("LUMBAR_WEIGHTS", keras_folder)) / "vgg16_imagenet_notop.weights.h5"
if own_copy.is_file():
    imagenet_file = own_copy


def seen_by_world(world, x):
    """Return 512 features a picture: columns in colour, 0 to 255 minus ImageNet's means."""
    features = []
    for start in range(0, len(x), 8):
        small = [
            cv2.resize(each[..., 0], (64, 128), interpolation=cv2.INTER_AREA) for each in x[start : start + 8]
        ]
        colour = 255 * np.repeat(np.stack(small)[..., None], 3, axis=-1) - np.float32(
            CAFFE_MEAN
        )  # (8, 128, 64, 3)
        maps = world(colour, training=False)  # (8, 4, 2, 512)
        features.append(keras.ops.convert_to_numpy(maps).mean(axis=(1, 2)))
    return np.concatenate(features)


if not imagenet_file.is_file():
    print(f"Put {file_name} into {keras_folder} and run this cell again; it lies at")
    print("https://storage.googleapis.com/tensorflow/keras-applications/vgg16/")
else:
    world = keras.applications.VGG16(include_top=False, weights=imagenet_file, input_shape=(128, 64, 3))
    head_on_world = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    head_on_world.fit(seen_by_world(world, x_train), train.labels)
    probabilities = np.zeros((len(test), 4))
    probabilities[:, head_on_world.classes_] = head_on_world.predict_proba(seen_by_world(world, x_test))
    with_world = Predictions.of_dataset(
        test, probabilities, model="ImageNet, frozen", measured_on="phantoms", provenance={}
    )
    print("ImageNet, frozen:", evaluate(with_world).accuracy)
    for rival in ("frozen", "from scratch"):
        print(f"ImageNet, frozen, minus {rival}:", paired_difference(with_world, ways[rival]))

# %% [markdown]
# Where would you *expect* it to stand? Its edges and textures come from 1.2 million photographs, and 80 patients teach nothing like them. But
# no photograph has shown it a herniation, and our student at home has seen 12,000 columns. So: above *from scratch*, and not above a
# backbone that knows spines. Raghu and colleagues (2019) held this against real medical pictures: ImageNet weights improved the scores little, small
# networks trained from scratch kept up, and a good part of what the weights brought was faster learning. It is an experiment, not a creed. Run it on
# *your* pictures, in pairs.
#
# ## 10. At the paper's size
#
# One line changes: `build_model("vgg16", preset="paper", weights="imagenet")`, 224 pixels, three channels, `fit_head`, then `fit` with `learning_rate=1e-4`. Not on
# a small machine: weights, gradients and Adam's two memories are four times 134 million numbers of 4 bytes.

# %%
four_classes = count_parameters("vgg16", "paper", num_classes=4)
print(f"{four_classes:,} parameters, {4 * 4 * four_classes / 1e9:.1f} GB before the first picture")

# %% tags=["expected"]
# 134,276,932 parameters, 2.1 GB before the first picture

# %% [markdown]
# The time, computed and not measured: training costs about three times the multiply-adds of an answer. Section 6 tells how many your machine did in a second.

# %%
course_work, side, channels = 0, 192 * 96, 1
for block, (maps, depth) in enumerate([(16, 1), (32, 1), (64, 2), (96, 2), (96, 2)], start=1):
    for _ in range(depth):
        course_work += 3 * 3 * channels * maps * side
        channels = maps
    side = side // 4 if block <= 3 else side

a_run = (3 * len(train) + len(validation)) * len(tuned_history) * course_work
speed = a_run / tuned_history.attrs["seconds"]
paper_work = 3 * table.multiply_adds.sum() * 152 * 100
print(
    f"course VGG: {course_work / 1e9:.2f} thousand million multiply-adds a picture, VGG16 {table.multiply_adds.sum() / 1e9:.1f}"
)
print(f"this machine did {speed / 1e9:.0f} thousand million a second while it fine-tuned")
print(
    f"100 epochs of 152 pictures at the paper's size: about {paper_work / speed / 3600:.0f} hours (computed)"
)

# %% [markdown]
# Take a GPU runtime for that. And the paper? It *reports* 84 % for VGG16:

# %%
reported = paper_reported().accuracies.set_index("model").loc["VGG16"]
low, high = wilson(int(reported["right"]), int(reported["of"]))
print(
    f"reported {reported['accuracy']:.2f} = {reported['right']:.0f} of {reported['of']:.0f}, interval {low:.2f} to {high:.2f}"
)

# %% tags=["expected"]
# reported 0.84 = 16 of 19, interval 0.62 to 0.94

# %% [markdown]
# From "wrong on more than one in three" to "excellent": nineteen pictures allow it all.
#
# ## Quiz
#
# 1. **Two 3 × 3 windows in the place of one 5 × 5. What do you gain?**
#    - a) they see further
#    - b) the same sight with fewer weights, and one more ReLU
#    - c) they can do more even without a ReLU between them
# 2. **Where does most of VGG16's weight sit?**
#    - a) in the first dense layer
#    - b) in the last convolutions
#    - c) everywhere about the same
# 3. **You feed grey slices to a network trained on ImageNet. You ...**
#    - a) colour them with a colour map
#    - b) scale them to [0, 1], as always
#    - c) repeat the channel, and prepare it exactly as in the network's own training
# 4. **80 patients and a trained backbone. You begin with ...**
#    - a) everything free, at a large learning rate
#    - b) a head on frozen features, then everything in small steps, compared in pairs
#    - c) random weights, since a photograph is no spine
# 5. **Fine-tuned minus frozen: 2 points [-4, 8] on 280 patients. So ...**
#    - a) fine-tuning is better
#    - b) both are equally good
#    - c) these patients cannot tell; the cheaper way is a fair choice for now

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("vgg.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "a", "3": "c", "4": "b", "5": "c"}

# %% [markdown]
# ## What you have seen
#
# - Small windows in a row see as far as a large one, weigh less, and bend more often.
# - VGG16 carries its weight in one dense layer and does its work in the convolutions. The convolutions are what one borrows.
# - The same people in another scanner are another task, and no error message tells.
# - Frozen, fine-tuned, from scratch: three ways that are told apart by pairs of answers on the same patients.
# - Who learns the new in large steps forgets the old. Head first, then everything, slowly.
# - Repeating a grey channel and summing kernels are one and the same. The wrong range is silent, and may cost everything.
#
# **All scores here are phantom scores.** They say how ways of learning compare on drawn patients, and nothing about a clinic.
#
# ## References
# - Simonyan and Zisserman (2015), *Very deep convolutional networks for large-scale image recognition*, ICLR, arXiv:1409.1556.
# - Yosinski, Clune, Bengio and Lipson (2014), *How transferable are features in deep neural networks?*, NIPS, arXiv:1411.1792.
# - Raghu, Zhang, Kleinberg and Bengio (2019), *Transfusion: understanding transfer learning for medical imaging*, NeurIPS, arXiv:1902.07208.
# - French (1999), *Catastrophic forgetting in connectionist networks*, Trends Cogn Sci 3:128.
