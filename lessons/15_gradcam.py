# %% [markdown]
# # Grad-CAM: a heat map looks convincing. What would make us believe it?
#
# **When you have finished you can**
# 1. compute Grad-CAM for any network from its gradient, and say why the gradient is the logit's;
# 2. say how fine a map can be at best, and score it beside chance, a blob in the middle, edges and that ceiling;
# 3. test whether a map knows what the network has learned, and whether the network used what the map shows;
# 4. find a planted shortcut with a map, prove it, and name a shortcut that no map shows;
# 5. tell a claim about heat maps that could fail from one that could not.
#
# *About 70 minutes of your time, 75 s of the machine's, 1.3 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# ## 1. Four heat maps, one network
#
# Sixty drawn patients whom no network of this course has met. We cut out the column, as the shipped networks see it, and
# keep those whose lesion shows in it. Their label maps come along, so we know the lesion to the pixel.

# %%
import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import tensorflow as tf

from lumbar_utils import build_model, check, course_size, explain, figures, fit, lesion_mask, load_dataset
from lumbar_utils.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PALE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure
from lumbar_utils.framing import COLUMN_SIZE, frame

size = course_size(epochs=12, patients=240)
clinic = load_dataset("phantom", n_patients=size.patients // 4, seed=15)
framed = frame(clinic.images, COLUMN_SIZE, "column")
names = clinic.class_names

label_maps = framed.carry(clinic.masks)  # (60, 192, 96)
lesions = np.stack([lesion_mask(label_maps[i], names[clinic.labels[i]]) for i in range(len(clinic))])
seen = lesions.any(axis=(1, 2))

lesions, label_maps, labels = lesions[seen], label_maps[seen], clinic.labels[seen]
patients, framed, whole_masks = clinic.patient_ids[seen], framed[seen], clinic.masks[seen]
pictures = framed.pictures  # (N, 192, 96) uint8
x = pictures[..., None].astype("float32") / 255  # (N, 192, 96, 1)
print(f"{len(x)} of {len(clinic)} patients show their lesion; it covers {lesions.mean():.1%} of the column")

# %% [markdown]
# Here is one of them, four times, each time under another heat map. **One** map comes from the CNN that the course ships,
# trained on thousands of patients. The other three come from the same CNN *with random weights*, from the *edges* in the
# picture, and from a *blob in the middle* that has not even looked at it. All are drawn with equally coarse cells.
#
# *Which is which? Which one would you have put into a paper? Write it down before you go on.*

# %%
import cv2

from lumbar_utils.cam.references import centre_map, edge_map
from lumbar_utils.explain import randomised_network

cnn = build_model("cnn", weights="phantom")
untrained = randomised_network(cnn, seed=0)  # the same layers, weights drawn anew


def coarse(heat):
    """Return heat (192, 96) as 24 x 12 cells would show it."""
    cells = cv2.resize(heat, (12, 24), interpolation=cv2.INTER_AREA)
    return cv2.resize(cells / cells.max(), (96, 192), interpolation=cv2.INTER_LINEAR)


one = int(np.argmax(lesions.sum(axis=(1, 2)) * (labels == names.index("Herniated Disk"))))
column, true_class = x[[one]], labels[[one]]
line_up = {
    "the trained CNN": explain(cnn, column, class_index=true_class)[0],
    "the CNN with random weights": explain(untrained, column, class_index=true_class)[0],
    "the edges in the picture": coarse(edge_map(pictures[one])),
    "a blob in the middle": coarse(centre_map(*COLUMN_SIZE)),
}
shuffled = [list(line_up)[i] for i in np.random.default_rng(15).permutation(4)]
figures.picture_grid(
    [pictures[one]] * 4,
    ["A", "B", "C", "D"],
    overlays=[line_up[name] for name in shuffled],
    title=f"{names[labels[one]]}: four maps, and one of them comes from a trained network",
)

# %%
for letter, name in zip("ABCD", shuffled, strict=True):
    inside = line_up[name][lesions[one]].sum() / line_up[name].sum()
    print(f"{letter}: {name:<28} {inside:.1%} of its heat lies in the lesion")
print(f"   {'chance':<28} {lesions[one].mean():.1%}, the lesion's share of the column")

# %% [markdown]
# Did you get all four? Even if you did: you *knew* that three were wrong. A reader of a paper sees one map, and that one
# is warm on the spine, because nearly everything in such a picture is spine. **Plausible** means: it looks as if a
# radiologist had pointed. **Faithful** means: the network used what is hot. Neither follows from the other, and the eye
# judges only the first.
#
# ## 2. Grad-CAM by gradient
#
# In lesson 04, section 10, we weighed the last maps by the dense layer's weights. That works because nothing but a mean
# stands between the maps and the dense layer. For other networks we need a question that makes sense everywhere: **if map
# $k$ were a little brighter in this cell, how much would the logit grow?** That is a derivative, and TensorFlow takes it.
#
# We cut the CNN in two, behind its last maps, and let a `GradientTape` watch the cut.

# %%
body = keras.Model(cnn.inputs[0], cnn.get_layer("block5_relu").output)  # (N, 192, 96, 1) -> (N, 24, 12, 128)
head = keras.Sequential(
    [keras.Input((24, 12, 128)), cnn.get_layer("features"), cnn.get_layer("dropout"), cnn.get_layer("logits")]
)


def in_eights(network, x):
    """Run a network on eight pictures at a time, which spares memory."""
    return np.concatenate([network(x[i : i + 8], training=False) for i in range(0, len(x), 8)])


def gradient_at_the_cut(x, classes):
    maps = tf.constant(in_eights(body, x))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logits = head(maps, training=False)  # (N, 4)
        logit = tf.gather(logits, classes, axis=1, batch_dims=1)  # (N,) of each picture's class
    return maps.numpy(), tape.gradient(logit, maps).numpy(), logits.numpy()


maps, gradients, logits = gradient_at_the_cut(x, labels)
print(maps.shape[1:], gradients.shape[1:])

# %% tags=["expected"]
# (24, 12, 128) (24, 12, 128)

# %% [markdown]
# A gradient for each cell of each map. Grad-CAM takes the **mean** of a map's gradients as its weight, adds up the weighted
# maps, and keeps what is positive (Selvaraju 2017):
#
# $$\alpha_k = \frac{1}{hw}\sum_{ij} \frac{\partial y}{\partial A^k_{ij}}, \qquad
# L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big)$$


# %%
def shown(evidence):
    """Keep what is positive, divide each picture by its maximum, enlarge the cells: (N, h, w) to (N, 192, 96)."""
    positive = np.maximum(evidence, 0)
    peak = positive.max(axis=(1, 2), keepdims=True)
    cells = positive / np.where(peak > 0, peak, 1)  # a map without heat stays empty
    return np.stack([cv2.resize(one_map, (96, 192), interpolation=cv2.INTER_LINEAR) for one_map in cells])


alpha = gradients.mean(axis=(1, 2), keepdims=True)  # (N, 1, 1, 128)
by_hand = shown((alpha * maps).sum(axis=-1))

heat = {"CNN": explain(cnn, x, class_index=labels, batch_size=8)}
print("the same as explain:", np.allclose(by_hand, heat["CNN"], atol=1e-3))

# %% tags=["expected"]
# the same as explain: True

# %% [markdown]
# And lesson 04's weights? *What must the gradient be in a network that averages a map over its 288 cells and multiplies
# the mean by a weight $w_k$?*

# %%
weights = cnn.get_layer("logits").get_weights()[0]  # (128, 4)
print("alike in every cell:", np.allclose(gradients, gradients[:, :1, :1]))
print("288 times the gradient is w:", np.allclose(288 * gradients[:, 0, 0], weights.T[labels], atol=1e-5))

# %% tags=["expected"]
# alike in every cell: True
# 288 times the gradient is w: True

# %% [markdown]
# So lesson 04 was a special case. Remember *alike in every cell*: in section 5 it decides which methods can differ at all.
#
# ## 3. Why the logit and not the probability?
#
# The probability is what one reads off, so why not ask what raises *that*? Softmax has the derivative
# $\partial p_c / \partial z_c = p_c\,(1-p_c)$. *What happens to it when the network is sure?*
#
# ### Exercise 1 (warm-up): how deaf is a sure network?
# How many times **smaller** is $p(1-p)$ at $p = 0.99$ than at $p = 0.5$?

# %% tags=["exercise"]
times_smaller = ...

# %% tags=["check"]
check("gradcam.sure", times_smaller)

# %% tags=["solution"]
times_smaller = (0.5 * 0.5) / (0.99 * 0.01)

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("gradcam.sure")`.)*
#
# Now for our patients: the length of both gradients, against the probability of the class. We only exchange what the tape
# follows back.

# %%
at_the_cut = tf.convert_to_tensor(maps)
with tf.GradientTape() as tape:
    tape.watch(at_the_cut)
    p = tf.gather(tf.nn.softmax(head(at_the_cut, training=False)), labels, axis=1, batch_dims=1)
through_softmax = tape.gradient(p, at_the_cut).numpy()
probability = p.numpy()


def length(gradient):
    return np.linalg.norm(gradient.reshape(len(gradient), -1), axis=1)


smallest = 1e-10  # a logarithmic axis has no 0
fig = go.Figure()
for name, gradient, colour, symbol in (
    ("of the logit", gradients, BLUE, "circle"),
    ("of the probability", through_softmax, VERMILLION, "diamond"),
):
    marker = {"color": colour, "symbol": symbol, "size": 9}
    y = np.maximum(length(gradient), smallest)
    fig.add_scatter(x=100 * probability, y=y, mode="markers", name=name, marker=marker)
fig.update_xaxes(title_text="probability of the true class (%)", range=[-2, 102])
fig.update_yaxes(
    title_text="length of the gradient (logarithmic)", type="log", exponentformat="power", dtick=2
)
fig.update_layout(legend={"x": 0.02, "y": 0.05, "yanchor": "bottom"})
weakest = np.max(length(gradients)) / max(np.min(length(through_softmax)), smallest)
finish(
    fig,
    f"The logit's gradient hardly changes; the probability's fades by up to {weakest:,.0f} times"
    if weakest < 1e5
    else "The logit's gradient hardly changes; the probability's fades to nothing where the network is sure",
    details="Length of both gradients at the last maps, by the probability of the true class; one point a patient.",
    height=330,
)

# %% [markdown]
# Grad-CAM divides by its maximum, so would a short gradient not do as well? Two things speak against it. Where the
# probability rounds to 1, the class's own part, $p\,(1-p)$, is exactly 0, and the heat is made of rounding and of what is left
# of the other classes. And softmax always mixes the classes: its gradient is that of $z_c$ minus a mean of all classes'
# gradients, so heat may mean "speaks against stenosis" as well as "speaks for herniation". That is a fair question too (*why
# this rather than that?*), but another one. *Where do the maps part?*

# %%
softmax_map = shown((through_softmax.mean(axis=(1, 2), keepdims=True) * maps).sum(axis=-1))
surest = int(np.argmin(length(through_softmax)))
torn = int(np.argmin(np.abs(probability - 0.5)))
figures.picture_grid(
    [pictures[surest]] * 2 + [pictures[torn]] * 2,
    [f"{what}, p = {probability[i]:.4f}" for i in (surest, torn) for what in ("logit", "probability")],
    overlays=[heat["CNN"][surest], softmax_map[surest], heat["CNN"][torn], softmax_map[torn]],
    title="The surest patient and a doubtful one, each by the logit's gradient and by the probability's",
)

# %% [markdown]
# From here on: always the logit, for the sure and the doubtful alike. (`explain` refuses a network that ends in softmax, for this reason.)
#
# ## 4. As fine as the grid allows
#
# A map has 24 × 12 cells, and the picture is enlarged from them. How large is a cell on the patient? The frame's matrix says
# how many of its pixels stand for one pixel of the slice, and a pixel of the slice is 1.25 mm.

# %%
zoom = np.sqrt(np.linalg.det(framed.matrices[:, :, :2]))  # (N,) pixels of the frame for one of the slice
cell_mm = 8 * 1.25 / zoom
print(f"a cell of the shipped CNN: {cell_mm.min():.0f} to {cell_mm.max():.0f} mm wide")
print(f"a cell of ResNet50 at 224 pixels, 7 x 7: {224 / 7 * 1.25:.0f} mm wide, one vertebral level")

# %% [markdown]
# A herniation is 5 mm deep. No map of such cells can draw it, *however right the network is*. So what is the best that a
# grid can do? We let it cheat: each cell is told exactly how much of it the lesion fills, and is enlarged as a heat map is.
# What this **perfect map** scores is the grid's **ceiling**.
#
# ### Exercise 2: a perfect map in one cell
# A lesion of 6 × 8 pixels lies inside one cell of 32 × 32. The perfect map is 1 in that cell and 0 in all others, drawn
# as a plain square without smoothing. Which share of its heat lies inside the lesion?

# %% tags=["exercise"]
best_share = ...

# %% tags=["check"]
check("gradcam.ceiling", best_share)

# %% tags=["solution"]
best_share = 6 * 8 / (32 * 32)

# %% [markdown]
# Let us see it on the whole slice, 224 × 224 pixels, for the grids that the famous networks leave: 7 × 7 (ResNet50, DenseNet,
# MobileNet), 14 × 14 (VGG16 before its last pooling), and 28 × 28, an earlier layer.

# %%
from lumbar_utils.cam.masks import energy
from lumbar_utils.cam.references import perfect_maps

whole_lesions = np.stack(
    [lesion_mask(mask, names[label]) for mask, label in zip(whole_masks, labels, strict=True)]
)
perfect = {n: perfect_maps(whole_lesions, (n, n)) for n in (28, 14, 7)}
ceilings = {
    n: np.mean([energy(m, lesion) for m, lesion in zip(perfect[n], whole_lesions, strict=True)])
    for n in perfect
}


def around(lesion, half):
    """Return the window of 2 x `half` pixels around the middle of a lesion, inside the picture."""
    corner = [
        int(np.clip(np.mean(where) - half, 0, side - 2 * half))
        for where, side in zip(np.nonzero(lesion), lesion.shape, strict=True)
    ]
    return tuple(slice(first, first + 2 * half) for first in corner)


whole = clinic.images[seen][one]
near = around(whole_lesions[one], 56)  # 140 mm of the slice
figures.picture_grid(
    [whole[near]] * 4,
    ["the lesion", *(f"{n} x {n}: {1.25 * 224 / n:.0f} mm a cell" for n in perfect)],
    overlays=[whole_lesions[one][near], *(perfect[n][one][near] for n in perfect)],
    title=f"Perfect maps: on 7 x 7 cells at most {ceilings[7]:.0%} of the heat can lie in the lesion, on 28 x 28 "
    f"{ceilings[28]:.0%}",
)

# %% [markdown]
# The map on the right knows the truth, and it covers more than a level. (The title gives means over all our patients.)
# Two things follow. A map on 7 × 7 cells cannot tell the canal from the disc beside it. And **two
# networks with different grids cannot be compared by their raw scores**: the finer grid wins before it has seen anything.
#
# ## 5. Six methods, one case
#
# Grad-CAM has many relatives. All of them weigh maps $A^k$; they differ in what the weight is made of. $g^k_{ij}$ is the
# gradient in a cell, $\bar g^k$ its mean over the cells.
#
# | method | map, before ReLU | in a sentence |
# |---|---|---|
# | Grad-CAM | $\sum_k \bar g^k A^k$ | a map counts by its mean gradient, alike in all cells |
# | Grad-CAM++ | $\sum_k \big(\sum_{ij} a^k_{ij}\, \mathrm{ReLU}(g^k_{ij})\big) A^k$ | positive gradients only, cells weighted so that several small findings count like one large |
# | HiResCAM | $\sum_k g^k_{ij} A^k_{ij}$ | each cell by its own gradient, nothing averaged |
# | LayerCAM | $\sum_k \mathrm{ReLU}(g^k_{ij})\, A^k_{ij}$ | the same, but what speaks against the class takes nothing away |
# | Score-CAM | $\sum_k s_k A^k$ | no gradient: look through map $k$ as through a mask, and $s_k$ is the softmax over the logits that come out |
# | Eigen-CAM | $\sum_k v_k A^k$ | no class at all: $v$ is the direction in which the cells of this picture are strongest |
#
# Two of these you have the parts for. *In section 2 the gradient was alike in every cell. Which of the six must then give
# the same map as Grad-CAM?*

# %%
hires_by_hand = shown((gradients * maps).sum(axis=-1))
print("HiResCAM is Grad-CAM here:", np.allclose(hires_by_hand, by_hand, atol=1e-4))

# %% tags=["expected"]
# HiResCAM is Grad-CAM here: True

# %% [markdown]
# ### Exercise 3: write LayerCAM
# You get `maps` and `gradients`, both (N, h, w, C). Return (N, h, w): the formula of the table, and then each picture divided by
# its own maximum. A picture in which nothing speaks for the class stays all zeros.


# %% tags=["exercise"]
def layer_cam(maps, gradients): ...


# %% tags=["check"]
check("gradcam.layercam", layer_cam)


# %% tags=["solution"]
def layer_cam(maps, gradients):
    evidence = (np.maximum(gradients, 0) * maps).sum(axis=-1)  # (N, h, w)
    peak = evidence.max(axis=(1, 2), keepdims=True)
    return evidence / np.where(peak > 0, peak, 1)


# %% [markdown]
# Now all six, for every patient, at the last maps. Score-CAM runs the network once for each of 128 maps, so this cell
# takes a while. We write its loop with small batches; for the others `explain` is enough.

# %%
from lumbar_utils.cam import ScoreCAM

METHODS = {
    "Grad-CAM": "gradcam",
    "Grad-CAM++": "gradcam++",
    "HiResCAM": "hirescam",
    "LayerCAM": "layercam",
    "Score-CAM": "scorecam",
    "Eigen-CAM": "eigencam",
}


def score_cam(network, x, classes):
    """Return Score-CAM of the last maps, (N, 192, 96): each map in turn is the mask through which the network looks."""
    last_maps = in_eights(keras.Model(network.inputs[0], network.get_layer("block5_relu").output), x)

    def logit(masked, rows):  # of each masked picture's class
        return in_eights(network, masked)[np.arange(len(rows)), classes[rows]]

    return shown(ScoreCAM().heat(last_maps, x, logit, batch_size=8))


def heat_of(network, x, classes, name):
    if name == "Score-CAM":
        return score_cam(network, x, classes)
    return explain(network, x, METHODS[name], class_index=classes, batch_size=8)


by_method = {name: heat_of(cnn, x, labels, name) for name in METHODS}


def mean_energy(heats, masks=lesions):
    """Return the mean share of the heat that lies in the lesion."""
    return np.mean([energy(one_heat, mask) for one_heat, mask in zip(heats, masks, strict=True)])


from lumbar_utils.cam.similarity import spearman  # 1: the same order of pixels, 0: none

alike = {
    name: spearman(by_method["Grad-CAM"][one], by_method[name][one]) for name in METHODS if name != "Grad-CAM"
}
farthest = min(alike, key=alike.get)
figures.picture_grid(
    [pictures[one]] * 7,
    ["the lesion", *METHODS],
    overlays=[lesions[one], *(by_method[name][one] for name in METHODS)],
    title=f"Like Grad-CAM, by rank correlation: HiResCAM {alike['HiResCAM']:.2f}, and at the other end {farthest} "
    f"{alike[farthest]:.2f}",
)

# %% [markdown]
# Most look alike, and that is no proof that they are right: they share the network, the layer and the grid. Where they can
# really part is an *earlier* layer, in which the gradient differs from cell to cell. We take the second block: 48 × 24
# cells, half as wide. We look at the neighbourhood of the lesion.

# %%
early = {
    name: explain(cnn, x, METHODS[name], class_index=labels, layer="block2_relu", batch_size=8)
    for name in ("Grad-CAM", "HiResCAM")
}
near = around(lesions[one], 40)
figures.picture_grid(
    [pictures[one][near]] * 4,
    ["the lesion", "Grad-CAM, last maps", *(f"{name}, block 2" for name in early)],
    overlays=[lesions[one][near], heat["CNN"][one][near], *(early[name][one][near] for name in early)],
    title=f"At block 2, {mean_energy(early['Grad-CAM']):.1%} of Grad-CAM's heat and {mean_energy(early['HiResCAM']):.1%} of "
    f"HiResCAM's lie in lesions; at the last maps {mean_energy(heat['CNN']):.1%}",
)

# %% [markdown]
# The title gives means over all patients. Early maps are edges and textures that occur everywhere. Averaging their gradients throws away
# *where* they mattered; multiplying cell by cell keeps it. The method matters, but it is the pair of method **and layer** that
# one has to name.
#
# ## 6. Five scores, and what each must be held against
#
# "Looks good" needs a number. There are several, and each asks something else:
#
# | score | it asks | blind to |
# |---|---|---|
# | pointing game | is the hottest pixel on the lesion, or within 1 cm of it? | everything but one pixel |
# | energy | which share of the heat is inside? | how many lesions got any |
# | IoU | how well does the area above half the maximum fit the lesion? | anything below the threshold |
# | pixel AUPRC | if pixels are taken hottest first, how pure are they on the way? | how much hotter one is than the next |
# | level hit | is the hottest *disc level* one with a lesion? | where on the level |
#
# And each is worth nothing alone. Beside it we put **chance** (warm everywhere), the **blob in the middle**, the **edges**,
# and the grid's **ceiling**. *Level hit sounds easy to please. What will the blob score on it?*

# %%
from lumbar_utils import score_explanations
from lumbar_utils.cam.scores import summarise_scores

vgg16 = build_model("vgg16", weights="phantom")  # the same 24 x 12 cells
heat["VGG16"] = explain(vgg16, x, class_index=labels, batch_size=8)
heat["untrained CNN"] = explain(untrained, x, class_index=labels, batch_size=8)

summaries = {}
for name, heats in heat.items():
    scores = score_explanations(
        heats, lesions, label_maps=label_maps, pictures=pictures, cells=(24, 12), patient_ids=patients
    )
    summaries[name] = summarise_scores(
        scores
    )  # means, and 95 % intervals over patients (lesson 16, section 5)

summaries["CNN"][["value", "low", "high", "chance", "centre", "edges", "ceiling"]].round(3)

# %%
SCORES = {
    "pointing": "pointing game",
    "energy": "energy",
    "iou": "IoU",
    "auprc": "pixel AUPRC",
    "level_hit": "level hit",
}
least = 0.002  # a logarithmic axis has no 0: what is below is drawn here
fig = go.Figure()
for number, (name, colour, symbol) in enumerate(
    (("CNN", BLUE, "circle"), ("VGG16", GREEN, "diamond"), ("untrained CNN", ORANGE, "square"))
):
    table = summaries[name].loc[list(SCORES)]
    fig.add_scatter(
        x=np.maximum(table["value"], least), y=np.arange(5) - 0.2 + 0.16 * number, mode="markers", name=name,
        marker={"color": colour, "symbol": symbol, "size": 10},
        error_x={"type": "data", "symmetric": False, "array": table["high"] - table["value"],
                 "arrayminus": np.maximum(table["value"], least) - np.maximum(table["low"], least),
                 "thickness": 2, "width": 0},
    )  # fmt: skip
table = summaries["CNN"].loc[list(SCORES)]
for name, colour, symbol in (
    ("chance", BLACK, "x-thin"),
    ("centre", GREY, "circle-open"),
    ("edges", GREY, "hash-open"),
    ("ceiling", VERMILLION, "line-ns"),
):
    marker = {"color": colour, "symbol": symbol, "size": 13, "line": {"width": 2.5, "color": colour}}
    fig.add_scatter(x=table[name], y=np.arange(5) + 0.3, mode="markers", name=name, marker=marker)
fig.update_xaxes(
    title_text="score, with 95 % interval over patients (logarithmic)", type="log", range=[-2.75, 0.08],
    tickvals=[0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1], ticktext=["≤0.002", 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
)  # fmt: skip
for border in np.arange(0.5, 4):
    fig.add_hline(y=border, line={"color": PALE, "width": 1})
fig.update_yaxes(tickvals=np.arange(5), ticktext=list(SCORES.values()), autorange="reversed", showgrid=False)
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
finish(
    fig,
    f"The CNN's energy: {table.loc['energy', 'value']:.1%} against {table.loc['energy', 'chance']:.1%} by chance and at most "
    f"{table.loc['energy', 'ceiling']:.0%}; its level hit: {table.loc['level_hit', 'value']:.0%} against "
    f"{table.loc['level_hit', 'centre']:.0%} for a blob",
    details="Scores of Grad-CAM maps on phantoms, beside chance, a centre blob, edges and the ceiling of 24 x 12 cells.",
    height=430,
    above=52,
)

# %% [markdown]
# Look at two rows. The *energy* looks tiny, and yet it is several times chance, and even a perfect map would leave most of its
# heat outside. The *level hit* looks impressive, and yet a blob that never saw the picture gets more than half of it: many
# patients have lesions at several levels, and the middle one is often among them. A number without its neighbours can be made
# to say anything.
#
# Now compare the networks. Their accuracies on the course's locked test set are stored. *Who is more accurate? And who points
# better?*

# %%
from lumbar_utils import evaluate
from lumbar_utils.evaluation import load_results

stored = load_results("zoo")
rows = []
for name, key in (("CNN", "cnn"), ("VGG16", "vgg16")):
    best = summaries[name].loc["pointing"]
    rows.append(
        {"network": name, "accuracy on phantoms": str(evaluate(stored[key]).accuracy),
         "pointing game": f"{best['value']:.2f} [{best['low']:.2f}, {best['high']:.2f}]",
         "best rival": f"{best['rival']}, {best[best['rival']]:.2f}",
         "above its rival": f"{best['above_rival']:.2f} [{best['above_rival_low']:.2f}, {best['above_rival_high']:.2f}]"}
    )  # fmt: skip
pd.DataFrame(rows).set_index("network")

# %% [markdown]
# If the last interval holds 0, the network's hottest point is not shown to be better than a blob's. Accuracy and pointing
# are two different virtues: a network may be right and point elsewhere, because other signs go with the disease, or because a
# cell of the last maps has seen far more than it covers (lesson 04, section 3).
#
# ### All networks, all methods
#
# Two networks say little. The course has explained its locked test patients with all seven networks, once as trained
# and once with weights drawn anew, and stored every score (`python -m lumbar_utils explanations`; the hours went into Score-CAM, which runs a
# network a hundred times a picture). The rivals now include a map that
# marks **all discs alike**, with a rim of a centimetre: what somebody would draw who finds the discs and cannot tell an ill one.
# *Which of the rivals will be the hardest to beat? And does the best network also point best?*

# %%
from lumbar_utils.cam.stored import stored_scores, summary_of

energy_of_all = summary_of(stored_scores(), "energy")
figures.explanation_scores(energy_of_all)

# %%
of_gradcam = energy_of_all.query("method == 'gradcam' and weights == 'trained'").set_index("network")["value"]
diagnoses = pd.Series({each.model: (each.predicted == each.labels).mean() for each in stored.values()})
for what, by in (("diagnoses best", diagnoses[of_gradcam.index]), ("points best", of_gradcam)):
    name = by.idxmax()
    print(f"{name} {what}: accuracy {diagnoses[name]:.3f}, energy of Grad-CAM {of_gradcam[name]:.3f}")
mean_energies = energy_of_all.query("weights == 'trained'").groupby("method")["value"].mean()
print("mean energy over the networks:", mean_energies.sort_values(ascending=False).round(3).to_dict())

# %% [markdown]
# Read a band from left to right. The open marks, random weights, lie about the cross, chance: these methods do need a network that has
# learned. The filled ones must get past the star, not past the cross, to say more than "somewhere at a disc". And the bar at the
# right is what the network's coarse cells would allow: what lies between is lost by the explanation, not by the grid. Grad-CAM and
# HiResCAM coincide everywhere, because behind the last maps stand an average and one dense layer (section 5). Last, find Score-CAM in each
# band and in the list below the figure: it asks a network once for each map, hundreds of times a picture. Has the price bought anything?
#
# ## 7. Play: choose what you see
#
# Six patients, six methods, two networks: the trained one, and the one with random weights. The threshold hides everything
# below it; that is the knob with which a figure in a paper is made. *Find a patient and a threshold for which the **untrained**
# network looks convincing. How long did it take you?*

# %%
import ipywidgets as widgets

from lumbar_utils.cam.masks import iou
from lumbar_utils.live import show_figure

by_class = [np.flatnonzero(labels == k)[:2] for k in range(1, 4)]
offered = np.concatenate(by_class).tolist()  # two patients of each disease, as far as there are
ready = {("trained", name): by_method[name][offered] for name in METHODS}
for name in METHODS:
    ready["random weights", name] = heat_of(untrained, x[offered], labels[offered], name)
ceiling_maps = perfect_maps(lesions[offered], (24, 12))

patient = widgets.Dropdown(
    options=[(f"{names[labels[i]]}, {patients[i]}", n) for n, i in enumerate(offered)], description="patient"
)
method = widgets.Dropdown(options=list(METHODS), description="method")
network = widgets.ToggleButtons(options=["trained", "random weights"], description="network")
threshold = widgets.IntSlider(
    value=0, min=0, max=90, step=10, description="hide below (%)", style={"description_width": "initial"}
)
screen = widgets.Output()


def redraw(change=None):
    n = patient.value
    truth, whole_heat = lesions[offered[n]], ready[network.value, method.value][n]
    kept = np.where(whole_heat >= threshold.value / 100, whole_heat, 0)
    fig = figures.heat_overlay(pictures[offered[n]], kept, outline=truth)
    best = ceiling_maps[n]
    fit_at = iou(kept, truth, max(threshold.value / 100, 0.01)) if kept.any() else 0.0
    figures.retitle(
        fig,
        f"{energy(kept, truth):.1%} of the heat in the lesion: chance {truth.mean():.1%}, ceiling "
        f"{energy(best, truth):.0%}; area above the threshold: IoU {fit_at:.2f}",
    )
    show_figure(screen, fig)


for control in (patient, method, network, threshold):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([patient, method]), widgets.HBox([network, threshold]), screen])

# %% tags=["drive"]
for control, other in ((method, "LayerCAM"), (network, "random weights"), (threshold, 50), (patient, 1)):
    before = screen.outputs
    control.value = other
    assert screen.outputs != before, control

# %% [markdown]
# If you found one: one patient, one threshold, one pleasing map. That is how a convincing figure is made without anybody
# lying. And watch the energy and the IoU while you move the threshold: the numbers change, and nothing was learned in between.
#
# ## 8. Does the map know what the network learned?
#
# Adebayo and colleagues (2018) asked it in the simplest way: **make the network forget, and see whether the map notices.** We draw
# the weights anew, layer by layer from the top, and compare each new map with the first one by Spearman's rank correlation:
# 1 means the same order of pixels, 0 none. Beside it runs a "method" that ignores the network altogether: the edges.
#
# *What do you expect of the edges? And what would you say about a heat map that behaves like them?*

# %%
from lumbar_utils.explain.sanity import randomised_networks


def likeness(first, second):
    return np.mean([spearman(a, b) for a, b in zip(first, second, strict=True)])


few = slice(0, 20)
trained_maps, few_lesions = heat["CNN"][few], lesions[few]
cascade = [("trained", 1.0, mean_energy(trained_maps, few_lesions))]
for layer, forgetful in randomised_networks(cnn, seed=0):  # logits first, block1_conv last
    new = explain(forgetful, x[few], class_index=labels[few], batch_size=10)
    cascade.append((layer, likeness(trained_maps, new), mean_energy(new, few_lesions)))

# %%
from plotly.subplots import make_subplots

stages, like, inside = (list(column) for column in zip(*cascade, strict=True))
fig = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1, row_heights=[0.55, 0.45])
for name, y, colour, symbol, dash in (
    ("edges, whatever the network", [1.0] * len(stages), GREY, "diamond", "dash"),
    ("Grad-CAM", like, BLUE, "circle", "solid"),
):
    style = {"line": {"color": colour, "dash": dash}, "marker": {"symbol": symbol, "size": 9}}
    fig.add_scatter(x=stages, y=y, mode="lines+markers", name=name, **style, row=1, col=1)
fig.add_scatter(
    x=stages, y=100 * np.array(inside), mode="lines+markers", showlegend=False, line_color=BLUE, marker_size=9, row=2, col=1
)  # fmt: skip
few_chance = few_lesions.mean()
fig.add_scatter(
    x=stages, y=[100 * few_chance] * len(stages), mode="lines", name="chance", line={"color": BLACK, "dash": "dot"}, row=2, col=1
)  # fmt: skip
fig.update_yaxes(title_text="likeness", range=[-0.3, 1.1], row=1, col=1)
fig.update_yaxes(title_text="heat in the<br>lesion (%)", rangemode="tozero", row=2, col=1)
fig.update_xaxes(title_text="forgotten from the logits down to this layer", tickangle=-40, row=2, col=1)
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"})
finish(
    fig,
    f"Forget the last layer alone, and the map's likeness falls to {like[1]:.2f}, its heat in the lesion from "
    f"{inside[0]:.1%} to {inside[1]:.1%}",
    details="Cascading randomisation of the shipped CNN: Spearman correlation with the trained map, and energy.",
    height=430,
    above=30,
)

# %% [markdown]
# Grad-CAM passes: without the learned last layer the map is another one, and its score falls to about chance. It may rise a
# little in between, since a random sum of *learned* maps still prefers some places. The edges stay as they are to the end. **A map that
# does not change when the network forgets shows the picture, not the network**, and some published methods failed just here
# (guided backpropagation among them).
#
# The test is necessary and not sufficient. A map of noise from the network's weights would pass it too.
#
# ## 9. Take away what is hot
#
# The scores of section 6 ask: *is the heat where the lesion is?* They need the truth, and they judge network and map together.
# Faithfulness asks something else: **did the network use it?** So we blur what is hot and watch the logit.
#
# The rival is not "nothing", since blurring anything hurts. It is blurring *the same number of pixels elsewhere*: random
# areas, as coarse as the map's cells. *And what if we blur exactly the lesion?*

# %%
from lumbar_utils.cam.deletion import blurred

soft = blurred(pictures)
edges = np.stack([edge_map(picture) for picture in pictures])


def logit_without(removed):
    """Return (N,) the logit of the true class when the pixels of `removed` (N, 192, 96) are blurred."""
    changed = np.where(removed, soft, pictures)[..., None].astype("float32") / 255
    return in_eights(cnn, changed)[np.arange(len(labels)), labels]


def hottest(heats, share):
    """Return the hottest pixels of each map, as many as `share` of the picture: (N, 192, 96) bool."""
    flat = -heats.reshape(len(heats), -1)
    rank = flat.argsort(axis=1, kind="stable").argsort(axis=1)
    return (rank < np.reshape(share, (-1, 1)) * flat.shape[1]).reshape(heats.shape)


rng = np.random.default_rng(0)
random_cells = np.stack([cv2.resize(rng.random((24, 12)).astype("float32"), (96, 192)) for _ in x])
first_to_go = {"hottest of Grad-CAM first": heat["CNN"], "edges first": edges, "random areas": random_cells}
shares = np.array([0, 0.02, 0.05, 0.10, 0.20, 0.40])
fallen = {
    name: np.stack([logit_without(hottest(heats, share)) for share in shares])  # (6, N)
    for name, heats in first_to_go.items()
}
area = lesions.mean(axis=(1, 2))  # each lesion's share of the column
without_lesion = logit_without(lesions)
without_as_much = logit_without(hottest(heat["CNN"], area))


# %%
def interval(values, n_resamples=2000):
    """Return the 95 % limits of the mean over patients, by the bootstrap of lesson 16."""
    drawn = np.random.default_rng(0).integers(len(values), size=(n_resamples, len(values)))
    return np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])


fig = go.Figure()
for (name, curve), colour, dash, symbol in zip(
    fallen.items(),
    (BLUE, GREY, ORANGE),
    ("solid", "dashdot", "dash"),
    ("circle", "diamond", "square"),
    strict=True,
):
    low, high = np.array([interval(values) for values in curve]).T
    mean = curve.mean(axis=1)
    fig.add_scatter(
        x=100 * shares, y=mean, mode="lines+markers", name=name, line={"color": colour, "dash": dash},
        marker={"symbol": symbol, "size": 9},
        error_y={"type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low, "width": 0},
    )  # fmt: skip
low, high = interval(without_lesion)
fig.add_scatter(
    x=[100 * area.mean()], y=[without_lesion.mean()], mode="markers", name="the true lesion alone",
    marker={"color": VERMILLION, "symbol": "star", "size": 14},
    error_y={"type": "data", "symmetric": False, "array": [high - without_lesion.mean()],
             "arrayminus": [without_lesion.mean() - low], "width": 0},
)  # fmt: skip
fig.update_xaxes(title_text="blurred share of the column (%)")
fig.update_yaxes(title_text="mean logit of the true class")
fig.update_layout(legend={"x": 0.98, "y": 0.98, "xanchor": "right"})
at = 3  # 10 %
finish(
    fig,
    f"Blur a tenth of the column: the hottest tenth costs {fallen['hottest of Grad-CAM first'][0].mean() - fallen['hottest of Grad-CAM first'][at].mean():.1f} "
    f"of the logit, a random tenth {fallen['random areas'][0].mean() - fallen['random areas'][at].mean():.1f}",
    details="Mean logit of the true class on phantoms while pixels are blurred, with 95 % intervals over patients.",
    height=380,
)

# %%
print(f"logit as it is                              {fallen['random areas'][0].mean():5.2f}")
print(f"without the lesion                          {without_lesion.mean():5.2f}")
print(f"without as many of the hottest pixels       {without_as_much.mean():5.2f}")
gain = without_as_much - without_lesion
print("the second minus the first: {:.2f} [{:z.2f}, {:z.2f}]".format(gain.mean(), *interval(gain)))

# %% [markdown]
# The network used what is hot: taking it away costs far more than taking random areas. That is a point for the map's
# **faithfulness**, and it needed no truth. It says nothing about whether the network *should* have used it.
#
# Then the lesion itself, one pixel in a hundred. Compare it with *as many* of the hottest pixels: if the lesion costs as much or
# more, the network looks sharper than its map can show (section 4). And what is left of the logit without the lesion? The network
# also counts what comes *with* the disease, such as a dark disc, or a trace is left in the blur. A caution: a spine with a blurred patch is no spine. The network never
# learned on such pictures, so the curve ranks maps of one network and means little beyond that.
#
# ## 10. A claim that cannot fail
#
# Now to the paper. It writes (*reported*): "Higher precision models continuously highlighted key lumbar structures like the
# spinal canal and intervertebral discs." Suppose that we read "highlighted" as a reader of heat maps does: the hot area, above half the
# maximum, lies on the canal or a disc. *In how many of our pictures does it, for the CNN? And for random cells?*

# %%
from lumbar_utils import MASK_LABELS

structures = [
    number
    for name, number in MASK_LABELS.items()
    if name in ("sac", "cord", "herniation", "bulge", "flavum")
    or 100 <= number < 200  # the canal and the discs
]
key_structures = np.isin(label_maps, structures)  # (N, 192, 96)

claimants = {
    "CNN": heat["CNN"],
    "VGG16": heat["VGG16"],
    "untrained CNN": heat["untrained CNN"],
    "edges": edges,
    "blob in the middle": np.stack([centre_map(*COLUMN_SIZE)] * len(x)),
    "random cells": random_cells,
}
rows = {}
for name, heats in claimants.items():
    hot = heats >= 0.5 * heats.max(axis=(1, 2), keepdims=True)
    shares_on = np.array([energy(h, structure) for h, structure in zip(heats, key_structures, strict=True)])
    rows[name] = {
        "touched": (hot & key_structures).any(axis=(1, 2)).mean(),
        "on": shares_on.mean(),
        "limits": interval(shares_on),
    }

fig = go.Figure()
fig.add_bar(
    x=list(rows), y=[100 * row["touched"] for row in rows.values()], name="pictures in which a structure is highlighted",
    marker={"color": "rgba(230, 159, 0, 0.35)", "line": {"color": ORANGE, "width": 1.5}},
)  # fmt: skip
on = np.array([row["on"] for row in rows.values()])
limits = np.array([row["limits"] for row in rows.values()])
fig.add_scatter(
    x=list(rows), y=100 * on, mode="markers", name="heat on the structures", marker={"color": BLUE, "size": 11},
    error_y={"type": "data", "symmetric": False, "array": 100 * (limits[:, 1] - on), "arrayminus": 100 * (on - limits[:, 0])},
)  # fmt: skip
fig.add_scatter(
    x=list(rows), y=[100 * key_structures.mean()] * len(rows), mode="lines", line={"color": BLACK, "dash": "dot"},
    name="chance: the structures' share of the column",
)  # fmt: skip
fig.update_yaxes(title_text="share (%)", range=[0, 104])
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
worst = min(row["touched"] for row in rows.values())
finish(
    fig,
    f"Canal or discs are 'highlighted' in {'all' if worst == 1 else f'at least {worst:.0%} of the'} pictures, whatever made the map",
    details="Share of pictures in which the area above half the maximum touches canal or discs; points: share of the heat there.",
    height=380,
    above=52,
)

# %% [markdown]
# Canal and discs fill a fifth of the column and run through all of it. A hot area cannot miss them. **A claim that no map could fail
# is no evidence**, however true it is. The dots ask more: how much of the heat, against chance? There maps do differ, and even a blob beats
# chance.
#
# And "higher precision models", with DenseNet as the bad example? Of eight models one is the least accurate. If heat maps had
# nothing to do with accuracy, it would also have the least focused maps in one of eight such papers. Somebody who already knows which
# model failed judges the maps, and the models' grids differ.
#
# What would test the claim?
# 1. Say *before* looking which score counts, on which layer, and which value would refute it.
# 2. Mark the lesions, by readers who do not know the model. Score **all** test patients, not chosen ones.
# 3. Put chance, blob, edges, random weights and the grid's ceiling beside each score, and an interval over patients.
# 4. For "the better the model, the better the map": many models, each trained from several seeds, and a rank correlation with
#    its interval. Two models, or eight on 19 pictures, cannot answer that.
#
# ## 11. What maps are good at: finding the letter
#
# So are heat maps useless? No. They are excellent at **raising suspicion**. Two hospitals send pictures. Hospital B sends the
# stenoses, and its scanner prints a *B* in the corner. We build this trap ourselves, and a second one: hospital B prints nothing, but
# its pictures are *brighter* by a third.


# %%
from dataclasses import replace

from lumbar_utils import split_by_patient
from lumbar_utils.training import predict

STENOSIS = names.index("Spinal Stenosis")


def with_letter(image):
    marked = image.copy()
    cv2.putText(marked, "B", (190, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    return marked


def brighter(image):
    return np.clip(1.33 * image, 0, 255).astype("uint8")


def planted(data, mark):
    """Return the dataset with the mark on every stenosis, and on nobody else."""
    images = [
        mark(image) if label == STENOSIS else image
        for image, label in zip(data.images, data.labels, strict=True)
    ]
    return replace(data, images=np.stack(images))


hospitals = load_dataset("phantom", n_patients=size.patients, seed=16)
train, validation, test = split_by_patient(hospitals, fractions=(0.6, 0.1, 0.3), seed=0)


def small_network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((112, 112, 1))
    z = inputs
    for filters in (8, 16, 32):
        z = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(z)
        z = keras.layers.MaxPooling2D()(z)  # 56, 28, 14
        z = keras.layers.BatchNormalization(momentum=0.8)(z)
        z = keras.layers.ReLU()(z)
    z = keras.layers.GlobalAveragePooling2D()(z)
    return keras.Model(inputs, keras.layers.Dense(4)(z), name="small")


trapped = {}
for name, mark in (("letter", with_letter), ("brightness", brighter)):
    trapped[name] = small_network()
    fit(
        trapped[name], planted(train, mark), planted(validation, mark),
        epochs=size.epochs, learning_rate=0.01, seed=0, live=False,
    )  # fmt: skip
    recall = np.mean(
        predict(trapped[name], planted(test, mark)).argmax(axis=1)[test.labels == STENOSIS] == STENOSIS
    )
    print(f"{name:<10} finds {recall:.0%} of the stenoses in its own test set")

# %% [markdown]
# Judged by its own test set, a network that finds nearly every stenosis looks like good news. Now the maps for *stenosis*, averaged over the
# test patients who have one. *Where will the heat be in each?*

# %%
sick = test.labels == STENOSIS
own_pictures = {
    name: planted(test, mark).images[sick]
    for name, mark in (("letter", with_letter), ("brightness", brighter))
}
mean_map = {
    name: explain(network_, own_pictures[name], class_index=STENOSIS).mean(axis=0)
    for name, network_ in trapped.items()
}
corner = np.s_[:48, 176:]  # the 48 pixels of the corner


def in_corner(one_map):
    return one_map[corner].sum() / one_map.sum()


figures.picture_grid(
    [own_pictures[name][0] for name in ("letter", "letter", "brightness", "brightness")],
    ["letter B", "mean map", "brighter", "mean map"],
    overlays=[
        None,
        mean_map["letter"] / mean_map["letter"].max(),
        None,
        mean_map["brightness"] / mean_map["brightness"].max(),
    ],
    title=f"{in_corner(mean_map['letter']):.0%} of the letter network's heat lies in the corner, {in_corner(mean_map['brightness']):.0%} of "
    f"the other's; the corner is {48 * 48 / 224**2:.0%} of the picture",
)

# %% [markdown]
# One look at the left map, and you know what to ask hospital B. For this, Grad-CAM is superb. (Zech and colleagues found such
# hospital marks in chest radiographs in 2018.)
#
# The right map looks *better* than the left: spine and soft tissue, nothing odd. A radiologist would nod.
#
# ### Exercise 4: prove it
# A map raises a suspicion; an **intervention** proves it. Change one thing and leave the rest. Take the test patients *without* stenosis
# (`others`, below). Which share of them does the letter network call Spinal Stenosis as they are, and which share if each gets the
# letter? Give both shares between 0 and 1, in this order.
#
# *Tools:* `predict(network, images)` gives (N, 4) probabilities or logits, `.argmax(axis=1)` the class; `with_letter(image)`
# marks one picture.

# %% tags=["exercise"]
others = test.images[test.labels != STENOSIS]
share_as_they_are = ...
share_with_letter = ...

# %% tags=["check"]
check("gradcam.intervene", (share_as_they_are, share_with_letter))

# %% tags=["solution"]
others = test.images[test.labels != STENOSIS]
marked = np.stack([with_letter(image) for image in others])
share_as_they_are = np.mean(predict(trapped["letter"], others).argmax(axis=1) == STENOSIS)
share_with_letter = np.mean(predict(trapped["letter"], marked).argmax(axis=1) == STENOSIS)

# %% [markdown]
# Now the same intervention on the network whose map looked so reasonable: we brighten patients without stenosis.

# %%
others = test.images[test.labels != STENOSIS]
for what, images in (
    ("as they are", others),
    ("brightened", np.stack([brighter(image) for image in others])),
):
    share = np.mean(predict(trapped["brightness"], images).argmax(axis=1) == STENOSIS)
    print(f"patients without stenosis, {what:<12} {share:.0%} are called Spinal Stenosis")

# %% [markdown]
# Brightness is a shortcut too, and its map was innocent. Such a shortcut has no *place*: it is everywhere, and so is the heat. **A suspicious
# map is a finding. An innocent map is not an acquittal** (Adebayo 2022).
#
# ## 12. Choose, then measure on others
#
# In section 5, HiResCAM at block 2 put more heat on the lesions than Grad-CAM at the last maps. Shall we take it, then? There are
# many pairs of method and layer, and we looked at the same patients that we would report. Lesson 16, section 7, showed what becomes
# of the best of many.
#
# ### Exercise 5 (open): the best pair, honestly
# Try `"gradcam"`, `"hirescam"` and `"layercam"` at `"block2_relu"`, `"block3_relu"`, `"block4_relu"` and `"block5_relu"`. Choose the pair
# with the highest mean energy on the **first half** of the patients (`x[:half]`, `lesions[:half]`, `labels[:half]`). Give two numbers: its
# mean energy there, and its mean energy on the **second half**.
#
# *Tools:* `explain(cnn, x, method, class_index=labels, layer=layer, batch_size=8)`; `energy(one_heat, one_lesion)`.

# %% tags=["exercise"]
half = len(x) // 2
energy_where_chosen = ...
energy_on_others = ...

# %% tags=["check"]
check("gradcam.choose", (energy_where_chosen, energy_on_others))

# %% tags=["solution"]
half = len(x) // 2
tried = {}
for chosen_method in ("gradcam", "hirescam", "layercam"):
    for block in ("block2_relu", "block3_relu", "block4_relu", "block5_relu"):
        heats = explain(cnn, x, chosen_method, class_index=labels, layer=block, batch_size=8)
        tried[chosen_method, block] = np.array(
            [energy(one_heat, lesion) for one_heat, lesion in zip(heats, lesions, strict=True)]
        )
best_pair = max(tried, key=lambda pair: tried[pair][:half].mean())
energy_where_chosen, energy_on_others = tried[best_pair][:half].mean(), tried[best_pair][half:].mean()
print(best_pair)

# %% [markdown]
# The second number is the one to report. Mind the ceiling, too: earlier layers have finer grids, and part of their gain is
# the grid's.
#
# ## 13. What a heat map can and cannot prove
#
# | you see | it supports | it does not prove |
# |---|---|---|
# | heat on the lesion, once | nothing | |
# | heat on lesions, many patients, above chance, blob and edges | evidence is counted near the lesion | that the diagnosis is right, or reached as a radiologist would |
# | the map changes when the network forgets | it depends on what was learned | that it shows it correctly |
# | the logit falls when the hot is taken away | the network used it | that it should have |
# | heat on a mark in the corner | a shortcut: intervene now | |
# | nothing suspicious | no *small place* stands out | that there is no shortcut |
#
# ## Quiz
#
# 1. **Why does Grad-CAM follow the logit and not the probability?**
#    - a) logits are larger numbers, so the map is brighter
#    - b) where the network is sure, the probability's gradient dies, and it mixes in the other classes
#    - c) the probability has no gradient
# 2. **A map has 5 % of its heat in the lesion. Is that good?**
#    - a) no, 95 % lie beside it
#    - b) yes, if the lesion covers less than 5 % of the picture
#    - c) not judged yet: hold it against chance, blob, edges and the grid's ceiling
# 3. **You draw all weights anew, and the map stays the same. Then the map ...**
#    - a) shows the picture and not the network
#    - b) is robust, which is a virtue
#    - c) was made from a well-trained network
# 4. **All maps look innocent: heat on the spine, none in the corners. So ...**
#    - a) the network uses no shortcut
#    - b) no small place gives it away; a shortcut without a place may still be there
#    - c) the network is right for the right reasons
# 5. **Blurring the hottest tenth costs much of the logit, blurring a random tenth little. That shows ...**
#    - a) the hottest tenth is the lesion
#    - b) a radiologist would look there as well
#    - c) the network used the hottest tenth

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("gradcam.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"}

# %% [markdown]
# ## What you have seen
#
# - Grad-CAM asks what raises the logit, averages the answer over each map, and adds up. For a pooled network that is lesson 04's sum.
# - The grid limits every map. On 7 × 7 cells a cell is a vertebral level, and even a perfect map looks vague.
# - Six methods share network, layer and grid. At the last maps of a pooled network several are the same by arithmetic; at earlier
#   layers the choice matters.
# - A score needs its neighbours: chance, a blob, edges, random weights, and the ceiling.
# - Forgetting tests whether the map depends on the network; deletion tests whether the network used the heat; masks test whether
#   it should have. These are three questions.
# - Maps find shortcuts that have a place. Interventions prove them, and find the others.
#
# **Take along:** when somebody shows you a convincing heat map, ask: *what would it look like if the network had learned nothing?*
#
# **All scores here are phantom scores.**
#
# ## References
# - Zhang and others (2018), *Top-down neural attention by excitation backprop* (the pointing game), Int J Comput Vis 126:1084.
# - Selvaraju and others (2017), *Grad-CAM: visual explanations from deep networks via gradient-based localization*, ICCV.
# - Chattopadhay and others (2018), *Grad-CAM++*, WACV. Wang and others (2020), *Score-CAM*, CVPR Workshops. Muhammad and
#   Yeasin (2020), *Eigen-CAM*, IJCNN. Draelos and Carin (2020), *HiResCAM*, arXiv:2011.08891. Jiang and others (2021), *LayerCAM*,
#   IEEE Trans Image Process 30.
# - Adebayo and others (2018), *Sanity checks for saliency maps*, NeurIPS.
# - Petsiuk, Das and Saenko (2018), *RISE: randomized input sampling for explanation of black-box models* (deletion), BMVC.
# - Zech and others (2018), *Variable generalization performance of a deep learning model to detect pneumonia in chest radiographs*,
#   PLoS Med 15:e1002683.
# - Arun and others (2021), *Assessing the trustworthiness of saliency maps for localizing abnormalities in medical imaging*,
#   Radiol Artif Intell 3:e200267.
# - Adebayo and others (2022), *Post hoc explanations may be ineffective for detecting unknown spurious correlation*, ICLR.
