# %% [markdown]
# # Pictures without labels, and what stands in the letter of referral
#
# **When you have finished you can**
# 1. say what a picture without a label can teach a network, and when it teaches the wrong thing;
# 2. write FixMatch's loss, and tell confidence from evidence, which softmax alone cannot;
# 3. say how far a patient's age alone carries a diagnosis, and why that is a warning and not a result;
# 4. join a picture with a table that has holes, late by Bayes' rule and in between by a network;
# 5. ask of a claim "forty labels instead of two hundred", or "clinical data help", what the rival was given.
#
# *Two halves that stand alone: sections 1 to 7, and "Clinical data". About 85 minutes of your time, 95 s of the machine's,
# 1.4 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %%
import keras
import numpy as np
import plotly.graph_objects as go
import tensorflow as tf
from keras import layers
from plotly.subplots import make_subplots

from lumbar_utils import build_model, check, course_size, evaluate, figures
from lumbar_utils import load_dataset, prepare, split_by_patient
from lumbar_utils.figures.style import BLACK, BLUE, GREY, ORANGE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure

size = course_size(epochs=3, patients=300)

# %% [markdown]
# ## 1. Pictures are cheap, labels are dear
#
# An archive holds thousands of spines. A label takes a radiologist five minutes, and she has ten other things to do. So you
# have twenty labelled patients, and a thousand without a word. Can the thousand help at all? Nobody has told the network
# what they show.
#
# Before we look at spines, look at dots. Two clouds, long and flat, one above the other. 400 dots have no label. **Four
# have one**: two in each cloud. *Where would you draw the border? Where will a network draw it that sees the four alone?*


# %%
def clouds(n, seed):
    """Return n points (n, 2) of two long clouds, and which cloud each belongs to."""
    rng = np.random.default_rng(seed)
    cloud = np.arange(n) % 2
    along, across = rng.uniform(-3, 3, n), np.where(cloud, 0.5, -0.5) + rng.normal(0, 0.12, n)
    return np.stack([along, across], axis=1).astype("float32"), cloud


dots, cloud_of_dot = clouds(400, seed=1)
four = np.array([[-2, -0.5], [-0.5, -0.5], [0.5, 0.5], [2, 0.5]], dtype="float32")
four_labels = np.array([0, 0, 1, 1])

fig = go.Figure()
fig.add_scatter(
    x=dots[:, 0], y=dots[:, 1], mode="markers", marker={"color": GREY, "size": 4}, name="no label"
)
for label, colour, symbol in ((0, BLUE, "circle"), (1, VERMILLION, "diamond")):
    x, y = four[four_labels == label].T
    marker = {"color": colour, "symbol": symbol, "size": 15, "line": {"color": "white", "width": 2}}
    fig.add_scatter(x=x, y=y, mode="markers", marker=marker, name=f"label {label}")
fig.update_xaxes(title_text="first measurement")
fig.update_yaxes(title_text="second measurement", range=[-1.4, 1.4])
finish(
    fig, "Four dots have a label, 400 have none", details="Two long clouds, one above the other.", height=300
)

# %% [markdown]
# You see two clouds and draw the border between them. You have used the dots without labels: they show *where nobody
# stands*, and a border belongs there. A network has to be made to do the same.
#
# ## 2. Let the network label
#
# The idea behind **FixMatch** (Sohn 2020) fits into three lines. For each picture without a label:
#
# - change it a little (**weakly**), and ask the network what it is;
# - if the network is *sure* (its probability is at least $\tau = 0.95$), take its answer for the truth: a **pseudo-label**;
# - change the same picture a lot (**strongly**), and teach the network this pseudo-label for it.
#
# As a loss, with $A$ labelled and $B$ unlabelled pictures in a batch and $q$ what the network says of the weak copy:
#
# $$\frac{1}{A}\sum \mathrm{CE}(y, p) \;+\; \frac{1}{B}\sum \mathbf{1}[\max q \geq \tau] \cdot \mathrm{CE}(\arg\max q,\; p_{\mathrm{strong}})$$
#
# CE is the cross-entropy, $-\log$ of the probability of the (pseudo-)label. Here it is for our dots, all of it. Without
# `move` it learns from the four labels alone.


# %%
def train(move=None, steps=100 * size.epochs, threshold=0.95):
    """Train a small network on the four labels, and with `move` by FixMatch on all dots too."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    network = keras.Sequential(
        [keras.Input((2,)), layers.Dense(32, "relu"), layers.Dense(16, "relu"), layers.Dense(2)]
    )
    optimizer = keras.optimizers.Adam(0.005)
    optimizer.build(network.trainable_variables)
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits

    @tf.function
    def step(weak, strong):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(four_labels, network(four)))
            if move is not None:
                q = tf.nn.softmax(network(weak))  # (B, 2)
                pseudo_label = tf.argmax(q, axis=-1)  # no gradient comes through an argmax
                sure = tf.cast(tf.reduce_max(q, axis=-1) >= threshold, tf.float32)
                loss += tf.reduce_mean(sure * cross_entropy(pseudo_label, network(strong)))
        variables = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    for _ in range(steps):
        some = dots[rng.integers(len(dots), size=64)]
        weak = some + rng.normal(0, 0.02, some.shape).astype("float32")
        strong = some if move is None else some + (rng.normal(size=some.shape) * move).astype("float32")
        step(weak, strong)
    return network


# %% [markdown]
# What is a strong change of a dot? It has to change much, and keep *what the dot is*. A cloud is long: sliding a dot along
# it (by 2) leaves it in its cloud. So that is our strong change. And to see what a bad choice does, a third network
# is trained with the same strength **across** the clouds. *What will come out?*

# %%
moves = {"labels only": None, "slid along": (2.0, 0.15), "thrown across": (0.15, 2.0)}
networks = {name: train(move) for name, move in moves.items()}

new_dots, new_clouds = clouds(1000, seed=2)
right = {
    name: np.mean(np.argmax(network(new_dots), axis=1) == new_clouds) for name, network in networks.items()
}

# %%
grid_x, grid_y = np.linspace(-3.2, 3.2, 65), np.linspace(-1.4, 1.4, 41)
grid = np.stack(np.meshgrid(grid_x, grid_y), axis=-1).reshape(-1, 2).astype("float32")

fig = make_subplots(rows=1, cols=3, subplot_titles=[f"{name}: {right[name]:.0%}" for name in moves])
for column, network in enumerate(networks.values(), start=1):
    p = keras.ops.convert_to_numpy(keras.ops.softmax(network(grid)))[:, 1].reshape(41, 65)
    scale = [[0, BLUE], [0.5, "white"], [1, VERMILLION]]
    fig.add_heatmap(
        x=grid_x,
        y=grid_y,
        z=p,
        zmin=0,
        zmax=1,
        colorscale=scale,
        opacity=0.5,
        showscale=False,
        col=column,
        row=1,
    )
    fig.add_scatter(
        x=dots[:, 0], y=dots[:, 1], mode="markers", marker={"color": BLACK, "size": 2}, col=column, row=1
    )
    for label, symbol in ((0, "circle"), (1, "diamond")):
        x, y = four[four_labels == label].T
        marker = {
            "color": (BLUE, VERMILLION)[label],
            "symbol": symbol,
            "size": 11,
            "line": {"color": "white", "width": 2},
        }
        fig.add_scatter(x=x, y=y, mode="markers", marker=marker, col=column, row=1)
fig.update_layout(showlegend=False)
fig.update_xaxes(title_text="first measurement")
fig.update_yaxes(title_text="second measurement", col=1)
alone, along, across = right.values()
finish(
    fig,
    f"New dots called right: {alone:.0%} with four labels, {along:.0%} with the dots slid along their clouds, "
    f"{across:.0%} with the dots thrown across",
    details="Colour: what the network says at each place. Large marks: the four labels.",
    height=300,
    above=26,
)

# %% [markdown]
# The unlabelled dots taught nothing about *labels*. They said where the data lie, and the strong change said **what does not
# matter**. That second part came from us. A strong change is knowledge; a wrong one is wrong knowledge, taught with
# confidence.
#
# Nobody told the third network that it was wrong, and nobody could: where no label is, no error is seen. This is called
# **confirmation bias**: what the network believes, it teaches itself.
#
# ### Exercise 1 (warm-up): a batch by hand
# Four unlabelled pictures. On their weak copies the network gives its answer the probability 0.97, 0.60, 0.99 and 0.80. On
# the strong copies it gives *the same class* 0.50, 0.90, 0.25 and 0.80. What is FixMatch's unlabelled loss with
# $\tau = 0.95$? (Natural logarithm.)

# %% tags=["exercise"]
unlabelled_loss = ...

# %% tags=["check"]
check("unlabelled.loss", unlabelled_loss)

# %% tags=["solution"]
unlabelled_loss = (
    -np.log(0.50) - np.log(0.25)
) / 4  # the second and the fourth are not sure enough, and count 0

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("unlabelled.loss")`.)*
#
# ## 3. What does not matter in a spine?
#
# For photographs of cats one mirrors, inverts colours, shears. On a sagittal slice a mirror puts the canal in front of the
# spine, which no scanner does. So our strong changes are those that scanners and patients make: turning, moving, another
# contrast, the shading of a receive coil, blur, noise. And a grey hole, so that no single place is indispensable.

# %%
from lumbar_utils.beyond.weak_strong import StrongChanges, weak_changes

clinic = load_dataset("phantom", n_patients=size.patients, seed=0)
archive, _, test = split_by_patient(clinic, fractions=(0.6, 0.05, 0.35), seed=0)
columns = prepare(archive, size=(64, 32), crop="column")  # (N, 64, 32, 1), the upright column of lesson 04

one = np.repeat(columns[:1], 3, axis=0)
shown = np.concatenate([columns[:1], weak_changes(1)(one), columns[:1], StrongChanges(seed=1)(one)])[..., 0]
figures.picture_grid(
    list(shown),
    ["as it is", "weak", "weak", "weak", "as it is", "strong", "strong", "strong"],
    title="Weak changes are hardly seen; strong ones are meant to leave the diagnosis as it is",
)

# %% [markdown]
# Do they leave it? The hole is up to 30 % of the picture's height, and it may cover the very disc that is
# herniated. Then we teach "herniation" on a picture that shows none. It is a price: fewer holes, weaker lesson; more
# holes, falser lesson.
#
# ## 4. Twenty labels, the others without
#
# We draw 20 patients of the archive, five a class, and forget the labels of all others. (Not quite: we keep them under the
# desk to *count* how many pseudo-labels are right. No method sees them.)

# %%
rng = np.random.default_rng(0)
labelled = np.concatenate([rng.permutation(np.flatnonzero(archive.labels == k))[:5] for k in range(4)])
without = np.setdiff1d(np.arange(len(archive)), labelled)
print(f"{len(labelled)} labelled, {len(without)} without a label, {len(test)} test patients")

# %% [markdown]
# Both networks take as many steps from the same first weights. And both see strong changes: the supervised one on its 20
# patients. Else we would praise the unlabelled patients for what the changes did.
#
# `fit_semi_supervised` is your loop of section 2 with three additions: class weights (lesson 04), a learning rate that falls,
# and in the end the **moving mean of the weights** over the last steps instead of the last ones. There is no "best epoch",
# for there is no validation set: it would need labels, and we would rather train on those.

# %%
from lumbar_utils.beyond.semi_supervised import fit_semi_supervised
from lumbar_utils.training import predict

models, histories = {}, {}
for method in ("supervised", "fixmatch"):
    keras.utils.set_random_seed(0)
    models[method] = build_model("cnn", input_shape=(64, 32, 1), num_classes=4)
    histories[method] = fit_semi_supervised(
        models[method],
        (columns[labelled], archive.labels[labelled]),
        columns[without],
        method=method,
        truth=archive.labels[without],  # only counted
        epochs=2 * size.epochs,
        steps_per_epoch=40,
        live=False,
    )
histories["fixmatch"].drop(columns=["val_loss", "val_accuracy"]).round(2)  # nobody was held out to watch

# %% [markdown]
# Read three columns. `loss`: the 20 labelled patients are learned by heart soon. `accepted`: the share of unlabelled
# pictures of which the network is sure. `pseudo_accuracy`: how many of these pseudo-labels are right, which in a clinic
# nobody would see.

# %%
last = histories["fixmatch"].iloc[-1]
fig = go.Figure()
for name, label, colour, symbol in (
    ("accepted", "accepted", BLUE, "circle"),
    ("pseudo_accuracy", "right among the accepted", VERMILLION, "diamond"),
):
    fig.add_scatter(
        x=histories["fixmatch"]["epoch"], y=100 * histories["fixmatch"][name], mode="lines+markers", name=label,
        line_color=colour, marker={"symbol": symbol, "size": 9},
    )  # fmt: skip
fig.update_xaxes(title_text="Epoch of 40 steps", dtick=1)
fig.update_yaxes(title_text="Unlabelled pictures (%)", range=[0, 100])
fig.update_layout(legend={"x": 0.02, "y": 0.98})
finish(
    fig,
    f"In the end {last['accepted']:.0%} of the pictures get a pseudo-label"
    + (f"; {1 - last['pseudo_accuracy']:.0%} of these are wrong" if last["accepted"] else ""),
    details="The truth of the unlabelled was counted, not used.",
    height=320,
)

# %% [markdown]
# "Sure" meant a probability of 0.95. Compare that with the share that is right: a network that learns 20 patients by
# heart tends to be bold (lesson 16, section 8), and its boldness is what FixMatch trusts.
#
# On the test patients, in pairs:

# %%
from lumbar_utils import Predictions
from lumbar_utils.evaluation import paired_difference

test_columns = prepare(test, size=(64, 32), crop="column")
answers = {
    method: Predictions.of_dataset(
        test, predict(model, test_columns), model=method, measured_on="phantoms", provenance={}
    )
    for method, model in models.items()
}
for method, predictions in answers.items():
    print(f"{method:<11} phantom accuracy {evaluate(predictions).accuracy}")
gain = paired_difference(answers["fixmatch"], answers["supervised"])
print("FixMatch minus supervised:", gain)
print("0 lies inside: nothing is decided" if gain.low <= 0 <= gain.high else "0 lies outside")

# %% [markdown]
# One draw of 20 patients, a short training, a small test. Another draw of twenty gives another answer; with few labels, *who
# is labelled* matters as much as how one learns. So the stored study draws five times (section 6).
#
# ### Exercise 2: look under the desk
# Write `pseudo_quality(probabilities, truth, threshold)` for (N, K) probabilities and (N,) true labels: return the share of
# pictures that are accepted, and the share of right ones *among the accepted* (`nan` where none is accepted).


# %% tags=["exercise"]
def pseudo_quality(probabilities, truth, threshold): ...


# %% tags=["check"]
check("unlabelled.quality", pseudo_quality)


# %% tags=["solution"]
def pseudo_quality(probabilities, truth, threshold):
    accepted = probabilities.max(axis=1) >= threshold
    if not accepted.any():
        return 0.0, np.nan
    return accepted.mean(), np.mean(probabilities.argmax(axis=1)[accepted] == truth[accepted])


# %% [markdown]
# With it you can ask whether a higher threshold would have helped:
# `pseudo_quality(predict(models["fixmatch"], columns[without]), archive.labels[without], 0.99)`.
#
# ## 5. Sure, or merely not torn?
#
# Softmax sees *differences* of logits only. Logits of 20, 16, 16, 16 and of -16, -20, -20, -20 give the same probabilities.
# But in the first case everything in the network has responded, and in the second nothing has: it knows no such picture,
# and of four strangers one seems least strange.
#
# **Evidence** keeps that apart (Sensoy 2018). A class's evidence is $e_k = \mathrm{softplus}(z_k) = \log(1 + e^{z_k})$: near 0
# for a negative logit, near $z_k$ for a large one. Read it as "so many patients of this class have I seen who looked
# like this". With $\alpha_k = e_k + 1$ that makes a **Dirichlet distribution** over what the four probabilities might be, and
#
# $$u = \frac{K}{\sum_k \alpha_k}$$
#
# is its **uncertainty**: 1 without any evidence, small with much.

# %%
softplus = lambda z: np.log1p(np.exp(np.asarray(z, dtype=float)))

for logits in ([20, 16, 16, 16], [6, 2, 2, 2], [-16, -20, -20, -20]):
    alpha = softplus(logits) + 1
    p = np.exp(logits - np.max(logits)) / np.exp(logits - np.max(logits)).sum()
    print(f"logits {logits}: softmax {p.max():.2f}, uncertainty {len(alpha) / alpha.sum():.2f}")

# %% tags=["expected"]
# logits [20, 16, 16, 16]: softmax 0.95, uncertainty 0.06
# logits [6, 2, 2, 2]: softmax 0.95, uncertainty 0.24
# logits [-16, -20, -20, -20]: softmax 0.95, uncertainty 1.00

# %% [markdown]
# Play with it: the height of the best logit, and its lead over the other three. FixMatch looks at the first number alone.
# *Can you find logits of which softmax is sure and evidence is not? And logits with much evidence that softmax refuses?*

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure

wide = {"description_width": "initial"}
best_logit = widgets.FloatSlider(
    value=2, min=-8, max=12, step=0.5, description="best logit", continuous_update=False, style=wide
)
lead = widgets.FloatSlider(
    value=5, min=0, max=8, step=0.25, description="lead over the others", continuous_update=False, style=wide
)
screen = widgets.Output()


def draw_verdict(best, ahead):
    logits = np.array([best] + [best - ahead] * 3)
    p = np.exp(logits - best) / np.exp(logits - best).sum()
    alpha = softplus(logits) + 1
    u = 4 / alpha.sum()
    fixmatch, evident = p[0] >= 0.95, u <= 0.40
    fig = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    for column, (values, colour) in enumerate(((100 * p, BLUE), (alpha - 1, ORANGE)), start=1):
        fig.add_bar(
            x=values, y=list(test.class_names), orientation="h", marker_color=colour, row=1, col=column
        )
    fig.add_vline(x=95, line={"color": BLACK, "dash": "dot"}, row=1, col=1)
    fig.update_xaxes(title_text="softmax probability (%)", range=[0, 102], row=1, col=1)
    fig.update_xaxes(title_text="evidence (patients like this one)", range=[0, 12.5], row=1, col=2)
    fig.update_yaxes(autorange="reversed")
    fig.update_layout(showlegend=False)
    return finish(
        fig,
        f"Probability {p[0]:.2f}: {'accepted' if fixmatch else 'refused'} by FixMatch. "
        f"Uncertainty {u:.2f}: {'accepted' if evident else 'refused'} by a limit of 0.40",
        details="Left: softmax of four logits; the dotted line is FixMatch's threshold. Right: the evidence, softplus of "
        "the same logits.",
        height=240,
    )


def redraw(change=None):
    show_figure(screen, draw_verdict(best_logit.value, lead.value))


for control in (best_logit, lead):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([best_logit, lead]), screen])

# %% tags=["drive"]
for control, value in ((best_logit, -4), (lead, 1)):
    shown_before = screen.outputs
    control.value = value
    assert screen.outputs != shown_before, control

# %% [markdown]
# ### Exercise 3: uncertainty by hand
# A network finds evidence 6, 1, 0.5 and 0.5 for the four classes. What is its uncertainty?

# %% tags=["exercise"]
uncertainty = ...

# %% tags=["check"]
check("unlabelled.uncertainty", uncertainty)

# %% tags=["solution"]
uncertainty = 4 / (7 + 2 + 1.5 + 1.5)  # alpha is evidence + 1

# %% [markdown]
# ### SeCoFixMatch
# Hai and others (2024) built on this for disc herniation. Their paper is not open; the **abstract** says three things: pseudo-
# labels are taken on confidence *and* on an uncertainty, which is learned through a KL loss between the predicted and a
# target Dirichlet distribution; and a **semantic contrast** keeps unlabelled pictures close to labelled ones of the same
# meaning. How, it does not say. So what you run here is ours where the abstract is silent:
#
# | the abstract | our reading |
# |---|---|
# | a target Dirichlet distribution | 1 for every class, and 10 more for the right one |
# | uncertainty | $u = K / \sum \alpha$, accepted up to 0.40 |
# | semantic contrast | each accepted picture: softmax over its cosines with the labelled pictures, $-\log$ of its own class's share (Khosla 2020) |
# | how much each counts | 0.05 for evidence, 0.5 for contrast |
#
# A name on a method is not the method. If our version does worse, that says little about theirs.
#
# ### Exercise 4 (open): accept on both
# Write `accept(logits, threshold, max_uncertainty)` for (N, K) logits: return the (N,) pseudo-labels, and (N,) booleans that
# are true where the softmax is at least `threshold` *and* the uncertainty at most `max_uncertainty`.


# %% tags=["exercise"]
def accept(logits, threshold, max_uncertainty): ...


# %% tags=["check"]
check("unlabelled.accept", accept)


# %% tags=["solution"]
def accept(logits, threshold, max_uncertainty):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    uncertainty = logits.shape[1] / (np.log1p(np.exp(logits)) + 1).sum(axis=1)
    return logits.argmax(axis=1), (p.max(axis=1) >= threshold) & (uncertainty <= max_uncertainty)


# %% [markdown]
# ## 6. The long study
#
# The course has a study of all three methods: 10, 20, 40 and 80 labelled patients out of 1,000, each drawn five times, tested
# on 600 locked patients. The bands count both: other draws of labels *and* other test patients. *From how many labels on do you
# expect the three to meet?* (Where the study is not stored, the cell says how to run it; the questions stand all the same.)

# %%
from lumbar_utils.dataset import LumbarError
from lumbar_utils.studies.unlabelled_table import summarise_unlabelled

names = {"supervised": "supervised", "fixmatch": "FixMatch", "secofixmatch": "SeCoFixMatch (our reading)"}


def stored(study):
    try:
        return summarise_unlabelled(study)
    except LumbarError as error:
        print(error)


phantoms = stored("unlabelled")
if phantoms is not None:
    figures.accuracy_by_labels(phantoms, names).show()

# %% [markdown]
# Put a ruler on the figure horizontally: at the height of FixMatch with 20 labels, how many labels does supervised training
# need? That is what the unlabelled patients are worth, in labels. Then the gains in pairs, on the same labelled patients and
# the same test:

# %%
if phantoms is not None:
    for row in phantoms.query("method != 'supervised'").itertuples():
        verdict = "" if row.gain_low <= 0 <= row.gain_high else "  (0 is outside)"
        print(
            f"{row.labelled:3} labels, {row.method:<12} gains {100 * row.gain:+5.1f} points "
            f"[{100 * row.gain_low:+.1f}, {100 * row.gain_high:+.1f}]; pseudo-labels: {row.accepted:.0%} taken, "
            f"{row.pseudo_accuracy:.0%} of them right{verdict}"
        )

# %% [markdown]
# One more honesty. How many steps, which threshold, how strong the changes? We chose that on *other* phantoms, 400 of them
# with labels. Somebody with 10 labels has no such 400. The recipe is the same for all methods and all numbers, and the labels
# that chose it are a cost which no curve shows. Ask this of every paper that saves labels.
#
# ### On published pictures
# Roboflow users published 108 sagittal pictures of 15 patients with boxes around each disc, herniated or not, and more pictures
# without boxes. The course's localiser cuts the discs out of both; patients who stand in both folders were left out
# of the unlabelled. Five folds by patient, three draws of first weights.

# %%
real = stored("unlabelled_real")
if real is not None:
    for row in real.itertuples():
        gain = (
            ""
            if np.isnan(row.gain)
            else f"; gain {100 * row.gain:+.1f} points [{100 * row.gain_low:+.1f}, {100 * row.gain_high:+.1f}]"
        )
        print(
            f"{row.method:<12} accuracy on real discs {row.accuracy:.3f} [{row.low:.3f}, {row.high:.3f}]{gain}"
        )

# %% [markdown]
# Fifteen patients: read the interval first. The abstract's "40 labels outperform 200" is *reported*; how many patients stand
# behind its test, and what the baseline with 200 was given, it does not say.
#
# ## 7. Quiz on unlabelled pictures
#
# 1. **What does an unlabelled picture teach in FixMatch?**
#    - a) its true label, found by the network
#    - b) that a strongly changed copy is the same thing as a weakly changed one
#    - c) nothing; only the labelled ones count
# 2. **FixMatch accepts 90 % of the pictures. Is that good?**
#    - a) yes, it uses nearly all of them
#    - b) no, it should be few
#    - c) one cannot say without knowing how many are right
# 3. **A paper's method with 40 labels beats its baseline with 200. What do you ask first?**
#    - a) which graphics card was used
#    - b) whether the baseline had the same changes, steps and choices
#    - c) whether 0.95 was the threshold
# 4. **Two pictures have the same softmax. May their evidence differ?**
#    - a) no, both come from the same logits
#    - b) yes: softmax sees differences of logits only
#    - c) only if one of them is mislabelled

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ...}

# %% tags=["check"]
check("unlabelled.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "b", "4": "b"}

# %% [markdown]
# ## Clinical data
#
# A radiologist never reads a picture alone. A request comes with it: *woman, 67, both legs ache after 200 m, better when
# she leans on the shopping trolley*. Our networks got none of this.
#
# They lack it. At 40 years, a third of all people **without any complaint** have a disc protrusion on MRI (Brinjikji 2015).
# Whether such a protrusion is *the disease* is not in the picture. Our phantom keeps to that: a finding counts as a disease
# only where there are symptoms, and complaints without a finding of some size are called healthy.
#
# So we add a table, eight columns a patient: age, sex, leg pain worse than back pain, **claudication** (legs that give
# up while walking), **straight-leg raise** (lying, the doctor lifts the leg: does it hurt down the leg?), the
# **Oswestry index** ODI (0 to 100, how disabled by the back), and pain in leg and back (VAS, 0 to 10).
#
# **Read this before any score.** The table is drawn too. We took the mean age and the shares of complaints of each
# disease from published cohorts where there are any, and drew every patient's table by the disease; with it given, how
# *bad* the picture looks says next to nothing about the ODI, as in life. What the table adds below is therefore *what we
# put in*. You will learn how inputs are joined, and how that goes wrong. How much a history is worth in a clinic, only a
# clinic can say.

# %%
import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lumbar_utils import build_model, check, course_size, evaluate, figures, load_dataset
from lumbar_utils.beyond.clinical_table import TableModel, clinical_table, draw_tables
from lumbar_utils.evaluation import Predictions, load_results, mcnemar_exact, paired_difference, wilson
from lumbar_utils.figures.style import BLACK, BLUE, COLOURS, GREY, ORANGE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure
from lumbar_utils.paths import results_folder

clinic_size = course_size(patients=2000)
rows, y_train = draw_tables(clinic_size.patients, seed=121)  # tables alone: nothing is rendered
table_train = clinical_table(rows)  # (2000, 8), NaN where nobody wrote anything down
names = ("Healthy", "Herniated Disk", "Spinal Stenosis", "Spondylosis")
table_train.head().assign(diagnosis=[names[k] for k in y_train[:5]])

# %% [markdown]
# `NaN` means "not a number": here, not written down. In real tables holes are the rule.
#
# Whom do we test on? The zoo's locked patients. The shipped network's answer to each of their pictures is stored, and we
# draw their tables again. *Its validation patients too: we will need them in a while.*

# %%
image_test = load_results("zoo")["cnn"]  # what the shipped network said about 600 locked patients
image_validation = Predictions.load(results_folder() / "zoo" / "validation" / "cnn.csv")

parts = {}
for part, stored in (("validation", image_validation), ("test", image_test)):
    where = stored.provenance["data"][part]["make_dataset"]
    rows, y = draw_tables(where["n_patients"], seed=where["seed"])
    assert np.array_equal(y, stored.labels)  # the same patients, row by row
    parts[part] = clinical_table(rows), y
(table_validation, y_validation), (table_test, y_test) = parts["validation"], parts["test"]

print(f"the same patients: {len(table_test)} to test on; unknown: {table_test.isna().to_numpy().mean():.0%}")

# %% [markdown]
# ### A. The baseline to beat: age
#
# *Look at the ages first. If you knew nothing else of a patient than "67 years", what would you say, and how often would
# you be right?*

# %%
fig = go.Figure()
for k, name in enumerate(names):
    fig.add_box(x=table_train["age_years"][y_train == k], name=name, marker_color=COLOURS[k], boxpoints=False)
middle = table_train["age_years"].groupby(y_train).median()
fig.update_xaxes(title_text="age (years)")
fig.update_yaxes(autorange="reversed")
fig.update_layout(showlegend=False)
finish(
    fig,
    f"Half of the drawn patients with stenosis are older than {middle[2]:.0f}, half of those with a herniation younger "
    f"than {middle[1]:.0f}",
    details="Box: the middle half of the training patients of each class; line: the median.",
    height=280,
)

# %% [markdown]
# A model on age alone, by hand: in each decade, say what is commonest there.

# %%
decade = (table_train["age_years"] // 10).clip(2, 8)
commonest = pd.Series(y_train).groupby(decade.to_numpy()).agg(lambda labels: labels.mode()[0])
by_decade = commonest.reindex(range(2, 9)).ffill().bfill()
answers = by_decade[(table_test["age_years"] // 10).clip(2, 8).to_numpy()].to_numpy()

hits, always = np.sum(answers == y_test), np.bincount(y_test).max()
for who, k in (("age, by decade", hits), ("always the commonest class", always)):
    print(f"{who:<27} {k / 600:.2f} [{wilson(int(k), 600)[0]:.2f}, {wilson(int(k), 600)[1]:.2f}]")
print({f"{10 * int(ten)}s": names[int(label)] for ten, label in by_decade.items()})

# %% [markdown]
# Without a picture, without a complaint, without a doctor. This is what any model with age among its inputs gets for
# free, and so every gain has to be counted from here. Ask of every gain "from clinical data" how much of it is age.
#
# Is it a diagnosis? Age tells *old from young*. The question at the desk is another one: this patient is 55 and the leg
# hurts, is it a herniation or a stenosis?
#
# ### Exercise A (open): age is not a diagnosis
# The **AUC** of a number for two classes is the chance that a patient of the one class has more of it than a patient of the
# other (0.5 is a coin). Take the *test* patients with **stenosis** and with **herniation** (classes 2 and 1). Compute the
# AUC of age for stenosis against herniation, first among all of them, then only among those aged **50 to 60** (both
# included).
#
# *Tool:* `sklearn.metrics.roc_auc_score(is_stenosis, age)`.

# %% tags=["exercise"]
auc_all = ...
auc_same_age = ...

# %% tags=["check"]
check("clinical.age", (auc_all, auc_same_age))

# %% tags=["solution"]
from sklearn.metrics import roc_auc_score

age_test = table_test["age_years"].to_numpy()
leg_pain = np.isin(y_test, (1, 2))
same_age = leg_pain & (age_test >= 50) & (age_test <= 60)
auc_all = roc_auc_score(y_test[leg_pain] == 2, age_test[leg_pain])
auc_same_age = roc_auc_score(y_test[same_age] == 2, age_test[same_age])

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("clinical.age")`.)*
#
# ### B. The whole table, and its holes
#
# Logistic regression wants a number in every cell. The usual recipe is two lines: fill a hole with the median
# (**imputation**), and add a column that says "this was a hole" (a **missing indicator**). Medians, scales and
# coefficients are fitted on the training patients alone.

# %%
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

usual = make_pipeline(
    SimpleImputer(strategy="median", add_indicator=True),
    StandardScaler(),
    LogisticRegression(solver="newton-cholesky"),
).fit(table_train, y_train)
print(f"{np.mean(usual.predict(table_test) == y_test):.2f} of the test patients right, phantom score")

# %% [markdown]
# Now a patient who fell from a horse and came without any paper. We know *nothing*. *What should the model say? And what will
# it say?*

# %%
nobody = table_train.iloc[:1] * np.nan  # one patient, eight unknown values
shares = np.bincount(y_train, minlength=4) / len(y_train)
careful = TableModel().fit(table_train, y_train)

pd.DataFrame(
    [shares, usual.predict_proba(nobody)[0], careful.predict_proba(nobody)[0]],
    index=["shares of the classes", "the usual recipe, no value known", "TableModel, no value known"],
    columns=names,
).style.format("{:.0%}")

# %% [markdown]
# Where nothing is known, the shares of the classes are the honest answer. The usual recipe met few
# holes at a time, and never a missing age. So it answers as for *the median patient*, a person in middle age with moderate
# pain, and leans on things that nobody told it.
#
# The course's `TableModel` is the same recipe plus one idea: it also learns from **copies of the patients with values
# hidden at random**, any share of them, all at times. (And splines in the place of straight lines, so that a class may be
# likeliest in middle age.) Keep this idea, it comes back.
#
# One warning. In our phantom a hole is an accident. In life it is not: nobody asks the healthy about
# claudication. Then the *indicator* predicts, splendidly, until the next clinic uses another form. Rubin (1976) named the
# difference.
#
# ### C. Late fusion: two finished models
#
# One model on pictures, one on tables, and nobody wants to train them again. How do we join their answers?
# The first idea is the mean. We try it on a patient whose picture says *60 % herniation* and whose table says *70 %*.
#
# *Two independent witnesses say "rather yes". Should we be less sure than the surer of them?* The mean is 65 %, and something
# is wrong with that. **Bayes' rule** says what two independent hints are worth. Write $P(k)$ for the share of class $k$, and
# $P(k\mid\text{picture})$, $P(k\mid\text{table})$ for the two answers. If picture and table are independent *given the
# class*, then
#
# $$P(k \mid \text{both}) \;\propto\; P(k)\cdot\frac{P(k\mid\text{picture})}{P(k)}\cdot\frac{P(k\mid\text{table})}{P(k)}.$$
#
# Each fraction is a piece of **evidence**: how much more likely than before. Evidence multiplies; the prior counts once.
# This is a **product of experts**.
#
# ### Exercise B (warm-up): two witnesses
# Two classes only: herniation or not. A quarter of all patients has a herniation. The picture model says 0.6, the table model
# 0.7, and both know the quarter. What does the product of experts say?

# %% tags=["exercise"]
both_say = ...

# %% tags=["check"]
check("clinical.product", both_say)

# %% tags=["solution"]
yes = 0.25 * (0.6 / 0.25) * (0.7 / 0.25)
no = 0.75 * (0.4 / 0.75) * (0.3 / 0.75)
both_say = yes / (yes + no)

# %% [markdown]
# Two things have to be right. Each answer must be divided by the prior that *its* model believes in: the shipped network
# was trained with class weights (lesson 04, section 6), so it believes in equal shares. And the independence is not perfect:
# age wears down the discs that the picture shows, so both models know the age a little, and the product counts that twice.
#
# So we allow an **exponent** on each evidence: 1 is Bayes' rule, less than 1 says "you repeat each other, or you are
# too bold". Two numbers to fit. *On whom?* Not on the patients the network was trained on: it knows their pictures by heart,
# and would get all the trust. On the validation patients.

# %%
from dataclasses import replace

from lumbar_utils import StackingEnsemble, WeightedVotingEnsemble
from lumbar_utils.beyond.fusion import ProductOfExperts


def as_table(stored, table):
    """What the table model says of the patients of a stored prediction."""
    return replace(stored, probabilities=careful.predict_proba(table), model="table only")


image_validation = replace(image_validation, model="image only")
image_test = replace(image_test, model="image only")
on_validation = [image_validation, as_table(image_validation, table_validation)]
on_test = [image_test, as_table(image_test, table_test)]
without_table = [image_test, as_table(image_test, table_test * np.nan)]

equal = np.full(4, 1 / 4)
late = {
    "late weighted mean": WeightedVotingEnsemble(),
    "late stacking": StackingEnsemble(),
    "late product of experts": ProductOfExperts(priors=(equal, None)),
}
fused = {name: way.fit(on_validation).combine(on_test) for name, way in late.items()}
exponents = late["late product of experts"].exponents_
print(f"exponents: picture {exponents[0]:.2f}, table {exponents[1]:.2f}; Bayes' rule has 1 and 1")

# %%
age_model = TableModel(("age_years",)).fit(table_train, y_train)
age_test_says = replace(image_test, probabilities=age_model.predict_proba(table_test), model="age alone")
all_models = {"age alone": age_test_says, "table only": on_test[1], "image only": image_test, **fused}
reports = {name: evaluate(predictions) for name, predictions in all_models.items()}
figures.compare_accuracy(reports)

# %% [markdown]
# Which of these differences would survive other patients? In pairs (lesson 16, section 6):

# %%
product = fused["late product of experts"]
for rival in ("image only", "table only", "late weighted mean"):
    gain, test = paired_difference(product, all_models[rival]), mcnemar_exact(product, all_models[rival])
    verdict = "apart" if gain.low > 0 or gain.high < 0 else "not told apart by these patients"
    print(f"product minus {rival:<20} {gain}, p {test.p_value:.2g}: {verdict}")

# %% [markdown]
# Accuracy is half of the story. *Are the claims honest, and what happens on the day when the table does not come?* Each model
# is asked again, with every value missing. The **ECE** says how far claims and truth lie apart (lesson 16, section 8); the loss
# (NLL) is 1.39 for a model without an idea.

# %%
empty = {name: late[name].combine(without_table) for name in late}
empty["image only"] = image_test
lines = []
for name in ("image only", *late):
    report, p = reports[name], empty[name].probabilities
    lines.append(
        {
            "model": name,
            "accuracy": f"{report.accuracy.value:.3f}",
            "ECE": f"{report.calibration_error.value:.3f}",
            "ECE by chance, up to": f"{report.calibration_error_by_chance:.3f}",
            "accuracy, no table": f"{np.mean(p.argmax(axis=1) == y_test):.3f}",
            "NLL, no table": f"{-np.mean(np.log(p[np.arange(600), y_test])):.3f}",
        }
    )
scores = pd.DataFrame(lines).set_index("model")
losers = [
    name
    for name in late
    if float(scores.loc[name, "NLL, no table"]) > float(scores.loc["image only", "NLL, no table"]) + 0.02
]
print(f"Without a table, worse than the picture alone: {', '.join(losers) or 'none of them'}.")
scores

# %% [markdown]
# Read the last two columns. A table model that knows nothing repeats the shares of the classes, and in the product that is
# evidence of 1: nothing is added, and the picture decides. A mean cannot do that: it mixes the shares into every answer.
# Stacking has learned what a *filled-in* table is worth, and gives an empty one the same weight. We take the product, for
# this reason and because two parameters are soon fitted.
#
# ### D. Do more inputs ever hurt?
#
# "The model can ignore what it does not need." *Can it?* We take 60 training patients, as many as a
# small study has, and give the usual recipe columns of pure noise beside the eight real ones: blood group, day of the week,
# number of the parking lot.

# %%
rng = np.random.default_rng(18)
numbers_of_columns = [0, 5, 10, 20, 40, 80]
n_draws = max(2, clinic_size.patients // 200)  # ten draws of 60 patients
reached = np.empty((n_draws, len(numbers_of_columns)))
for draw in range(n_draws):
    few = rng.permutation(len(table_train))[:60]
    noise_train, noise_test = rng.normal(size=(60, 80)), rng.normal(size=(600, 80))
    for column, n in enumerate(numbers_of_columns):
        model = make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(solver="newton-cholesky")
        )
        model.fit(np.column_stack([table_train.iloc[few], noise_train[:, :n]]), y_train[few])
        said = model.predict(np.column_stack([table_test, noise_test[:, :n]]))
        reached[draw, column] = 100 * np.mean(said == y_test)

fig = go.Figure()
for draw in reached:
    fig.add_scatter(
        x=numbers_of_columns,
        y=draw,
        mode="lines",
        line={"color": GREY, "width": 1},
        showlegend=False,
        opacity=0.5,
    )
fig.add_scatter(
    x=numbers_of_columns, y=reached.mean(axis=0), line={"color": VERMILLION, "width": 3}, name="mean"
)
fig.update_xaxes(title_text="noise columns beside the eight real ones")
fig.update_yaxes(title_text="accuracy on 600 phantom patients (%)")
fig.update_layout(legend={"x": 0.98, "y": 0.98, "xanchor": "right"})
finish(
    fig,
    f"80 columns of noise move the accuracy from {reached[:, 0].mean():.0f} to {reached[:, -1].mean():.0f} %, learned from 60 "
    "patients",
    details="Each grey line: one draw of 60 training patients; the noise is drawn anew for each.",
    height=340,
)

# %% [markdown]
# With 60 patients, some parking lots go with stenosis by luck, and a model cannot know that it was luck. An input
# costs patients. And a *useful* input can hurt as well: one that is not there at the next clinic, or means something
# else there. That comes next.
#
# ### E. Intermediate fusion: one network, two entrances
#
# Late fusion joins finished answers. A network can join earlier, where picture and table are still features: "a slightly
# narrow canal" together with "67 years, claudication" may mean more than the two answers tell. The image network keeps its
# weights and hands over its 128 means (lesson 04, section 4). The table comes as 8 scaled values and 8 marks "unknown".
#
# And the idea of section B comes back as a layer. `HideValues` hides values of half of the patients in every training
# step, all eight at times. It is **dropout** for inputs (Neverova 2016 called it ModDrop), and the reason why a patient
# without a table gets a sensible answer.

# %%
from keras import layers

from lumbar_utils.beyond.fusion import HideValues

both = keras.Input((128 + 16,))  # (N, 144) features of the picture, then values and marks
seen = layers.Dense(32, activation="relu")(both[:, :128])  # (N, 32)
told = HideValues(0.5)(both[:, 128:])  # (N, 16)
told = layers.Dense(32, activation="relu")(told)  # (N, 32)
x = layers.Concatenate()([seen, told])  # (N, 64)
x = layers.Dropout(0.3)(x)
x = layers.Dense(32, activation="relu")(x)  # (N, 32)
head = keras.Model(both, layers.Dense(4)(x))  # (N, 4) logits
print(
    f"{head.count_params():,} parameters: {128 * 32 + 32:,} + {16 * 32 + 32} + {64 * 32 + 32:,} + {32 * 4 + 4}"
)

# %% tags=["expected"]
# 6,884 parameters: 4,128 + 544 + 2,080 + 132

# %% [markdown]
# `IntermediateFusion` builds and trains just this head. **On whom?** Again on patients whom the image network has *not*
# learned. On its own training patients the features look surer than they ever will again, and the head would learn that
# tables are not needed. So we draw new ones. Small numbers, so that it is quick; the large run is stored.
#
# *Will a head that has learned from so few patients beat the picture alone? And without a table?*

# %%
from lumbar_utils.beyond.fusion import IntermediateFusion
from lumbar_utils.training import backbone_features

size = course_size(epochs=40, patients=240)
fresh = load_dataset("phantom", n_patients=size.patients, seed=218)
shipped = build_model("cnn", weights="phantom")
features = backbone_features(shipped, fresh)  # (240, 128)
table_fresh = clinical_table(fresh)

order = np.random.default_rng(0).permutation(len(fresh))
train, validation, test = np.split(order, [len(fresh) * 6 // 10, len(fresh) * 7 // 10])
fold = lambda rows: (features[rows], table_fresh.iloc[rows], fresh.labels[rows])

fusion = IntermediateFusion(table_dropout=0.5)
fusion.fit(fold(train), fold(validation), epochs=size.epochs)

kernel, bias = shipped.get_layer("logits").get_weights()  # (128, 4) and (4,)
exps = np.exp(features @ kernel + bias)
image_fresh = exps / exps.sum(axis=1, keepdims=True)  # the network's own last layer, by hand

truth = fresh.labels[test]
answers = {
    "picture alone": image_fresh[test],
    "picture and table": fusion.predict_proba(features[test], table_fresh.iloc[test]),
    "picture and empty table": fusion.predict_proba(features[test], table_fresh.iloc[test] * np.nan),
}
pd.DataFrame(
    {
        name: {
            "right": f"{np.sum(p.argmax(axis=1) == truth)} of {len(truth)}",
            "loss": f"{-np.mean(np.log(p[np.arange(len(truth)), truth])):.2f}",
            "mean claim": f"{p.max(axis=1).mean():.0%}",
        }
        for name, p in answers.items()
    }
).T

# %% [markdown]
# A handful of patients, so look at the direction and not at the digits. Intermediate fusion has a price that late fusion
# has not: it throws away the image network's last layer, which was fitted on thousands of patients, for one that has met
# these few. Late fusion keeps both finished models, and fits two numbers.
#
# Here is the same with 2,000 training patients and the 600 locked ones, if the study has been run on this copy of the
# course (`python -m lumbar_utils clinical --compute`):

# %%
from lumbar_utils.evaluation.results import study_names

if "clinical" in study_names():
    study = load_results("clinical")
    shown = {study[key].model: evaluate(study[key]) for key in ("image_only", "late_product", "intermediate")}
    for key in ("intermediate_no_table", "intermediate_no_dropout_no_table"):
        shown[study[key].model] = evaluate(study[key])
    gain = paired_difference(study["intermediate"], study["late_product"])
    apart = gain.low > 0 or gain.high < 0
    print(
        f"intermediate minus late product: {gain}, {'apart' if apart else 'not told apart by 600 patients'}"
    )
    figures.compare_accuracy(shown).show()
else:
    print("No stored study of picture and table here; the heads above are what there is.")

# %% [markdown]
# Table dropout is an insurance. What it paid out *here* is the second difference; our tables have few holes that cluster,
# and a hole was marked in both cases. An insurance is not judged by the year in which the house did not burn, but you should
# know the premium.
#
# Do not expect the network to leave a formula with two exponents far behind *here*. These patients were made so that,
# given the class, complaints know nothing of the picture, and then Bayes' rule is the best there is. Where picture and table
# speak about each other, a network has something to find, and needs the patients to find it with.
#
# ### F. The same model, another clinic
#
# Our drawn clinic sees a quarter of each class. A family doctor sees mostly healthy backs. The picture of a herniation is the
# same in both places; how *common* it is has changed, and Bayes' rule says what to do: multiply by the new shares, divide
# by the old ones, and bring the sum back to 1 (Saerens 2002).
#
# ### Exercise C: take it to the family doctor
# `probabilities` is (N, K), `old` and `new` are (K,) shares. Return the (N, K) probabilities for the new clinic.


# %% tags=["exercise"]
def move(probabilities, old, new): ...


# %% tags=["check"]
check("clinical.prevalence", move)


# %% tags=["solution"]
def move(probabilities, old, new):
    weighted = probabilities * np.asarray(new) / np.asarray(old)
    return weighted / weighted.sum(axis=1, keepdims=True)


# %% [markdown]
# We build the family doctor's waiting room from our locked patients: all the healthy, and one in eight of the others. *What
# will the product of experts get wrong there?* (Until you have solved the exercise, the package's function steps in.)

# %%
from lumbar_utils.beyond.fusion import for_prevalence

ill = np.flatnonzero(y_test != 0)
waiting = np.sort(np.concatenate([np.flatnonzero(y_test == 0), ill[::8]]))
old_shares = late["late product of experts"].prior_
new_shares = np.bincount(y_test[waiting], minlength=4) / len(waiting)
moved = for_prevalence(product.probabilities, old_shares, new_shares)

in_new_clinic = {}
for name, p in (("as it was", product.probabilities), ("moved to the new shares", moved)):
    in_new_clinic[name] = replace(
        product,
        probabilities=p[waiting],
        labels=product.labels[waiting],
        patient_ids=product.patient_ids[waiting],
        model=name,
    )
claimed = {name: 1 - p.probabilities[:, 0].mean() for name, p in in_new_clinic.items()}

fig = go.Figure()
fig.add_bar(
    x=[100 * value for value in claimed.values()], y=list(claimed), orientation="h", marker_color=[ORANGE, BLUE],
    text=[f"{100 * value:.0f} %" for value in claimed.values()], textposition="outside",
)  # fmt: skip
really = 1 - new_shares[0]
fig.add_vline(x=100 * really, line={"color": BLACK, "dash": "dot"})
fig.add_annotation(x=100 * really, y=1, yref="paper", text="really ill", showarrow=False, yanchor="bottom")
fig.update_xaxes(title_text="patients that are ill, as the model believes (%)", range=[0, 60])
finish(
    fig,
    f"Of {len(waiting)} patients at the family doctor's {100 * really:.0f} % are ill; the unmoved model believes "
    f"{100 * claimed['as it was']:.0f} %, the moved one {100 * claimed['moved to the new shares']:.0f} %",
    details="Bars: mean probability of any disease; dotted line: the true share. Phantom patients.",
    height=190,
    above=20,
)

# %%
new_reports = {name: evaluate(p) for name, p in in_new_clinic.items()}
for name, report in new_reports.items():
    print(
        f"{name:<24} accuracy {report.accuracy}, loss {report.nll.value:.3f}, ECE {report.calibration_error.value:.3f}"
    )

# %% [markdown]
# It costs no training, but it has a condition: *a healthy back must look and complain alike in both clinics.* If the
# family doctor's healthy patients are 20 years older, age itself deceives the model, and no multiplication helps. Then you need
# patients from there.
#
# ### G. Play: the request form
#
# A picture from the test part above, and its request form. The forms are filled in as drawn; change them, or set them to
# "unknown". *Can you turn a healthy picture into a stenosis by the form alone? What does the fused answer do when everything
# is unknown? How old must a herniation be before nobody believes it?*

# %%
import ipywidgets as widgets
from plotly.subplots import make_subplots

from lumbar_utils.beyond.fusion import product_of_experts
from lumbar_utils.framing import COLUMN_SIZE, frame
from lumbar_utils.live import show_figure

doubtful = test[np.argsort(image_fresh[test].max(axis=1))[:8]]  # the pictures that leave the most doubt
columns = frame(fresh.images[doubtful], COLUMN_SIZE, "column").pictures

wide = {"style": {"description_width": "130px"}, "layout": {"width": "300px"}}
who = widgets.Dropdown(
    options=[(f"patient {n + 1}", n) for n in range(len(doubtful))], description="picture", **wide
)
age = widgets.IntSlider(min=18, max=90, value=50, description="age (years)", continuous_update=False, **wide)
odi = widgets.IntSlider(
    min=0, max=100, value=30, description="Oswestry index", continuous_update=False, **wide
)
answer = [("unknown", None), ("no", 0), ("yes", 1)]
sex = widgets.Dropdown(options=[("unknown", None), ("man", 0), ("woman", 1)], description="sex", **wide)
leg = widgets.Dropdown(options=answer, description="leg > back pain", **wide)
walk = widgets.Dropdown(options=answer, description="claudication", **wide)
raised = widgets.Dropdown(options=answer, description="straight-leg raise", **wide)
numbers_known = widgets.Checkbox(value=True, description="age and ODI known", indent=False)
form = (age, odi, sex, leg, walk, raised, numbers_known)
screen = widgets.Output()
filling = False  # while a form is filled in, nothing is redrawn


def redraw(change=None):
    if filling:
        return
    told = dict.fromkeys(table_train.columns, np.nan)
    told |= {
        "woman": sex.value,
        "leg_pain_dominant": leg.value,
        "claudication": walk.value,
        "slr_positive": raised.value,
    }
    if numbers_known.value:
        told |= {"age_years": age.value, "odi": odi.value}
    by_table = careful.predict_proba(pd.DataFrame([told], dtype=float))
    by_image = image_fresh[[doubtful[who.value]]].astype(float)
    joined = product_of_experts(
        np.stack([by_image, by_table]), old_shares, priors=(equal, None), exponents=exponents
    )
    fig = make_subplots(1, 2, column_widths=[0.27, 0.73], horizontal_spacing=0.2)
    fig.add_heatmap(z=columns[who.value][::-1], colorscale="gray", showscale=False, row=1, col=1)
    for name, p, colour, pattern in (
        ("table only", by_table, ORANGE, "/"), ("image only", by_image, GREY, ""), ("both", joined, BLUE, ""),
    ):  # fmt: skip
        fig.add_bar(
            x=100 * p[0], y=names, orientation="h", name=name, marker_color=colour, marker_pattern_shape=pattern,
            row=1, col=2,
        )  # fmt: skip
    fig.update_xaxes(visible=False, row=1, col=1)
    fig.update_yaxes(visible=False, scaleanchor="x", row=1, col=1)
    fig.update_xaxes(title_text="probability (%)", range=[0, 100], row=1, col=2)
    fig.update_yaxes(autorange="reversed", row=1, col=2)
    fig.update_layout(legend={"orientation": "h", "x": 0.4, "y": 1.0, "yanchor": "bottom"})
    best = int(joined[0].argmax())
    drawn_as = names[fresh.labels[doubtful[who.value]]]
    finish(
        fig,
        f"Both together: {names[best]}, {joined[0, best]:.0%} (picture {by_image[0, best]:.0%}, table "
        f"{by_table[0, best]:.0%}); drawn as {drawn_as}",
        details="The column of one phantom, and the probability of each class by table, by picture and by both.",
        height=330,
        above=24,
    )
    show_figure(screen, fig)


def fill_in(change=None):
    """Put the drawn patient's own table into the form."""
    global filling
    own = table_fresh.iloc[doubtful[who.value]]
    filling = True
    for control, column in (
        (sex, "woman"),
        (leg, "leg_pain_dominant"),
        (walk, "claudication"),
        (raised, "slr_positive"),
    ):
        control.value = None if np.isnan(own[column]) else int(own[column])
    age.value = int(own["age_years"])
    odi.value = 30 if np.isnan(own["odi"]) else int(own["odi"])
    numbers_known.value = True
    filling = False
    redraw()


who.observe(fill_in, names="value")
for control in form:
    control.observe(redraw, names="value")
fill_in()
widgets.VBox([widgets.HBox([widgets.VBox([who, *form[:3]]), widgets.VBox(form[3:])]), screen])

# %% tags=["drive"]
import time

for control, value in (
    (who, 1), (age, 18), (age, 90), (odi, 95), (walk, 1), (walk, 0), (walk, None), (raised, 0), (raised, 1),
    (leg, 0), (leg, 1), (sex, 0), (sex, 1), (numbers_known, False),
):  # fmt: skip
    shown, started = screen.outputs, time.perf_counter()
    moved_control = control.value != value
    control.value = value
    assert time.perf_counter() - started < 3
    assert not moved_control or screen.outputs != shown, control

# %% [markdown]
# You have just built every patient that a shortcut would love. A fused model follows the form wherever the picture is in
# doubt. If the form is wrong, or says "70 years", so will the answer be.
#
# ## Quiz on clinical data
#
# 1. **Adding the patient's parking lot to the inputs of a model learned from 60 patients ...**
#    - a) cannot hurt, the model gives it the weight 0
#    - b) usually hurts: by luck some lots go with a disease, and the model learns the luck
#    - c) helps a little, more data is better
# 2. **A model on pictures and tables beats the picture alone by 5 points. First question?**
#    - a) how much of that age alone would give, and whether it holds among patients of one age
#    - b) which network was used
#    - c) whether it was fitted by late or by intermediate fusion

# %% tags=["exercise"]
quiz = {"1": ..., "2": ...}

# %% tags=["check"]
check("clinical.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "a"}

# %% [markdown]
# ## What you have seen
#
# - Pictures without labels show where data lie. The strong change says what does not matter, and that is your knowledge, not
#   theirs.
# - A pseudo-label is an opinion. A bold network has many; whether they are right can be measured on phantoms only.
# - Softmax is sure when one logit leads; evidence is sure when the network has seen the like.
# - A fair baseline gets the same changes, the same steps, and nothing chosen on labels that the other did without.
# - Who is labelled matters: with few labels, draw more than once.
# - Age alone answers better than always naming the commonest class. That is the baseline, and no diagnosis: among
#   patients of one age it has little left to say.
# - An imputed hole makes a patient of the middle. A model that has practised with hidden values says "I do not know".
# - Independent evidence multiplies, and the prior counts once. A mean of probabilities is timid.
# - Whatever joins two models is fitted on patients from whom neither has learned.
# - An input costs patients. One that is missing, or means something else at the next clinic, can cost more.
# - Another clinic has other shares. Multiply by the new, divide by the old, and say what you assumed.
# - The tables here were drawn by class. What they add is what was put in. **All scores but those
#   on published discs are phantom scores.**
#
# ## References
#
# - Sohn K. et al. FixMatch: simplifying semi-supervised learning with consistency and confidence. NeurIPS 2020.
# - Hai J. et al. Semantic contrast with uncertainty-aware pseudo label for lumbar semi-supervised classification. Computers in
#   Biology and Medicine 2024;178:108754 (abstract read).
# - Sensoy M., Kaplan L., Kandemir M. Evidential deep learning to quantify classification uncertainty. NeurIPS 2018.
# - Khosla P. et al. Supervised contrastive learning. NeurIPS 2020.
# - Cubuk E. D. et al. RandAugment: practical automated data augmentation with a reduced search space. CVPR Workshops 2020.
# - Rubin (1976), *Inference and missing data*, Biometrika 63:581.
# - Kittler, Hatef, Duin and Matas (1998), *On combining classifiers*, IEEE Trans Pattern Anal Mach Intell 20:226.
# - Saerens, Latinne and Decaestecker (2002), *Adjusting the outputs of a classifier to new a priori probabilities: a simple
#   procedure*, Neural Computation 14:21.
# - Brinjikji and others (2015), *Systematic literature review of imaging features of spinal degeneration in asymptomatic
#   populations*, Am J Neuroradiol 36:811.
# - Neverova, Wolf, Taylor and Nebout (2016), *ModDrop: adaptive multi-modal gesture recognition*, IEEE Trans Pattern Anal
#   Mach Intell 38:1692.
# - Huang, Pareek, Seyyedi, Banerjee and Lungren (2020), *Fusion of medical imaging and electronic health records using deep
#   learning: a systematic review and implementation guidelines*, npj Digital Medicine 3:136.
# - Suri and others (2010), *Does this older adult with lower extremity pain have the clinical syndrome of lumbar spinal
#   stenosis?*, JAMA 304:2628.
