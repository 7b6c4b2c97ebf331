# %% [markdown]
# # Two views: what one slice leaves out, and what a second picture is worth
#
# **When you have finished you can**
# 1. say which herniations a midline slice cannot show, and how many they are;
# 2. build a network that looks at five discs with one set of weights, from two sides at once;
# 3. make a patient's verdict of five discs, and say what each way assumes;
# 4. ask of a gain which of the two rivals it was measured against;
# 5. give an interval to an AUC whose rows belong together.
#
# *About 60 minutes of your time, 70 s of the machine's, 1.4 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %%
import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import tensorflow as tf
from plotly.subplots import make_subplots

from lumbar_utils import check, course_size, figures
from lumbar_utils.figures.style import BLACK, BLUE, GREY, ORANGE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure
from lumbar_utils.phantom import render, sample_patient

size = course_size(epochs=8, patients=300)
tf.get_logger().setLevel("ERROR")  # it would warn that we train several networks in one session

# %% [markdown]
# ## 1. The slice that passes by
#
# All networks of this course have looked at one picture a patient: the sagittal slice in the middle. It is 4 mm thick.
# The canal is some 25 mm wide. *What becomes of a herniation that sits 8 mm beside the middle?*
#
# Here is one, 7 mm deep, at L4-L5. On the left you look from the side, on the right from below (the patient's right is on your
# left, the belly is on top). The dotted line on the right is where the left picture was taken. **Move it.**

# %%
import ipywidgets as widgets
from IPython.display import display

from lumbar_utils.live import show_figure

patient = sample_patient(
    31, disease="Healthy", overrides={"L4-L5": {"herniation_mm": 7.0, "herniation_offset_mm": 8.0}}
)
across = render(patient, view="axial", level="L4-L5", size=320)
offset = widgets.FloatSlider(
    value=0.0, min=-14, max=14, step=2, description="beside the midline (mm)", continuous_update=False,
    style={"description_width": "160px"}, layout={"width": "460px"},
)  # fmt: skip
screen = widgets.Output()


def draw_slice(offset_mm):
    """Both pictures, and the place of the sagittal one in the axial one."""
    slice_ = render(patient, offset_mm=offset_mm, size=320)
    x, y = (round(part) for part in slice_.landmarks["L4-L5"])
    window = slice_.image[y - 45 : y + 45, x - 35 : x + 55]
    fig = make_subplots(1, 2, subplot_titles=("from the side", "from below"), horizontal_spacing=0.04)
    for column, picture in ((1, window), (2, across.image[100:230, 95:225])):
        fig.add_heatmap(
            z=picture[::-1], colorscale="gray", showscale=False, hoverinfo="skip", row=1, col=column
        )
        fig.update_xaxes(visible=False, row=1, col=column)
        fig.update_yaxes(visible=False, scaleanchor=f"x{column if column > 1 else ''}", row=1, col=column)
    midline = across.landmarks["canal front"][0] - 95
    fig.add_vline(
        x=midline - offset_mm / across.spacing_mm,
        line={"color": ORANGE, "dash": "dot", "width": 2.5},
        row=1,
        col=2,
    )
    where = (
        "on the midline"
        if offset_mm == 0
        else f"{abs(offset_mm):.0f} mm to the {'right' if offset_mm > 0 else 'left'}"
    )
    return finish(
        fig,
        f"A slice {where}; the herniation sits 8 mm to the right",
        details="A phantom's disc L4-L5 on a sagittal slice, and the axial slice in which the place of the first is marked.",
        height=330,
        above=24,
    )


def redraw(change=None):
    show_figure(screen, draw_slice(offset.value))


offset.observe(redraw, names="value")
redraw()
display(offset, screen)

# %% tags=["drive"]
for place in (8.0, -8.0, 0.0):
    shown_before = screen.outputs
    offset.value = place
    assert screen.outputs != shown_before, place

# %% [markdown]
# No network, however deep, gets this herniation out of the middle slice: what the slice does not cross, it does not show. The
# view from below has it at a glance. A radiologist looks at both, and so do Chen and colleagues (2024), whose two-view
# method this lesson follows: find the discs from the side, take the axial slice through each, let a network look at both.
#
# ## 2. How many lie beside?
#
# Is that a curiosity? A ligament guards the middle of the canal, so most discs give way beside it. In our 600 locked
# test phantoms the place of every herniation is known. A disc counts as **herniated** from 3 mm on, as sound below 1.5 mm;
# those in between are left out.

# %%
from lumbar_utils.studies.two_views import NAMES, stored_findings

findings = stored_findings()
findings.sample(5, random_state=0)

# %% [markdown]
# ### Exercise 1 (warm-up): beside the midline
# `label` is 1 for a herniated disc, `offset_mm` says how far to the right it sits (negative: left). *Of the herniated
# discs, what share lies 3 mm or more beside the midline?*

# %% tags=["exercise"]
share = ...

# %% tags=["check"]
check("views.share", share)

# %% tags=["solution"]
ill = findings[findings["label"] == 1]
share = (ill["offset_mm"].abs() >= 3).mean()

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("views.share")`.)*
#
# Where exactly do they sit? The grey band is what a slice in the middle crosses.

# %%
ill = findings[findings["label"] == 1]
fig = go.Figure()
for zone, colour, pattern in (("central", BLUE, ""), ("paracentral", VERMILLION, "/")):
    of_zone = ill.loc[ill["zone"] == zone, "offset_mm"]
    fig.add_histogram(
        x=of_zone, xbins={"start": -12, "end": 12, "size": 1}, name=f"{zone}, {len(of_zone)}", marker_color=colour,
        marker_pattern_shape=pattern,
    )  # fmt: skip
fig.add_vrect(x0=-2, x1=2, fillcolor=GREY, opacity=0.2, line_width=0)
fig.add_annotation(
    x=0, y=1, yref="paper", text="the midline slice", showarrow=False, yanchor="bottom", font={"size": 13}
)
fig.update_xaxes(title_text="beside the midline, to the right (mm)")
fig.update_yaxes(title_text="herniated discs of phantoms")
fig.update_layout(barmode="stack", legend={"x": 1, "xanchor": "right", "y": 1.03, "yanchor": "bottom"})
finish(
    fig,
    f"{(ill['zone'] == 'paracentral').sum()} of {len(ill)} herniations sit 3 mm or more beside the midline",
    details="Where the herniations of the 600 locked phantom patients sit; the grey band is what a midline slice crosses.",
    height=300,
    above=44,
)

# %% [markdown]
# The shares were put into the phantom from published cohorts. So nothing here *discovers* that most herniations lie beside.
# What we can find out is what a network makes of it.
#
# ## 3. Every disc twice
#
# The localiser of lesson 03 finds and numbers the discs. Each is cut out **upright**, so that a disc of L5-S1, which lies
# aslant, looks like the others. For the second view we take the middle of the axial slice that lies nearest to the disc.

# %%
from lumbar_utils.beyond.view_pairs import draw_view_pairs

training = draw_view_pairs(size.patients, seed=11)
validation = draw_view_pairs(max(30, size.patients // 4), seed=12)
test = draw_view_pairs(max(40, size.patients // 2), seed=13, localiser=True)  # found, not known
for name, pairs in (("training", training), ("validation", validation), ("test", test)):
    print(f"{name:<11}{pairs}")
print("sagittal", training.sagittal.shape, " axial", training.axial.shape, " labels", training.labels.shape)

# %%
zones = training.zones
chosen = [tuple(np.argwhere(zones == "central")[0]), *map(tuple, np.argwhere(zones == "paracentral")[:2])]
chosen.append(tuple(np.argwhere(training.labels == 0)[0]))
figures.picture_grid(
    [training.sagittal[place] for place in chosen] + [training.axial[place] for place in chosen],
    [f"{zones[place] or 'sound'}, {view}" for view in ("side", "below") for place in chosen],
    title="Four discs, each from the side and from below: the paracentral ones show in the lower row",
)

# %% [markdown]
# Look at the paracentral ones. *Could you tell them from the sound ones by the upper row alone?*
#
# ## 4. One branch for five levels
#
# A patient has five discs, from L5-S1 to L1-L2. Should each level get a network of its own? A herniation looks much the same at
# each, and it is rare: of five discs, four are usually sound. So **all levels share one set of weights**. A branch turns one
# picture of a disc into 48 numbers; Keras's `TimeDistributed` walks it over the five.

# %%
from keras import layers


def branch():
    """One picture of a disc (64, 64, 1) becomes 48 numbers."""
    x = inputs = keras.Input((64, 64, 1))
    for width, stride in ((16, 2), (32, 1), (48, 1)):
        x = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D()(x) if stride == 1 else x
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    return keras.Model(inputs, layers.Dense(48, activation="relu")(x))


one_branch = branch()
five_discs = keras.Input((5, 64, 64, 1))
print("one disc ", one_branch.output.shape)
print("a patient", layers.TimeDistributed(one_branch)(five_discs).shape)

# %% [markdown]
# ### Exercise 2: what sharing saves
# *How many numbers are stored in this branch, for all five levels together?* By hand: convolutions without bias, four numbers a
# map for each normalisation, and the dense layer.

# %% tags=["exercise"]
stored_numbers = ...

# %% tags=["check"]
check("views.shared", stored_numbers)

# %% tags=["solution"]
stored_numbers = 9 * (1 * 16 + 16 * 32 + 32 * 48) + 4 * (16 + 32 + 48) + (96 * 48 + 48)

# %%
print(f"Keras counts {one_branch.count_params():,}")

# %% tags=["expected"]
# Keras counts 23,616

# %% [markdown]
# ### Two branches, one verdict a disc
# The second view gets a branch of its own, for it looks quite different. The 48 numbers of each are put side by side, a
# dense layer looks at them *together*, and one number comes out: the **logit** of this disc. We build it from the package,
# which does just that, and count.

# %%
from lumbar_utils.beyond.two_views import build_two_views, fit_two_views, herniation_probabilities

for views in (("sagittal",), ("axial",), ("sagittal", "axial")):
    network = build_two_views(views)
    outputs = {name: tuple(each.shape) for name, each in network.output.items()}
    print(f"{' and '.join(views):20} {network.count_params():,} parameters, {outputs}")

# %% [markdown]
# There is a second output: the patient. Somebody has a herniation if *any* disc has one. The network takes the **maximum** over
# the levels: the patient is as ill as the disc that looks worst. Both outputs have a part in the loss.
#
# ### Exercise 3 (open): any of five
# Another way: if the five answers were independent, how likely is it that **at least one** disc is herniated? Write a function.
# It gets probabilities of shape (patients, 5) and returns one number a patient.


# %% tags=["exercise"]
def any_of_five(of_disc): ...


# %% tags=["check"]
check("views.any", any_of_five)


# %% tags=["solution"]
def any_of_five(of_disc):
    return 1 - np.prod(1 - of_disc, axis=1)


# %% [markdown]
# ## 5. Train them here
#
# Three networks, the same patients, the same number of epochs; they differ in what they are shown. *Your guess: how will the
# sagittal one do on central herniations, and how on the others?*

# %%
from lumbar_utils.evaluation.clustered_auc import clustered_auc

answers = {}
for name, views in {"sagittal": ("sagittal",), "axial": ("axial",), "both": ("sagittal", "axial")}.items():
    keras.utils.set_random_seed(0)
    network = build_two_views(views)
    fit_two_views(network, training, validation, epochs=size.epochs, seed=0)
    answers[name] = herniation_probabilities(network, test)[0]  # (patients, 5)

# %%
known = test.labels >= 0
of_patient = np.repeat(test.patient_ids, 5).reshape(test.labels.shape)


def auc_of(name, zone=None):
    """The AUC of discs: the herniated ones of a zone against all sound ones, counted by patient."""
    rows = known & ((test.labels == 0) | (test.zones == zone)) if zone else known
    return clustered_auc(test.labels[rows] == 1, answers[name][rows], of_patient[rows])


live = pd.DataFrame(
    {
        name: {
            "all": auc_of(name),
            "central": auc_of(name, "central"),
            "paracentral": auc_of(name, "paracentral"),
        }
        for name in answers
    }
)
live.map(str)

# %% [markdown]
# AUC: the chance that a herniated disc gets a higher number than a sound one; 0.5 is a coin. Few patients and few epochs, so read
# the intervals. But the pattern should be there: much that is plain from below is missed from the side. Whether the side view
# does better on central herniations than on the others may still be open here: the study in section 6 has the patients to tell.
#
# ### Rows that belong together
# The interval needs care. Five discs of a patient share the scanner, the age, the noise: they are not five independent witnesses.
# Obuchowski's formula (1997) sums over patients first, as the bootstrap over patients does. What would we have claimed
# if we had counted discs?

# %%
rows = np.flatnonzero(known.ravel())
careless = clustered_auc(test.labels.ravel()[rows] == 1, answers["both"].ravel()[rows], np.arange(len(rows)))
careful = auc_of("both")
print(f"discs as if they were patients: {careless}")
print(f"by patient:                     {careful}")

# %% [markdown]
# Sometimes the two hardly differ, because discs of our phantoms fail one by one: each herniation is drawn for itself. With five slices
# *of one disc* they would differ by a lot. The honest formula costs nothing, so use it.
#
# ## 6. The long study
#
# The same with 1,200 patients to learn from, 600 locked test patients, and three starts of each network, whose answers are
# averaged. The discs of the test were found by the localiser.

# %%
from lumbar_utils.studies.two_views_table import PARTS, auc_table, difference_table, load_two_views

study = load_two_views()
print(f"{len(study.findings)} discs whose verdict is clear, of {len(study.patient_labels)} phantom patients")
print(f"the localiser put {study.findings['located'].mean():.1%} of the discs in the right place")
auc_table(study).set_index("model")

# %%
fig = go.Figure()
for name, colour, symbol in (
    ("sagittal", ORANGE, "square"),
    ("axial", GREY, "diamond"),
    ("both", BLUE, "circle"),
):
    found = [study.auc(name, part) for part in PARTS]
    fig.add_scatter(
        x=[each.value for each in found], y=np.arange(len(PARTS)) + {"sagittal": -0.2, "axial": 0, "both": 0.2}[name],
        mode="markers", name=NAMES[name], marker={"color": colour, "symbol": symbol, "size": 11},
        error_x={
            "type": "data", "symmetric": False, "array": [each.high - each.value for each in found],
            "arrayminus": [each.value - each.low for each in found],
        },
    )  # fmt: skip
fig.add_vline(x=0.5, line={"color": BLACK, "dash": "dot"})
fig.update_yaxes(tickvals=list(range(len(PARTS))), ticktext=list(PARTS), autorange="reversed")
fig.update_xaxes(title_text="AUC on phantoms, with 95 % interval over patients", range=[0.45, 1.01])
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
gain = study.difference("both", "sagittal", "paracentral").difference
finish(
    fig,
    f"With a second view the AUC of paracentral herniations rises by {gain.value:.2f} [{gain.low:.2f}, {gain.high:.2f}]",
    details="AUC by zone of the networks that see one view or both; the dotted line is a coin.",
    height=330,
    above=46,
)

# %% [markdown]
# The bars of two models may overlap and the models still differ, for both looked at the same patients. So here is each
# difference itself, the AUC of the first minus that of the second, paired by patient and with its interval:

# %%
differences = difference_table(study)
differences["shown"] = [
    f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]" for row in differences.itertuples()
]
pairs = differences.set_index(["first", "second"]).index.unique()
differences.pivot(index=["first", "second"], columns="on", values="shown").reindex(pairs)[list(PARTS)]

# %% [markdown]
# The first row is what the paper on two views would report: *two views beat one*. They do, most of all where the midline slice is
# blind. Now read the second row, *both views* against *axial view only*. **What is left of the gain?**
#
# "Two views against one" is two comparisons. Against the weaker view the gain may be large and say nothing about fusing: the second
# view brought it, alone. Only against the **better** single view does one see what looking at both *together* adds. Where that
# interval holds 0, the honest sentence is: *here, take the axial slices.* In a clinic the side view still has its task: it
# showed where to cut. And a phantom has clean axial slices through every disc; a real series may stop at L3.
#
# ### Attention or the worst disc?
# In the last row, the patient's verdict comes from **attention** over the levels (Ilse 2018): a small network weighs the discs, and
# the weighted mean of their features is judged. It may learn that two doubtful discs make a patient; the maximum cannot.
# Whether it did: the column *patients*.

# %%
found = study.difference("both_attention", "both", "patients")
kept = "holds 0" if found.difference.low <= 0 <= found.difference.high else "leaves 0 out"
print(f"attention minus maximum, patients: {found.difference}; it {kept}")
low, high = min(study.each_start["both"]), max(study.each_start["both"])
print(f"three starts of the network with both views: AUC of discs {low:.3f} to {high:.3f}")

# %% [markdown]
# ## 7. What it does not show
#
# - The axial view of a phantom is drawn by the same hand as the truth. That it is nearly perfect here says that herniations
#   can be *seen* from below, not that a network finds nine of ten in a hospital.
# - Depth and place were the only things that made a disc herniated. Bulges, osteophytes and a narrow canal are there as
#   distractors, scars after an operation are not.
# - Of the method of Chen and colleagues we know the outline. The widths, the fusion, the two outputs are ours.
#
# ## Quiz
#
# 1. **A network on midline slices misses paracentral herniations. What helps?**
#    - a) more patients
#    - b) a slice that crosses them
#    - c) a deeper network
# 2. **Two views beat the sagittal view by 0.2 and the axial view by 0.001 [-0.004, 0.006]. So ...**
#    - a) two views are useless
#    - b) fusing the views is worth 0.2
#    - c) the axial view brought the gain; that fusing adds something was not shown
# 3. **Why do the five levels share one branch?**
#    - a) each weight then learns from all herniations
#    - b) because discs of all levels look exactly alike
#    - c) because the picture becomes smaller
# 4. **1,500 discs of 300 patients. The interval of an AUC counts ...**
#    - a) 1,500, each disc is a row
#    - b) 300, with the discs of a patient summed first
#    - c) either; the AUC is the same

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ...}

# %% tags=["check"]
check("views.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "a", "4": "b"}

# %% [markdown]
# ## What you have seen
#
# - What a slice does not cross, no network finds in it. Ask first what a picture *can* show.
# - Discs are found from the side, cut out upright, and seen again from below; one branch a view, shared by all levels.
# - The patient is as ill as his worst disc, or as attention says; each way assumes something.
# - "Two against one" hides two comparisons. The one against the better rival counts.
# - Discs belong to patients, and intervals count patients.
#
# **All scores here are phantom scores.**
#
# ## References
# - Chen, Zheng, Zhao, Wang (2024), *Deep learning-based intelligent diagnosis of lumbar diseases with multi-angle view of intervertebral disc*, Mathematics 12, 2062 (followed in outline; the design here is ours).
# - Ilse, Tomczak, Welling (2018), *Attention-based deep multiple instance learning*, ICML, arXiv:1802.04712.
# - Obuchowski (1997), *Nonparametric analysis of clustered ROC curve data*, Biometrics 53, 567-578.
# - Sudirman and others (2019), *Lumbar spine MRI dataset*, Mendeley Data, doi:10.17632/k57fr854j2.2.
