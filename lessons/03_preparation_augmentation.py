# %% [markdown]
# # Preparation and augmentation: what may change in a picture, and what must not
#
# **When you have finished you can**
# 1. say how many millimetres a pixel covers after each step, and how much of a herniation is left;
# 2. bring a picture to the size and the grey values that a network was trained on, and notice when it was not;
# 3. tell changes that keep the diagnosis from changes that make another patient;
# 4. measure how large a change a classifier bears, in pairs and with an interval;
# 5. show that a network does not notice when tomorrow's pictures are of another kind, and put a guard at the door.
#
# *About 75 minutes of your time, 90 s of the machine's, 1.3 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# ## 1. Between the scanner and the network
#
# A network does not get what the scanner recorded. Somebody chose a slice, exported it, resized it, turned its numbers
# into other numbers, and perhaps cut a piece out. This is **preparation**. During training somebody also turned,
# shifted and mirrored the pictures to have more of them. This is **augmentation**. Both look like plumbing. Both
# decide what the network can know. So this lesson asks one question over and over:
#
# **What may one change in a picture without changing the diagnosis?** And at the end: who guarantees that tomorrow's
# pictures look like today's?
#
# To get answers in numbers we need somebody to ask. The course ships a trained network. How it is built is the
# subject of lesson 04; here it is a *given classifier*: pictures go in, four probabilities come out. It has never seen the
# 600 patients that we draw now.

# %%
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lumbar_utils import Predictions, check, course_size, evaluate, figures, lesion_mask, load_dataset
from lumbar_utils import load_predictor, render, sample_patient, split_by_patient
from lumbar_utils.evaluation import paired_difference, wilson
from lumbar_utils.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION, finish

size = course_size(patients=600)
clinic = load_dataset("phantom", n_patients=size.patients, seed=3)
train, validation, test = split_by_patient(clinic, fractions=(0.5, 0.1, 0.4), seed=0)

network = load_predictor("cnn")
network

# %% [markdown]
# It wants 192 × 96 pixels "of the column". Before the network, a second program looks at the whole slice: the
# **localiser** finds vertebrae and discs, turns the spine upright and cuts it out. `network.frame` does that. *What do
# you expect to be lost?*

# %%
everybody = network.frame(clinic.images)  # all patients as the network sees them
row_of = {patient: row for row, patient in enumerate(clinic.patient_ids)}


def framed(part):
    return everybody[[row_of[patient] for patient in part.patient_ids]]


today = framed(test)
examples = [int(np.flatnonzero(test.labels == k)[0]) for k in range(4)]
figures.picture_grid(
    [*test.images[examples], *today.pictures[examples]],
    [*test.class_names, *["what the network sees"] * 4],
    title=f"The localiser found the column in {today.found.sum()} of {len(today)} slices, and kept only that",
)

# %% [markdown]
# Belly and back are gone; the spine stands upright, at the same place in everybody. Now the answers of the network on the test
# patients:

# %%
as_today = network.predict(today)  # (N, 4) probabilities


def answers(probabilities, dataset=test, name="the shipped network"):
    """Pack probabilities, so that they can be evaluated and compared patient by patient."""
    return Predictions.of_dataset(dataset, probabilities, model=name, measured_on="phantoms", provenance={})


print(f"accuracy on {len(test)} phantoms: {evaluate(answers(as_today)).accuracy}")
print(f"mean confidence: {as_today.max(axis=1).mean():.3f}")

# %% [markdown]
# The **confidence** is the largest of the four probabilities. Here the network claims about as much as it keeps. Remember
# these two numbers: everything below is measured against them. All scores in this lesson are *phantom* scores.
#
# ## 2. Size: what is left of five millimetres?
#
# Nearly all networks want small pictures. The paper takes 224 × 224 pixels; our live lessons take 128. The scanner's
# **field of view** (the width of what it shows) is about 280 mm. Here is a patient with a herniation of 5 mm at
# L4-L5, a common size. *How many pixels does it cover? And after shrinking to 64?*

# %%
hernia = sample_patient(5, disease="Healthy", age_years=35, overrides={"L4-L5": {"herniation_mm": 5.0}})
slice_ = render(hernia, fov_mm=280)  # 224 x 224 pixels
lesion = lesion_mask(slice_.mask, "Herniated Disk")
area_mm2 = lesion.sum() * slice_.spacing_mm**2

print("side   mm a pixel   depth in pixels   area in pixels")
for side in (224, 128, 64):
    pixel_mm = 280 / side
    print(f"{side:4} {pixel_mm:12.2f} {5 / pixel_mm:17.1f} {area_mm2 / pixel_mm**2:16.1f}")

# %% tags=["expected"]
# side   mm a pixel   depth in pixels   area in pixels
#  224         1.25               4.0             18.0
#  128         2.19               2.3              5.9
#   64         4.38               1.1              1.5

# %% [markdown]
# The depth falls with the side, the area with its *square*. At 64 pixels the whole disease is one and a half pixels.
# Look at it:

# %%
x, y = slice_.landmarks["L4-L5"]


def near_the_disc(picture, half_mm=35):
    """Cut 70 mm around L4-L5 out of a picture of any size, and enlarge it without smoothing."""
    per_mm = picture.shape[0] / 280
    cx, cy, half = x * picture.shape[1] / 224, y * picture.shape[0] / 224, half_mm * per_mm
    rows, columns = (slice(max(round(c - half), 0), round(c + half)) for c in (cy, cx))
    return cv2.resize(picture[rows, columns], (224, 224), interpolation=cv2.INTER_NEAREST)


shrunk = {
    side: cv2.resize(slice_.image, (side, side), interpolation=cv2.INTER_AREA) for side in (224, 128, 64)
}
figures.picture_grid(
    [near_the_disc(slice_.image), *(near_the_disc(picture) for picture in shrunk.values())],
    ["the herniation", *(f"{side} pixels" for side in shrunk)],
    overlays=[near_the_disc(lesion.astype(np.uint8)) > 0, None, None, None],
    title=f"Of {lesion.sum()} pixels of herniation, {lesion.sum() * (64 / 224) ** 2:.1f} are left at 64 × 64",
)

# %% [markdown]
# ### How to shrink
# There are two ways to make a picture smaller. One takes every fourth pixel and throws the rest away. The other takes the
# *mean* of each 4 × 4 block. The first is quicker to write: `picture[::4, ::4]`. But where does one begin counting? There are
# 16 ways. *How many lesion pixels survive in each?*

# %%
kept = [int(lesion[row::4, column::4].sum()) for row in range(4) for column in range(4)]
print("every fourth pixel:", kept)
blocks = cv2.resize(lesion.astype("float32"), (56, 56), interpolation=cv2.INTER_AREA)
print(f"mean of 4 x 4: {blocks.sum():.2f} pixels, wherever one begins")

# %% tags=["expected"]
# every fourth pixel: [1, 0, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 2, 2, 1, 1]
# mean of 4 x 4: 1.12 pixels, wherever one begins

# %% [markdown]
# In one of the 16 pictures this patient has no herniation at all, in three others it is nearly twice as large as it should be.
# That is **aliasing**: what is finer than the grid becomes a matter of luck. Averaging first (**antialiasing**) dilutes the
# lesion, but keeps it. In OpenCV it is `INTER_AREA`, in Keras `antialias=True`, in neither the default. The course's `prepare`
# averages.
#
# ### What does the classifier make of it?
# We take each test patient's column, shrink it to coarser pixels, and enlarge it again. Nothing changes but the detail.
# *Which disease suffers first?*

# %%
scale = np.sqrt(
    np.abs(np.linalg.det(today.matrices[:, :, :2]))
)  # pixels of the column over pixels of the slice
column_mm = float(np.median(test.meta["spacing_mm"].to_numpy() / scale))
is_hernia = test.labels == test.class_names.index("Herniated Disk")


def coarse(pictures, pixel_mm):
    """Show (N, h, w) columns as a scanner with larger pixels would."""
    height, width = (max(4, round(side * column_mm / pixel_mm)) for side in pictures.shape[1:])
    small = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in pictures]
    return np.stack([cv2.resize(one, pictures.shape[:0:-1], interpolation=cv2.INTER_LINEAR) for one in small])


pixels_mm = [column_mm, 1.75, 280 / 128, 280 / 96, 280 / 64]
right = []  # one row of (N,) a pixel size
for pixel_mm in pixels_mm:
    pictures = today.pictures if pixel_mm == column_mm else coarse(today.pictures, pixel_mm)
    right.append(network.predict(replace(today, pictures=pictures)).argmax(axis=1) == test.labels)


# %%
def whiskers(value, low, high, **look):
    """Return plotly's error bars from `low` to `high` around `value`, all as fractions, drawn in percent."""
    above, below = 100 * (np.array(high) - value), 100 * (np.array(value) - low)
    return {"type": "data", "symmetric": False, "array": np.atleast_1d(above), "arrayminus": np.atleast_1d(below),
            "thickness": 2, "width": 6, **look}  # fmt: skip


def wilson_of(right):
    """Return share, lower and upper limits from (K, N) right or wrong answers of K conditions."""
    limits = np.array([wilson(int(one.sum()), len(one)) for one in right])
    return np.mean(right, axis=1), limits[:, 0], limits[:, 1]


fig = go.Figure()
for rows, name, colour, symbol, dash in (
    (np.ones(len(test), bool), "all patients", BLUE, "circle", "solid"),
    (is_hernia, "herniations", VERMILLION, "diamond", "dash"),
):
    share, low, high = wilson_of(np.array(right)[:, rows])
    fig.add_scatter(
        x=pixels_mm, y=100 * share, name=name, mode="lines+markers", line={"color": colour, "dash": dash},
        marker={"size": 10, "symbol": symbol}, error_y=whiskers(share, low, high),
    )  # fmt: skip
fig.update_xaxes(title_text="millimetres a pixel")
fig.update_yaxes(title_text="right on phantoms (%), with 95 % interval", range=[-3, 103])
fig.update_layout(legend={"x": 0.98, "y": 0.98, "xanchor": "right"})
found_first, found_last = (100 * one[is_hernia].mean() for one in (right[0], right[-1]))
finish(
    fig,
    f"Pixels of {pixels_mm[0]:.1f} mm find {found_first:.0f} % of the herniations, pixels of {pixels_mm[-1]:.1f} mm "
    f"{found_last:.0f} %",
    details=f"The shipped network on {len(test)} phantoms whose columns were shrunk and enlarged again.",
    height=360,
)

# %% [markdown]
# Be fair to the small pictures: this network learned from sharp ones. One that is *trained* on coarse pictures will do
# better on them than this curve. But nobody gets back what has been averaged away. Before you choose a size, compute how many
# pixels your lesion has.
#
# ### Exercise 1 (warm-up): your own scanner
# A scanner stores 512 × 512 pixels over a field of view of 320 mm. You resize to 224 × 224. How many **millimetres** does one
# pixel cover then?

# %% tags=["exercise"]
millimetres = ...

# %% tags=["check"]
check("preparation.millimetres", millimetres)

# %% tags=["solution"]
millimetres = 320 / 224

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("preparation.millimetres")`. Each call tells you a little more.)*
#
# ### The shape of the picture
# Many slices are not square. The network's input is. One may *squeeze* the picture into the square, or *pad* it with black bars.
# Many tutorials squeeze: `cv2.resize(picture, (224, 224))`. Our next patient has a stenosis: the sac at L4-L5 is 10 mm deep
# from front to back, and lesson 01 called 10 mm and less narrow. His slice is 448 pixels high and 320 wide.
# *How deep is the sac in the squeezed picture?*

# %%
only_narrow = {"L4-L5": {"sac_mm": 10.0, "bulge_mm": 0.0, "flavum_mm": 3.5}}
narrow = sample_patient(9, disease="Healthy", age_years=60, overrides=only_narrow)
square = render(narrow, size=448, fov_mm=280)  # 0.625 mm a pixel
tall = square.image[:, 64:384]  # (448, 320): bars of 64 pixels cut off left and right

squeezed = cv2.resize(tall, (224, 224), interpolation=cv2.INTER_AREA)
padded = np.zeros((224, 224), np.uint8)
padded[:, 32:192] = cv2.resize(tall, (160, 224), interpolation=cv2.INTER_AREA)

walls = np.array([square.landmarks[f"canal {wall} L4-L5"] for wall in ("front", "rear")])  # (2, 2): x, y
in_padded = (walls - (64, 0)) * (0.5, 0.5) + (32, 0)
in_squeezed = (walls - (64, 0)) * (0.7, 0.5)
for name, points, pixel_mm in (
    ("scanner", walls, 0.625), ("padded", in_padded, 1.25), ("squeezed", in_squeezed, 1.25)
):  # fmt: skip
    print(f"{name:9} {np.linalg.norm(points[1] - points[0]) * pixel_mm:5.1f} mm")

# %% tags=["expected"]
# scanner    10.1 mm
# padded     10.1 mm
# squeezed   14.1 mm

# %%
figures.picture_grid(
    [tall, padded, squeezed],
    ["448 × 320", "padded", "squeezed"],
    title="Squeezing widens a sac of 10 mm to 14 mm: no stenosis any more, to the ruler",
)

# %% [markdown]
# (We call the height's millimetres the truth; a network has to do the same, for it learned from pictures in which a pixel is as
# wide as it is high.) The width of the canal *is* the diagnosis. How much does the classifier mind? We stretch each
# column sideways by 448/320 = 1.4 around its middle.

# %%
middle = (today.pictures.shape[2] - 1) / 2
sideways = np.array([[1.4, 0, middle * (1 - 1.4)], [0, 1, 0]])
stretched = np.stack([cv2.warpAffine(one, sideways, (96, 192)) for one in today.pictures])
wide_answers = network.predict(replace(today, pictures=stretched))

print("stretched minus as scanned:", paired_difference(answers(wide_answers), answers(as_today)))
stenosis = test.labels == test.class_names.index("Spinal Stenosis")
for name, p in (("as scanned", as_today), ("stretched", wide_answers)):
    print(
        f"stenoses found {name}: {np.sum(p.argmax(axis=1)[stenosis] == test.labels[stenosis])} of {stenosis.sum()}"
    )

# %% [markdown]
# This is a **paired difference**: the same patients both times, so only those count whose answer became right or wrong. Its
# interval comes from resampling patients (lesson 16 builds it). Where it leaves out 0, the change did something. Where it
# holds 0, these patients cannot tell.
#
# A stenosis that the ruler lost may still be found. The network was never told to read millimetres: it may compare one level with
# the levels beside it, and squeezing widens all of them alike. That is luck, not a licence. Whoever measures in the picture,
# or hands it to a network that learned something else, works with a sac that is 40 % too wide.
#
# ### Exercise 2: pad to a square
# Write `pad_to_square(picture)`: an (H, W) array in, a square one out. The picture stands in the middle (where an odd pixel is
# left over, it goes to the end), black (0) on both sides, no pixel changed, same `dtype`.


# %% tags=["exercise"]
def pad_to_square(picture): ...


# %% tags=["check"]
check("preparation.pad", pad_to_square)


# %% tags=["solution"]
def pad_to_square(picture):
    height, width = picture.shape
    side = max(height, width)
    square = np.zeros((side, side), picture.dtype)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    return square


# %% [markdown]
# ## 3. Grey levels: MRI has no unit
#
# A CT scanner measures in Hounsfield units: water is 0, air is -1000, in every hospital of the world. An MR scanner measures
# nothing of the kind. The numbers depend on coil, sequence, receiver gain and on how the picture was exported. To see it, we send *one*
# patient through six scanners (`variation="wide"`, another `seed` each) and read the mean grey of two tissues off the
# mask. *By how much can the same fluid differ?*

# %%
from lumbar_utils import MASK_LABELS

six = [render(hernia, variation="wide", seed=seed) for seed in range(6)]
sac_grey = [one.image[one.mask == MASK_LABELS["sac"]].mean() for one in six]
bone_grey = [one.image[(one.mask >= 1) & (one.mask <= 5)].mean() for one in six]  # L5 to L1
figures.picture_grid(
    [one.image for one in six[:4]],
    [f"sac {sac:.0f}, bone {bone:.0f}" for sac, bone in zip(sac_grey[:4], bone_grey[:4], strict=True)],
    title=f"One patient, six scanners: the same sac has a mean grey of {min(sac_grey):.0f} to {max(sac_grey):.0f} of 255",
)

# %% [markdown]
# Four of the six are shown. So a threshold such as "brighter than 180 is fluid" is worth nothing, and neither is a
# network that silently relies on one. The numbers have to be brought to a common scale first. The simplest way maps the darkest
# pixel to 0 and the brightest to 1 (**min-max**). *What does one bright vessel do to that?*

# %%
raw = 0.5 * slice_.image.astype("float32")  # numbers of a scanner, in units of its own
raw[190:193, 30:33] = 1000  # one vessel with fresh blood, nine pixels


def stretch(picture, low, high):
    return np.clip((picture - low) / (high - low), 0, 1)


figures.picture_grid(
    [stretch(raw, raw.min(), raw.max()), stretch(raw, *np.percentile(raw, (1, 99)))],
    ["darkest to brightest", "1st to 99th percentile"],
    title=f"Nine bright pixels leave {100 * raw[raw < 1000].max() / 1000:.0f} % of the scale to all the others",
)

# %% [markdown]
# **Percentiles** are robust: one per cent of the pixels may do what it likes. (That is how the localiser begins, so it hardly minds
# who adjusted the window.) Does it help the classifier? Its training pictures all came from one clinic. Now
# somebody turns the brightness knob. We multiply all grey values by a **gain** (what gets above white is cut off), and ask twice:
# as it is, and after stretching each picture so that its percentiles lie where those of the training pictures lie. *Where will it help?*

# %%
learned = framed(train).pictures  # columns of the training patients
usual = np.percentile(learned.reshape(len(learned), -1) / 255, (1, 99), axis=1)
usual_low, usual_high = np.median(usual, axis=1)


def matched(pictures):
    low, high = np.percentile(pictures.reshape(len(pictures), -1), (1, 99), axis=1)[..., None, None]
    stretched = usual_low + (pictures - low) / (high - low) * (usual_high - usual_low)
    return np.clip(stretched, 0, 1).astype("float32")


def right_on(pictures):
    return network.predict(replace(today, pictures=pictures)).argmax(axis=1) == test.labels


unit = today.pictures.astype("float32") / 255  # (N, 192, 96), 0 to 1
gains = [0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0]
as_it_is = wilson_of([right_on(np.clip(gain * unit, 0, 1)) for gain in gains])
after_matching = wilson_of([right_on(matched(np.clip(gain * unit, 0, 1))) for gain in gains])

# %%
fig = go.Figure()
for (share, low, high), name, colour, symbol, dash in (
    (as_it_is, "as it is", VERMILLION, "diamond", "dash"),
    (after_matching, "percentiles matched", BLUE, "circle", "solid"),
):
    fig.add_scatter(
        x=gains, y=100 * share, name=name, mode="lines+markers", line={"color": colour, "dash": dash},
        marker={"size": 10, "symbol": symbol}, error_y=whiskers(share, low, high),
    )  # fmt: skip
fig.update_xaxes(title_text="gain (logarithmic)", type="log", tickvals=gains)
fig.update_yaxes(title_text="accuracy on phantoms (%), with 95 % interval", range=[0, 103])
fig.update_layout(legend={"x": 0.02, "y": 0.02, "yanchor": "bottom"})
finish(
    fig,
    f"Matching lifts {100 * as_it_is[0][0]:.0f} % to {100 * after_matching[0][0]:.0f} % in dark pictures; "
    f"in overexposed ones {100 * as_it_is[0][-1]:.0f} % become {100 * after_matching[0][-1]:.0f} %",
    details=f"The shipped network on {len(test)} phantoms whose grey values were multiplied by a gain.",
    height=360,
)

# %% [markdown]
# Too dark is a unit of measurement, and units can be converted. Too bright is a loss: where sac, fat and nucleus are all
# 255, no formula tells them apart. (Whether percentiles fit depends on what fills the picture: one with more black air
# around the patient has other percentiles. They are a convention too, only a better one.)
#
# ### Three conventions
# Networks trained on ImageNet's photographs expect one of three scales, after the frameworks they came from:
#
# | mode | for example | what happens to a grey value $g$ from 0 to 255 |
# |---|---|---|
# | `unit` | the paper, our networks | $g/255$ |
# | `tf` | MobileNet | $g/127.5 - 1$ |
# | `torch` | DenseNet | $(g/255 - \text{mean})/\text{SD}$, with mean and SD of red, green and blue in ImageNet |
# | `caffe` | VGG16, ResNet50 | $g - \text{mean}$, and the channels in the order blue, green, red |
#
# The paper says that it scaled its pictures to [0, 1], and names VGG16, ResNet50, DenseNet and MobileNet. None of these was
# trained on that. In numbers:

# %%
from lumbar_utils.preparation import CAFFE_MEAN, IMAGENET_MEAN, IMAGENET_STD, scale_values

black_and_white = np.array([[[0, 255]]], np.uint8)  # one picture of two pixels
for mode in ("unit", "tf", "torch", "caffe"):
    channels = 3 if mode in ("torch", "caffe") else 1
    dark, bright = scale_values(black_and_white, mode=mode, channels=channels)[0, 0, :, 0]
    print(f"{mode:6} black {dark:8.2f}   white {bright:8.2f}")
print("torch, red, green, blue: mean", IMAGENET_MEAN, "SD", IMAGENET_STD)
print("caffe, blue, green, red: mean", CAFFE_MEAN)

# %% tags=["expected"]
# unit   black     0.00   white     1.00
# tf     black    -1.00   white     1.00
# torch  black    -2.12   white     2.25
# caffe  black  -103.94   white   151.06
# torch, red, green, blue: mean (0.485, 0.456, 0.406) SD (0.229, 0.224, 0.225)
# caffe, blue, green, red: mean (103.939, 116.779, 123.68)

# %% [markdown]
# (`torch` and `caffe` are shown for their first channel, red and blue.)
#
# ### Exercise 3: one grey pixel
# A pixel has the grey value 128. What does a network get for it in mode `tf`, in mode `torch` (red channel) and in mode
# `caffe` (blue channel)? Give the three numbers in this order.

# %% tags=["exercise"]
one_pixel = ...

# %% tags=["check"]
check("preparation.modes", one_pixel)

# %% tags=["solution"]
one_pixel = [128 / 127.5 - 1, (128 / 255 - 0.485) / 0.229, 128 - 103.939]

# %% [markdown]
# Nothing crashes when the mode is wrong. Shapes fit, the program runs, probabilities sum to 1. *What will our network, which
# wants 0 to 1, say to the other three? How sure will it be?* (It has one channel; it gets the green one.)


# %%
def claim_and_truth(given, labels_of, finding):
    """Draw for each condition: right answers with Wilson's interval, and the mean confidence with its own."""
    fig, names = go.Figure(), list(given)
    right = [p.argmax(axis=1) == labels_of for p in given.values()]
    claim = np.array([p.max(axis=1).mean() for p in given.values()])
    half = np.array([1.96 * p.max(axis=1).std() / np.sqrt(len(p)) for p in given.values()])
    for (value, low, high), name, colour, symbol in (
        (wilson_of(right), "right (accuracy)", BLUE, "circle"),
        ((claim, claim - half, claim + half), "claimed (mean confidence)", VERMILLION, "diamond-open"),
    ):
        look = {"color": colour, "symbol": symbol, "size": 12, "line": {"width": 2}}
        fig.add_scatter(
            x=100 * value, y=names, name=name, mode="markers", marker=look, error_x=whiskers(value, low, high)
        )
    commonest = 100 * np.bincount(labels_of).max() / len(labels_of)
    fig.add_vline(x=commonest, line={"color": BLACK, "dash": "dot", "width": 1.5})
    fig.update_xaxes(
        title_text="on phantoms (%), with 95 % interval; dotted: always the commonest class", range=[0, 103]
    )
    fig.update_yaxes(range=[len(names) - 0.5, -0.5], tickfont={"size": 14})
    fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
    details = "; ".join(
        f"{name}: right on {100 * one.mean():.0f} %, claimed {100 * sure:.0f} %"
        for name, one, sure in zip(names, right, claim, strict=True)
    )
    return finish(fig, finding, details=details + ".", height=110 + 50 * len(names), above=24)


swapped = {"unit, as it was trained": as_today}
for mode in ("tf", "torch", "caffe"):
    channels, green = (1, 0) if mode == "tf" else (3, 1)
    pictures = scale_values(today.pictures, mode=mode, channels=channels)[..., green]
    swapped[mode] = network.predict(replace(today, pictures=np.ascontiguousarray(pictures)))

wrong_mode = swapped["caffe"]
claim_and_truth(
    swapped,
    test.labels,
    f"In mode caffe it is right on {100 * np.mean(wrong_mode.argmax(axis=1) == test.labels):.0f} % and "
    f"{100 * wrong_mode.max(axis=1).mean():.1f} % sure",
)

# %% [markdown]
# That is the worst kind of mistake: no error message, a score that looks like a mediocre network, and a confidence that can
# even *rise*, as in `caffe`. Large inputs make large logits, and softmax turns large logits into certainty. A paper in which one
# backbone does surprisingly badly may have met it; nobody can tell from the outside. So write the mode down, beside the
# weights. (`prepare(pictures, mode=...)` and the networks of this course carry theirs with them.)
#
# ## 4. The crop: worth more than an architecture
#
# A convolution spends the same effort on every pixel. Where do ours go?

# %%
spine_in = {"whole slice": np.mean(test.masks > 0), "column": np.mean(today.carry(test.masks) > 0)}
pixel_of = {"whole slice": 280 / np.sqrt(192 * 96), "column": column_mm}  # the same number of pixels for both
for name in spine_in:
    print(f"{name:12} {100 * spine_in[name]:3.0f} % of it is spine, a pixel is {pixel_of[name]:.2f} mm")

# %% [markdown]
# Most of the slice is belly, back and air: different in everybody, and silent about the question. Cropping does three
# things at once. It removes what might be learned by mistake, it spends the pixels on the spine, and it brings
# every patient to the same place, size and direction.
#
# Is it worth anything? A fair test changes the crop and *nothing else*. The classifier must be quick, so we take one from before
# the networks: **histograms of oriented gradients** (which way the edges run in each cell of 16 × 16 pixels), and a
# support vector machine that separates the classes. Same training patients, same test patients, equally many
# pixels: 192 × 96 of the column, or 136 × 136 of everything. *Guess the difference in points.*

# %%
from skimage.feature import hog
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


def edges(pictures):
    return np.stack([hog(one, 9, (16, 16), (2, 2)) for one in pictures])  # (N, features)


def small(pictures):
    return np.stack([cv2.resize(one, (136, 136), interpolation=cv2.INTER_AREA) for one in pictures])


def machine():
    return make_pipeline(StandardScaler(), SVC(C=3))


column_train, column_test = edges(learned), edges(today.pictures)
by_column = machine().fit(column_train, train.labels).predict(column_test)
by_whole = machine().fit(edges(small(train.images)), train.labels).predict(edges(small(test.images)))

column_answers = answers(np.eye(4)[by_column], name="edges of the column")
gain_of_crop = paired_difference(column_answers, answers(np.eye(4)[by_whole], name="edges of the slice"))
print(f"whole slice: {np.mean(by_whole == test.labels):.3f}, column: {np.mean(by_column == test.labels):.3f}")
print("column minus whole slice:", gain_of_crop)

# %% [markdown]
# And what is another architecture worth? The course stores what two shipped networks said about 600 other test patients: the
# CNN that we have been asking, and a VGG with half as many weights again. Both see the column. Paired again:

# %%
from lumbar_utils.evaluation import load_results

stored = load_results("zoo")
gain_of_vgg = paired_difference(stored["vgg16"], stored["cnn"])

gains_found = {
    "column instead of whole slice<br>(edges and support vectors)": gain_of_crop,
    "VGG instead of CNN<br>(both on the column)": gain_of_vgg,
}
fig = go.Figure()
for (name, gap), colour, symbol in zip(gains_found.items(), (BLUE, GREY), ("circle", "diamond"), strict=True):
    fig.add_scatter(
        x=[100 * gap.value], y=[name], mode="markers+text", marker={"color": colour, "size": 12, "symbol": symbol},
        text=[f"{100 * gap.value:+.1f}"], textposition="top center", showlegend=False,
        error_x=whiskers(gap.value, gap.low, gap.high),
    )  # fmt: skip
fig.add_vline(x=0, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.update_xaxes(title_text="difference in accuracy on phantoms (points), with 95 % interval")
fig.update_yaxes(range=[1.5, -0.6], tickfont={"size": 14})
finish(
    fig,
    f"The crop changes the accuracy by {100 * gain_of_crop.value:+.1f} points, the architecture by "
    f"{100 * gain_of_vgg.value:+.1f}",
    details="Two paired differences, each on its own test patients.",
    height=200,
)

# %% [markdown]
# Two comparisons on two test sets, and one pair of architectures; so no law. But keep the order of size in mind when you have
# a free afternoon: look at what your network is shown before you look for another network.
#
# ## 5. Augmentation: a claim about patients
#
# With 190 patients, as in the paper, a network sees too little. So one shows it *changed copies*: turned, shifted, scaled,
# with more contrast. Each copy carries the label of its original. So every augmentation is a **claim**, and it has two parts:
#
# 1. **Could a scanner have made this picture** of some patient?
# 2. **Would that patient have the same diagnosis?**
#
# If both hold, the change is **label-preserving**. Otherwise you teach your network something false, with a true label on it.
#
# Turning, scaling and shifting are one small matrix. A pixel at $(x, y)$ goes to
#
# $$ \begin{pmatrix} x' \\ y' \end{pmatrix} = z \begin{pmatrix} \cos\alpha & \sin\alpha \\ -\sin\alpha & \cos\alpha \end{pmatrix}
# \begin{pmatrix} x \\ y \end{pmatrix} + \begin{pmatrix} t_x \\ t_y \end{pmatrix} $$
#
# with angle $\alpha$, zoom $z$ and shift $t$. OpenCV's `getRotationMatrix2D` makes it, turning around a middle.


# %%
def moved(picture, degrees=0.0, zoom=1.0, shift_mm=(0, 0), pixel_mm=1.25):
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, zoom)  # (2, 3)
    matrix[:, 2] += np.array(shift_mm) / pixel_mm
    return cv2.warpAffine(picture, matrix, (width, height))  # one step, so the picture is blurred once only


rng = np.random.default_rng(3)
original = slice_.image
float_original = original / 255
changed = {
    "as scanned": original,
    "turned by 8°": moved(original, degrees=8),
    "zoom 1.1": moved(original, zoom=1.1),
    "shifted by 15 mm": moved(original, shift_mm=(15, -10)),
    "contrast × 1.3": np.clip((float_original - 0.5) * 1.3 + 0.5, 0, 1),
    "noise": np.clip(float_original + rng.normal(0, 0.06, original.shape), 0, 1),
    "mirrored left-right": original[:, ::-1],
    "mirrored up-down": original[::-1],
}
figures.picture_grid(
    list(changed.values()), list(changed), title="Eight copies, one label: which of them are lies?"
)

# %% [markdown]
# Hold each against the two questions.
#
# - **Turning, shifting.** People do not lie straight, and the technician centres by eye. Fine, within what happens
#   (lying 8° askew happens, 40° does not).
# - **Zoom.** Fields of view differ, and so do people. But a zoom of 1.3 turns a sac of 10 mm into one of 13. Relative to the vertebrae
#   it stays narrow; so it is fine as long as the classifier compares, and a lie as soon as it measures.
# - **Contrast, noise.** Section 3. Fine until the lesion drowns.
# - **Mirrored left-right.** On a sagittal slice left is the belly and right is the back. Mirrored, the sac lies *in front of* the
#   vertebral bodies. No such person exists.
# - **Mirrored up-down.** The sacrum on top. A patient who hangs from the scanner's ceiling, perhaps.
#
# The paper flips horizontally, and so do many tutorials, because photographs of cats allow it. *What does the network
# say about mirrored patients?* We mirror whole slices and go the whole way: find the column, crop, classify.

# %%
import warnings


def ask(pictures):
    """Return which columns were found, and the probabilities, for whole slices."""
    with warnings.catch_warnings():  # we print the share found instead
        warnings.simplefilter("ignore")
        seen = network.frame(np.ascontiguousarray(pictures))
    return seen.found, network.predict(seen)


mirrored = {"as scanned": as_today}
for name, pictures in (
    ("turned by 15°", np.stack([moved(one, degrees=15) for one in test.images])),
    ("mirrored left-right", test.images[:, :, ::-1]),
    ("mirrored up-down", test.images[:, ::-1]),
):
    found, mirrored[name] = ask(pictures)
    gap = paired_difference(answers(mirrored[name]), answers(as_today))
    print(f"{name:20} column found in {100 * found.mean():3.0f} %, accuracy changes by {gap}")

# %%
left_right = mirrored["mirrored left-right"]
claim_and_truth(
    mirrored,
    test.labels,
    f"Mirrored left-right, it is right on {100 * np.mean(left_right.argmax(axis=1) == test.labels):.0f} % and "
    f"still claims {100 * left_right.max(axis=1).mean():.0f} %",
)

# %% [markdown]
# Look at the second row first: a slice turned as a whole loses little or nothing, because the localiser turns the spine
# upright again. **What preparation undoes, augmentation need not teach.** In the mirrored slices the localiser still finds a
# column, but the network looks for the sac where there is none.
#
# You may object: of course it fails, it never *learned* mirrored pictures. Would they have helped? That takes training, so
# here is the ablation. Two classifiers on the edges of the column: the support vector machine, which compares a patient with
# those near to it, and a linear one (ridge), which has one weight for each edge. Each is trained three times: on the patients;
# on the patients and mirrored copies; on the patients and slightly moved copies. The test patients are as scanned, always.

# %%
draws = np.random.default_rng(1)
moved_copies = [
    moved(one, draws.uniform(-4, 4), draws.uniform(0.94, 1.06), draws.uniform(-5, 5, 2), column_mm)
    for one in learned
]
copies = {"mirrored copies": edges(learned[:, :, ::-1]), "moved copies": edges(moved_copies)}
learners = {
    "support vectors": machine,
    "linear (ridge)": lambda: make_pipeline(StandardScaler(), RidgeClassifier(10_000)),
}

ablation = {}
for learner, make in learners.items():
    plain = answers(np.eye(4)[make().fit(column_train, train.labels).predict(column_test)])
    print(f"{learner}: accuracy {evaluate(plain).accuracy} without copies")
    for kind, more in copies.items():
        model = make().fit(np.concatenate([column_train, more]), np.tile(train.labels, 2))
        ablation[kind, learner] = paired_difference(answers(np.eye(4)[model.predict(column_test)]), plain)

# %%
fig = go.Figure()
for (kind, learner), gap in ablation.items():
    flips = kind == "mirrored copies"
    fig.add_scatter(
        x=[100 * gap.value], y=[f"{kind}, {learner}"], mode="markers+text", showlegend=False,
        marker={"color": VERMILLION if flips else BLUE, "symbol": "diamond" if flips else "circle", "size": 12},
        text=[f"{100 * gap.value:+.1f}"], textposition="top center",
        error_x=whiskers(gap.value, gap.low, gap.high),
    )  # fmt: skip
fig.add_vline(x=0, line={"color": BLACK, "dash": "dot", "width": 1.5})
fig.update_xaxes(title_text="change of accuracy on phantoms by the copies (points), with 95 % interval")
fig.update_yaxes(range=[3.5, -0.7], tickfont={"size": 13})
by_mirrored = [gap for (kind, _), gap in ablation.items() if kind == "mirrored copies"]
in_words = ("none", "one", "both")
helped, harmed = sum(gap.low > 0 for gap in by_mirrored), sum(gap.high < 0 for gap in by_mirrored)
finish(
    fig,
    f"Of two classifiers, mirrored copies help {in_words[helped]} and harm {in_words[harmed]}, "
    "as far as these patients can tell",
    details="Paired differences against the same classifier without copies.",
    height=290,
)

# %% [markdown]
# "Flips always help" is not a law. Mirrored copies double the training set with patients who never come. A
# classifier with much freedom can set them aside; one with a single weight an edge has to serve both worlds, and
# pays. What a network would do is a question for training; lesson 04 gives you the means
# (`fit(..., augment=augmenter(horizontal_flip=True))`). And read the intervals of the moved copies: an *allowed* augmentation is no
# promise either.
#
# ### Across, it is another matter
# On an **axial** slice left is the patient's right. There a mirrored picture is nearly a person one could meet. *What has
# changed?*

# %%
aside = sample_patient(
    5,
    disease="Healthy",
    age_years=35,
    overrides={"L4-L5": {"herniation_mm": 7.0, "herniation_offset_mm": 9.0}},
)
axial = render(aside, view="axial", level="L4-L5", size=384)
disc = np.s_[90:270, 100:284]
figures.picture_grid(
    [axial.image[disc], axial.image[:, ::-1][disc]],
    ["herniation on the patient's right", "mirrored: on the left"],
    overlays=[
        lesion_mask(axial.mask, "Herniated Disk")[disc],
        lesion_mask(axial.mask, "Herniated Disk")[:, ::-1][disc],
    ],
    title="An axial flip keeps the disease and changes the side",
).update_layout(height=360)

# %% [markdown]
# For the four classes of this course, the flip is label-preserving here. For "herniation, *right*" it is not: the label has to be flipped
# too. (Strictly speaking aorta and vena cava have changed places as well, which is true of about one person in ten thousand.) So the
# question is never "are flips allowed?" but "for this view and this label?"
#
# ### Elastic deformation: surgery by mistake
# Simard (2003) bent digits like rubber, and it became a standard recipe. Each pixel is displaced by a smooth random
# field. Two numbers describe it: how far (here 3 mm, standard deviation) and how smooth (over how many millimetres). We do it to a healthy
# person with a sac of 14 mm. *A handwritten 3 stays a 3. Does a spine stay healthy?*

# %%
healthy = render(sample_patient(5, disease="Healthy", age_years=28), size=224, fov_mm=280)
walls = [np.array(healthy.landmarks[f"canal {wall} L4-L5"]) for wall in ("front", "rear")]


def bend_field(seed, smooth_mm, far_mm=3.0):
    """Return (2, 112, 112) displacements in mm, on a grid of 2.5 mm."""
    noise = np.random.default_rng(seed).normal(size=(2, 112, 112)).astype("float32")
    field = np.stack([cv2.GaussianBlur(one, (0, 0), smooth_mm / 2.5) for one in noise])
    return far_mm * field / field.std()


def sac_after(field):
    """Return how deep the sac at L4-L5 is, in mm, in the bent picture."""
    wall_mm = [1.25 * wall - field[:, round(wall[1] / 2), round(wall[0] / 2)] for wall in walls]
    return np.linalg.norm(wall_mm[1] - wall_mm[0])


n_fields = max(20, size.patients // 2)
smoothness = {smooth: [sac_after(bend_field(seed, smooth)) for seed in range(n_fields)] for smooth in (40, 20, 10, 5)}  # fmt: skip
pd.DataFrame(
    {
        f"smooth over {smooth} mm": {
            "mean (mm)": f"{np.mean(sacs):.1f}",
            "from": f"{min(sacs):.1f}",
            "to": f"{max(sacs):.1f}",
            "10 mm or less": f"{100 * np.mean(np.array(sacs) <= 10):.0f} %",
        }
        for smooth, sacs in smoothness.items()
    }
)

# %%
worst = int(np.argmin(smoothness[10]))
shift = cv2.resize(bend_field(worst, 10).transpose(1, 2, 0), (224, 224)) / 1.25  # (224, 224, 2) pixels
rows, columns = np.mgrid[:224, :224].astype("float32")
bent = cv2.remap(healthy.image, columns + shift[..., 0], rows + shift[..., 1], cv2.INTER_LINEAR)

x, y = healthy.landmarks["L4-L5"]
figures.picture_grid(
    [healthy.image, bent, near_the_disc(healthy.image), near_the_disc(bent)],
    ["as scanned", "bent", "as scanned, L4-L5", "bent, L4-L5"],
    title=f"Rubber made a narrow sac: {np.linalg.norm(walls[1] - walls[0]) * 1.25:.0f} mm became "
    f"{smoothness[10][worst]:.0f} mm, still labelled Healthy",
)

# %% [markdown]
# That is the worst of the draws that are smooth over 10 mm, but training meets all of them. The rule behind it: **a change is
# dangerous when it acts on the scale of the lesion.** A field that is smooth over 40 mm moves the whole level; one that is
# smooth over 5 mm rewrites the boundary of the sac, which is the diagnosis. And the same goes for blackening out squares
# ("cutout"): a square of 20 mm can swallow the herniation and leave its name on the picture.
#
# ### Exercise 4: which are honest?
# Sagittal T2 slices, whole, and the four classes of this course. Which changes keep the label? Answer with a set of letters, such as
# `{"a", "b"}`.
#
# - `a` turn by at most 5°
# - `b` mirror left-right
# - `c` shift by at most 10 mm
# - `d` squeeze the width to 70 %
# - `e` multiply the contrast by 0.9 to 1.1
# - `f` bend by 3 mm, smooth over 5 mm
# - `g` add noise as weak as the scanner's own
# - `h` black out a square of 20 mm anywhere
# - `i` mirror up-down

# %% tags=["exercise"]
honest = ...

# %% tags=["check"]
check("preparation.honest", honest)

# %% tags=["solution"]
honest = {"a", "c", "e", "g"}

# %% [markdown]
# ### As it is done in training
# Nobody stores the copies. They are made anew for each batch, so a network rarely sees the same picture twice, and only the
# *training* part is changed (lesson 02, section 5). In Keras augmentations are layers. `augmenter` holds those of the paper:
# zoom, rotation and contrast, with the flip switched off.

# %%
from lumbar_utils import augmenter, prepare

layers = augmenter(zoom=0.1, rotation_degrees=10, contrast=0.2, horizontal_flip=False, seed=0)
one_patient = prepare(np.stack([slice_.image] * 8), size=128)  # (8, 128, 128, 1)
copies_made = np.asarray(layers(one_patient, training=True))[..., 0]

figures.picture_grid(
    list(copies_made),
    [f"copy {number}" for number in range(1, 9)],
    title="Eight copies of one patient, as a batch shows them",
)

# %% [markdown]
# When the network is asked, the layers do nothing:

# %%
unchanged = np.asarray(layers(one_patient, training=False))
print("left as they are:", np.array_equal(unchanged, one_patient))

# %% tags=["expected"]
# left as they are: True

# %% [markdown]
# ## 6. Play: from where on is it another patient?
#
# Left the changed slice with the frame that the localiser cuts out (and the true lesion outlined where the label has one), then
# what the network sees, then what it says. Move one slider at a time. For each, find two borders:
#
# - from where on would *you* say that this is another patient, or no patient?
# - from where on does the program lose the column, or change its answer?
#
# They are not the same border, and the distance between them is what this lesson is about.

# %%
import ipywidgets as widgets
from plotly.subplots import make_subplots

from lumbar_utils.live import show_figure

was_right = as_today.argmax(axis=1) == test.labels  # begin with a patient whom the network knows
look = {"style": {"description_width": "80px"}, "layout": {"width": "330px"}}
who = widgets.BoundedIntText(value=int(np.flatnonzero(is_hernia & was_right)[0]), min=0, max=len(test) - 1, description="patient", **look)  # fmt: skip
turn = widgets.IntSlider(value=0, min=-90, max=90, step=5, description="turn (°)", **look)
zoom = widgets.FloatSlider(value=1.0, min=0.4, max=2.0, step=0.1, description="zoom", **look)
contrast = widgets.FloatSlider(value=1.0, min=0.1, max=3.0, step=0.1, description="contrast", **look)
grain = widgets.FloatSlider(value=0.0, min=0.0, max=0.5, step=0.05, description="noise", **look)
flip = widgets.Dropdown(options=["none", "left-right", "up-down"], value="none", description="mirror", **look)
screen = widgets.Output()
grains = np.random.default_rng(0).normal(size=test.images.shape[1:])


def draw_changed(row, degrees, zoom_factor, contrast_factor, noise, mirror):
    turned_back = {"none": np.s_[:, :], "left-right": np.s_[:, ::-1], "up-down": np.s_[::-1]}[mirror]
    picture = moved(test.images[row][turned_back], degrees, zoom_factor) / 255
    picture = np.clip((picture - 0.5) * contrast_factor + 0.5 + noise * grains, 0, 1).astype("float32")
    lesion = lesion_mask(test.masks[row], test.class_names[test.labels[row]])[turned_back].astype(np.uint8)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = network.frame(picture[None])
    probabilities = network.predict(seen)[0]

    fig = make_subplots(cols=3, column_widths=[0.4, 0.2, 0.4], horizontal_spacing=0.04)
    for col, shown in ((1, picture), (2, seen.pictures[0])):
        fig.add_trace(figures.pictures.grey_picture(shown), row=1, col=col)
        figures.pictures.bare_axes(fig, shown.shape, row=1, col=col)
    fig.add_trace(figures.pictures.outline(moved(lesion, degrees, zoom_factor) > 0, name="lesion", legend=False), row=1, col=1)  # fmt: skip
    corners = np.array([[0, 0], [95, 0], [95, 191], [0, 191], [0, 0]])
    border = cv2.transform(corners[None].astype("float32"), cv2.invertAffineTransform(seen.matrices[0]))[0]
    if seen.found[0]:
        fig.add_scatter(x=border[:, 0], y=border[:, 1], mode="lines", line={"color": ORANGE, "width": 2, "dash": "dash"}, row=1, col=1)  # fmt: skip
    colours = [BLUE if p == probabilities.max() else GREY for p in probabilities]
    fig.add_bar(
        x=100 * probabilities, y=list(test.class_names), orientation="h", marker_color=colours,
        text=[figures.style.percent(p) for p in probabilities], textposition="outside", cliponaxis=False, row=1, col=3,
    )  # fmt: skip
    fig.update_xaxes(title_text="probability (%)", range=[0, 122], domain=[0.77, 1], row=1, col=3)
    fig.update_yaxes(autorange="reversed", row=1, col=3)
    truth, said = test.class_names[test.labels[row]], test.class_names[probabilities.argmax()]
    where = "Column found" if seen.found[0] else "No column found, whole picture taken"
    sure = figures.style.percent(probabilities.max())
    finish(fig, f"{where}. Truth: {truth}. Answer: {said}, {sure}", height=330)
    return fig.update_layout(showlegend=False, margin_l=16)


def redraw(change=None):
    fig = draw_changed(who.value, turn.value, zoom.value, contrast.value, grain.value, flip.value)
    show_figure(screen, fig)


for control in (who, turn, zoom, contrast, grain, flip):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([who, turn]), widgets.HBox([zoom, contrast]), widgets.HBox([grain, flip]), screen])

# %% tags=["drive"]
for control, value in (
    (turn, 30),
    (zoom, 1.5),
    (contrast, 0.5),
    (grain, 0.1),
    (flip, "left-right"),
    (who, 0),
):
    shown = screen.outputs
    control.value = 1 if control.value == value else value
    assert screen.outputs != shown, control

# %% [markdown]
# Where the column is lost, the whole picture goes in. The network has never seen such a thing, and answers all the same.
#
# ### Exercise 5 (open): how much turning does it bear?
# One patient is an anecdote. You get all 600 patients (the network has seen none of them) with their columns, and
# `turned(degrees)`, which turns every second column one way and the others the other way. This turns what the *network*
# sees, behind the localiser's back.
#
# A colleague wants to write: *"up to X degrees the accuracy falls by no more than 5 points."* Of the angles in `angles`, which is
# the largest X that your patients can **prove**? Mind: that the measured difference is above -5 points proves nothing; the whole paired interval
# has to lie above it, and for the smaller angles too. Give four numbers: the angle, then the difference (turned minus as
# scanned) and the lower and upper limit of its interval, all three in percentage points.
#
# *Tools:* `answers(network.predict(turned(8)), clinic)` and `paired_difference(a, b)`, which has `.value`, `.low` and `.high` as
# fractions.

# %%
angles = (1, 2, 3, 4, 6, 8, 10, 12, 15)


def turned(degrees):
    signs = np.where(np.arange(len(everybody)) % 2, 1, -1)
    pairs = zip(everybody.pictures, signs, strict=True)
    return replace(everybody, pictures=np.stack([moved(one, sign * degrees) for one, sign in pairs]))


# %% tags=["exercise"]
proven = ...

# %% tags=["check"]
check("preparation.turning", proven)

# %% tags=["solution"]
upright = answers(network.predict(everybody), clinic)
proven = (0, 0.0, 0.0, 0.0)
for degrees in angles:
    gap = paired_difference(answers(network.predict(turned(degrees)), clinic), upright)
    if gap.low <= -0.05:
        break
    proven = (degrees, 100 * gap.value, 100 * gap.low, 100 * gap.high)

# %% [markdown]
# How does that compare with what the network met in training? Its card tells:

# %%
network.card["provenance"]["configuration"]["augment"]

# %% [markdown]
# (The angle in degrees, the others as parts of 1.) Augmentation buys tolerance for what was shown. That nothing is proven beyond your
# X does not mean that the network fails there: it means that 600 patients cannot tell.
#
# ## 7. Tomorrow's pictures
#
# So far *we* changed the pictures. Now the world does. Training and test patients above came from the same clinic, one scanner, one protocol;
# every accuracy of this course rests on that. In medicine this breaks quietly: a new scanner, another hospital, a technician who centres
# differently. It is called **domain shift**. We take 100 of our test patients and scan *the same people* again:
#
# - by **another scanner** (`variation="wide"`: other field of view, coil, noise, window);
# - as **T1** instead of T2;
# - as a **radiograph**, a projection instead of a slice;
# - **8 mm beside the midline**, by the same scanner: an inattentive click.
#
# Diseases have not changed. *Order them by what you expect. In which will the network know that it is lost?*

# %%
n_again = min(len(test), max(10, size.patients // 6))
patients = [sample_patient(int(seed)) for seed in test.meta["patient_seed"][:n_again]]
same_labels = test.labels[:n_again]
settings = {
    "another scanner": {"variation": "wide"},
    "T1": {"contrast": "T1"},
    "radiograph": {"contrast": "XR"},
    "8 mm beside": {"offset_mm": 8.0},
}
scans = {name: np.stack([render(one, **how).image for one in patients]) for name, how in settings.items()}
figures.picture_grid(
    [one[0] for one in scans.values()],
    list(scans),
    title="One patient, four pictures that the network never learned from",
)

# %%
tomorrow = {name: network.frame(pictures) for name, pictures in scans.items()}
said = {"as in training": as_today[:n_again]}
said |= {name: network.predict(columns) for name, columns in tomorrow.items()}
for name, columns in tomorrow.items():
    print(f"{name:16} column found in {100 * columns.found.mean():3.0f} %")

beside = said["8 mm beside"]
claim_and_truth(
    said,
    same_labels,
    f"8 mm beside the midline it is right on {100 * np.mean(beside.argmax(axis=1) == same_labels):.0f} % and "
    f"claims {100 * beside.max(axis=1).mean():.0f} %",
)

# %% [markdown]
# In every one of these pictures the localiser does its duty: it was trained on all sorts of scanners, and finds the column. So
# "a column was found" is no guarantee. And the confidence is none either: it falls in some, and in the last row it does not. **The network does
# not know that it does not know.** It has four answers, and "I have never seen such a picture" is not among them.
#
# Why is the last row so dangerous? At 8 mm the slice passes the edge of the sac. Less sac means stenosis, to somebody who has
# only ever seen midline slices. (Part of the loss is honest: some diseases really show less there. But then a sound
# answer would be less sure, not more.)
#
# ### A guard at the door
# What can one do without labels? Compare each new picture with those of training, *before* the network is asked. Our guard is lesson
# 02's nearest neighbour, with another question: **how far away is the most similar training patient?** Far means
# strange. It measures on the edges of section 4, and its threshold comes from the *validation* patients: 5 in 100 of today's
# pictures may be stopped for nothing. *Which of the four will it stop?*

# %%
from sklearn.neighbors import NearestNeighbors

nearest = NearestNeighbors(n_neighbors=1).fit(column_train)


def strangeness(columns):
    return nearest.kneighbors(edges(columns))[0][:, 0]


known = framed(validation)
too_far = np.quantile(strangeness(known.pictures), 0.95)
too_low = np.quantile(network.predict(known).max(axis=1), 0.05)  # the rival: refuse what it is least sure of

columns = {"as in training": today.pictures[:n_again]}
columns |= {name: frames.pictures for name, frames in tomorrow.items()}
by_guard = {name: strangeness(pictures) > too_far for name, pictures in columns.items()}
by_confidence = {name: p.max(axis=1) < too_low for name, p in said.items()}

# %%
fig = go.Figure()
for stopped, name, colour, symbol in (
    (by_confidence, "stopped for low confidence", VERMILLION, "diamond-open"),
    (by_guard, "stopped by the guard", GREEN, "square"),
):
    share, low, high = wilson_of(list(stopped.values()))
    look = {"color": colour, "symbol": symbol, "size": 12, "line": {"width": 2}}
    fig.add_scatter(
        x=100 * share,
        y=list(stopped),
        name=name,
        mode="markers",
        marker=look,
        error_x=whiskers(share, low, high),
    )
fig.update_xaxes(title_text="pictures stopped (%), with 95 % interval", range=[-3, 103])
fig.update_yaxes(range=[len(columns) - 0.5, -0.5], tickfont={"size": 14})
fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
finish(
    fig,
    f"Beside the midline the guard stops {100 * by_guard['8 mm beside'].mean():.0f} %, low confidence "
    f"{100 * by_confidence['8 mm beside'].mean():.0f} %",
    details="Both rules were set to stop about 5 % of the clinic's validation patients.",
    height=360,
    above=24,
)

# %% [markdown]
# Low confidence stops most radiographs, and hardly any of the slices about which the network was surest and wrong. There a
# nearest neighbour does better. It is no cure either: it measures edges, so it sees what changes edges, and it passes more of
# the T1 pictures than of the others, since bones and discs have their edges there too. *A guard sees what it
# measures.* For T1 the remedy is simpler: read the DICOM header.
#
# So who guarantees that tomorrow's pictures look like today's? **Nobody but you.** What helps, from cheap to dear: write
# down how pictures were prepared, and check it in the program; refuse what has the wrong header; a guard on the pixels; labelled
# pictures of each new scanner, before it counts; training on many scanners, as the localiser was.
#
# ## Quiz
# Put the letter of the right answer in quotes.
#
# 1. **Do flips help?**
#    - a) always: they double the data
#    - b) it depends on the view and the label; mirrored sagittal slices show people who do not exist
#    - c) never in medicine
# 2. **A network gets pictures in the wrong mode. How do you notice?**
#    - a) the program stops with an error
#    - b) the confidence falls
#    - c) perhaps not at all: it runs, and may be surer than before
# 3. **Two hospitals have the mean grey values 90 and 130. What follows?**
#    - a) little: MRI has no unit; match the scales before you compare
#    - b) the second has the better scanner
#    - c) the patients of the second have more fluid
# 4. **A slice of 448 × 320 pixels must go into 224 × 224. You ...**
#    - a) squeeze it: the network learns to cope
#    - b) pad it, or crop: the canal's width is the diagnosis
#    - c) cut off the lower end
# 5. **The network is 90 % sure about a picture from another scanner. That means ...**
#    - a) 9 of 10 such pictures are right
#    - b) the picture resembles the training pictures
#    - c) nothing, until somebody has checked it on that scanner's patients

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ..., "5": ...}

# %% tags=["check"]
check("preparation.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"}

# %% [markdown]
# ## What you have seen
#
# - Halve the side of a picture, and a lesion keeps a quarter of its pixels. Average before you shrink, and never squeeze.
# - MR grey values have no unit. Dark can be converted, clipped white cannot, and a wrong mode raises no alarm.
# - Cropping along the spine gave the same classifier more than another architecture gave.
# - An augmentation is a claim: such a patient exists and has this diagnosis. Sagittal flips fail the first part, rubber and
#   cutout the second.
# - What a classifier bears is measured in pairs, and "no more than 5 points" needs the whole interval.
# - Under domain shift the confidence is no witness. Put a guard at the door.
#
# **Take along:** before you ask what a network can do, ask what was done to its pictures, and whether the same will be done
# tomorrow. In lesson 04 we build the network.
#
# ## References
# - Dalal and Triggs (2005), *Histograms of oriented gradients for human detection*, CVPR.
# - Hendrycks and Gimpel (2017), *A baseline for detecting misclassified and out-of-distribution examples in neural
#   networks*, ICLR.
# - Nyúl and Udupa (1999), *On standardizing the MR image intensity scale*, Magn Reson Med 42:1072.
# - Shorten and Khoshgoftaar (2019), *A survey on image data augmentation for deep learning*, J Big Data 6:60.
# - Simard, Steinkraus and Platt (2003), *Best practices for convolutional neural networks applied to visual document
#   analysis*, ICDAR.
# - Zech and others (2018), *Variable generalization performance of a deep learning model to detect pneumonia in chest
#   radiographs*, PLoS Med 15:e1002683.
