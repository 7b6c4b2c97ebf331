# %% [markdown]
# # ResNet50: adding the input back
#
# **When you have finished you can**
# 1. show that a deeper network may be worse *on its own training patients*, and say why this is no overfitting;
# 2. say what $I + J$ does to a gradient that a product of many $J$ does not;
# 3. count ResNet50's 25,636,712 parameters by hand, stage by stage, and say what the 50 counts;
# 4. read two training curves and a recall by lesion size, and judge why the deeper network lost;
# 5. switch single blocks off, and say what is left of the network.
#
# *About 75 minutes of your time, 80 s of the machine's, 1.3 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %%
import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from keras import layers
from plotly.subplots import make_subplots

from lumbar_utils import (
    Predictions,
    build_model,
    check,
    count_parameters,
    course_size,
    evaluate,
    figures,
    fit,
)
from lumbar_utils import lesion_mask, load_dataset, paper_reported, prepare, render, sample_patient
from lumbar_utils import split_by_patient
from lumbar_utils.figures.style import BLACK, BLUE, GREY, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure

size = course_size(epochs=5, patients=800)
train, validation, test = split_by_patient(
    load_dataset("phantom", n_patients=size.patients, seed=0), fractions=(0.7, 0.1, 0.2), seed=0
)

# %% [markdown]
# ## 1. Deeper cannot be worse. Or can it?
#
# Take a network that works, and put more layers on top. In the worst case, each new layer could learn to do *nothing*:
# hand on what it gets. Then the deep network would answer exactly as the shallow one. So a deeper network can always be
# at least as good **on the patients it is trained on**. That is logic. On *new* patients it may well be worse, by
# overfitting (lesson 04, section 7).
#
# In 2015, Kaiming He and colleagues measured it: of two plain networks with 20 and 56 layers, the deeper one had the
# higher loss *on the training pictures*. They called it **degradation**. The good solution exists, and training does not
# find it.
#
# We repeat that, small: pictures of 32 × 32 pixels, and layers of 64 neurons. A **block** is two such layers,
# each with batch normalisation. We shall need a block in two kinds, and they differ in one line.


# %%
def stack(blocks, *, shortcut, normalise=True):
    """A network of 2 * blocks hidden layers of 64 neurons, with or without adding each block's input back."""

    def dense(x):
        x = layers.Dense(64, use_bias=not normalise)(x)
        return layers.BatchNormalization(momentum=0.9)(x) if normalise else x

    pictures = keras.Input((32, 32, 1))
    x = layers.ReLU()(dense(layers.Flatten()(pictures)))  # (N, 64)
    for _ in range(blocks):
        f = dense(layers.ReLU()(dense(x)))  # (N, 64)
        if shortcut:
            f = layers.Add()([f, x])  # the one line
        x = layers.ReLU()(f)
    return keras.Model(pictures, layers.Dense(4)(x))


deep = max(3, 2 * size.epochs)  # 10 blocks; fewer in a quick run
shallow_and_deep = {
    "2 blocks, plain": {"blocks": 2, "shortcut": False},
    f"{deep} blocks, plain": {"blocks": deep, "shortcut": False},
    f"{deep} blocks, input added back": {"blocks": deep, "shortcut": True},
}

# %% [markdown]
# Same pictures, same steps, same parameters in the two deep ones: adding costs none. We only look at the **training**
# loss. Remember 1.386, the loss of a network without an idea. *Which of the three ends lowest, which highest?*

# %%
small = prepare(train, size=32)  # (N, 32, 32, 1)
small = (small - small.mean(axis=0)) / (small.std(axis=0) + 0.001)


def training_loss(network, epochs):
    optimizer = keras.optimizers.Adam(0.001)
    optimizer.build(network.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer, loss=loss)
    return network.fit(small, train.labels, batch_size=32, epochs=epochs, verbose=0).history["loss"]


losses = {}
for name, kind in shallow_and_deep.items():
    keras.utils.set_random_seed(0)
    losses[name] = training_loss(stack(**kind), epochs=2 * size.epochs)

# %%
fig = go.Figure()
for (name, values), colour, dash, symbol in zip(
    losses.items(), (GREY, VERMILLION, BLUE), ("dot", "dash", "solid"), ("square", "diamond", "circle"), strict=True
):  # fmt: skip
    epoch = np.arange(1, len(values) + 1)
    line = {"color": colour, "dash": dash, "width": 2.5}
    fig.add_scatter(x=epoch, y=values, name=name, line=line, marker_symbol=symbol, mode="lines+markers")
fig.add_hline(y=np.log(4), line={"color": BLACK, "dash": "dot", "width": 1})
fig.add_annotation(x=1, xref="paper", xanchor="right", y=np.log(4), yanchor="bottom", text="no idea", showarrow=False)  # fmt: skip
fig.update_xaxes(title_text="epoch")
fig.update_yaxes(title_text="loss on the training patients", rangemode="tozero")
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
ends = [values[-1] for values in losses.values()]
finish(
    fig,
    f"{deep} plain blocks end at a training loss of {ends[1]:.2f}, two at {ends[0]:.2f}, "
    f"and {deep} that add their input at {ends[2]:.2f}",
    details="Cross-entropy by epoch of three dense networks on 32 x 32 pixel phantoms; the dotted line is ln 4.",
    above=26,
)

# %% [markdown]
# Look at the deep plain network. A lack of patients cannot be the reason, and neither is overfitting: a network that
# overfits has a *low* training loss. This one does not even learn its own patients by heart, and 2 of its blocks could
# have done it. (On new patients none of the three is of much use: a pixel is 9 mm wide here, and a herniation 5.)
#
# ## 2. What a gradient meets on its way back
#
# Training sends the gradient of the loss from the last layer back to the first. *How large does it arrive at each
# layer?* We ask before the first step, with fresh weights; a third network has no normalisation at all.

# %%
import tensorflow as tf


def gradient_norms(network):
    """The length of the loss's gradient with respect to each hidden layer's weights, first layer first."""
    kernels = [weight.value for weight in network.trainable_variables if weight.path.endswith("kernel")][:-1]
    with tf.GradientTape() as tape:
        logits = network(small[:128], training=True)
        loss = keras.losses.sparse_categorical_crossentropy(train.labels[:128], logits, from_logits=True)
        loss = tf.reduce_mean(loss)
    return np.array([float(tf.norm(gradient)) for gradient in tape.gradient(loss, kernels)])


norms = {}
for name, kind in {
    "plain, no normalisation": {"shortcut": False, "normalise": False},
    "plain, normalised": {"shortcut": False},
    "input added back, normalised": {"shortcut": True},
}.items():
    keras.utils.set_random_seed(0)
    norms[name] = gradient_norms(stack(deep, **kind))

# %%
fig = go.Figure()
for (name, values), colour, dash, symbol in zip(
    norms.items(), (GREY, VERMILLION, BLUE), ("dot", "dash", "solid"), ("square", "diamond", "circle"), strict=True
):  # fmt: skip
    line = {"color": colour, "dash": dash, "width": 2.5}
    fig.add_scatter(
        x=np.arange(1, len(values) + 1), y=values, name=name, line=line, marker_symbol=symbol, mode="lines+markers"
    )  # fmt: skip
fig.update_xaxes(title_text="layer, counted from the picture")
fig.update_yaxes(title_text="length of the gradient (logarithmic)", type="log", exponentformat="power")
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
ratio = {name: values[1:].max() / values[1:].min() for name, values in norms.items()}
finish(
    fig,
    f"Between its layers the gradient varies {ratio['plain, normalised']:,.0f}-fold in the plain stack, "
    f"{ratio['input added back, normalised']:,.0f}-fold where the input is added back",
    details="Norm of the gradient of each hidden layer's weights before the first step; the ratios leave out layer 1.",
    above=26,
)

# %% [markdown]
# Without normalisation the gradient is tiny at every layer. With it, it grows on its way to the picture, from
# layer to layer by a factor. A step that suits the last layers is too long for the first ones.
#
# But careful: our optimizer, Adam, divides each gradient by its own usual size, and the plain stack failed all the same.
# He's team checked too that their gradients had not vanished. Length is not the whole story. *Direction* is what
# nobody can divide out.
#
# On its way back, the gradient is multiplied by one matrix a layer, the layer's **Jacobian** $J$: how the outputs move
# when the inputs move. After 50 layers it has met the product $J_{50} \cdots J_2\, J_1$. If each layer adds its input
# back, its Jacobian is $I + J$ instead. We draw 50 random matrices, neither growing nor shrinking on average, and ask how
# many of 64 directions survive either product. *Guess: 64, 50, 10?*

# %%
rng = np.random.default_rng(7)
jacobians = rng.normal(size=(50, 64, 64)) / np.sqrt(64)

plain, added = np.eye(64), np.eye(64)
for J in jacobians:
    plain = J @ plain
    added = (np.eye(64) + 0.2 * J) @ added  # a block that changes its input by a fifth

stretch = {
    "J · J · … · J": np.linalg.svd(plain)[1],
    "(I + J) · … · (I + J)": np.linalg.svd(added)[1],
}  # (64,) each
for name, values in stretch.items():
    print(f"{name:<22} directions within 1 % of the longest: {np.sum(values > values[0] / 100)} of 64")

# %% tags=["expected"]
# J · J · … · J          directions within 1 % of the longest: 10 of 64
# (I + J) · … · (I + J)  directions within 1 % of the longest: 64 of 64

# %%
fig = go.Figure()
for (name, values), colour, dash in zip(stretch.items(), (VERMILLION, BLUE), ("dash", "solid"), strict=True):
    line = {"color": colour, "dash": dash, "width": 2.5}
    fig.add_scatter(x=np.arange(1, 65), y=values, name=name, mode="lines", line=line)
fig.update_xaxes(title_text="direction, the most stretched first")
fig.update_yaxes(title_text="stretched by (logarithmic)", type="log", exponentformat="power", dtick=3)
fig.update_layout(legend={"x": 0.02, "y": 0.05, "yanchor": "bottom"})
finish(
    fig,
    f"Fifty plain layers shrink half of all directions below {stretch['J · J · … · J'][31]:.0e}; "
    "with the input added back none is lost",
    details="Singular values of a product of 50 random 64 x 64 matrices, and of the identity plus a fifth of each.",
    height=360,
)

# %% [markdown]
# A singular value says how much a direction is stretched. Behind 50 plain layers nearly all directions are gone: whatever
# the loss wants to say to the first layer, ten words are left of 64. And forwards it is the same: pictures that differ
# leave the stack alike. In $I + J$ the identity keeps a road open for *every* direction. (Balduzzi and colleagues, 2017,
# measured this in trained networks: gradients of plain ones become like noise.)
#
# Why *a fifth*? If a block were to change its input by much, we would be back at the product of $J$. Batch
# normalisation sees to that: each block adds something of spread 1 to a sum that has grown with all blocks before it, so
# that its share becomes smaller and smaller (De and Smith, 2020).
#
# ## 3. The residual block
#
# So each block computes
#
# $$y = \mathrm{ReLU}\big(F(x) + x\big)$$
#
# and $F$ has to learn only what is *missing*, the **residual**. "Do nothing" used to be hard for a stack of
# convolutions; now it is easy: $F = 0$.
#
# ResNet50's $F$ has three convolutions, a **bottleneck**: 1 × 1 makes few maps of many, 3 × 3 looks at the
# neighbourhood, 1 × 1 makes many of few again. A 1 × 1 convolution does not look around at all: it mixes maps, cell by
# cell.
#
# One thing may stand in the way. $F(x) + x$ needs equal shapes, and at the beginning of a stage the grid is halved
# and the maps become more. There the shortcut is a 1 × 1 convolution too, a **projection**.


# %%
def normalised_convolution(x, maps, kernel, stride=1):
    x = layers.Conv2D(maps, kernel, strides=stride, padding="same")(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def bottleneck(x, maps, stride=1, project=False):
    """(N, H, W, C) to (N, H / stride, W / stride, 4 * maps)."""
    shortcut = normalised_convolution(x, 4 * maps, 1, stride) if project else x
    f = layers.ReLU()(normalised_convolution(x, maps, 1, stride))  # narrow
    f = layers.ReLU()(normalised_convolution(f, maps, 3))  # look
    f = normalised_convolution(f, 4 * maps, 1)  # widen
    return layers.ReLU()(layers.Add()([f, shortcut]))


x = keras.Input((56, 56, 256))
print("a block inside a stage:", bottleneck(x, 64).shape)
print("the first of the next: ", bottleneck(x, 128, stride=2, project=True).shape)

# %% tags=["expected"]
# a block inside a stage: (None, 56, 56, 256)
# the first of the next:  (None, 28, 28, 512)

# %% [markdown]
# Is a block whose $F$ is zero really nothing? $F$ ends in a batch normalisation, which multiplies each map by a learned
# number $\gamma$. We set all of these to 0, and send random maps through. *What comes out?*

# %%
x = keras.Input((8, 8, 64))
block = keras.Model(x, bottleneck(x, 16))
norm_layers = [layer for layer in block.layers if isinstance(layer, layers.BatchNormalization)]
norm_layers[-1].gamma.assign(np.zeros(64))

maps = np.random.default_rng(0).random((2, 8, 8, 64)).astype("float32")  # never negative, as after a ReLU
print("output = input:", np.array_equal(block(maps), maps))

# %% tags=["expected"]
# output = input: True

# %% [markdown]
# To the last bit. The additional layers of section 1 that "do nothing" are now one step away instead of somewhere in a
# space of thousands of weights.
#
# ### Exercise 1 (warm-up): what the bottleneck saves
# A block takes 256 maps of 56 × 56 cells and gives 256 back. **Plain:** two 3 × 3 convolutions, 256 to 256 maps each.
# **Bottleneck:** 1 × 1 from 256 to 64, 3 × 3 from 64 to 64, 1 × 1 from 64 to 256. Give three numbers: the weights of the plain
# block, those of the bottleneck (no biases, no normalisation), and the multiply-adds of the *bottleneck* on one picture.
# (Each weight is used once at each cell.)

# %% tags=["exercise"]
plain_weights = ...
bottleneck_weights = ...
bottleneck_multiply_adds = ...

# %% tags=["check"]
check("resnet.bottleneck", (plain_weights, bottleneck_weights, bottleneck_multiply_adds))

# %% tags=["solution"]
plain_weights = 2 * 3 * 3 * 256 * 256
bottleneck_weights = 256 * 64 + 3 * 3 * 64 * 64 + 64 * 256
bottleneck_multiply_adds = bottleneck_weights * 56 * 56

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("resnet.bottleneck")`.)*
#
# ## 4. ResNet50, stage by stage
#
# The whole network is an entry, four stages of such blocks, the mean of each map, and one dense layer. The entry is
# coarse: a 7 × 7 convolution that moves by 2, then a pooling that moves by 2, and a quarter of the picture's side is left
# before the first block. *Where will the 25 million parameters be? And where the work?*


# %%
def stages_of(stacks, *, entry_maps, channels, side, classes):
    """Count parameters and multiply-adds by hand. stacks: (maps inside, blocks, stride) of each stage."""

    def convolution(
        kernel, c_in, c_out
    ):  # weights, and with them biases and the four numbers of normalisation
        weights = kernel * kernel * c_in * c_out
        return np.array([weights + c_out + 4 * c_out, weights])

    side //= 2
    parameters, work = convolution(7, channels, entry_maps) * [1, side**2]
    rows = [("entry", f"{side} x {side} x {entry_maps}", parameters, work)]
    side, c_in = side // 2, entry_maps
    for number, (maps, blocks, stride) in enumerate(stacks, start=2):
        side, total = side // stride, convolution(1, c_in, 4 * maps)  # the projection
        for _ in range(blocks):
            total = (
                total
                + convolution(1, c_in, maps)
                + convolution(3, maps, maps)
                + convolution(1, maps, 4 * maps)
            )
            c_in = 4 * maps
        rows.append(
            (f"stage {number}: {blocks} blocks", f"{side} x {side} x {c_in}", *(total * [1, side**2]))
        )
    rows.append(("dense", f"{classes}", (c_in + 1) * classes, c_in * classes))
    return pd.DataFrame(rows, columns=["part", "maps at its end", "parameters", "multiply-adds"]).set_index(
        "part"
    )


RESNET50 = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
by_hand = stages_of(RESNET50, entry_maps=64, channels=3, side=224, classes=1000)
for part, row in by_hand.iterrows():
    print(f"{part:<18}{row.iloc[0]:>15}{row.iloc[1]:>13,}{row.iloc[2]:>16,}")
print(f"{'in all':<33}{by_hand['parameters'].sum():>13,}{by_hand['multiply-adds'].sum():>16,}")

# %% tags=["expected"]
# entry              112 x 112 x 64        9,728     118,013,952
# stage 2: 3 blocks   56 x 56 x 256      220,032     667,942,912
# stage 3: 4 blocks   28 x 28 x 512    1,230,336     950,534,144
# stage 4: 6 blocks  14 x 14 x 1024    7,129,088   1,387,266,048
# stage 5: 3 blocks    7 x 7 x 2048   14,998,528     732,168,192
# dense                        1000    2,049,000       2,048,000
# in all                              25,636,712   3,857,973,248

# %% [markdown]
# Does the package count the same? `count_parameters` builds the full network in a graph, where no weight takes memory.

# %%
print(f"{count_parameters('resnet50', 'paper', num_classes=1000):,} parameters with 1000 classes")
print(f"{count_parameters('resnet50', 'paper'):,} with our four")

# %% tags=["expected"]
# 25,636,712 parameters with 1000 classes
# 23,595,908 with our four

# %%
share = 100 * by_hand[["parameters", "multiply-adds"]] / by_hand[["parameters", "multiply-adds"]].sum()
fig = go.Figure()
for column, colour, pattern in (("parameters", BLUE, ""), ("multiply-adds", VERMILLION, "/")):
    fig.add_bar(
        x=share.index, y=share[column], name=column, marker_color=colour, marker_pattern_shape=pattern
    )
fig.update_xaxes(title_text="part of ResNet50")
fig.update_yaxes(title_text="share of the whole (%)")
fig.update_layout(legend={"x": 0.02, "y": 0.98}, barmode="group")
finish(
    fig,
    f"The last stage holds {share.loc['stage 5: 3 blocks', 'parameters']:.0f} % of the parameters "
    f"and does {share.loc['stage 5: 3 blocks', 'multiply-adds']:.0f} % of the work",
    details="Counted by hand for 224 x 224 x 3 pixels and 1000 classes.",
    height=340,
)

# %% [markdown]
# The parameters sit where the maps are many and small; the work is spread. VGG16 has 138 million parameters and a
# third of the layers. ResNet50 has no large dense layer, and its 3 × 3 convolutions see few maps.
#
# Why **50**? Count the layers on the main road that have weights: 1 at the entry, 3 in each of the $3+4+6+3=16$ blocks, and
# the dense one. Projections lie on side roads and are not counted.

# %%
print(1 + 3 * (3 + 4 + 6 + 3) + 1)

# %% tags=["expected"]
# 50

# %% [markdown]
# ### Exercise 2: ResNet101
# Its big sister ResNet101 has the same entry, the same kind of block, and stages of 3, 4, **?** and 3 blocks. How many blocks has the
# third of these stages?

# %% tags=["exercise"]
blocks_in_the_third = ...

# %% tags=["check"]
check("resnet.sister", blocks_in_the_third)

# %% tags=["solution"]
blocks_in_the_third = (101 - 2) // 3 - (3 + 4 + 3)

# %% [markdown]
# ## 5. Course size
#
# A laptop without a GPU wants fewer and narrower blocks. We keep what makes a ResNet, the coarse entry and one bottleneck
# a stage, all with projections since the shape changes at each. With the function of section 3, this is the
# whole network:

# %%
COURSE = ((24, 1, 1), (32, 1, 2), (64, 1, 1), (96, 1, 1))

pictures = keras.Input((128, 128, 1))
x = layers.ReLU()(normalised_convolution(pictures, 24, 7, stride=2))  # (N, 64, 64, 24)
x = layers.MaxPooling2D(3, strides=2, padding="same")(x)  # (N, 32, 32, 24)
for maps, _, stride in COURSE:
    x = bottleneck(x, maps, stride, project=True)
    print("after a block:", x.shape)
x = layers.GlobalAveragePooling2D()(x)  # (N, 384)
ours = keras.Model(pictures, layers.Dense(4)(layers.Dropout(0.3)(x)))
print(f"{ours.count_params():,} parameters, {1 + 3 * len(COURSE) + 1} layers")

# %% tags=["expected"]
# after a block: (None, 32, 32, 96)
# after a block: (None, 16, 16, 128)
# after a block: (None, 16, 16, 256)
# after a block: (None, 16, 16, 384)
# 389,572 parameters, 14 layers

# %% [markdown]
# And by hand, with the function of section 4, beside what `build_model` gives:

# %%
course_by_hand = stages_of(COURSE, entry_maps=24, channels=1, side=128, classes=4)
keras.utils.set_random_seed(0)
model = build_model("resnet50")
print(f"by hand {course_by_hand['parameters'].sum():,}, {model.name} {model.count_params():,}")
print(f"multiply-adds a picture: {course_by_hand['multiply-adds'].sum():,}")

# %% tags=["expected"]
# by hand 389,572, resnet50_course 389,572
# multiply-adds a picture: 109,020,672

# %% [markdown]
# From here on we speak of **"ResNet, course size, 14 layers"**. It is no ResNet50, and its scores are none of ResNet50's.
#
# ## 6. Training, and the shipped network
#
# As in lesson 04, with a falling learning rate, but a third of the epochs. *The CNN of lesson 04 has six layers. What do you
# expect of fourteen?*

# %%
steps = size.epochs * -(-len(train) // 16)
falling = keras.optimizers.schedules.CosineDecay(0.002, steps, alpha=0.01)
history = fit(model, train, validation, epochs=size.epochs, learning_rate=falling, seed=0)
print(f"best epoch {history.attrs['best_epoch']} of {len(history)}, {history.attrs['seconds']:.0f} s")

# %% [markdown]
# Mind where both curves stand at the end. A short training on few patients: it says that the network learns, and little
# about what it could become. The course ships the same layers, trained on many more patients and shown the column alone
# (lesson 04, section 8). Its stored result on the locked test set, and the CNN's:

# %%
from lumbar_utils.evaluation import load_results, paired_difference
from lumbar_utils.training import predict

stored = load_results("zoo")
for name in ("resnet50", "cnn"):
    about = stored[name].provenance["configuration"]
    print(f"{stored[name].model}: accuracy {evaluate(stored[name]).accuracy} on {len(stored[name])} phantoms")
    print(
        f"   {about['epochs']} epochs, the first {about['epochs_by_size'][0]} on pictures of half the height and width; "
        f"batches of {about['batch_size']}, seed {stored[name].provenance['seed']}"
    )
print("ResNet minus CNN, in pairs:", paired_difference(stored["resnet50"], stored["cnn"]))

# %% [markdown]
# All numbers in this section are phantom scores. Now our own test patients, who are new to all three networks:

# %%
from lumbar_utils.framing import COLUMN_SIZE

shipped = build_model("resnet50", weights="phantom")
shipped_cnn = build_model("cnn", weights="phantom")
columns = prepare(test, size=COLUMN_SIZE, crop="column")  # (N, 192, 96, 1), what the shipped ones see


def ask(network, pictures, name):
    probabilities = predict(network, pictures, batch_size=8)  # (N, 4); small batches take little memory
    return Predictions.of_dataset(test, probabilities, model=name, measured_on="phantoms", provenance={})


on_test = {
    f"ResNet, trained here, {len(train)} patients": ask(model, test, "ResNet, trained here"),
    "ResNet, shipped": ask(shipped, columns, "ResNet, shipped"),
    "CNN, shipped": ask(shipped_cnn, columns, "CNN, shipped"),
}
figures.compare_accuracy({name: evaluate(predictions) for name, predictions in on_test.items()})

# %%
gap = paired_difference(on_test["ResNet, shipped"], on_test["CNN, shipped"])
print(f"shipped ResNet minus shipped CNN, on {len(test)} patients: {gap}")

# %% [markdown]
# Compare this interval with the paired one above. Four times as many patients halve it: would the smaller test alone have
# told the two apart? What does the shipped ResNet confuse?

# %%
figures.confusion_matrix(evaluate(on_test["ResNet, shipped"]))

# %% [markdown]
# ## 7. Why did the deeper network lose?
#
# On the locked test set, the deeper network with more parameters came out behind the plain CNN. Three suspects:
#
# - **Overfitting.** More parameters, more to learn by heart.
# - **Too little training.** The shipped networks got about equal time, and a step of this one takes longer: fewer epochs.
# - **The coarse entry.** It throws away three quarters of the side before the first block looks, and a herniation of the
#   column is a few pixels.
#
# The histories of both trainings are stored. *Before you look: how would each suspect show in the curves?*

# %%
from lumbar_utils.paths import results_folder

curves = {name: pd.read_csv(results_folder() / "zoo" / f"{name}_history.csv") for name in ("resnet50", "cnn")}
fig = make_subplots(rows=1, cols=2, subplot_titles=("ResNet, 14 layers", "CNN, 6 layers"), shared_yaxes=True)
for column, table in enumerate(curves.values(), start=1):
    for part, name, colour, dash in (
        ("accuracy", "training", BLUE, "solid"),
        ("val_accuracy", "validation", VERMILLION, "dash"),
    ):
        line = {"color": colour, "dash": dash, "width": 2.5}
        fig.add_scatter(
            x=table["epoch"], y=100 * table[part], name=name, line=line, mode="lines", showlegend=column == 1, row=1, col=column
        )  # fmt: skip
fig.update_xaxes(title_text="epoch", range=[0, max(map(len, curves.values())) + 1])
fig.update_yaxes(title_text="accuracy on phantoms (%)", row=1, col=1)
fig.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.1, "yanchor": "bottom"})
last = {name: table.iloc[-1] for name, table in curves.items()}
finish(
    fig,
    f"At the end the ResNet knows {100 * last['resnet50']['accuracy']:.0f} % of its training patients, "
    f"the CNN {100 * last['cnn']['accuracy']:.0f} %",
    details="Accuracy by epoch of the two shipped networks, with augmentation and dropout on the training patients.",
    above=52,
)

# %% [markdown]
# First the jump. Up to there the pictures were half as high and half as wide, where an epoch costs a quarter; with the first whole
# ones a network must find its feet again. That is *progressive resizing*, and all shipped networks had it.
#
# A network that overfits is much better on its training patients than on others. Read off the gap between the two lines at
# the end of each panel. The ResNet's lines end together: the first suspect is free. It is behind *on its training patients
# already*, as in section 1, although it adds its input back. (Dropout and augmentation make training
# patients harder in both panels.)
#
# So the second suspect? Look at the last epochs. *Is the validation loss still falling?*

# %%
shortest = min(map(len, curves.values()))
for name, table in curves.items():
    lowest = int(table["epoch"][table["val_loss"].idxmin()])
    early, late = table["val_loss"].iloc[-5], table["val_loss"].iloc[-1]
    print(
        f"{name:<9} lowest at epoch {lowest} of {len(table)}; last four epochs {early:.3f} to {late:.3f}; "
        f"training accuracy at epoch {shortest}: {table['accuracy'].iloc[shortest - 1]:.2f}"
    )

# %% [markdown]
# The ResNet's lowest loss is its last one: its training ended before its learning did. The CNN's hardly moves any more. That speaks for
# too little training. It is no proof: the learning rate falls to nearly zero at the end of both, so the curve of a longer
# training is *another* curve. And at the same epoch the CNN knew its patients better.
#
# The third suspect makes a prediction that we can test without any training: **if the coarse entry loses small
# herniations, then the ResNet must be behind the CNN on small ones above all**, and catch up on large ones.
#
# ### Exercise 3 (open): recall by lesion size
# Write a function. It gets three arrays with one entry a herniation: its `pixels`, and whether networks A and B found it
# (True or False). Split the herniations at the median: **small** is up to and including the median, **large** above it.
# Return two numbers: recall of A minus recall of B on the small ones, and the same on the large ones.


# %% tags=["exercise"]
def gaps_by_size(pixels, found_a, found_b): ...


# %% tags=["check"]
check("resnet.by_size", gaps_by_size)


# %% tags=["solution"]
def gaps_by_size(pixels, found_a, found_b):
    small = pixels <= np.median(pixels)
    gain = found_a.astype(int) - found_b.astype(int)
    return gain[small].mean(), gain[~small].mean()


# %% [markdown]
# Now the herniations of the locked test set. Its patients are drawn again from their seed; what the two networks
# answered is stored. (We only look afterwards. If we chose a network by it, the set would no longer be locked.)

# %%
resnet, cnn = stored["resnet50"], stored["cnn"]
hernia = resnet.class_names.index("Herniated Disk")
rows = np.flatnonzero(resnet.labels == hernia)[: size.patients]
drawn = resnet.provenance["data"]["test"]["make_dataset"]
seeds = np.random.SeedSequence(drawn["seed"]).generate_state(drawn["n_patients"])
slices = (render(sample_patient(int(seeds[row]))) for row in rows)
pixels = np.array([lesion_mask(slice_.mask, "Herniated Disk").sum() for slice_ in slices])
found = {"ResNet": resnet.predicted[rows] == hernia, "CNN": cnn.predicted[rows] == hernia}

# %%
from lumbar_utils.evaluation import wilson

quarters = np.array_split(np.argsort(pixels, kind="stable"), 4)
names = [f"{pixels[q].min()} to {pixels[q].max()}" for q in quarters]
fig = go.Figure()
for (name, hits), colour, symbol in zip(
    found.items(), (BLUE, VERMILLION), ("circle", "diamond"), strict=True
):
    recall = np.array([hits[q].mean() for q in quarters])
    low, high = np.array([wilson(hits[q].sum(), len(q)) for q in quarters]).T
    fig.add_scatter(
        x=np.arange(4) + (0.06 if name == "CNN" else -0.06), y=100 * recall, name=name, mode="lines+markers",
        line_color=colour, marker={"symbol": symbol, "size": 10}, line_dash="dash" if name == "CNN" else "solid",
        error_y={"type": "data", "symmetric": False, "array": 100 * (high - recall), "arrayminus": 100 * (recall - low)},
    )  # fmt: skip
fig.update_xaxes(title_text="size of the herniation in the slice (pixels), a quarter each", tickvals=[0, 1, 2, 3], ticktext=names)  # fmt: skip
fig.update_yaxes(title_text="recall on phantoms (%), with 95 % interval", range=[0, 103])
fig.update_layout(legend={"x": 0.98, "xanchor": "right", "y": 0.05, "yanchor": "bottom"})
half = pixels <= np.median(pixels)
behind = [100 * (found["CNN"][part].mean() - found["ResNet"][part].mean()) for part in (half, ~half)]
finish(
    fig,
    f"The CNN leads by {behind[0]:.0f} points on the smaller half of the herniations, and by {behind[1]:.0f} on the larger",
    details=f"Recall of {len(rows)} herniations of the locked test set, by how many pixels of them the slice shows.",
)

# %% [markdown]
# Small herniations are hard for both: that is the slice, not the architecture. But the third suspect predicted a *wider gap*
# on the small ones. How sure is the difference of the two gaps? The bootstrap of lesson 16, section 5, over herniations:

# %%
draws = np.random.default_rng(0).integers(len(rows), size=(1000, len(rows)))
gain = found["ResNet"].astype(int) - found["CNN"].astype(int)
is_small = pixels <= np.median(pixels)
wider = [gain[d][is_small[d]].mean() - gain[d][~is_small[d]].mean() for d in draws]
low, high = np.quantile(wider, [0.025, 0.975])
value = gain[is_small].mean() - gain[~is_small].mean()
print(f"gap on small minus gap on large: {100 * value:.1f} points [{100 * low:.1f}, {100 * high:.1f}]")

# %% [markdown]
# If this interval holds 0, the prediction was not borne out: the ResNet is behind on all sizes. That does not clear the
# coarse entry, for the interval is wide; it leaves too little training as the simpler story. Who
# wants to know trains again, with *one* thing changed: twice the epochs, or an entry that moves by 1. (And with several
# seeds: each of the shipped networks was trained once.)
#
# ## 8. Play: switch blocks off
#
# Section 3 set $F$ to zero, and a block became its shortcut. We can do that to a *trained* network, block by block, and look
# what becomes of its answers. Veit and colleagues did it in 2016 with a ResNet of 110 layers, and taking out single blocks
# hardly hurt. In a plain network, taking out one layer is a catastrophe.
#
# They explain it by paths. At each block, the signal may go through $F$ or through the shortcut. So a ResNet of $n$
# blocks is a bundle of $2^n$ paths of different lengths. *How many paths has our network with its 4 blocks? How many remain when
# one is switched off?* And ResNet50?
#
# ### Exercise 4: paths
# ResNet50 has 16 blocks. How many paths lead from the picture to the diagnosis, and how many are left when the $F$ of
# three blocks are switched off? Give both numbers.

# %% tags=["exercise"]
paths = ...
paths_left = ...

# %% tags=["check"]
check("resnet.paths", (paths, paths_left))

# %% tags=["solution"]
paths = 2**16
paths_left = 2 ** (16 - 3)

# %% [markdown]
# Now for real. Each block's $F$ ends in a batch normalisation; with its two learned numbers at zero, $F$ is zero. We compute
# all $2^4 = 16$ combinations for 40 test patients, once, so that the buttons below answer at once. Nothing is trained
# again.

# %%
from itertools import product

guests = test.subset(np.arange(min(40, len(test))))
ends_of_F = [shipped.get_layer(f"conv{number}_block1_3_bn") for number in (2, 3, 4, 5)]
learned = [(keras.ops.copy(end.gamma), keras.ops.copy(end.beta)) for end in ends_of_F]


def answers_with(switched_on):
    """Probabilities (40, 4) of the shipped network with only some of its four F in place."""
    for end, (gamma, beta), on in zip(ends_of_F, learned, switched_on, strict=True):
        end.gamma.assign(on * gamma)
        end.beta.assign(on * beta)
    return predict(shipped, columns[: len(guests)], batch_size=8)


answers = {on: answers_with(on) for on in reversed(list(product((0, 1), repeat=4)))}
whole = answers_with((1, 1, 1, 1))  # all on again
right_of = {on: int(np.sum(p.argmax(axis=1) == guests.labels)) for on, p in answers.items()}
print("all as it was:", np.array_equal(whole, answers[1, 1, 1, 1]))

# %% tags=["expected"]
# all as it was: True

# %% [markdown]
# For comparison the plain CNN: its fifth layer takes 128 maps and gives 128, so it can be taken out, and the network still
# fits together. *Which will suffer more?*

# %%
without_fifth = keras.Model(
    shipped_cnn.inputs[0],
    shipped_cnn.get_layer("logits")(shipped_cnn.get_layer("features")(shipped_cnn.get_layer("block4_relu").output)),
)  # fmt: skip
right_cnn = int(
    np.sum(predict(shipped_cnn, columns[: len(guests)], batch_size=8).argmax(axis=1) == guests.labels)
)
right_without = int(
    np.sum(predict(without_fifth, columns[: len(guests)], batch_size=8).argmax(axis=1) == guests.labels)
)
print(f"CNN: right on {right_cnn} of {len(guests)}; without its fifth layer on {right_without}")

# %%
fig = go.Figure()
off = [4 - sum(on) for on in right_of]
which = [", ".join(f"{i + 1}" for i in range(4) if not on[i]) or "none" for on in right_of]
spread = np.array([0.09 * (sum(o == off[i] for o in off[:i]) - (sum(o == off[i] for o in off) - 1) / 2) for i in range(16)])  # fmt: skip
fig.add_scatter(
    x=off + spread, y=list(right_of.values()), mode="markers", name="ResNet", text=which,
    marker={"size": 12, "color": BLUE}, hovertemplate="off: %{text}<br>right on %{y}<extra></extra>",
)  # fmt: skip
fig.add_scatter(
    x=[0.25, 1.32], y=[right_cnn, right_without], mode="markers", name="CNN, whole and without its fifth layer",
    marker={"size": 12, "symbol": "diamond-open", "color": VERMILLION, "line": {"width": 2}},
)  # fmt: skip
guess = int(np.bincount(guests.labels).max())
fig.add_hline(y=guess, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.add_annotation(x=4.3, y=guess, xanchor="right", yanchor="bottom", showarrow=False, text="always the commonest class")  # fmt: skip
fig.update_xaxes(title_text="blocks switched off", tickvals=[0, 1, 2, 3, 4], range=[-0.4, 4.4])
fig.update_yaxes(title_text=f"right, of {len(guests)} phantom patients", range=[0, len(guests) + 1])
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
singles = [right_of[tuple(int(i != k) for i in range(4))] for k in range(4)]
finish(
    fig,
    f"One block switched off leaves {min(singles)} to {max(singles)} right answers of {right_of[1, 1, 1, 1]}, "
    f"all four {right_of[0, 0, 0, 0]}",
    details="Right answers of the shipped ResNet for all 16 combinations of its four blocks; hover to see which.",
    above=26,
)

# %% [markdown]
# Unlike Veit's, our network does not shrug off the loss of a block. Hover over the points: which single blocks cost the most,
# the early or the late ones? An early one feeds all that follow. The plain CNN fares as Veit says of plain networks.
#
# Do it yourself. Choose a patient and switch blocks off; the bars are the network's probabilities. *Which block can this
# patient spare? Is it the same one for the next?*

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure

who = widgets.BoundedIntText(value=0, min=0, max=len(guests) - 1, description="patient")
switches = [widgets.Checkbox(value=k != 2, description=f"block {k + 1}", indent=False) for k in range(4)]
screen = widgets.Output()


def draw_answers(row, on):
    truth = guests.class_names[guests.labels[row]]
    short = [name.replace(" ", "<br>") for name in guests.class_names]
    fig = make_subplots(rows=1, cols=2, column_widths=[0.24, 0.76], horizontal_spacing=0.14)
    fig.add_heatmap(
        z=columns[row, ::-1, :, 0], colorscale="gray", showscale=False, hoverinfo="skip", row=1, col=1
    )
    fig.update_xaxes(visible=False, row=1, col=1)
    fig.update_yaxes(visible=False, scaleanchor="x", row=1, col=1)
    for name, p, colour, pattern in (
        ("all blocks", answers[1, 1, 1, 1][row], GREY, "/"),
        ("as switched", answers[on][row], BLUE, ""),
    ):
        fig.add_bar(
            x=short, y=100 * p, name=name, marker_color=colour, marker_pattern_shape=pattern, row=1, col=2
        )
    fig.update_yaxes(title_text="probability (%)", range=[0, 102], row=1, col=2)
    fig.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"})
    off = " and ".join(str(k + 1) for k in range(4) if not on[k]) or "none"
    says = guests.class_names[answers[on][row].argmax()]
    return finish(
        fig,
        f"Off: {off}. It says {says}, the truth is {truth}. "
        f"Right on {right_of[on]} of {len(guests)} patients; all blocks: {right_of[1, 1, 1, 1]}",
        details="The column of one phantom patient, and the network's probabilities with and without some blocks.",
        height=320,
        above=26,
    )


def redraw(change=None):
    show_figure(screen, draw_answers(who.value, tuple(int(switch.value) for switch in switches)))


for control in (who, *switches):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([who, *switches]), screen])

# %% tags=["drive"]
for control in (who, *switches):
    shown = screen.outputs
    control.value = 1 if control is who else not control.value
    assert screen.outputs != shown, control

# %% [markdown]
# Two warnings before you conclude. Our network is short: each block is a quarter of it, and *its* shortcuts are learned
# projections, so that "switched off" is not quite "nothing". Veit's network had 54 blocks. And the layers after a
# missing block meet maps of another mean and spread than their normalisation expects. What you see is damage to a
# trained network, not what a network without that block could have learned.
#
# ## 9. At the paper's size
#
# The paper used ResNet50 at 224 pixels and 100 epochs. It is one line, for a GPU runtime:
#
# ```python
# model = build_model("resnet50", preset="paper", weights="imagenet")   # 23,595,908 parameters, 224 x 224 x 3
# ```
#
# What would it cost here? We can compute that from multiply-adds, and from the seconds we just measured. (A guess to a
# factor of two: wide layers use a processor better than narrow ones.)

# %%
ratio = by_hand["multiply-adds"].sum() / course_by_hand["multiply-adds"].sum()
print(f"one picture takes {ratio:.0f} times the work")

# %% tags=["expected"]
# one picture takes 35 times the work

# %%
seconds_a_picture = history.attrs["seconds"] / (len(history) * len(train))
hours = 152 * 100 * seconds_a_picture * ratio / 3600
print(f"152 pictures x 100 epochs on this machine: about {hours:.1f} hours, computed and not measured")

# %% [markdown]
# And its score? The paper reports 100 % for ResNet50, on its 19 test pictures. You know what to ask (lesson 16).

# %%
table = paper_reported().accuracies.set_index("model")
row = table.loc["ResNet50"]
print(f"reported: {row['right']:.0f} of {row['of']:.0f} right, 95 % [{row['wilson_low']:.2f}, {row['wilson_high']:.2f}]")  # fmt: skip

# %% tags=["expected"]
# reported: 19 of 19 right, 95 % [0.83, 1.00]

# %% [markdown]
# A true accuracy of 84 % would fit, and 84 % is what the paper reports for VGG16.
#
# ### "ResNet50 is deeper, so it is better"
#
# Our networks say no such thing, and neither does He's paper: it showed that *with shortcuts* depth helps, on 1.2 million
# pictures. The paper has about 190, and trains on 152 of them. *How many parameters come to one of its training pictures?*

# %%
for name, parameters in (
    ("ResNet50", 23_595_908),
    ("ResNet, course size", 389_572),
    ("CNN, course size", 246_356),
):
    print(f"{name:<20} {parameters / 152:>9,.0f} parameters a training picture")

# %% tags=["expected"]
# ResNet50               155,236 parameters a training picture
# ResNet, course size      2,563 parameters a training picture
# CNN, course size         1,621 parameters a training picture

# %% [markdown]
# Shortcuts cure an illness of *training*: the loss that a deep network could reach and did not. They do not make patients.
# With 190 pictures, try a network that has learned elsewhere (ImageNet weights), a smaller one, or less picture (the
# column), and let patients in pairs decide.
#
# ## Quiz
#
# 1. **A deep plain network has a higher training loss than a shallow one. What is it?**
#    - a) overfitting: too many parameters
#    - b) degradation: training does not find what the network could do
#    - c) impossible: more layers always fit the training set better
# 2. **What does a shortcut add to the number of parameters?**
#    - a) nothing where the shape stays
#    - b) as many as the block has
#    - c) one weight a map
# 3. **What is the 50 in ResNet50?**
#    - a) residual blocks
#    - b) all convolutions, projections included, and the dense layer
#    - c) layers with weights on the main road
# 4. **The shipped ResNet is behind the CNN, and its training and validation accuracy are equal. So ...**
#    - a) it overfits; take a smaller one
#    - b) it has not fitted its patients yet; train longer or look at the entry
#    - c) ResNets are worse than plain networks
# 5. **ResNet50 is reported with 19 of 19. On 190 pictures ...**
#    - a) the deepest network is the best choice
#    - b) 19 answers cannot tell it from networks that are right on 85 %
#    - c) residual connections have been shown to avoid mistakes

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("resnet.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "a", "3": "c", "4": "b", "5": "b"}

# %% [markdown]
# ## What you have seen
#
# - Deep plain networks failed on their own training patients. That is degradation, and no overfitting.
# - A product of many Jacobians keeps few directions. $I + J$ keeps a road open for all.
# - $y = F(x) + x$ makes "do nothing" the easiest thing to learn: $F = 0$.
# - The bottleneck does with 69,632 weights what two plain convolutions do with 1,179,648.
# - ResNet50: 25,636,712 parameters, most in its last stage; 50 layers with weights on the main road.
# - At equal training time, our deeper network stayed behind. Curves and a recall by size tell suspects apart; a proof
#   takes another training.
# - Blocks can be switched off one by one: a ResNet is a bundle of paths.
#
# **All scores measured here are phantom scores.**
#
# ## References
# - He, Zhang, Ren, Sun (2016), *Deep residual learning for image recognition*, CVPR, arXiv:1512.03385.
# - Veit, Wilber, Belongie (2016), *Residual networks behave like ensembles of relatively shallow networks*, NIPS.
# - Balduzzi and others (2017), *The shattered gradients problem: if resnets are the answer, then what is the question?*, ICML.
# - De, Smith (2020), *Batch normalization biases residual blocks towards the identity function in deep networks*, NeurIPS.
