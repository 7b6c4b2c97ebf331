# %% [markdown]
# # A real dataset from end to end
#
# **When you have finished you can**
# 1. bring a published dataset in, and count what it really holds: files, slices, people;
# 2. find out what can be guessed without looking at a single pixel, and make that the rival;
# 3. deal folds by patient, more than once, and see when "more than once" is no more than once;
# 4. train from scratch, borrow features from phantoms, and ask a network that has never seen a real disc;
# 5. put an interval round a number from fifteen patients, and write the card that goes with the model.
#
# *About 70 minutes of your time, 60 s of the machine's, 1.3 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %%
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lumbar_utils import audit, build_model, check, course_size, figures, fit, load_dataset
from lumbar_utils.sources import read_picture

size = course_size(epochs=6, patients=15)

# %% [markdown]
# ## 1. Import
#
# Everything up to here was drawn. Now somebody publishes discs of real people: 108 sagittal T2 pictures on Roboflow, with a
# box around each disc and a word for it, *disc* or *herniated*. You do not need these files to read on. Without them the
# lesson draws **phantoms and lays them on the disk just as such a set lies there**, with the same flaws, and every number that
# you compute is then a phantom score. The *stored* study in section 6 was made with the real ones.
#
# To use the real files (the references say where they come from), put them into
# `FOLDER/roboflow_disc_herniation/labelled` and set the variable `LUMBAR_REAL_DATA` to `FOLDER`. Section 9 is about your own.

# %%
from lumbar_utils.beyond.stand_in import write_stand_in

published = Path(os.environ.get("LUMBAR_REAL_DATA", "")) / "roboflow_disc_herniation" / "labelled"
is_real = bool(os.environ.get("LUMBAR_REAL_DATA")) and published.is_dir()
if is_real:
    folder, which = published, "real pictures"
else:
    folder, which = (
        write_stand_in(Path(tempfile.mkdtemp()) / "stand_in", n_patients=size.patients),
        "a stand-in of phantoms",
    )
names = sorted(file.name for file in (folder / "images").iterdir())
print(f"This run uses {which}: {len(names)} pictures. The first: {names[0]}")
print((folder / "labels" / names[0]).with_suffix(".txt").read_text())

# %% [markdown]
# A line a box: the class, then the middle and the size, as shares of the picture. `load_dataset("yolo", …)` reads that. The
# patient is what stands before the first `_` of a file name: nobody says so, one finds out by looking at the pictures.

# %%
boxes = load_dataset("yolo", path=folder, classes=("disc", "herniated"), patient_pattern="^[^_]+")
print(boxes)

first = boxes.meta["source_file"].iloc[0]
same = [name for name in names if name.split(".rf.")[0] == first.split(".rf.")[0]]
copies = [read_picture(folder / "images" / name) for name in same]
figures.picture_grid(
    copies,
    [f"copy {k + 1}" for k in range(len(copies))],
    title=f"{len(copies)} files, one slice of one person: turned, brightened, speckled",
)

# %% [markdown]
# Roboflow had been asked to *augment*: each slice was written several times, turned by up to 15 degrees, brighter or darker,
# with salt and pepper. Harmless in training. But counted as data, it makes three out of one.
#
# ### Exercise 1 (warm-up): count people
# A file is called `PATIENT_SLICE_jpg.rf.COPY.jpg`. Write `units(names)` for a list of file names: return how many **patients**
# and how many different **slices** (of whichever patient) there are.


# %% tags=["exercise"]
def units(names): ...


# %% tags=["check"]
check("real.units", units)


# %% tags=["solution"]
def units(names):
    patients = {name.split("_")[0] for name in names}
    slices = {name.split(".rf.")[0] for name in names}
    return len(patients), len(slices)


# %%
n_patients = len(np.unique(boxes.patient_ids))
n_slices = boxes.meta["source_picture"].nunique()
n_discs = boxes.meta.groupby(["source_picture", "disc"]).ngroups
print(f"{len(names)} files, {len(boxes)} boxes, {n_discs} discs on {n_slices} slices of {n_patients} people")

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("real.units")`.)*
#
# ## 2. Audit
#
# Before the first network: what could make a score too good? `audit` looks for copies, for patients on both sides of a
# split, and for *nuisances* that tell the label. We hand it the naive split of lesson 02, picture by picture. *What will it
# find?*

# %%
from lumbar_utils.splits import split_by_picture

print(audit(boxes, split_by_picture(boxes, seed=0)))

# %% [markdown]
# Read the lines about both sides of the split first: they are the reason why the rest of this lesson splits by patient. Then
# read what the **boxes** tell. A box is drawn round what one sees: a herniated disc is longer by its herniation, and the
# lowest discs herniate most. Whoever is given the box is given a hint.
#
# ## 3. The rival that sees no pixel
#
# So the first model gets *only* the box: where it lies, how wide and how high it is. Whatever a network reaches has to be
# held against this.
#
# To score it we need folds by patient. `GroupKFold` deals patients into five groups, and each group is tested once by a
# model that has not met it: **out-of-fold** predictions.

# %%
from lumbar_utils.beyond.disc_crops import read_discs

discs = read_discs(folder)  # a crop for each disc that our localiser finds; section 4 looks at them
print(f"{len(discs)} of {len(boxes)} boxes hold a disc that the localiser found")

y, patients = discs.labels, discs.patient_ids
thing = discs.meta["source_picture"] + "/" + discs.meta["disc"].astype(str)  # copies of one disc share it


def out_of_fold(features, seed=0):
    """Return (N,) probabilities of "herniated", each by a model that never met the patient."""
    answer = np.full(len(y), np.nan)
    for train, test in GroupKFold(5, shuffle=True, random_state=seed).split(features, y, patients):
        head = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000)
        )
        answer[test] = head.fit(features[train], y[train]).predict_proba(features[test])[:, 1]
    return answer


def per_disc(answer):
    """Return a row a disc, copies averaged: label, patient, answer."""
    table = pd.DataFrame({"thing": thing, "label": y, "patient": patients, "answer": answer})
    return table.groupby("thing", sort=False).agg({"label": "first", "patient": "first", "answer": "mean"})


# %%
from lumbar_utils.beyond.disc_crops import box_features

answers = {"the box alone": per_disc(out_of_fold(box_features(discs)))}
auc = lambda table: roc_auc_score(table["label"], table["answer"])
print(f"The box alone: AUC {auc(answers['the box alone']):.3f} on {which}")

# %% [markdown]
# The **AUC** is the share of pairs (one herniated, one not) in which the herniated disc gets the higher score. A coin reaches
# 0.5. It needs no threshold, which is welcome here: nobody has told us what a missed herniation costs.
#
# ### Exercise 2: an AUC by hand
# Three herniated discs get the scores 0.9, 0.6 and 0.4; three sound ones 0.7, 0.3 and 0.2. What is the AUC?

# %% tags=["exercise"]
auc_by_hand = ...

# %% tags=["check"]
check("real.auc", auc_by_hand)

# %% tags=["solution"]
auc_by_hand = (3 + 2 + 2) / 9  # 0.9 beats three sound discs, 0.6 and 0.4 beat two each

# %% [markdown]
# ### More than once?
#
# Which patients share a fold is chance. So one repeats the whole, each time dealt anew, and takes the mean. Two ways of
# dealing stand in scikit-learn. `StratifiedGroupKFold` also balances the classes, which sounds better. We deal the fifteen
# published patients, whose labels are stored with the study's predictions. *How many different folds will five repetitions
# have with each?*

# %%
from lumbar_utils.studies.real_scores import stored_real

known = stored_real()["box"][0]  # labels and patients of the real discs; no picture
for deal in (GroupKFold, StratifiedGroupKFold):
    tests = [
        frozenset(known.patient_ids[test])
        for seed in range(5)
        for _, test in deal(5, shuffle=True, random_state=seed).split(
            known.labels, known.labels, known.patient_ids
        )
    ]
    print(f"{deal.__name__:<22} 5 repetitions of 5 folds: {len(set(tests))} different folds")

# %% [markdown]
# With a dozen patients of very different size there are few ways to balance, and `StratifiedGroupKFold` looks for the best one
# whatever the seed (it shuffles only among patients who are alike). Folds that come back have been counted twice: such
# repetitions agree beautifully and mean little. We use `GroupKFold`.
#
# ## 4. What a network gets to see
#
# A crop cut by the published box would smuggle the box in: larger box, larger cut-out. So the place comes from *our* localiser
# (trained on phantoms alone), the scale from the distance between two discs, and each crop is turned upright.

# %%
rng = np.random.default_rng(1)
chosen = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:4] for k in (0, 1)])
figures.picture_grid(
    discs.images[chosen],
    [discs.class_names[label] for label in y[chosen]],
    title="Upright, one scale, the disc in the middle, the canal on the right",
)

# %% [markdown]
# *Would you have put the lower row under the upper one?* Then you know how hard this is. Who decided "herniated", and by which
# rule, the publisher does not say.
#
# Three ways to learn from so few people:
#
# - **from scratch**: the course's CNN with random weights;
# - **features of a network that learned discs on phantoms**, frozen, and a linear head on top (lesson 06's first half);
# - **zero shot**: that same network asked as it is. It has never seen a real disc, and learns nothing here.
#
# The fourth, features of VGG16 from ImageNet's photographs, needs a file of 59 MB; its result stands in section 6.

# %%
from lumbar_utils.studies.disc_network import shipped_disc_network
from lumbar_utils.training import features_of, predict

phantom_network = shipped_disc_network()
answers["phantom features"] = per_disc(out_of_fold(features_of(phantom_network, discs)))
answers["zero shot"] = per_disc(predict(phantom_network, discs)[:, 1])


# %% [markdown]
# From scratch takes longest: five folds, five networks. Here with a few epochs and one deal of the folds only; the stored
# study stops each early on patients of its own.


# %%
def train_from_scratch(train, test):
    keras.utils.set_random_seed(0)
    network = build_model("cnn", input_shape=(64, 64, 1), num_classes=2)
    part = discs.subset(train)
    fit(network, part, part, epochs=size.epochs, live=False)
    return predict(network, discs.images[test])[:, 1]


answer = np.full(len(y), np.nan)
for train, test in GroupKFold(5, shuffle=True, random_state=0).split(y, y, patients):
    answer[test] = train_from_scratch(train, test)
answers["from scratch"] = per_disc(answer)
for name, table in answers.items():
    print(f"{name:<17} AUC {auc(table):.3f} on {which}")

# %% [markdown]
# ## 5. How sure?
#
# Discs of one person resemble one another: same age, same scanner, same reader. So the number of independent things is the
# number of *people*, and a **bootstrap** has to draw people: as many as there are, with replacement, and each brings all of
# his discs.
#
# ### Exercise 3: draw patients
# Write `rows_of(patients, drawn)`: `patients` is the patient of each row, `drawn` a list of patients, some perhaps twice. Return
# the row numbers of all of them; who was drawn twice stands there twice.


# %% tags=["exercise"]
def rows_of(patients, drawn): ...


# %% tags=["check"]
check("real.rows", rows_of)


# %% tags=["solution"]
def rows_of(patients, drawn):
    return np.concatenate([np.flatnonzero(patients == one) for one in drawn])


# %% [markdown]
# Now the same AUC with three intervals: as if each crop were a draw of its own, each disc, each person.


# %%
def interval(table, unit, n_resamples=400):
    """Return the limits of 95 % of the AUCs of resampled units; unit (N,) says which rows belong together."""
    rng, found = np.random.default_rng(0), []
    of_unit = [np.flatnonzero(unit == one) for one in np.unique(unit)]
    for _ in range(n_resamples):
        rows = np.concatenate([of_unit[k] for k in rng.integers(len(of_unit), size=len(of_unit))])
        if table["label"].iloc[rows].nunique() == 2:
            found.append(auc(table.iloc[rows]))
    return np.quantile(found, [0.025, 0.975])


name = "phantom features"
table = answers[name]
by_crop = pd.DataFrame({"label": y, "answer": out_of_fold(features_of(phantom_network, discs))})
widths = {}
for what, each, unit in (
    ("crop", by_crop, np.arange(len(by_crop))),
    ("disc", table, np.arange(len(table))),
    ("person", table, table["patient"].to_numpy()),
):
    low, high = interval(each, unit)
    widths[what] = high - low
    print(f"a draw is a {what:<7} AUC {auc(each):.3f} [{low:.3f}, {high:.3f}], {high - low:.2f} wide")
print(f"Drawing people makes it {widths['person'] / widths['crop']:.1f} times as wide as drawing crops.")

# %% [markdown]
# Only the last one answers the question that a clinic asks: *what about the next patient?* And repeating the folds five times
# does not narrow it: a repetition asks the same people again.
#
# ## 6. The stored study
#
# `python -m lumbar_utils real` did all this on the real pictures: five repetitions of five folds, eight models. What is stored
# is what each said of each disc, never a picture; the intervals are computed now.

# %%
from lumbar_utils.studies.real_scores import about_real, real_table, zone_table

about, scores = about_real(), real_table()
box = scores.set_index("source").loc["box"]
best = scores.loc[scores["auc"].idxmax()]
beat = scores[scores["gain_low"] > 0]
figures.estimate_forest(
    scores,
    "auc",
    label="shown",
    axis=f"AUC on {about['discs']} real discs of {about['patients']} patients, 95% interval over patients",
    nothing=0.5,
    beside=box["auc"],
    title=f"{best['shown']}: the highest AUC, {best['auc']:.2f}; "
    + (
        "no model is surely better than the box alone"
        if beat.empty
        else f"{len(beat)} of {len(scores) - 1} are surely better than the box"
    ),
)

# %% [markdown]
# The dashed line is the box alone, the dotted one a coin. Against the *box*, in pairs on the same resampled patients:

# %%
for row in scores.query("source != 'box'").itertuples():
    verdict = "0 inside" if row.gain_low <= 0 <= row.gain_high else "0 outside"
    print(f"{row.shown:<45} {row.gain:+.3f} [{row.gain_low:+.3f}, {row.gain_high:+.3f}]  {verdict}")

# %% [markdown]
# Three things to take home. Features learned on *photographs* do better here than a CNN that had only these patients: few
# people teach few features. A network that has seen **drawings only** is far from guessing: so the phantom has something right.
# And none of it may be called "detects herniation" before it has left the box behind.
#
# ### How many people does it take?
#
# Fifteen people leave the best model and the box undecided, and many a published test has fewer. *If the publisher had
# stopped after five people, would the figure above name the same winner?* We can find out: draw some of the fifteen, and score
# the stored answers on them alone. A draw is a row of **weights**, one a person: 1 for who was drawn, 0 for who was not. So
# hundreds of draws are scored at once. (Only the *test* gets smaller. The models stay as they are.)
#
# **Play:** begin with five people and go through the draws. Then add people.

# %%
from dataclasses import replace

import ipywidgets as widgets

from lumbar_utils.evaluation.metrics import weighted_areas
from lumbar_utils.evaluation.repetitions import repeated_auc, repeated_auc_difference
from lumbar_utils.figures import small_study
from lumbar_utils.live import show_figure

stored = stored_real()
people, person = np.unique(known.patient_ids, return_inverse=True)  # (15,), and who has each disc


def areas(source, weights):
    """Return the AUC of each of D draws, (D,); weights (D, 15) say how often each person was drawn."""
    of_disc = weights[:, person]  # (D, 264)
    each = [weighted_areas(run.probabilities[:, 1], known.labels == 1, of_disc)[0] for run in stored[source]]
    return np.mean(each, axis=0)  # over the repetitions of the folds


def draws_of(n, how_many=300):
    """Return (how_many, 15) weights: in each row n people, none of them twice."""
    one_draw = (np.arange(len(people)) < n).astype(float)
    return np.random.default_rng(n).permuted(np.tile(one_draw, (how_many, 1)), axis=1)


def rows_drawn(source, rows):
    return [
        replace(
            run,
            labels=run.labels[rows],
            probabilities=run.probabilities[rows],
            patient_ids=run.patient_ids[rows],
        )
        for run in stored[source]
    ]


shown_names = {row.source: row.shown.replace(", linear", "").replace(",", "") for row in scores.itertuples()}
wide = {"style": {"description_width": "130px"}, "layout": {"width": "460px"}}
n_people = widgets.IntSlider(
    value=5, min=4, max=len(people), description="people in the test", continuous_update=False, **wide
)
which_draw = widgets.IntSlider(
    value=1, min=1, max=20, description="which draw", continuous_update=False, **wide
)
model = widgets.Dropdown(
    options=[(name, source) for source, name in shown_names.items() if source != "box"],
    value="imagenet", description="against the box", **wide,
)  # fmt: skip
screen = widgets.Output()


def redraw(change=None):
    draws = draws_of(n_people.value)
    rows = draws[which_draw.value - 1, person] > 0
    box_here, model_here = rows_drawn("box", rows), rows_drawn(model.value, rows)
    fig = small_study(
        repeated_auc(box_here, "herniated", n_resamples=400),
        repeated_auc(model_here, "herniated", n_resamples=400),
        repeated_auc_difference(model_here, box_here, "herniated", n_resamples=400),
        areas(model.value, draws) - areas("box", draws),
        names=("the box alone", shown_names[model.value]),
        n_patients=n_people.value,
        tested_on=f"{rows.sum()} real discs of {n_people.value} patients",
    )
    show_figure(screen, fig)


for control in (n_people, which_draw, model):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([n_people, which_draw, model, screen])

# %% tags=["drive"]
import time

for control, value in (
    (which_draw, 2), (which_draw, 20), (n_people, 4), (n_people, 15), (model, "zero_shot"), (n_people, 8), (model, "scratch_svm"),
):  # fmt: skip
    shown_before, started = screen.outputs, time.perf_counter()
    control.value = value
    assert time.perf_counter() - started < 3
    assert screen.outputs != shown_before, control

# %% [markdown]
# What to look for:
#
# - **The winner changes.** Hatched bars are draws in which the box leads. Whoever publishes one draw does not know from which
#   side of the picture it came.
# - **Now and then the interval of a few people is short.** They were easy people, and a bootstrap knows no others.
# - **At 15 the bars shrink to one, the black interval does not.** There is only one way to draw all fifteen. The bars speak of
#   people whom we have; the interval speaks of people like the *next* fifteen, and it is they who matter.
#
# How far can one trust an interval from so few? Take the fifteen for a whole population. Draw a study of five from it, with
# replacement as in section 5, let it make its "95 %" interval, and see whether the truth, the AUC of all fifteen, lies inside.


# %%
def share_held(source, n, n_studies=200, n_resamples=200):
    """Return the share of studies of n people whose interval holds the AUC of the population."""
    rng, held = np.random.default_rng(0), []
    truth = areas(source, np.ones((1, len(people))))[0]
    for drawn in rng.integers(len(people), size=(n_studies, n)):
        again = drawn[rng.integers(n, size=(n_resamples, n))]  # the bootstrap draws from the n it has
        weights = np.array([np.bincount(row, minlength=len(people)) for row in again]).astype(float)
        low, high = np.nanquantile(areas(source, weights), [0.025, 0.975])
        held.append(low <= truth <= high)
    return np.mean(held)


for n in (5, len(people)):
    print(
        f'studies of {n:>2} people: the "95 %" interval of the box holds the truth in {share_held("box", n):.0%}'
    )

# %% [markdown]
# So with few people a bootstrap promises too much, and the honest reading of the intervals above is: *at least* so wide.
#
# ### Who was looked at while choosing?
#
# Which layer of VGG16, which penalty: such things were tried out, on patients up to a certain number. On those the study is
# judged by somebody who had seen the questions. So it is also scored on the others alone:

# %%
print(
    f"Chosen on patients up to {about['tuned_up_to_patient']}; the other {about['untouched_patients']} patients:"
)
for row in scores.itertuples():
    print(f"{row.shown:<45} {row.untouched:.3f} [{row.untouched_low:.3f}, {row.untouched_high:.3f}]")

# %% [markdown]
# ## 7. Where does the answer come from?
#
# A heat map is one witness (lesson 15). A plainer one: **cover** a part of the crop, ask again, and see what is lost. What
# covers must not be a sight of its own, so the hole is filled in from its border. All zones have the same size.

# %%
from lumbar_utils.beyond.disc_crops import ZONES, covered

one = discs.images[chosen[-1:]]
figures.picture_grid(
    [one[0], *(covered(one, zone)[0] for zone in ZONES)],
    ["as it is", *(zone.replace(" of the disc", "") for zone in ZONES)],
    title="One disc as it is, and with its front, its middle, its rear, or the body above filled in",
)

# %%
zones = zone_table()
names = zones["shown"].str.split(r",| \(", regex=True).str[0]  # without "linear" and "(zero shot)"
zones["row"] = names + ": " + zones["zone"].str.replace(" of the disc", "")
lost = zones[zones["loss_low"] > 0].groupby("zone", sort=False).size()
canal = "rear of the disc and canal"
figures.estimate_forest(
    zones,
    "loss",
    label="row",
    axis="AUC lost on real discs when the zone is covered, 95% interval over patients",
    nothing=0,
    title="Surely missed when covered: "
    + (" and ".join(f"{zone} ({n} of {names.nunique()} models)" for zone, n in lost.items()) or "no zone"),
)

# %% [markdown]
# A herniation lies behind the disc, in the canal. Does the heat of Grad-CAM say the same? Chance would put as much heat into a
# zone as the zone covers of the crop.

# %%
heat = zones.dropna(subset=["heat"])
for row in heat.itertuples():
    print(f"{row.row:<45} {row.heat:.3f} [{row.heat_low:.3f}, {row.heat_high:.3f}]; chance {row.chance:.3f}")
in_canal = heat[heat["zone"] == canal]
above = (in_canal["heat_low"] > in_canal["chance"]).sum()
print(f"\nNetworks whose heat lies in the canal more than by chance: {above} of {len(in_canal)}")

# %% [markdown]
# Where two witnesses disagree, believe the one that *does* something. Covering changes the picture and counts the loss; heat is
# read off maps of a few cells, each of which has looked at a good part of the crop.
#
# ## 8. The card
#
# A model without a card is a rumour. The study writes one, every number from stored predictions:

# %%
from lumbar_utils.studies.real_card import card_of_real

card = card_of_real()
print(card[: card.index("| model")])
print(card[card.index("## Limits") :])

# %% [markdown]
# ## 9. Your own discs
#
# The same study runs on any folder in the YOLO layout:
#
# ```
# python -m lumbar_utils audit --source yolo --path FOLDER --classes disc,herniated --patient-pattern '^[^_]+' --split patient
# python -m lumbar_utils real --path FOLDER --out my_results
# python -m lumbar_utils real --table --out my_results
# ```
#
# It stops and goes on where it was. With fewer than about ten patients a class do not expect an interval that says anything.
#
# ## Quiz
#
# 1. **A CNN on published disc crops reaches an AUC of 0.75. What do you ask first?**
#    - a) how many layers it has
#    - b) what the boxes alone reach, on the same folds
#    - c) whether 0.75 is above 0.5
# 2. **Five repetitions of the folds give 0.82 to 0.84. How sure is the 0.83?**
#    - a) very: five tests agree
#    - b) within 0.02
#    - c) the range says how the dealing matters; the doubt about the next patient is wider
# 3. **On the patients used for choosing, a model reaches 0.85, on others 0.76. What happened?**
#    - a) the network broke
#    - b) perhaps chance, perhaps the choosing; the second number is the one to report
#    - c) the threshold was wrong
# 4. **Which sentence may stand in the card?**
#    - a) "On 264 discs of 15 patients of one publisher we cannot tell the network from the box."
#    - b) "The network and the box are equally good."
#    - c) "The network detects herniated discs in adults."

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ...}

# %% tags=["check"]
check("real.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "b", "4": "a"}

# %% [markdown]
# ## What you have seen
#
# - Count people. Files, crops and discs are not draws from a population.
# - Copies and patients on both sides of a split: an audit finds them in seconds, a reviewer perhaps never.
# - The first model has no pixels. It is the rival, not the coin.
# - Repetitions that deal the same folds repeat nothing; look at the folds, not at the argument called `random_state`.
# - Few patients: borrow features. From photographs, from drawings; each has to be measured.
# - Cover and ask again: a loss is harder to argue with than a colour.
# - Say on whom you chose, and report the others.
#
# ## References
#
# - "disc herniation in lumbar spine", version 4, Roboflow, project disc-herniation-in-lumbar-spine-nstgi; CC BY 4.0.
# - Roberts M. et al. Common pitfalls and recommendations for using machine learning to detect and prognosticate for COVID-19
#   using chest radiographs and CT scans. Nature Machine Intelligence 2021;3:199.
# - Raghu M. et al. Transfusion: understanding transfer learning for medical imaging. NeurIPS 2019.
# - Zeiler M. D., Fergus R. Visualizing and understanding convolutional networks. ECCV 2014 (covering parts of a picture).
# - Telea A. An image inpainting technique based on the fast marching method. Journal of Graphics Tools 2004;9:23.
# - Mitchell M. et al. Model cards for model reporting. FAT* 2019.
