# %% [markdown]
# # VGG16 with involution: what made the difference?
#
# **When you have finished you can**
# 1. find what a method's description leaves open, and count the networks that fit it;
# 2. build two of them block by block, and say what each changes in parameters, multiply-adds and borrowed weights;
# 3. choose the control that differs in one thing, and audit a stored comparison for everything else that differs;
# 4. switch off a trained layer's pixel-dependence without retraining, and say what that shows and what it does not;
# 5. tell the luck of the patients from the luck of the start, and put an interval on each.
#
# *About 75 minutes of your time, 85 s of the machine's, 1.5 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# ## 1. One sentence, how many networks?
#
# The reference paper *reports* 84 % for VGG16. For "VGG16 with Involutional Layers" it *reports* 90 %, and says that
# "involutional layers were added to the design" and that "involutional kernels were used to modify the VGG16". You want to
# build it. Lesson 06 gave you VGG16, lesson 10 the involution. *What do you still have to ask the authors?*
#
# | open choice | what the paper says | answers that fit |
# |---|---|---|
# | where | added to the design | a stem before block 1 · the first convolution · block 5's convolutions · one behind each block · all thirteen |
# | kernel $K$ | nothing | 3, as VGG's · 7, as the involution's authors prefer |
# | maps that share a kernel | nothing | all of them · sixteen |
# | reduction $r$ | nothing | 2 · 4 |
# | normalisation beside it | nothing | with · without |
# | the other weights | all models alike: "transfer learning" as a criterion | random · ImageNet, frozen · ImageNet, fine-tuned |
#
# (Stride, dilation, the learning rate and the seed are open as well. We leave them aside, to be kind.)
#
# ### Exercise 1 (warm-up): count the networks
# Each line is chosen freely. How many different networks does the sentence describe?

# %%
from lumbar_utils import check

# %% tags=["exercise"]
n_networks = ...

# %% tags=["check"]
check("involution_vgg.choices", n_networks)

# %% tags=["solution"]
n_networks = 5 * 2 * 2 * 2 * 2 * 3

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("involution_vgg.choices")`. Each call tells you a little more.)*
#
# That is what **under-specified** means: not that the authors did anything wrong, but that nobody can build *their* network. A
# second group that fails has built another one, and a second group that succeeds as well.
#
# It also changes what the 90 % is worth. First, the two scores were not measured on the same pictures:

# %%
from lumbar_utils import paper_reported

reported = paper_reported().accuracies.set_index("model").loc[["VGG16", "VGG16-Involution"]]
for name, row in reported.iterrows():
    print(f"{name:<17} reported {row['accuracy']:.2f}, on the {row['measured_on']} pictures")
print(f"17 of 19 prints as {17 / 19:.2f}, 18 of 19 as {18 / 19:.2f}")

# %% tags=["expected"]
# VGG16             reported 0.84, on the test pictures
# VGG16-Involution  reported 0.90, on the validation pictures
# 17 of 19 prints as 0.89, 18 of 19 as 0.95

# %% [markdown]
# 0.90 is no share of 19. It comes from the validation pictures, which also choose the best epoch. How many there were, the paper
# does not say; suppose 18 right of 20. *How often would plain VGG16 itself, if 84 % is its true accuracy, get 18 of 20?
# And the best of 240 networks that are no better than it, each on 20 pictures of its own?*

# %%
from math import comb


def chance_of(at_least, n, accuracy):
    return sum(comb(n, k) * accuracy**k * (1 - accuracy) ** (n - k) for k in range(at_least, n + 1))


alone = chance_of(18, 20, 0.84)
print(f"plain VGG16 gets 18 of 20 or more with chance {alone:.2f}")
print(f"the best of 240 equals with chance            {1 - (1 - alone) ** 240:.2f}")

# %% tags=["expected"]
# plain VGG16 gets 18 of 20 or more with chance 0.36
# the best of 240 equals with chance            1.00

# %% [markdown]
# One in three, without changing anything. And whoever may choose among 240 designs *after* seeing the scores needs no luck at all.
# Nobody says that the authors did so. The point is that the reader cannot tell.
#
# So this lesson asks two questions. **What exactly does one build? And what would show that the *involution* made the
# difference, and not something that came with it?**
#
# ## 2. Two networks that fit the sentence
#
# We choose two of the 240, and say so: **the placement is ours.**
#
# - **Variant A, a stem.** An involution before VGG16, which stays whole. So the authors of the involution begin their own network
#   (RedNet): a small convolution, then the involution. One grey value would be too little to make a kernel of.
# - **Variant B, block 5.** The last three 3 × 3 convolutions become 3 × 3 involutions. There maps are many and places few.
#
# At full size they do not fit a small machine, so we draw blueprints (lesson 06, section 2): layers with shapes and no
# numbers. *Before you run it: which variant has more parameters than VGG16, which has fewer?*

# %%
import keras
import numpy as np
import plotly.graph_objects as go
import tensorflow as tf
from keras import layers

from lumbar_utils import Involution2D, count_parameters

tf.get_logger().setLevel("ERROR")  # it would warn that we train several networks in one session
BLOCKS = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]


def vgg_head(x):
    x = layers.Flatten()(x)  # (N, 25088)
    for name in ("fc1", "fc2"):
        x = layers.Dropout(0.5)(layers.Dense(4096, activation="relu", name=name)(x))  # (N, 4096)
    return layers.Dense(4)(x)  # (N, 4)


with tf.Graph().as_default():
    pictures = keras.Input((224, 224, 3))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(pictures)  # (N, 224, 224, 16)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = Involution2D(7, name="stem")(x)  # (N, 224, 224, 16), one group of 16 maps
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    print(f"after the stem: {x.shape[1:]}")
    for maps, depth in BLOCKS:
        for _ in range(depth):
            x = layers.Conv2D(maps, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    print(f"after block 5:  {x.shape[1:]}")
    variant_a = keras.Model(pictures, vgg_head(x))
    print(f"variant A: {variant_a.count_params():,} parameters")
print(f"the same:  {count_parameters('involution_vgg16', 'paper', 'stem'):,}")
print(f"plain:     {count_parameters('vgg16', 'paper'):,}")

# %% tags=["expected"]
# after the stem: (224, 224, 16)
# after block 5:  (7, 7, 512)
# variant A: 134,285,305 parameters
# the same:  134,285,305
# plain:     134,276,932

# %% [markdown]
# By hand? The stem's convolution, two normalisations of four numbers a map, the involution (lesson 10, section 4: narrow, normalise, span);
# and one thing that is easily forgotten: block 1 now gets 16 maps where it got 3 channels.

# %%
C, R, K, G = 16, 4, 7, 1
convolution, normalisations = 3 * 3 * 3 * 16, 2 * 4 * 16
involution = C * R + 4 * R + (R + 1) * K * K * G
block1_more = 3 * 3 * (16 - 3) * 64
print(f"{convolution} + {normalisations} + {involution} + {block1_more:,}", end=" = ")
print(f"{convolution + normalisations + involution + block1_more:,} more than plain VGG16")

# %% tags=["expected"]
# 432 + 128 + 325 + 7,488 = 8,373 more than plain VGG16

# %% [markdown]
# Look at the shares. The involution, after which the network is named, is **325 of 8,373** new parameters. Most of the rest is a wider first
# convolution.
#
# Variant B, the same way. Blocks 1 to 4 and the head are untouched.

# %%
with tf.Graph().as_default():
    pictures = keras.Input((224, 224, 3))
    x = pictures
    for block, (maps, depth) in enumerate(BLOCKS, start=1):
        for _ in range(depth):
            if block < 5:
                x = layers.Conv2D(maps, 3, padding="same", activation="relu")(x)
            else:
                x = layers.ReLU()(Involution2D(3)(x))  # (N, 14, 14, 512), 32 groups of 16 maps
        x = layers.MaxPooling2D(2)(x)
        print(f"after block {block}: {x.shape[1:]}")
    variant_b = keras.Model(pictures, vgg_head(x))
    print(f"variant B: {variant_b.count_params():,} parameters")
print(f"the same:  {count_parameters('involution_vgg16', 'paper', 'block5'):,}")

# %% tags=["expected"]
# after block 1: (112, 112, 64)
# after block 2: (56, 56, 128)
# after block 3: (28, 28, 256)
# after block 4: (14, 14, 512)
# after block 5: (7, 7, 512)
# variant B: 127,507,108 parameters
# the same:  127,507,108

# %% [markdown]
# ### Exercise 2: what block 5 saves
# Count it without the computer's help: three convolutions 3 × 3 from 512 to 512 maps (with bias) become three involutions with
# $K = 3$, $G = 32$, $R = 128$. How many parameters are saved?

# %% tags=["exercise"]
parameters_saved = ...

# %% tags=["check"]
check("involution_vgg.saved", parameters_saved)

# %% tags=["solution"]
one_convolution = 3 * 3 * 512 * 512 + 512
one_involution = 512 * 128 + 4 * 128 + (128 + 1) * 3 * 3 * 32
parameters_saved = 3 * (one_convolution - one_involution)

# %% [markdown]
# Nearly seven million. *And what share of the whole network is that? What share of its work?* (Multiply-adds as in lesson 10, section 5, the
# dense layers included.)

# %%
from lumbar_utils.figures.style import BLACK, BLUE, GREEN, GREY, HEAT, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure
from plotly.subplots import make_subplots


def of_involution(C, K, G, places):
    R = C // 4
    return (C * R + R * K * K * G + K * K * C) * places  # narrow, spread, apply


plain_work, channels, side = 7 * 7 * 512 * 4096 + 4096 * 4096 + 4096 * 4, 3, 224
for maps, depth in BLOCKS:
    for _ in range(depth):
        plain_work += 3 * 3 * channels * maps * side**2
        channels = maps
    side //= 2
work = {
    "A, stem": 3 * 3 * 3 * 16 * 224**2 + of_involution(16, 7, 1, 224**2) + 3 * 3 * 13 * 64 * 224**2,
    "B, block 5": 3 * (of_involution(512, 3, 32, 14**2) - 3 * 3 * 512 * 512 * 14**2),
}
plain = count_parameters("vgg16", "paper")
parameters = {"A, stem": variant_a.count_params() - plain, "B, block 5": variant_b.count_params() - plain}
for name in work:
    print(f"{name:<10} {parameters[name]:+10,} parameters, {work[name] / 1e6:+6,.0f} million multiply-adds")

# %% tags=["expected"]
# A, stem        +8,373 parameters,   +450 million multiply-adds
# B, block 5 -6,769,824 parameters, -1,324 million multiply-adds

# %%
fig = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.08)
shares = {}
for col, (what, change, whole, colour, pattern) in enumerate(
    (
        ("parameters", parameters, plain, BLUE, ""),
        ("multiply-adds", work, plain_work, VERMILLION, "/"),
    ),
    start=1,
):
    shares[what] = [100 * value / whole for value in change.values()]
    fig.add_bar(
        x=shares[what], y=list(change), orientation="h", showlegend=False, width=0.5,
        marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "white", "bgcolor": colour, "size": 6}},
        text=[f"{share:+.2f}" for share in shares[what]], textposition="outside", cliponaxis=False,
        textfont_color=BLACK, row=1, col=col,
    )  # fmt: skip
    fig.update_xaxes(title_text=f"{what}, change from VGG16 (%)", range=[-12, 6], row=1, col=col)
    fig.add_vline(x=0, line={"color": GREY, "width": 1.5}, row=1, col=col)
fig.update_yaxes(autorange="reversed", showgrid=False, ticks="")
finish(
    fig,
    f"B saves {-shares['parameters'][1]:.0f} % of VGG16's parameters and {-shares['multiply-adds'][1]:.0f} % of its work; "
    f"A adds {shares['multiply-adds'][0]:.0f} % of work",
    details=f"Plain VGG16 with four classes: {plain:,} parameters, {plain_work:,} multiply-adds at 224 x 224.",
    height=230,
)

# %% [markdown]
# "Far more economical" is true of the *layer*, 23 times fewer parameters, and hardly of the *network*: its weight sits in `fc1` and its work in
# blocks 1 to 4. Ask of any saving: a share of what?
#
# At course size (lesson 06, section 3), counted:

# %%
a_course = 3 * 3 * 16 + 2 * 4 * 16 + 325 + 3 * 3 * (16 - 1) * 16
b_course = 2 * (96 * 24 + 4 * 24 + (24 + 1) * 3 * 3 * 6 + 4 * 96) - 166_656  # block 5 had 166,656
print(f"plain {count_parameters('vgg16'):,}")
for variant, change in (("stem", a_course), ("block5", b_course)):
    counted = count_parameters("involution_vgg16", variant=variant)
    print(f"{variant:<6} {366_804 + change:,} by hand, {counted:,} by count_parameters")

# %% tags=["expected"]
# plain 366,804
# stem   369,561 by hand, 369,561 by count_parameters
# block5 208,416 by hand, 208,416 by count_parameters

# %% [markdown]
# (One difference: at course size the stem's convolution has stride 2 and stands in the place of the first pooling.)
#
# ## 3. Which weights can be borrowed?
#
# Thirteen convolutions trained on ImageNet are VGG16's dowry. A layer takes them if the shapes fit. *How many of the thirteen fit variant A, and how many
# B?*

# %%
from lumbar_utils import build_model

for variant in ("stem", "block5"):
    with tf.Graph().as_default():
        plain_shapes, shapes = (
            {layer.name: layer.kernel.shape for layer in model.layers if "_conv" in layer.name}
            for model in (build_model("vgg16", "paper"), build_model("involution_vgg16", "paper", variant))
        )
    fitting = [name for name, shape in plain_shapes.items() if shapes.get(name) == shape]
    print(f"{variant:<6} {len(fitting)} of {len(plain_shapes)} fit, from {fitting[0]} to {fitting[-1]}")

# %% tags=["expected"]
# stem   12 of 13 fit, from block1_conv2 to block5_conv3
# block5 10 of 13 fit, from block1_conv1 to block4_conv3

# %% [markdown]
# So A keeps more? Fitting in *shape* is not fitting in *meaning*. A layer's weights are answers to the maps that it was trained on. We test it with
# the course's own trained VGG: copy all weights that fit into either variant, and look at the maps that come out after block 2. *Will they be the
# old ones?*

# %%
from dataclasses import replace

from lumbar_utils import course_size, figures, load_dataset, prepare, split_by_patient
from lumbar_utils.framing import COLUMN_SIZE, frame

size = course_size(epochs=5, patients=560)
clinic = load_dataset("phantom", n_patients=size.patients, seed=11)
columns = frame(clinic.images, COLUMN_SIZE, "column")
clinic = replace(clinic, images=columns.pictures, masks=columns.carry(clinic.masks))
train, validation, test = split_by_patient(clinic, fractions=(0.5, 0.1, 0.4), seed=0)
train = train.subset(np.arange(len(train) // 16 * 16))  # whole batches: XLA compiles anew for each batch size
del clinic, columns  # the three parts hold what we need
x_train, x_validation, x_test = (prepare(part, size=COLUMN_SIZE) for part in (train, validation, test))
print(x_train.shape[1:])

# %% tags=["expected"]
# (192, 96, 1)


# %%
def as_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def maps_at(model, layer, x):
    return as_numpy(keras.Model(model.inputs[0], model.get_layer(layer).output)(x, training=False))


vgg = build_model("vgg16", weights="phantom")
own = maps_at(vgg, "block2_relu1", x_test[:8])  # (8, 96, 48, 32)
old = {layer.name: layer.get_weights() for layer in vgg.layers}
after_borrowing = {}
for variant in ("stem", "block5"):
    keras.utils.set_random_seed(0)
    model = build_model("involution_vgg16", variant=variant, input_shape=(192, 96, 1))
    for layer in model.layers:
        weights = old.get(layer.name, [])
        if weights and [each.shape for each in weights] == [each.shape for each in layer.get_weights()]:
            layer.set_weights(weights)
    after_borrowing[variant] = maps_at(model, "block2_relu1", x_test[:8])
    print(f"{variant:<6} gives the old maps: {np.allclose(after_borrowing[variant], own, atol=1e-4)}")

# %% tags=["expected"]
# stem   gives the old maps: False
# block5 gives the old maps: True


# %%
def around_mean(maps):
    return (maps - maps.mean(axis=(0, 1, 2))).ravel()


correlation = {
    name: np.corrcoef(around_mean(maps), around_mean(own))[0, 1] for name, maps in after_borrowing.items()
}
inside = np.s_[0, 4:-4, 4:-4]  # away from the border, where the picture ends
shown = own[inside].std(axis=(0, 1)) * after_borrowing["stem"][inside].std(axis=(0, 1))
k = shown.argmax()  # the map that has most to show in both
figures.picture_grid(
    [
        x_test[0, ..., 0],
        *(
            each[0, ..., k] / max(np.quantile(each[inside][..., k], 0.995), 1e-6)
            for each in (own, *after_borrowing.values())
        ),
    ],
    ["the column", "plain VGG", "A, borrowed", "B, borrowed"],
    title=f"The maps of block 2 correlate {correlation['block5']:.2f} with the old ones in B, {correlation['stem']:.2f} in A",
)

# %% [markdown]
# B's blocks 1 to 4 see what they always saw, so all that they know holds. Under A's fresh stem each layer gets maps
# that it has never met, and twelve layers of knowledge answer questions that nobody asks any more. No error message tells. (One could
# freeze them and train the stem alone, until it delivers what they expect: then one trains the stem to be invisible.)
#
# So "with transfer learning" means two different things in A and in B, and a fair comparison of A with a *borrowed* VGG16 does not exist:
# either both start from random weights, or two things differ.
#
# ## 4. One thing changed
#
# Variant A beats plain VGG by three points, say. What was it? Between the two stand several steps. At course size:
#
# | rung | network |
# |---|---|
# | **a** | plain VGG |
# | **b** | as a, but a 3 × 3 convolution with stride 2 to 16 maps (normalised, ReLU) in the place of the first pooling, block 1 behind it |
# | **c** | as b, and behind the new convolution 7 × 7 kernels that are *fixed*: one for all pixels and all 16 maps (normalised, ReLU) |
# | **d** | as c, but each pixel makes its own kernel: variant A |

# %%
a = count_parameters("vgg16")
b = a + 3 * 3 * 16 + 4 * 16 + 3 * 3 * (16 - 1) * 16  # the convolution, its normalisation, a wider block 1
c = b + 7 * 7 + 4 * 16
d = count_parameters("involution_vgg16", variant="stem")
for rung, (before, parameters_there) in zip("abcd", ((a, a), (a, b), (b, c), (c, d)), strict=True):
    print(f"{rung}  {parameters_there:,}  {parameters_there - before:+,}")

# %% tags=["expected"]
# a  366,804  +0
# b  369,172  +2,368
# c  369,285  +113
# d  369,561  +276

# %% [markdown]
# An **ablation** takes one thing out and leaves all else. The rungs are such a ladder: neighbours differ in one thing. Note rung c.
# It is no strange network: an involution whose $W_1$ is 0 has only its bias left, and that is a kernel which is the same everywhere.
# *Fixed* is a special case of *made at the pixel*.
#
# ### Exercise 3: choose the control
# Which two rungs must be compared to learn the worth of
#
# - `"entry"`: one more convolution at the entry, with stride, in the place of a pooling;
# - `"view"`: looking 7 pixels wide at once;
# - `"place"`: a kernel that each pixel makes for itself;
# - `"package"`: all of it together, as the paper compares?
#
# Two letters each, such as `"ac"`.

# %% tags=["exercise"]
controls = {"entry": ..., "view": ..., "place": ..., "package": ...}

# %% tags=["check"]
check("involution_vgg.control", controls)

# %% tags=["solution"]
controls = {"entry": "ab", "view": "bc", "place": "cd", "package": "ad"}

# %% [markdown]
# The 276 parameters between c and d are the whole involution. Everything else that A has over VGG could be had without it. The claim
# "the involution helps" is a claim about c and d, and most papers measure a and d.
#
# ## 5. The shipped comparison, audited
#
# The course ships a trained VGG (rung a) and a trained variant A (rung d). Is *that* a fair race? Do not trust us. Each stored result
# carries its **provenance**: data, recipe, seed, versions. We lay the two side by side and list every line that differs.

# %%
from lumbar_utils.evaluation import load_results

zoo = load_results("zoo")
plain_result, involution_result = zoo["vgg16"], zoo["involution_vgg16"]


def lines_of(tree, name=""):
    """Return {"configuration.epochs": ..., ...} of a nested dict."""
    if not isinstance(tree, dict):
        return {name: tree}
    return {
        key: value
        for part, branch in tree.items()
        for key, value in lines_of(branch, f"{name}.{part}" if name else part).items()
    }


left, right = (lines_of(each.provenance) for each in (plain_result, involution_result))
differing = [key for key in sorted({*left, *right}) if left.get(key) != right.get(key)]
for key in differing:
    print(f"{key:<27} VGG {left.get(key)!s:<17} with involution {right.get(key)}")

# %%
outcomes = [key for key in differing if key.startswith("training.")]  # what came out, not what was chosen
chosen = [key for key in differing if key not in outcomes and key != "configuration.network"]
epochs = left["configuration.epochs"], right["configuration.epochs"]
starts = {left["seed"], right["seed"]}

print(f"epochs: {epochs[0]} and {epochs[1]}, " + ("equal" if epochs[0] == epochs[1] else "NOT equal"))
print("chosen differently beside the network: " + (", ".join(chosen) or "nothing"))
print(f"starts of each network: one (seed {', '.join(map(str, starts))})")
if chosen:
    print("So the recipe differs too: a gap between the two is not the architecture's alone.")
else:
    print("So the recipe is the same, and the two differ in the package, a against d.")

# %% [markdown]
# Where epochs or precision stand in the list, it was to save time: the network whose step takes longer got fewer epochs, and bfloat16
# (numbers of half the length) was used where it is faster. Neither is the architecture. Equal epochs are fair in one sense: nobody
# gets more training. They need not be in another: the slower learner is cut off earlier. Where training stops by itself, the honest
# course is the same *rule* for both, and the epochs reported.
#
# Now the result, in pairs (lesson 16, section 6), on the same locked test patients. *Your guess: who is ahead, and is it
# sure?*

# %%
from lumbar_utils import evaluate
from lumbar_utils.evaluation import mcnemar_exact, paired_difference

gap = paired_difference(involution_result, plain_result)
apart = mcnemar_exact(involution_result, plain_result)
print(f"with involution minus plain: {gap}")
print(
    f"only the involution right: {apart.only_first}, only plain right: {apart.only_second}; p = {apart.p_value:.3f}"
)
verdict = "holds 0" if gap.low <= 0 <= gap.high else "leaves 0 out"
fig = figures.compare_accuracy(
    {"plain VGG": evaluate(plain_result), "with involution (A)": evaluate(involution_result)}
)
figures.retitle(fig, f"Involution minus plain: {100 * gap.value:+.1f} points; the interval {verdict}")

# %% [markdown]
# Whatever it says, keep two things apart. The interval answers: *these two networks, other patients*. The question
# was: *these two designs, other trainings*. Train VGG once more from another seed, and you get another network with another score. How much another?
# The stored results cannot say: **one start each**. Section 7 will ask.
#
# ## 6. Does it use what it was given?
#
# The trained variant A lies here, so we can open it. Section 4 said that a fixed kernel is a special case. Then perhaps training
# has *made* it a fixed kernel, and the name is all that is left of the involution? We look at what makes the kernels, first.
#
# A kernel of the stem is $b + W_1 \cdot r$, and $r$ has **four** numbers ($R = 16 / 4$). So every kernel in the picture is the same
# bias plus a mixture of *four* templates, and the four numbers of a pixel say how much of each. (Four: that is what $r = 4$ costs, one of the open choices.) *Which
# pixels will ask for which template: those of the same tissue?*

# %%
shipped = build_model("involution_vgg16", weights="phantom")
stem = shipped.get_layer("stem_involution")
to_stem = keras.Model(shipped.inputs[0], stem.input)
from_stem = keras.Model(stem.output, shipped.outputs[0])


def mixture(layer, maps):
    """Return the numbers that each pixel's kernel is mixed by, (N, H, W, R)."""
    return as_numpy(keras.ops.relu(layer.normalise(layer.reduce(maps), training=False)))


print(mixture(stem, to_stem(x_test[:1], training=False)).shape)

# %% tags=["expected"]
# (1, 96, 48, 4)

# %% [markdown]
# And a measure, as in lesson 10, section 9: what share of all that differs between kernels is explained by knowing the **tissue** at the pixel (body,
# disc, canal, other)? Beside it a rival explanation: the **edge** at the pixel (eight directions in which the picture gets brighter, or hardly at all).
# For the trained network, and for five with random weights.

# %%
kinds = {"vertebral body": [1, 2, 3, 4, 5], "disc": [101, 102, 103, 104, 105], "canal": [40, 41]}
some = x_test[:24]  # (24, 192, 96, 1)
cells = test.masks[:24, 1::2, 1::2]  # (24, 96, 48) the label in each cell
tissue = sum(number * np.isin(cells, labels) for number, labels in enumerate(kinds.values(), start=1)).ravel()

small = as_numpy(keras.ops.average_pool(some, 2, 2))[..., 0]  # (24, 96, 48)
down, right_ = np.gradient(small, axis=(1, 2))
steep = np.hypot(down, right_)
direction = ((np.arctan2(down, right_) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
edge = np.where(steep < np.median(steep), 8, direction).ravel()


def explained(kernels, groups):
    rows = kernels.reshape(len(groups), -1)  # (24 * 96 * 48, 49)
    means = np.stack([rows[groups == group].mean(axis=0) for group in np.unique(groups)])
    shares = np.unique(groups, return_counts=True)[1] / len(groups)
    return (shares @ (means - rows.mean(axis=0)) ** 2).sum() / rows.var(axis=0).sum()


def shares_of(model):
    layer = model.get_layer("stem_involution")
    maps = keras.Model(model.inputs[0], layer.input)(some, training=False)
    kernels = as_numpy(layer.kernels(maps))  # (24, 96, 48, 7, 7, 1)
    return explained(kernels, tissue), explained(kernels, edge)


untrained = []
for seed in range(5):
    keras.utils.set_random_seed(seed)
    untrained.append(shares_of(build_model("involution_vgg16", input_shape=(192, 96, 1))))
by_tissue, by_edge = shares_of(shipped)
lowest, highest = np.min(untrained, axis=0), np.max(untrained, axis=0)
print(f"trained:         tissue explains {by_tissue:.0%}, the edge {by_edge:.0%}")
print(
    f"five random ones: tissue {lowest[0]:.0%} to {highest[0]:.0%}, the edge {lowest[1]:.0%} to {highest[1]:.0%}"
)

# %%
mixed = mixture(stem, to_stem(some[:1], training=False))[0]  # (96, 48, 4)
strongest = np.argsort(-mixed.std(axis=(0, 1)))[:3]
figures.picture_grid(
    [some[0, ..., 0], *(mixed[..., k] / max(np.quantile(mixed[..., k], 0.99), 1e-6) for k in strongest)],
    ["the column", *(f"template {k + 1}" for k in strongest)],
    title=f"Of how the trained kernels differ, tissue explains {by_tissue:.0%}, edges {by_edge:.0%}",
)

# %% [markdown]
# Bright is where a pixel asks for much of a template. Hold it against the story that is usually told: *bone gets a kernel for bone, fluid one for fluid*. Which
# of the two explanations carries further in the trained network? And see how far the five random ones lie apart: whoever compares with a *single* untrained network, as lesson 10 did, draws a lot.
#
# ### Play: turn the dial
# Now we take the pixel-dependence out, *without training anything*. Let $\bar H$ be the mean kernel over all pixels of 32 training patients. The **dial** $\alpha$
# gives each pixel
#
# $$\bar H + \alpha \cdot (H - \bar H).$$
#
# At 1 stands the trained network. At 0 every pixel has the same kernel: rung c, a depthwise convolution. Choose a patient and a place. You see how much each pixel's
# kernel is like that of the chosen one (correlation of their 49 weights), and what the network says with the dial where it is.
#
# *Before you touch it: in which region will the kernels be most like that of a pixel in the canal? And how far can you turn $\alpha$ down before the
# diagnosis tips over?*

# %%
from functools import lru_cache

import ipywidgets as widgets
from scipy.special import softmax

from lumbar_utils.dataset import MASK_LABELS
from lumbar_utils.figures.pictures import grey_picture
from lumbar_utils.live import show_figure
from lumbar_utils.models.involution import involve

entering = to_stem(x_train[:32], training=False)  # (32, 96, 48, 16)
mean_kernel = as_numpy(stem.kernels(entering)).mean(axis=(0, 1, 2))  # (7, 7, 1)
name_of = {number: name for name, number in MASK_LABELS.items()}


def logits_with(kernels, maps):
    """Return what the network says if the stem applies these kernels, (N, 96, 48, 7, 7, 1), to its maps."""
    flat = kernels.reshape(*kernels.shape[:3], 49)
    return as_numpy(
        from_stem(involve(maps, flat, 7, 1, 1, 1), training=False)
    )  # size 7, stride, groups, dilation


patient = widgets.BoundedIntText(value=0, min=0, max=len(test) - 1, description="patient")
at_row = widgets.IntSlider(value=46, min=0, max=95, description="row", continuous_update=False)
at_column = widgets.IntSlider(value=30, min=0, max=47, description="column", continuous_update=False)
dial = widgets.FloatSlider(value=1, min=0, max=1.5, step=0.125, description="dial α", continuous_update=False)
screen = widgets.Output()


@lru_cache(maxsize=1)
def as_made(n):
    """Return maps and kernels of test patient n, and what the network says with them."""
    maps = to_stem(x_test[[n]], training=False)
    made = as_numpy(stem.kernels(maps))  # (1, 96, 48, 7, 7, 1)
    return maps, made, softmax(logits_with(made, maps)[0])


def draw_dial():
    n, row, column, alpha = patient.value, at_row.value, at_column.value, dial.value
    maps, made, trained = as_made(n)
    kernels = mean_kernel + alpha * (made - mean_kernel)
    turned = softmax(logits_with(kernels, maps)[0])

    rows = kernels.reshape(96, 48, 49)
    rows = rows - rows.mean(axis=-1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
    alike = rows @ rows[row, column]  # (96, 48) correlations

    fig = make_subplots(
        cols=3, column_widths=[0.27, 0.27, 0.46], horizontal_spacing=0.13,
        subplot_titles=["", "likeness", "the network says (%)"],
    )  # fmt: skip
    fig.add_trace(grey_picture(test.images[n]), row=1, col=1)
    mark = {"symbol": "cross-thin", "size": 14, "line": {"width": 3, "color": VERMILLION}}
    for col, x, y in ((1, 2 * column + 0.5, 2 * row + 0.5), (2, column, row)):
        fig.add_scatter(
            x=[x], y=[y], mode="markers", marker=mark, showlegend=False, hoverinfo="skip", row=1, col=col
        )
    fig.add_heatmap(
        z=np.round(alike, 2), zmin=0, zmax=1, colorscale=HEAT,
        colorbar={"title": {"text": "r", "font": {"size": 13}}, "thickness": 12, "x": fig.layout.xaxis2.domain[1] - 0.01, "tickvals": [0, 0.5, 1], "outlinewidth": 0},
        hovertemplate="row %{y}, column %{x}<br>r %{z}<extra></extra>", row=1, col=2,
    )  # fmt: skip
    for answer, name, colour, pattern in (
        (trained, "as trained", GREY, "/"),
        (turned, f"α = {alpha:g}", BLUE, ""),
    ):
        fig.add_bar(
            x=list(test.class_names), y=np.round(100 * answer, 1), name=name, row=1, col=3,
            marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "white", "bgcolor": colour, "size": 6}},
        )  # fmt: skip
    for col, (height, width) in ((1, (192, 96)), (2, (96, 48))):
        fig.update_xaxes(range=[-0.5, width - 0.5], visible=False, constrain="domain", row=1, col=col)
        fig.update_yaxes(
            range=[height - 0.5, -0.5], visible=False, constrain="domain", row=1, col=col,
            scaleanchor=f"x{col}" if col > 1 else "x",
        )  # fmt: skip
    fig.update_yaxes(range=[0, 100], row=1, col=3)
    fig.update_layout(legend={"orientation": "h", "x": 0.62, "y": -0.28}, bargap=0.3)
    where = name_of[int(test.masks[n][2 * row + 1, 2 * column + 1])]
    return finish(
        fig,
        f"Kernels like that of this {where} pixel (r above 0.9) on {np.mean(alike > 0.9):.0%} of the column; at α = {alpha:g} the network says "
        f"{test.class_names[turned.argmax()]}, {turned.max():.0%} (true: {test.class_names[test.labels[n]]})",
        details="The column with the chosen pixel, the likeness of all kernels to its own, the answers.",
        height=340,
        above=24,
    )  # fmt: skip


def redraw(change=None):
    show_figure(screen, draw_dial())


controls_shown = (patient, at_row, at_column, dial)
for control in controls_shown:
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox(controls_shown[:2]), widgets.HBox(controls_shown[2:]), screen])

# %% tags=["drive"]
for control, value in ((patient, 1), (at_row, 20), (at_column, 12), (dial, 0)):
    shown = screen.outputs
    control.value = value
    assert screen.outputs != shown, control

# %% [markdown]
# ### All test patients
# One patient is an anecdote. Now the whole test, with five kinds of kernels. *Which will cost more: taking the mean, or giving each pixel the kernel of the
# **same place in the next patient**?*
#
# - **its own**: as trained;
# - **mean kernel**: the same at every pixel, $\alpha = 0$;
# - **mean, rescaled**: the same, and each map brought back to its old mean and spread. (Else somebody will say that we only confused the normalisation behind it.)
# - **next patient's**: made pixel by pixel, but of somebody else's picture;
# - **shuffled**: the patient's own kernels, at the wrong pixels.

# %%
from lumbar_utils import Predictions

rng = np.random.default_rng(11)


def shuffled(kernels):
    flat = kernels.reshape(len(kernels), 96 * 48, 49)
    return np.stack([rng.permutation(each) for each in flat]).reshape(kernels.shape)


def rescaled(changed, own):
    means, spreads = (
        [getattr(each, what)(axis=(0, 1, 2)) for each in (changed, own)] for what in ("mean", "std")
    )
    return (changed - means[0]) / spreads[0] * spreads[1] + means[1]


changes = {
    "its own": lambda kernels: kernels,
    "mean kernel": lambda kernels: np.broadcast_to(mean_kernel, kernels.shape),
    "mean, rescaled": lambda kernels: np.broadcast_to(mean_kernel, kernels.shape),
    "next patient's": lambda kernels: np.roll(kernels, 1, axis=0),
    "shuffled": shuffled,
}
said = {name: [] for name in changes}
for start in range(0, len(x_test), 16):
    maps = to_stem(x_test[start : start + 16], training=False)  # (16, 96, 48, 16)
    made = as_numpy(stem.kernels(maps))
    for name, change in changes.items():
        flat = np.ascontiguousarray(change(made)).reshape(*made.shape[:3], 49)
        out = as_numpy(involve(maps, flat, 7, 1, 1, 1))
        if name == "its own":
            as_trained = out
        elif name == "mean, rescaled":
            out = rescaled(out, as_trained)
        said[name].append(softmax(as_numpy(from_stem(out, training=False)), axis=1))


def on_test(name, probabilities):
    return Predictions.of_dataset(test, probabilities, model=name, measured_on="phantoms", provenance={})


answers = {name: on_test(name, np.concatenate(parts)) for name, parts in said.items()}
fig = figures.compare_accuracy({name: evaluate(each) for name, each in answers.items()})
before, after = (evaluate(answers[name]).accuracy.value for name in ("its own", "mean kernel"))
figures.retitle(fig, f"One kernel for all pixels takes the accuracy from {before:.0%} to {after:.0%}")

# %%
for name in ("mean kernel", "mean, rescaled", "next patient's", "shuffled"):
    print(f"{name:<15} minus its own: {paired_difference(answers[name], answers['its own'])}")
cost = paired_difference(answers["mean kernel"], answers["its own"])
if cost.high < 0:
    print(
        f"This network USES the pixel-dependence: without it, it loses {-100 * cost.value:.0f} points of accuracy."
    )
else:
    print("On these patients the network does as well with one kernel for all pixels: it does not use it.")

# %% [markdown]
# That is a strong experiment, and cheap: no training, the same patients, one thing changed. Be exact about what it shows. If the accuracy
# falls, the trained network **uses** its pixel-dependent kernels. It does *not* show that it **needs** them. The layers above were trained
# on what these kernels deliver; nobody gave them a chance to live with something else. Cut a wire, and the lamp goes out: so current ran through *this* wire. It does not follow
# that no lamp can be wired otherwise.
#
# To learn what a design needs, **train the control as well.**
#
# ### Exercise 4 (open): the dial, in two weights
# We turned the dial on finished kernels. It can be built into the layer: kernels are made as $b + r \cdot W_1$, and you only need another $W_1$ and another $b$. Write
# `turn(w1, bias, reduced, alpha)` for $W_1$ of shape $(R, K \cdot K \cdot G)$, bias $(K \cdot K \cdot G)$ and `reduced`, the numbers $r$ of all pixels, $(N, H, W, R)$. Return the new $W_1$ and the new bias.


# %% tags=["exercise"]
def turn(w1, bias, reduced, alpha): ...


# %% tags=["check"]
check("involution_vgg.dial", turn)


# %% tags=["solution"]
def turn(w1, bias, reduced, alpha):
    mean = reduced.mean(axis=(0, 1, 2))  # (R,)
    return alpha * w1, bias + (1 - alpha) * mean @ w1


# %% [markdown]
# ## 7. Train the control: one thing changed, several starts
#
# Variant B makes this affordable. Blocks 1 to 4 come from the shipped VGG, frozen: they may be borrowed (section 3), and they are *the same* for all rivals. We compute
# their maps once. Only block 5 and the head are trained, in four versions that differ in one thing, the layer:

# %%
to_block5 = keras.Model(vgg.inputs[0], vgg.get_layer("block4_relu2").output)
maps_train, maps_validation, maps_test = (
    np.concatenate([as_numpy(to_block5(x[n : n + 16], training=False)) for n in range(0, len(x), 16)])
    for x in (x_train, x_validation, x_test)
)  # (N, 24, 12, 96)
del x_train, x_validation  # from here on the maps stand for them


class FixedKernels(layers.Layer):
    """An involution that is not one: a 3 x 3 kernel for each group of 16 maps, the same at all pixels."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 3, shape[-1] // 16), name="kernel")

    def call(self, x):
        kernel = keras.ops.repeat(self.kernel, 16, axis=2)[..., None]  # (3, 3, 96, 1)
        return keras.ops.depthwise_conv(x, kernel, padding="same")


makers = {
    "involution": lambda: Involution2D(3),
    "fixed kernels": FixedKernels,
    "convolution": lambda: layers.Conv2D(96, 3, padding="same", use_bias=False),
    "nothing": None,
}


def block_five(maker, seed, normalised=True):
    keras.utils.set_random_seed(seed)
    maps = keras.Input((24, 12, 96))
    x = maps
    if maker is not None:
        for _ in range(2):
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(maker()(x)))  # (N, 24, 12, 96)
    x = layers.GlobalAveragePooling2D()(x)  # (N, 96)
    if normalised:
        x = layers.BatchNormalization(momentum=0.9)(x)
    return keras.Model(maps, layers.Dense(4)(layers.Dropout(0.3)(x)))


for name, maker in makers.items():
    print(f"{name:<13} {block_five(maker, 0).count_params():7,} parameters are trained")

# %% tags=["expected"]
# involution      9,040 parameters are trained
# fixed kernels   1,648 parameters are trained
# convolution   167,428 parameters are trained
# nothing           772 parameters are trained

# %% [markdown]
# *Fixed kernels* is the control: as rung c to d, the kernels are shared by 16 maps, only not made at the pixel. *Convolution* is what VGG has there; it also mixes maps,
# so it differs in two things. *Nothing* asks whether block 5 is needed at all.
#
# ### The straw man
# First in a hurry: a head on the bare means, a small learning rate, few epochs, the same for both. One start each. *Who will win?*

# %%
from lumbar_utils import fit, predict


def train_block_five(name, seed, rate, normalised=True):
    """Return the training history and the answers to the test patients."""
    model = block_five(makers[name], seed, normalised)
    falling = keras.optimizers.schedules.CosineDecay(rate, size.epochs * len(train) // 16, alpha=0.01)
    seen = (maps_train, train.labels), (maps_validation, validation.labels)
    history = fit(model, *seen, epochs=size.epochs, learning_rate=falling, seed=seed, live=False)
    return history, on_test(name, predict(model, maps_test))


hurried = {
    name: train_block_five(name, 0, rate=0.003, normalised=False) for name in ("involution", "fixed kernels")
}
straw = paired_difference(hurried["involution"][1], hurried["fixed kernels"][1])
for name, (history, run) in hurried.items():
    losses = " ".join(f"{loss:.2f}" for loss in history["val_loss"])
    print(f"{name:<13} accuracy {evaluate(run).accuracy}, validation loss by epoch {losses}")
print(f"involution minus fixed kernels: {straw}")

# %% [markdown]
# It would make a fine table in a paper: same data, same epochs, same seed, one thing changed. Now look at the losses of the control. A network without an
# idea has 1.39 (lesson 04, section 5). *Had the control arrived anywhere when the epochs were over?* The pixel's own kernels may only learn *faster*.
#
# **A rival that was not trained to its end is a straw man.** "The same recipe for both" is fair only if the recipe suits both. So we repair it: the 96 means are normalised before the last layer, and the learning
# rate begins at 0.01. Such a repair must be chosen on validation losses, never on the test. To be open about ours: we tried three, kept the one whose losses came to rest first for all four designs, and had the test scores of
# patients drawn from the same seed before our eyes while we did. A paper would draw new test patients now.
#
# ### The race
# All four designs, and each of them **three times**, from other random weights and with the pictures in another order. *Will the
# four designs differ more than three starts of the same one?*

# %%
starts = range(3 if size.epochs > 1 else 2)
histories, runs, scores = {}, {}, {}
for name in makers:
    for seed in starts:
        histories[name, seed], runs[name, seed] = train_block_five(name, seed, rate=0.01)
        scores[name, seed] = evaluate(runs[name, seed]).accuracy
    print(f"{name:<13}", "  ".join(f"{scores[name, seed].value:.3f}" for seed in starts))

# %%
looks = {
    "involution": (BLUE, "circle"),
    "fixed kernels": (VERMILLION, "diamond"),
    "convolution": (GREEN, "square"),
    "nothing": (GREY, "x"),
}
fig = go.Figure()
for name, (colour, symbol) in looks.items():
    of_starts = [histories[name, seed] for seed in starts]
    for column, dash, part in (("loss", "dot", "training"), ("val_loss", "solid", "validation")):
        fig.add_scatter(
            x=of_starts[0]["epoch"], y=np.mean([history[column] for history in of_starts], axis=0),
            mode="lines+markers", name=f"{name}, {part}", line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8},
        )  # fmt: skip
fig.update_xaxes(title_text="epoch", dtick=1)
fig.update_yaxes(title_text="loss (cross-entropy), mean of the starts")
lowest = {name: np.mean([histories[name, seed]["val_loss"].min() for seed in starts]) for name in makers}
finish(
    fig,
    "Lowest validation loss, mean of the starts: " + ", ".join(f"{value:.2f} {name}" for name, value in lowest.items()),
    details="Training and validation loss by epoch, means over the starts of each design.",
    height=400,
)  # fmt: skip

# %% [markdown]
# Do all solid lines lie flat at the end? Only then is it a race. (And different losses at the same accuracy are possible: the loss also counts how *sure* a network is.) Now the test patients.

# %%
spread = np.sqrt(np.mean([np.var([scores[name, seed].value for seed in starts], ddof=1) for name in makers]))
means = {name: np.mean([scores[name, seed].value for seed in starts]) for name in makers}
fig = go.Figure()
for position, name in enumerate(makers):
    colour, symbol = looks[name]
    for seed in starts:
        accuracy = scores[name, seed]
        fig.add_scatter(
            x=[100 * accuracy.value], y=[position + 0.22 * (seed - 1)], mode="markers", showlegend=False,
            marker={"color": colour, "symbol": symbol, "size": 11}, name=f"{name}, start {seed}",
            error_x={"type": "data", "symmetric": False, "array": [100 * (accuracy.high - accuracy.value)],
                     "arrayminus": [100 * (accuracy.value - accuracy.low)], "thickness": 1.2, "width": 0},
        )  # fmt: skip
plain_here = on_test("plain VGG", predict(vgg, x_test, batch_size=16))
block5_shipped = evaluate(plain_here).accuracy
fig.add_vline(x=100 * block5_shipped.value, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.add_annotation(
    x=100 * block5_shipped.value, y=1, yref="paper", yanchor="bottom", showarrow=False,
    text=f"shipped VGG, whole: {100 * block5_shipped.value:.1f}", font={"size": 12},
)  # fmt: skip
fig.update_yaxes(
    tickvals=list(range(len(makers))), ticktext=list(makers), autorange="reversed", showgrid=False
)
fig.update_xaxes(
    title_text=f"accuracy on {len(test)} phantom test patients (%), each start with its own interval"
)
finish(
    fig,
    f"Involution minus fixed kernels: {100 * (means['involution'] - means['fixed kernels']):+.1f} points on average; "
    f"starts of one design spread by {100 * spread:.1f} (standard deviation)",
    details="; ".join(f"{name}, start {seed}: {score}" for (name, seed), score in scores.items()) + ".",
    height=340,
    above=20,
)  # fmt: skip

# %% [markdown]
# Two kinds of luck stand in this figure. The **bars** are the luck of the patients: another test set would move each point along its bar (all points
# together, for they share their patients). The **three points of a row** are the luck of the start: the same design, the same patients, another seed. A paper that trains each network
# once shows you one point of each row, and does not tell you which.
#
# ### Exercise 5 (open): an interval over starts
# You get the scores of $n$ starts of one design, `with_layer`, and $n$ of another, `without`; start $i$ of both had the same seed, so take the $n$ differences.
# Return the mean difference and both limits of its 95 % interval, mean ± $t \cdot s / \sqrt{n}$: $s$ is the standard deviation of the differences (divisor $n - 1$), and $t$ the 97.5 %
# quantile of Student's distribution with $n - 1$ degrees of freedom, `scipy.stats.t.ppf(0.975, n - 1)`.


# %% tags=["exercise"]
def over_starts(with_layer, without): ...


# %% tags=["check"]
check("involution_vgg.starts", over_starts)

# %% tags=["solution"]
from scipy.stats import t


def over_starts(with_layer, without):
    gains = np.asarray(with_layer) - np.asarray(without)
    half = t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), gains.mean() - half, gains.mean() + half


# %% [markdown]
# With three starts $t$ is 4.30, where many starts would have 1.96: three points know little about their own spread. Here are both intervals for our question. The first draws patients (of start 0), the
# second starts.

# %%
from scipy import stats

for rival in ("fixed kernels", "convolution", "nothing"):
    by_patient = paired_difference(runs["involution", 0], runs[rival, 0])
    gains = np.array([scores["involution", seed].value - scores[rival, seed].value for seed in starts])
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    low, high = gains.mean() - half, gains.mean() + half
    holds = by_patient.low <= 0 <= by_patient.high, low <= 0 <= high
    print(
        f"involution minus {rival:<13} over patients {by_patient} {'holds 0' if holds[0] else 'leaves 0 out'}"
    )
    print(f"{'':<30} over starts   {gains.mean():.3f} [{low:.3f}, {high:.3f}] {'holds 0' if holds[1] else 'leaves 0 out'}")  # fmt: skip

# %% [markdown]
# Compare the first line with the straw man's gap. And: only what leaves 0 out in *both* deserves a sentence with "better". And "holds 0" is not "equal": read how far the ends reach.
#
# Back to the shipped pair and its gap of section 5. Suppose the two designs were *equally good*, and their starts spread as ours do here. *In how many of 100 pairs of single
# starts would the gap be as large as the one we ship?*

# %%
by_luck = 2 * stats.norm.sf(abs(gap.value) / (np.sqrt(2) * spread)) if spread > 0 else 0.0
print(f"shipped gap {100 * gap.value:+.1f} points; starts spread by {100 * spread:.1f} points")
print(f"two starts of equal designs lie as far apart in {by_luck:.0%} of the pairs")

# %% [markdown]
# Take it as a rough figure: our starts train block 5 alone, on few patients, and whole networks trained from scratch may spread more.
# The way to know is to train the shipped pair again, by one recipe and with five starts each. It costs ten trainings. That is why it
# is so rarely done, and why so many architectures have "won".
#
# How fair were *we*? Blocks 1 to 4 grew up under a convolution, which may favour it. One learning rate for four designs, few epochs, few patients. And block 5 is another
# place than the stem: what the control shows there need not hold at the entry. Write such a list for your own paper, before the reviewer does.
#
# ## 8. Where the two shipped networks disagree
#
# Only patients on whom two networks differ can tell them apart. We let both answer our test patients, who are new to both.

# %%
involution_here = on_test("VGG with involution", answers["its own"].probabilities)
figures.confusion_matrix(evaluate(involution_here))

# %%
right_plain, right_involution = (each.predicted == test.labels for each in (plain_here, involution_here))
disagree = np.flatnonzero(right_plain != right_involution)
both_wrong = int(np.sum(~right_plain & ~right_involution))
print(
    f"both right {np.sum(right_plain & right_involution)}, both wrong {both_wrong}, one alone right {len(disagree)}"
)
if len(disagree):
    grid = figures.picture_grid(
        [test.images[row] for row in disagree[:4]],
        [
            f"{test.class_names[test.labels[row]]}<br>only {'plain' if right_plain[row] else 'involution'} right"
            for row in disagree[:4]
        ],
        title=f"{len(disagree)} of {len(test)} patients decide between the two; {both_wrong} neither gets right",
    )
    grid.update_layout(margin_t=84)  # room for captions of two lines
    grid.show()

# %% [markdown]
# Compare the last two numbers of the line above. Many of those whom *both* miss are missed for reasons that no layer cures (lesson
# 04, section 9: a lesion beside the slice, findings at the border of two classes). What remains to be won between two good
# architectures is only the other group, those whom one alone gets right.
#
# ## 9. A method that can be rebuilt
#
# What would have made the paper's sentence enough? One line:
#
# > *VGG16; the three convolutions of block 5 replaced by involutions (K = 3, 16 maps a group, r = 4, batch normalisation before the ReLU of the kernel branch, as Li et al.); blocks 1
# > to 4 from ImageNet, fine-tuned; control: the same with fixed kernels; 5 starts each, seeds 0 to 4; 190 patients, split by patient; code at …*
#
# And beside the result: the same recipe for both, differences in pairs with an interval over patients, the spread over starts, and *all* variants that were tried.
#
# ### At the paper's size
# One line to change: `build_model("involution_vgg16", preset="paper", variant="block5")`, 224 pixels, 100 epochs. On a GPU runtime: weights, gradients and Adam's two memories are four times 4 bytes for each
# parameter. The time, computed and not measured, from what this machine did with block 5's convolutions:

# %%
block5_work = 2 * 3 * 3 * 96 * 96 * 24 * 12
last = histories["convolution", starts[-1]]
done = (3 * len(train) + len(validation)) * len(last) * block5_work
speed = done / last.attrs["seconds"]
paper_work = 3 * (plain_work + work["B, block 5"]) * 152 * 100
print(f"{4 * 4 * variant_b.count_params() / 1e9:.1f} GB before the first picture")
print(
    f"this machine: {speed / 1e9:.0f} thousand million multiply-adds a second, so about {paper_work / speed / 3600:.0f} hours a start"
)

# %% [markdown]
# Five starts and a control make ten times that. And the reported scores, with what so few pictures allow?

# %%
from lumbar_utils.evaluation import wilson

for name, k, n in (("VGG16, 16 of 19", 16, 19), ("with involution, if 18 of 20", 18, 20)):
    print(f"reported: {name:<28} {k / n:.2f}, interval {wilson(k, n)[0]:.2f} to {wilson(k, n)[1]:.2f}")

# %% tags=["expected"]
# reported: VGG16, 16 of 19              0.84, interval 0.62 to 0.94
# reported: with involution, if 18 of 20 0.90, interval 0.70 to 0.97

# %% [markdown]
# ## Quiz
#
# 1. **"Involutional layers were added to VGG16." What is missing most?**
#    - a) the accuracy with more digits
#    - b) where they stand, with K, groups, reduction and the weights of the rest
#    - c) a drawing of an involution
# 2. **A borrowed layer fits in shape, but the layers below it are new. It ...**
#    - a) works, since its weights are trained
#    - b) gets maps that it was never trained on
#    - c) raises an error
# 3. **What is the control for "each pixel makes its own kernel"?**
#    - a) plain VGG16
#    - b) a network with more parameters
#    - c) the same network with the same kernel at all pixels
# 4. **With the mean kernel, the trained network's accuracy collapses. So ...**
#    - a) the trained network uses the pixel-dependence
#    - b) without an involution this accuracy cannot be reached
#    - c) the involution is better than a convolution
# 5. **A beats B by 3 points [1, 5] on 600 patients, one training each. So ...**
#    - a) design A is better than design B
#    - b) this trained A is better than this trained B; another start may turn it
#    - c) the difference is not significant

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("involution_vgg.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "b", "3": "c", "4": "a", "5": "b"}

# %% [markdown]
# ## What you have seen
#
# - "VGG16 with involution" is 240 networks, before stride and seed. A method that cannot be built cannot be checked.
# - Variant A adds 8,373 parameters, of which 325 are the involution. Variant B saves 6,769,824, and that is 5 % of VGG16.
# - Weights can be borrowed above layers that stay, not above layers that are new, though their shapes fit.
# - Between two networks that "differ by a layer" several things differ. The control that differs in one is a network of its own, and somebody has to train it.
# - Setting all kernels to their mean shows whether a trained network *uses* pixel-dependence. Training the control shows whether the design *needs* it.
# - A control that was not trained to its end is a straw man, however equal the epochs.
# - The interval over patients says nothing about starts. One training each compares two networks, not two designs.
# - Stored provenance lets anybody check what else differed.
#
# **All scores here are phantom scores.** They say how methods compare on drawn patients, and nothing about a clinic.
#
# ## References
# - Li and others (2021), *Involution: Inverting the Inherence of Convolution for Visual Recognition*, CVPR, arXiv:2103.06255.
# - Simonyan and Zisserman (2015), *Very deep convolutional networks for large-scale image recognition*, ICLR, arXiv:1409.1556.
# - Abuhayi, Bezabh and Ayalew (2023), *Lumbar Disease Classification Using an Involutional Neural Based VGG Network*: the work that the reference paper names as its source.
# - Bouthillier and others (2021), *Accounting for Variance in Machine Learning Benchmarks*, MLSys, arXiv:2103.03098.
# - Yosinski, Clune, Bengio and Lipson (2014), *How transferable are features in deep neural networks?*, NIPS, arXiv:1411.1792.
