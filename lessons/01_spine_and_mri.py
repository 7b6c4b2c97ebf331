# %% [markdown]
# # The lumbar spine and what MRI shows of it
#
# **When you have finished you can**
# 1. name vertebrae, discs and the dural sac on a slice, and count the levels from the right end;
# 2. say from two numbers of the scanner, TR and TE, whether a tissue comes out bright or dark;
# 3. tell herniation, stenosis, spondylosis and a slip apart by where they press and what they change;
# 4. say what one midline slice cannot show, and which second picture would;
# 5. explain why a finding is not yet a complaint.
#
# *About 50 minutes of your time, 10 s of the machine's, 0.2 GB of memory. You need Python, and no medicine.*

# %% tags=["setup"]
# (written by the generator)

# %% [markdown]
# ## 1. Five bones, five cushions, one canal
#
# The **lumbar spine** is the lower back. Five **vertebrae** are stacked there, L1 on top and L5 at the
# bottom. L5 stands on the **sacrum**, five vertebrae grown into one bone that bends backwards. Between
# two vertebrae lies an **intervertebral disc**, a cushion with a soft, wet core (the **nucleus**) and a
# tough ring of fibres around it (the **annulus**). A disc is named after its two neighbours: L4-L5 lies between
# L4 and L5, and L5-S1 lies on the sacrum.
#
# Behind the bones runs the **spinal canal**. In it hangs the **dural sac**, a tube full of cerebrospinal fluid
# (**CSF**). The spinal cord ends in it beside L1 or L2; from there on only nerve roots hang in the fluid, on their way
# to the legs. Nearly every disease in this course matters because something presses on this sac.
#
# We look at a **phantom**: a patient drawn by a program, whose truth we know. Ours is 28 years old and healthy.
# The slice is cut through the middle of the body and seen from the side. That is the **midsagittal** slice: the belly
# is on the left, the back on the right. *How many discs can you count?*

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lumbar_utils import MASK_LABELS, check, course_size, figures, lesion_mask, render, sample_patient

patient = sample_patient(5, disease="Healthy", age_years=28)
midline = render(patient, size=384)
figures.picture_grid(
    [midline.image], [""], title="Grey vertebrae, bright discs between them, and a white sac behind"
).update_layout(height=480)

# %% [markdown]
# Now with names. The phantom knows them: `landmarks` holds points of the picture, `mask` a number for each pixel.

# %%
fig = figures.picture_grid(
    [midline.image], [""], title="Five lumbar vertebrae stand on the sacrum"
).update_layout(height=480)
for name in ("L1", "L2", "L3", "L4", "L5"):
    x, y = midline.landmarks[name]
    fig.add_annotation(x=x, y=y, text=f"<b>{name}</b>", showarrow=False, font_color="white")

rows, columns = np.nonzero(midline.mask == MASK_LABELS["cord"])
sac_x, sac_y = np.mean(
    [midline.landmarks["canal front L3-L4"], midline.landmarks["canal rear L3-L4"]], axis=0
)
rows_sacrum, columns_sacrum = np.nonzero(midline.mask == MASK_LABELS["sacrum"])
for text, x, y, ax, ay in (
    ("disc L4-L5", *midline.landmarks["L4-L5"], -75, 0),
    ("disc L5-S1", *midline.landmarks["L5-S1"], -75, 10),
    ("cord ends", columns[rows.argmax()], rows.max(), 75, 20),
    ("dural sac", sac_x, sac_y, 75, 10),
    ("sacrum", columns_sacrum.mean(), rows_sacrum.mean(), -70, 20),
):
    fig.add_annotation(
        x=x, y=y, ax=ax, ay=ay, text=text, arrowcolor="white", arrowhead=2,
        font_color="white", bgcolor="rgba(0,0,0,0.7)",
    )  # fmt: skip
fig

# %% [markdown]
# You counted more than five: the slice also shows thoracic vertebrae above L1. So nobody counts from the top. The
# safe end is the sacrum.
#
# How large is all this? Each pixel covers `spacing_mm` millimetres of the patient, and the phantom knows where the
# sac's front and rear walls stand.

# %%
front, rear = (np.array(midline.landmarks[f"canal {wall} L4-L5"]) for wall in ("front", "rear"))
sac_pixels = np.linalg.norm(rear - front)
print(f"at L4-L5 the sac is {sac_pixels:.0f} pixels deep, {sac_pixels * midline.spacing_mm:.1f} mm")
print(f"shrunk to 224 pixels, as most networks want it: {sac_pixels * 224 / 384:.0f} pixels")

# %% tags=["expected"]
# at L4-L5 the sac is 19 pixels deep, 14.0 mm
# shrunk to 224 pixels, as most networks want it: 11 pixels

# %% [markdown]
# Ten millimetres or less are called a narrow sac. The whole question is a matter of a few pixels.
#
# ### Exercise 1 (warm-up): which disc is it?
# Another patient. One of the lumbar discs has gone dark. Which one? Answer with its name, such as `"L1-L2"`.

# %%
discs_from_below = ("L5-S1", "L4-L5", "L3-L4", "L2-L3", "L1-L2")
dark = np.random.default_rng(4).integers(5)  # drawn by lot, so that the code does not tell
wear = {name: {"pfirrmann": 4 if k == dark else 1} for k, name in enumerate(discs_from_below)}
somebody = sample_patient(23, disease="Healthy", age_years=28, overrides=wear)
figures.picture_grid(
    [render(somebody, size=384).image], [""], title="One dark disc: find its name from below"
).update_layout(height=430)

# %% tags=["exercise"]
dark_disc = ...

# %% tags=["check"]
check("spine.level", dark_disc)

# %% tags=["solution"]
dark_disc = "L2-L3"

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("spine.level")`. Each call tells you a little more.)*
#
# ## 2. Two clocks
#
# A radiograph measures one thing: how much of the beam gets through. An MR picture has no such single meaning. The
# scanner *asks a question*, and the same tissue may be bright in one picture and black in the next.
#
# The signal comes from hydrogen nuclei, **protons**, in water and fat. In the scanner's field their magnetism lines
# up. A radio pulse tips it over; tipped, it sends out a signal that we can record as an **echo**. Then two clocks
# run, and each tissue has its own pace:
#
# - **T1, the recovery.** How long the magnetism takes to line up again. Until it has, a new pulse finds
#   little to tip.
# - **T2, the decay.** How long the tipped protons stay in step. Once they are out of step, the echo is gone.
#
# The person at the console chooses two waiting times:
#
# - **TR**, the repetition time, from one pulse to the next;
# - **TE**, the echo time, from the pulse to the recording.
#
# This is what the literature measured (marrow, fat and muscle in a field of 1.5 tesla). T1 and T2 are in milliseconds, PD
# is the density of protons in percent of that of water. *Which tissue has the longest T1, and which the longest T2?*

# %%
TISSUES = {  # T1 ms, T2 ms, PD %
    "CSF": (4273, 1578, 107),
    "cord": (780, 102, 59),
    "nucleus": (1165, 102, 79),
    "annulus": (780, 58, 58),
    "marrow": (549, 49, 91),
    "fat": (343, 58, 100),
    "muscle": (856, 27, 80),
}
pd.DataFrame(TISSUES, index=["T1 (ms)", "T2 (ms)", "PD (%)"]).T

# %% [markdown]
# Free water is slow on both clocks. (CSF, cord, nucleus: Drake-Pérez 2018, nucleus as their healthy disc; the PD of
# marrow too. T1 and T2 of marrow, fat and muscle: de Bazelaire 2004. The annulus and the PD of fat and muscle are our
# estimates. At 3 T the T1 are about a fifth longer.)
#
# Draw the two clocks. *At which TR is fat nearly recovered while CSF has hardly begun? At which TE has muscle fallen
# silent while CSF is still loud?*

# %%
from plotly.subplots import make_subplots

fig = make_subplots(cols=2, subplot_titles=["recovery: 1 − exp(−TR/T1)", "decay: exp(−TE/T2)"])
tr_ms, te_ms = np.linspace(0, 5000, 200), np.linspace(0, 200, 200)
for k, name in enumerate(("CSF", "nucleus", "fat", "muscle")):
    t1, t2, _ = TISSUES[name]
    look = {"line": figures.style.class_line(k), "name": name, "mode": "lines"}
    fig.add_scatter(x=tr_ms, y=100 * (1 - np.exp(-tr_ms / t1)), **look, row=1, col=1)
    fig.add_scatter(x=te_ms, y=100 * np.exp(-te_ms / t2), **look, showlegend=False, row=1, col=2)
for col, value in ((1, 550), (1, 3500), (2, 10), (2, 100)):
    fig.add_vline(x=value, line={"color": figures.style.GREY, "dash": "dot"}, row=1, col=col)
fig.update_xaxes(title_text="TR (ms)", row=1, col=1)
fig.update_xaxes(title_text="TE (ms)", row=1, col=2)
fig.update_yaxes(title_text="share of the signal (%)", range=[0, 103], row=1, col=1)
fig.update_yaxes(range=[0, 103], row=1, col=2)
figures.style.finish(
    fig, "Fat recovers first, water keeps its echo longest",
    details="Dotted: TR 550 and 3500 ms, TE 10 and 100 ms.", height=360, above=20,
).update_layout(legend={"orientation": "h", "y": -0.22, "yanchor": "top"}, margin_b=90)  # fmt: skip

# %% [markdown]
# The dotted lines are the two classic choices.
#
# - **T1-weighted**: short TR (550 ms), short TE (10 ms). T1 decides. Fat has recovered: bright. Water has not: dark.
# - **T2-weighted**: long TR (3500 ms), long TE (100 ms). T2 decides. Water keeps its echo: bright. Muscle: black.
#
# Both effects multiply. For a **spin echo**, the signal of a tissue is
#
# $$ S = \mathrm{PD}\,\bigl(1 - e^{-\mathrm{TR}/T_1}\bigr)\; e^{-\mathrm{TE}/T_2} . $$
#
# ### Exercise 2: write it down
# The arguments stand in the order of the table, then TR and TE, all times in milliseconds. Use `np.exp`, and the function
# will take arrays too.


# %% tags=["exercise"]
def spin_echo(t1, t2, density, tr, te): ...


# %% tags=["check"]
check("spine.signal", spin_echo)


# %% tags=["solution"]
def spin_echo(t1, t2, density, tr, te):
    return density * (1 - np.exp(-tr / t1)) * np.exp(-te / t2)


# %% [markdown]
# ### Exercise 3: predict before you look
# TR 550 ms, TE 10 ms. Sort `"CSF"`, `"fat"`, `"marrow"` and `"nucleus"`, brightest first. Use the table and your head;
# the next section draws the picture.

# %% tags=["exercise"]
brightest_first = ...

# %% tags=["check"]
check("spine.order", brightest_first)

# %% tags=["solution"]
brightest_first = ["fat", "marrow", "nucleus", "CSF"]

# %% [markdown]
# ## 3. Build a scanner
#
# With the equation and a map of the tissues we can make *any* spin-echo picture. (So that the cells below run whatever
# you wrote in exercise 2, we use the same line once more.)
#
# The phantom's **mask** names every pixel of the spine. We draw it fine, 512 pixels, and pick out the tissues. The
# disc is one piece in the mask; its core is what remains when a rim is shaved off.

# %%
import cv2


def echo(name, tr, te):
    t1, t2, density = TISSUES[name]
    return density * (1 - np.exp(-tr / t1)) * np.exp(-te / t2)


fine = render(patient, contrast="T1", size=512, noise=0.0)  # without noise
mask = fine.mask  # (512, 512)
sac, cord = mask == MASK_LABELS["sac"], mask == MASK_LABELS["cord"]
bone = (mask >= MASK_LABELS["L5"]) & (
    mask <= MASK_LABELS["sacrum"]
)  # bodies of all vertebrae, and the sacrum
disc = (mask >= MASK_LABELS["L5-S1"]) & (mask < MASK_LABELS["herniation"])

rim = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (19, 5))  # about 10 mm x 3 mm
nucleus = cv2.erode(disc.astype(np.uint8), rim) > 0
print(f"{nucleus.sum() / disc.sum():.0%} of the disc's area is nucleus")

# %% [markdown]
# Outside the spine the mask is empty. There we use what section 2 taught: on T1 fat is bright, muscle grey, air and the
# cortex of bone black. So the brightness of the T1 picture says how much fat, muscle or nothing a pixel holds.

# %%
brightness = fine.image / 255
fat_grey, muscle_grey, marrow_grey = 0.90, 0.36, 0.50  # read off the T1 picture

outside = mask == 0
fat = outside * np.clip((brightness - muscle_grey) / (fat_grey - muscle_grey), 0, 1)
muscle = outside * np.clip(brightness / muscle_grey, 0, 1) - fat
marrow = bone * np.clip(brightness / marrow_grey, 0, 1)  # less at the dark cortex around each bone

# %% [markdown]
# A scanner's pixel is coarser than our map, and holds a *mixture*: half sac, half ligament. This is called the **partial
# volume** effect. We get it for free by shrinking each map to 256 pixels, which takes means. What comes out is a share of
# each tissue in each pixel.

# %%
maps = (sac, cord, nucleus, disc & ~nucleus, marrow, fat, muscle)  # in the order of TISSUES
shares = np.stack(
    [cv2.resize(map_.astype("float32"), (256, 256), interpolation=cv2.INTER_AREA) for map_ in maps]
)
print(shares.shape)

# %% tags=["expected"]
# (7, 256, 256)

# %% [markdown]
# Now a picture is a weighted sum: each tissue's share times its signal. `np.tensordot` does it in a millisecond. The
# receiver adds noise of the same strength everywhere, however loud the signal is. Then the display makes everything
# white that reaches 90 % of the brightest tissue.

# %%
rng = np.random.default_rng(1)
noise = rng.normal(0, 1.2, (2, 256, 256))  # a magnitude picture has noise in two channels


def scan(tr, te):
    signals = np.array([echo(name, tr, te) for name in TISSUES])  # (7,)
    picture = np.tensordot(signals, shares, axes=1)  # (256, 256)
    picture = np.hypot(picture + noise[0], noise[1])
    return np.clip(picture / (0.9 * signals.max()), 0, 1), signals


figures.picture_grid(
    [scan(550, 10)[0], scan(3500, 100)[0], render(patient, contrast="T1").image, render(patient).image],
    ["our T1", "our T2", "the phantom's T1", "the phantom's T2"],
    title="One equation and seven rows of a table make both pictures",
).update_layout(height=300)

# %% [markdown]
# Your prediction of exercise 3 stands in the first picture. And one thing does *not* agree: look at the fat under the
# skin, at the right edge. Our T2 shows it dark grey, the phantom's T2 white.
#
# The phantom imitates **fast spin echo**, which every clinic uses because it is many times faster. It sends a train
# of pulses, and that keeps the echo of fat alive: its apparent T2 rises from 41 up to 143 ms, depending on the
# train (Pai 2008). So on a clinical T2 **both water and fat are bright**. Who wants to know which of the two it is
# looks at the T1, where only fat is.
#
# ### Turn the knobs
# Left the slice, right the signal of each tissue. Drag, or use the arrow keys. Find a setting
#
# - where you cannot see where the cord ends;
# - where the disc's nucleus and annulus look alike, and then one where they differ most;
# - where only the fluid is left;
# - where all is noise. Which of the two waits is to blame?

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure


def weighting(tr, te):
    if tr <= 900:
        return "T1-weighted" if te <= 30 else "a bit of both clocks, and little signal"
    if tr < 2000:
        return "in between"
    if te <= 70:
        return "proton density" if te <= 30 else "in between"
    return "T2-weighted" if te <= 160 else "heavily T2-weighted"


wide = {"width": "360px"}
tr_slider = widgets.IntSlider(value=550, min=100, max=6000, step=50, description="TR (ms)", layout=wide)
te_slider = widgets.IntSlider(value=10, min=5, max=300, step=5, description="TE (ms)", layout=wide)
screen = widgets.Output()


def redraw(change=None):
    tr, te = tr_slider.value, te_slider.value
    picture, signals = scan(tr, te)
    names, order = list(TISSUES), np.argsort(signals)
    fig = make_subplots(cols=2, column_widths=[0.5, 0.5], horizontal_spacing=0.16)
    fig.add_trace(figures.pictures.grey_picture(picture), row=1, col=1)
    figures.pictures.bare_axes(fig, picture.shape, row=1, col=1)
    fig.add_bar(
        x=signals, y=names, orientation="h", marker_color=figures.style.BLUE, text=[f"{value:.0f}" for value in signals],
        textposition="outside", cliponaxis=False, row=1, col=2,
    )  # fmt: skip
    fig.update_xaxes(title_text="signal (% of water's protons)", range=[0, 118], row=1, col=2)
    fig.update_yaxes(autorange="reversed", row=1, col=2)
    finding = f"{weighting(tr, te)}: {names[order[-1]]} is brightest, {names[order[0]]} darkest"
    figures.style.finish(fig, f"TR {tr}, TE {te} ms, {finding}", height=360)
    show_figure(screen, fig.update_layout(showlegend=False, margin_l=16))


for slider in (tr_slider, te_slider):
    slider.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([tr_slider, te_slider]), screen])

# %% tags=["drive"]
shown = screen.outputs
tr_slider.value, te_slider.value = 3500, 100
assert screen.outputs != shown and "TR 3500, TE 100" in str(screen.outputs)

# %% [markdown]
# ### Exercise 4: the edge that matters
# Whatever narrows the canal has to be seen against the sac. In front of the sac lies the annulus of the disc. With TR
# 3500 ms, which echo time makes the *difference* of CSF and annulus largest? Use your `spin_echo`, or `echo("CSF",
# 3500, echo_times)`.

# %%
echo_times = np.arange(5, 401, 5)  # ms

# %% tags=["exercise"]
best_te = ...

# %% tags=["check"]
check("spine.echo", best_te)

# %% tags=["solution"]
csf, annulus = echo("CSF", 3500, echo_times), echo("annulus", 3500, echo_times)
best_te = echo_times[np.argmax(csf - annulus)]

# %% [markdown]
# ## 4. Four ways to go wrong
#
# A phantom can do what no clinic can: change *one thing* in a person and leave the rest. We give our healthy patient four
# diseases, one at a time. Look at the sac: *where is it dented, from which side, at how many levels?*


# %%
def with_changes(overrides):
    return sample_patient(5, disease="Healthy", age_years=28, overrides=overrides)


three_levels = ("L2-L3", "L3-L4", "L4-L5")
worn = {"pfirrmann": 5, "disc_height_mm": 6.0, "osteophyte_mm": 5.5}
diseased = {
    "herniation": with_changes({"L4-L5": {"herniation_mm": 8.0, "pfirrmann": 4}}),
    "stenosis": with_changes(
        {name: {"sac_mm": 11.0, "flavum_mm": 6.5, "bulge_mm": 3.8} for name in three_levels}
    ),
    "spondylosis": with_changes(dict.fromkeys(discs_from_below, worn)),
    "slip": with_changes({"L4-L5": {"slip_mm": 10.0, "pfirrmann": 4}}),
}
slices = [render(one, size=320, fov_mm=230) for one in diseased.values()]
lower = np.s_[90:290, 60:260]  # the lower lumbar spine
figures.picture_grid(
    [one.image[lower] for one in slices],
    list(diseased),
    title="Same person, four diseases: two dent the sac, one bends it, one leaves it wide",
)

# %% [markdown]
# The phantom can outline what it changed.

# %%
outlines = [
    lesion_mask(slices[0].mask, "Herniated Disk"),
    lesion_mask(slices[1].mask, "Spinal Stenosis"),
    slices[2].mask == MASK_LABELS["osteophyte"],
    slices[3].mask == MASK_LABELS["L4"],
]
figures.picture_grid(
    [one.image[lower] for one in slices],
    ["one disc, from the front", "several levels, both sides", "spurs and flat discs", "L4 has moved"],
    overlays=[outline[lower] for outline in outlines],
    title="A herniation dents the sac once, a stenosis at several levels and from both sides",
)

# %% [markdown]
# - **Herniation.** The nucleus breaks through the annulus, usually at L4-L5 or L5-S1, and pushes backwards. It is
#   *focal*: it takes up less than a quarter of the disc's circumference. A disc that stands out all around is a
#   **bulge**, and a bulge is no herniation.
# - **Stenosis.** The canal is too narrow: a bulge from the front, and from behind a thickened **ligamentum flavum**, the
#   yellow ligament that joins the arches of the vertebrae. Usually at several levels, usually past sixty.
# - **Spondylosis.** Wear of the whole column: flat, dark discs, and spurs of bone (**osteophytes**) at the corners of the
#   vertebrae. The canal may be quite wide.
# - **Slip** (spondylolisthesis). One vertebra slides on the next, mostly L4 on L5. Follow the rear edges of the vertebrae:
#   they no longer form one curve.
#
# They overlap. A large herniation narrows the canal too, and an old spine has a little of everything. That one picture gets
# *one* label in this course, as in the paper behind it, is a simplification that will come back in every confusion
# matrix.
#
# ### A disc grows old
# Radiologists grade the wear of a disc on T2 from I to V (**Pfirrmann**). *What goes first: its water or its height?*


# %%
def near(picture, level="L4-L5", half=50):
    x, y = (int(value) for value in picture.landmarks[level])
    return np.s_[y - half : y + half, x - half : x + half]


grades = {
    "I": {"pfirrmann": 1},
    "III": {"pfirrmann": 3},
    "IV": {"pfirrmann": 4},
    "V": {"pfirrmann": 5, "disc_height_mm": 4.5},
}
discs = [render(with_changes({"L4-L5": grade}), size=384) for grade in grades.values()]
figures.picture_grid(
    [one.image[near(one)] for one in discs],
    [f"L4-L5, grade {grade}" for grade in grades],
    title="A disc loses its water before it loses its height",
)

# %% [markdown]
# Water makes the nucleus bright (its T2 falls from about 200 ms to 50 and less), so the grade is a reading of the second
# clock.
#
# ### Why the T1 is taken at all
# Beside a worn disc the bone marrow may change along the endplates (**Modic**). Type 1 is swelling, that is water; type 2
# is fat. On a T2 neither is dark: fat is bright, and water is as bright as the marrow around it or brighter. *What does
# the T1 say?*

# %%
marrow_changes = {}
for kind, what in ((1, "water"), (2, "fat")):
    grades_changed = {"L4-L5": {"modic": kind, "pfirrmann": 4}}
    changed = sample_patient(77, disease="Healthy", age_years=28, sex="F", overrides=grades_changed)
    for contrast in ("T2", "T1"):
        marrow_changes[f"type {kind} ({what}), {contrast}"] = render(changed, size=384, contrast=contrast)
figures.picture_grid(
    [one.image[near(one)] for one in marrow_changes.values()],
    list(marrow_changes),
    title="T1 tells water from fat: type 1 is dark there, type 2 is bright",
)

# %% [markdown]
# ## 5. Four views of one patient
#
# Now a patient with a herniation of 7 mm at L4-L5. It does not sit in the middle, but 9 mm to the patient's right. This is
# common: most herniations are **paracentral**, because a strong ligament guards the middle. Four pictures of him
# follow. *In which of them do you see it?*

# %%
leg_pain = with_changes({"L4-L5": {"herniation_mm": 7.0, "herniation_offset_mm": 9.0}})
views = {
    "T2, midline": render(leg_pain, size=384),
    "T1, midline": render(leg_pain, size=384, contrast="T1"),
    "T2, 9 mm to the right": render(leg_pain, size=384, offset_mm=9.0),
    "radiograph": render(leg_pain, size=384, contrast="XR"),
}
figures.picture_grid(
    [one.image for one in views.values()],
    list(views),
    title="Four pictures, one patient: at this size nothing strikes the eye",
).update_layout(height=300)

# %%
figures.picture_grid(
    [one.image[near(one)] for one in views.values()],
    list(views),
    title="Enlarged: only the slice beside the midline shows the herniation",
)

# %% [markdown]
# - The **T2** shows fluid, so it shows whatever dents the fluid. It is the slice this course works with.
# - The **T1** shows fat. Fat surrounds the nerve roots where they leave the canal, so its loss is a sign there.
# - The slice **beside** the midline passes the sac's edge. There the herniation stands.
# - The **radiograph** is no slice but a shadow of everything in the beam's way. It shows bone: height, spurs, slips. A disc
#   is merely the gap between two bones, and the sac is not there at all.
#
# The view that settles it is the **axial** one, a slice across the body. You look from the feet: *the patient's right is on
# your left.* The belly is on top.

# %%
stenosis = with_changes({"L4-L5": {"sac_mm": 11.0, "flavum_mm": 5.5, "bulge_mm": 3.0}})
across = {"healthy": patient, "herniation, 9 mm to the right": leg_pain, "stenosis": stenosis}
axial = [render(one, view="axial", level="L4-L5", size=384) for one in across.values()]
middle = np.s_[90:270, 100:280]
figures.picture_grid(
    [one.image[middle] for one in axial],
    list(across),
    title="Across: a herniation takes one corner of the sac, a stenosis narrows all of it",
).update_layout(height=340)

# %% [markdown]
# The large grey oval is the disc, the white spot behind it the sac with its nerve roots (dark dots). In the stenosis the
# fluid is nearly gone and the roots crowd together.
#
# ## 6. What one slice cannot show
#
# Many datasets, and the paper behind this course, keep a single midline slice a patient. How much is lost? Let the
# herniation wander sideways, and count how much of it (in mm²) the midline slice shows.

# %%
offsets_mm = np.arange(0, 13)
seen_mm2 = []
for offset in offsets_mm:
    aside = with_changes({"L4-L5": {"herniation_mm": 7.0, "herniation_offset_mm": float(offset)}})
    slice_ = render(aside, size=448)
    seen_mm2.append(lesion_mask(slice_.mask, "Herniated Disk").sum() * slice_.spacing_mm**2)
share_seen = 100 * np.array(seen_mm2) / seen_mm2[0]

fig = go.Figure(go.Scatter(x=offsets_mm, y=share_seen, mode="lines+markers"))
fig.update_xaxes(title_text="how far the herniation lies beside the midline (mm)")
fig.update_yaxes(title_text="area on the midline slice (% of a central one's)", range=[0, 105])
half_lost = offsets_mm[np.argmax(share_seen < 50)]
figures.style.finish(
    fig, f"From {half_lost} mm on, the midline slice shows less than half of a herniation", height=340
)

# %% [markdown]
# A slice is 4 mm thick, and a network sees nothing but the slice.
#
# ### Exercise 5 (open): how many slices does a patient need?
# Here are 60 patients with a herniation as the phantom samples them, seven slices each, 4.4 mm apart. `areas` holds the
# area of herniation that each slice shows; column 3 is the midline, columns 2 and 4 its neighbours.
#
# Call a herniation **half hidden** if the slices you have show less than half of the area that its best slice shows (the
# largest of its seven). What share of the 60 is half hidden
#
# 1. if you have the midline slice alone?
# 2. if you have the midline and the two beside it, and use the best of the three?

# %%
places_mm = 4.4 * np.arange(-3, 4)
areas = np.zeros((course_size(patients=60).patients, len(places_mm)))  # (60, 7), mm²
for row in range(len(areas)):
    one = sample_patient(row, disease="Herniated Disk")
    for column, place in enumerate(places_mm):
        slice_ = render(one, offset_mm=float(place))
        areas[row, column] = lesion_mask(slice_.mask, "Herniated Disk").sum() * slice_.spacing_mm**2

# %% tags=["exercise"]
hidden_midline = ...
hidden_three = ...

# %% tags=["check"]
check("spine.slices", (hidden_midline, hidden_three))

# %% tags=["solution"]
best = areas.max(axis=1)  # (60,)
hidden_midline = np.mean(areas[:, 3] < 0.5 * best)
hidden_three = np.mean(areas[:, 2:5].max(axis=1) < 0.5 * best)

# %% [markdown]
# ## 7. A patient whose truth is known
#
# So far *we* set the disease. Usually the phantom draws an age, a sex and an anatomy, and then **grades for every disc**
# with the frequencies of the literature. This is a patient as it comes; the picture is drawn from these numbers.

# %%
visitor = sample_patient(2, disease="Spinal Stenosis")
columns_shown = ["name", "pfirrmann", "herniation_mm", "bulge_mm", "flavum_mm", "osteophyte_mm", "sac_mm"]
print(f"{visitor.sex}, {visitor.age_years:.0f} years, label: {visitor.label}")
pd.DataFrame(list(visitor.levels))[columns_shown].set_index("name")

# %% [markdown]
# The **label** comes last, by a written rule: the strongest finding wins, *if the person has symptoms*. Without symptoms
# the label is Healthy, whatever the picture shows. Such a finding is called **incidental**. Is that rare?
#
# We draw people **without complaints** at each age, and count. Beside them stands what a review of 33 studies found in
# 3,110 real people without complaints (Brinjikji 2015a). *Guess the share of people of 50 with a worn disc.*

# %%
ages = [20, 30, 40, 50, 60, 70, 80]
n_people = course_size(patients=300).patients
drawn = {"worn disc": [], "protrusion": []}  # % of people at each age
for age in ages:
    people = [sample_patient(seed, disease="Healthy", age_years=age) for seed in range(n_people)]
    worn_disc = [any(level.pfirrmann >= 3 for level in person.levels) for person in people]
    protrusion = [any(level.herniation_mm > 0 for level in person.levels) for person in people]
    drawn["worn disc"].append(100 * np.mean(worn_disc))
    drawn["protrusion"].append(100 * np.mean(protrusion))

# %%
review = {"worn disc": [37, 52, 68, 80, 88, 93, 96], "protrusion": [29, 31, 33, 36, 38, 40, 43]}  # %
fig = go.Figure()
for k, finding in enumerate(drawn):
    share = np.array(drawn[finding])
    fig.add_scatter(
        x=ages, y=share, name=f"{finding}, phantoms", mode="lines", line=figures.style.class_line(k),
        error_y={"array": 196 * np.sqrt(share / 100 * (1 - share / 100) / n_people), "thickness": 1},
    )  # fmt: skip
    fig.add_scatter(
        x=ages, y=review[finding], name=f"{finding}, real people (review)", mode="markers",
        marker={"size": 11, "symbol": ("circle", "diamond")[k], "color": figures.style.COLOURS[k]},
    )  # fmt: skip
fig.update_xaxes(title_text="age (years)")
fig.update_yaxes(title_text="people without complaints who have it (%)", range=[0, 103])
title = f"Without any complaint: {drawn['worn disc'][3]:.0f} % of phantoms aged 50 have a worn disc, 80 % of real people"
figures.style.finish(
    fig, title, details=f"Bars: 95 % interval, {n_people} phantoms an age.", height=400
).update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top"}, margin_b=110)

# %% [markdown]
# (Worn: Pfirrmann III or more in at least one disc. The bars are 95 % intervals for the phantoms; the review
# gives none for each age. The phantom draws somewhat fewer protrusions than real people have.)
#
# A worn disc at 50 is like grey hair at 50. It is *there*; that it explains a pain does not follow.
#
# ### Exercise 6: what does a protrusion say?
# A **protrusion** is a small herniation. At 40, 33 % of people without pain have one. People with back pain have it
# more often, with an odds ratio of 2.65 (Brinjikji 2015b), which makes it 57 %. Suppose 200 of 1000 people of 40 have back
# pain. You see a protrusion in one of the 1000. How likely is it that this person has pain? Give a number
# between 0 and 1.

# %% tags=["exercise"]
pain_given_protrusion = ...

# %% tags=["check"]
check("spine.pain", pain_given_protrusion)

# %% tags=["solution"]
with_pain, without_pain = 200 * 0.57, 800 * 0.33  # people who have a protrusion
pain_given_protrusion = with_pain / (with_pain + without_pain)

# %% [markdown]
# This limits what any network can do. A Healthy phantom may carry a protrusion of 4 mm, and so may a patient. From the
# picture alone nobody can tell them apart, and an accuracy of 100 % would be a reason to look for a leak. How leaks arise is
# the subject of lesson 02.
#
# ## Quiz
# Put the letter of the right answer in quotes.
#
# 1. **A patient of 50 has back pain, and his L4-L5 disc is dark on T2. What follows?**
#    - a) the disc is the cause of his pain
#    - b) he must be older than he says
#    - c) little: most people of 50 without pain have such a disc
# 2. **A patch is bright on a clinic's T2 (fast spin echo). What is it?**
#    - a) water, since T2 shows water
#    - b) water or fat; the T1 decides
#    - c) the cortex of a bone
# 3. **Pain in the right leg, and a clean midline slice. What do you ask for?**
#    - a) the slices beside the midline, and axial ones
#    - b) the midline once more, with less noise
#    - c) nothing: there is no herniation
# 4. **Why is CSF dark on T1?**
#    - a) it has few protons
#    - b) it has not recovered when the next pulse comes
#    - c) its echo decays fast

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ...}

# %% tags=["check"]
check("spine.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "c", "2": "b", "3": "a", "4": "b"}

# %% [markdown]
# ## What you have seen
#
# - Five lumbar vertebrae, counted from the sacrum upwards; discs between them, the dural sac behind.
# - TR decides what T1 may say, TE what T2 may say. Short and short: fat is bright. Long and long: water is bright, and
#   on fast spin echo fat as well.
# - A herniation dents the sac at one level and from the front; a stenosis at several and from both sides; spondylosis
#   changes discs and bones; a slip breaks the line of the rear edges.
# - One midline slice misses what lies beside it. No network wins that back.
# - A finding is not a complaint. That is true of people, and built into the phantoms.
#
# **Take along:** before you ask what a network sees, ask what the picture shows: which view, which weighting, which slice.
#
# ## References
#
# - Brinjikji W, Luetmer PH, Comstock B, et al. (2015a). Systematic literature review of imaging features of spinal
#   degeneration in asymptomatic populations. *AJNR* 36:811-816.
# - Brinjikji W, Diehn FE, Jarvik JG, et al. (2015b). MRI findings of disc degeneration are more prevalent in adults with
#   low back pain than in asymptomatic controls. *AJNR* 36:2394-2399. (Adults of 50 and younger.)
# - de Bazelaire CMJ, Duhamel GD, Rofsky NM, Alsop DC (2004). MR imaging relaxation times of abdominal and pelvic tissues
#   measured in vivo at 3.0 T: preliminary results. *Radiology* 230:652-659. (With the same tissues at 1.5 T.)
# - Drake-Pérez M, Delattre BMA, Boto J, et al. (2018). Normal values of magnetic relaxation parameters of spine components
#   with the synthetic MRI sequence. *AJNR* 39:788-795.
# - Fardon DF, Williams AL, Dohring EJ, et al. (2014). Lumbar disc nomenclature: version 2.0. *Spine J* 14:2525-2545.
# - Modic MT, Steinberg PM, Ross JS, et al. (1988). Degenerative disk disease: assessment of changes in vertebral body marrow
#   with MR imaging. *Radiology* 166:193-199.
# - Pai A, Li X, Majumdar S (2008). A comparative study at 3 T of sequence dependence of T2 quantitation in the knee. *Magn
#   Reson Imaging* 26:1215-1220.
# - Pfirrmann CWA, Metzdorf A, Zanetti M, Hodler J, Boos N (2001). Magnetic resonance classification of lumbar
#   intervertebral disc degeneration. *Spine* 26:1873-1878.
