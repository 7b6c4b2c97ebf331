# %% [markdown]
# # Data, splits and leaks: how a program scores 100 % and knows nothing
#
# **When you have finished you can**
# 1. say what one row of a medical dataset stands for, and what accuracy a program reaches that never looks;
# 2. split pictures by patient, and show that a split by picture leaks;
# 3. make a program "recognise" the toss of a coin, and explain how it did;
# 4. put an interval on 19 right answers out of 19, and say how many patients a claim needs.
#
# *About 40 minutes of your time, 15 s of the machine's, 0.4 GB of memory.*

# %% tags=["setup"]
# (written by the generator)

# %% [markdown]
# ## 1. A small clinic whose truth is known
#
# Real MR pictures of the spine come with two doubts: is the label right, and may we share the picture?
# So this course begins with **phantoms**: drawn patients. A program samples an age, an anatomy and the
# state of each disc, draws a slice from it, adds the noise of a scanner, and derives the diagnosis by a
# written rule. We know what is wrong with each of them, and where. What we learn about *methods* on
# phantoms carries over to real pictures. The *scores* do not, and we never call them clinical.

# %%
import numpy as np
import pandas as pd

from lumbar_utils import LumbarError, Predictions, check, course_size, evaluate, figures
from lumbar_utils import load_dataset, render, sample_patient, split_by_patient

size = course_size(patients=400)
clinic = load_dataset("phantom", n_patients=size.patients, seed=2, size=128)
clinic

# %% [markdown]
# One object holds what belongs together: pictures, labels, masks, and *whose* picture it is. What are
# the shapes? Guess what each number in the two brackets counts.

# %%
print("one picture:", clinic.images[0].shape, clinic.images.dtype)
print("one mask:   ", clinic.masks[0].shape, clinic.masks.dtype)
print("classes:    ", ", ".join(clinic.class_names))

# %% tags=["expected"]
# one picture: (128, 128) uint8
# one mask:    (128, 128) uint8
# classes:     Healthy, Herniated Disk, Spinal Stenosis, Spondylosis

# %% [markdown]
# Height and width, in pixels, with grey values from 0 to 255. Now look at one patient of each class.
# You see the spine from the side, cut through its middle; the belly is on the left, the back on the right.
# The bright vertical band is the **dural sac**, full of fluid. *Before you read the captions: in which
# picture does something push into the band from the left?*

# %%
first_of_class = [int(np.flatnonzero(clinic.labels == k)[0]) for k in range(len(clinic.class_names))]
figures.picture_grid(
    clinic.images[first_of_class],
    clinic.class_names,
    title="The disease is a few pixels at the edge of a bright band",
)

# %% [markdown]
# A person had to learn for years to see this. The phantom simply remembers what it drew: its **mask**
# gives every pixel a name. `lesion_mask` picks the pixels that make the diagnosis.

# %%
from lumbar_utils import lesion_mask

hernias = np.flatnonzero(clinic.labels == 1)
lesions = {row: lesion_mask(clinic.masks[row], "Herniated Disk") for row in hernias}
row = max(lesions, key=lambda row: lesions[row].sum())  # the largest of them all
picture, lesion = clinic.images[row], lesions[row]

y_lesion, x_lesion = np.argwhere(lesion).mean(axis=0).astype(int)
around = np.s_[max(y_lesion - 16, 0) : y_lesion + 16, max(x_lesion - 16, 0) : x_lesion + 16]
figures.picture_grid(
    [picture, picture[around], picture[around]],
    ["what the network gets", "four times as large", "what we know"],
    overlays=[None, None, lesion[around]],
    title=f"Even the largest herniation covers only {lesion.mean():.1%} of the picture",
)

# %% [markdown]
# That is why this is hard. Almost everything in the picture (size, posture, fat, age) has nothing to do
# with the question, and a program is free to use all of it.
#
# ## 2. How good is a program that never looks?
#
# Before we praise a program, we need a floor. How many patients does each class have?

# %%
clinic.summary()

# %%
figures.class_counts(clinic)

# %% [markdown]
# ### Exercise 1 (warm-up): the floor of the paper's test set
# The paper behind this course tested on 19 pictures: 4 Healthy, 4 Herniated Disk, 8 Spinal Stenosis and
# 3 Spondylosis. A program answers "Spinal Stenosis" to everything, without opening a single file.
# What accuracy does it reach? Give a fraction between 0 and 1; Python may do the division.

# %% tags=["exercise"]
floor = ...

# %% tags=["check"]
check("splits.majority", floor)

# %% tags=["solution"]
floor = 8 / (4 + 4 + 8 + 3)

# %% [markdown]
# *(Stuck? Type `hint("splits.majority")` into a new cell. Each call tells you a little more.)*
#
# ## 3. Three parts, and no patient in two of them
#
# A network with a few hundred thousand numbers can learn its training pictures by heart. So we never
# judge it on these. The paper splits its pictures 80 : 10 : 10:
#
# - the **training** part (80 %) is what the network learns from;
# - the **validation** part (10 %) tells us when to stop, and which settings to keep;
# - the **test** part (10 %) is opened once, at the end.
#
# `split_by_patient` does this for patients, and keeps the shares of the classes alike.

# %%
parts = split_by_patient(clinic, fractions=(0.8, 0.1, 0.1), seed=0)
train, validation, test = parts
pd.DataFrame({name: part.summary()["patients"] for name, part in parts._asdict().items()})

# %% [markdown]
# *By patient*: the paper does not say whether its split was one. Does it matter? We are going to find out
# with an experiment that you will not forget.
#
# ## 4. The coin that a program could see
#
# We draw 200 patients and take six pictures of each, as a scanner does: slices two millimetres apart, each
# with its own noise.

# %%
n_patients, slices_each = course_size(patients=200).patients, 6
offsets_mm = [-5, -3, -1, 1, 3, 5]
rng = np.random.default_rng(7)

pictures, owners = [], []
for number in range(n_patients):
    patient = sample_patient(number)
    for offset_mm in offsets_mm:
        clean = render(patient, offset_mm=offset_mm, size=64, noise=0.0).image
        pictures.append(np.clip(clean + rng.normal(0, 10, clean.shape), 0, 255).astype(np.uint8))
        owners.append(f"P{number:03d}")

X = np.stack(pictures).reshape(len(pictures), -1) / 255  # (1200, 4096): a row a picture, a column a pixel
owners = np.array(owners)

# %%
rows = [0, 1, 2, 3, 6, 7, 8, 9]
figures.picture_grid(
    [pictures[row] for row in rows],
    [f"{owners[row]}, {offsets_mm[row % slices_each]:+d} mm" for row in rows],
    title="Two slices of one patient look more alike than two patients do",
)

# %% [markdown]
# Now the trick. For every **patient** we toss a coin, and write the result on all six pictures. The label
# is not in the picture: no anatomy, no disease, nothing. *What accuracy can an honest test show?*

# %%
coin_of_patient = rng.integers(0, 2, size=n_patients)
y = np.repeat(coin_of_patient, slices_each)

# %% [markdown]
# Half of the answers, of course. Our program is the simplest there is: **1-nearest-neighbour** looks for the
# training picture that is most alike, pixel by pixel, and repeats its label. We test it with five-fold
# cross-validation: five times, a fifth of the pictures is held back and predicted from the others.
#
# First the usual way, `KFold`: it shuffles the *pictures*.

# %%
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

nearest = KNeighborsClassifier(n_neighbors=1)
by_picture = cross_val_predict(nearest, X, y, cv=KFold(5, shuffle=True, random_state=0))
print(f"accuracy, split by picture: {np.mean(by_picture == y):.2f}")

# %% [markdown]
# Read that number again. The program predicts the toss of a coin. How?
#
# It does not recognise the coin. It recognises the **patient**: some slice of the same person is in the
# training part, it is the nearest one, and it carries the same label. Let us take that away. `GroupKFold`
# gets the owners, and keeps all pictures of a patient on one side.

# %%
by_patient = cross_val_predict(nearest, X, y, groups=owners, cv=GroupKFold(5))
print(f"accuracy, split by patient: {np.mean(by_patient == y):.2f}")

# %% [markdown]
# Near one half, as it must be. Same program, same pictures, same labels; only the split differs. To draw both with
# their intervals we pack the answers into `Predictions`. It wants to know whose pictures they are, because
# an interval has to count **patients**: six slices of one person are not six independent witnesses.


# %%
def answers_to_report(answers, name, rows=slice(None), **options):
    return evaluate(
        Predictions(
            labels=y[rows],
            probabilities=np.eye(2)[answers],
            class_names=("heads", "tails"),
            patient_ids=owners[rows],
            model=name,
            dataset="coin tosses",
            measured_on="phantoms",
        ),
        **options,
    )


reports = {
    "split by picture": answers_to_report(by_picture, "split by picture"),
    "split by patient": answers_to_report(by_patient, "split by patient"),
}
print(reports["split by patient"].accuracy.method)
figures.retitle(figures.compare_accuracy(reports), "A leak turns a coin toss into a discovery")

# %% [markdown]
# This is not a toy problem. Yagis and colleagues (2021) did it with brain MR scans and random labels:
# 96 % when slices were split, 50 % when patients were. With true labels, splitting by slice still
# raised the accuracy by 29 to 55 %.
#
# ### Exercise 2: how lonely is a test picture?
# A patient has six pictures, and each goes to the training part with chance 0.8, whatever happens to the
# others. Take one picture from the test part. What is the chance that **none** of this patient's other
# pictures is in the training part?

# %% tags=["exercise"]
chance_of_a_stranger = ...

# %% tags=["check"]
check("splits.lonely", chance_of_a_stranger)

# %% tags=["solution"]
chance_of_a_stranger = 0.2**5  # five other pictures, each outside the training part with chance 0.2

# %% [markdown]
# ### Play: what feeds the leak?
# Two knobs: how many slices a patient has, taken from the middle outwards, and how many patients there are. The labels stay
# tosses of a coin. *Guess before you move them: how many slices does the leak need? And what makes the interval of the
# honest split narrower: more slices, or more patients?*
#
# So that it answers at once, the distance between any two pictures is computed beforehand.

# %%
import ipywidgets as widgets
from sklearn.metrics import pairwise_distances

from lumbar_utils.live import show_figure

apart = pairwise_distances(X)  # (1200, 1200)
middle_first = np.argsort(np.abs(offsets_mm), kind="stable")  # which of the six slices come first

n_slices = widgets.IntSlider(value=1, min=1, max=slices_each, description="slices")
n_people = widgets.SelectionSlider(
    options=[n_patients // 8, n_patients // 4, n_patients // 2, n_patients], value=n_patients, description="patients"
)  # fmt: skip
screen = widgets.Output()


def labels_of_nearest(rows, split):
    answers = np.empty_like(rows)
    for known, asked in split:
        nearest_known = apart[np.ix_(rows[asked], rows[known])].argmin(axis=1)
        answers[asked] = y[rows[known]][nearest_known]
    return answers


def redraw(change=None):
    slices = np.sort(middle_first[: n_slices.value])
    rows = (np.arange(n_people.value)[:, None] * slices_each + slices).ravel()
    leaky = labels_of_nearest(rows, KFold(5, shuffle=True, random_state=0).split(rows))
    honest = labels_of_nearest(rows, GroupKFold(5).split(rows, groups=owners[rows]))
    fig = figures.compare_accuracy(
        {
            name: answers_to_report(answers, name, rows, n_resamples=500)
            for name, answers in (("split by picture", leaky), ("split by patient", honest))
        }
    )
    gain = figures.style.points(np.mean(leaky == y[rows]) - np.mean(honest == y[rows]))
    each = figures.style.count(n_slices.value, "slice")
    figures.retitle(fig, f"{n_people.value} patients, {each} each: the two splits lie {gain} apart")
    show_figure(screen, fig.update_xaxes(range=[0, 103]))


for control in (n_slices, n_people):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([n_slices, n_people], layout={"flex_flow": "row wrap"}), screen])

# %% tags=["drive"]
for control, value in ((n_slices, 2), (n_slices, 6), (n_people, n_patients // 8), (n_slices, 1)):
    shown_before = screen.outputs
    control.value = value
    assert screen.outputs != shown_before, control

# %% [markdown]
# With one slice there is no companion, and both splits are honest. The second slice opens the leak almost wholly. And six
# slices in the place of one leave the honest interval as wide as it was: it narrows with the number of *patients* only. (With 25
# patients even an honest number may lie 20 points from one half. That is luck, and the interval says how much of it to expect.)
#
# ### Exercise 3: write the alarm
# Write a function that gets the patients of the training part and of the test part, one entry a picture,
# and returns those who stand in both.


# %% tags=["exercise"]
def shared_patients(train_ids, test_ids): ...


# %% tags=["check"]
check("splits.shared", shared_patients)


# %% tags=["solution"]
def shared_patients(train_ids, test_ids):
    return set(train_ids) & set(test_ids)


# %% [markdown]
# Is our own split of section 3 clean? The next cell asks NumPy, picture by picture: how many test pictures
# have their patient in the training part? Then the same for a split that shuffles the coin pictures.

# %%
from sklearn.model_selection import train_test_split

print("our split:     ", np.isin(test.patient_ids, train.patient_ids).sum(), "test pictures leak")

rows_train, rows_test = train_test_split(np.arange(len(owners)), test_size=0.2, random_state=0)
leaks = np.isin(owners[rows_test], owners[rows_train])
print("split by picture:", f"{leaks.sum()} of {len(leaks)} test pictures leak")

# %% [markdown]
# ## 5. Copies leak too
#
# Perhaps each patient has one picture only. Then you are safe, unless you *make* copies. The paper
# augments its pictures: it turns, zooms and flips them. Whoever augments first and splits afterwards has
# the original in one part and its turned copy in the other.
#
# *Turned by 2 degrees, shifted by a pixel, a little brighter: will nearest-neighbour still find its
# twin?* We keep one slice a patient, and one copy of it.

# %%
import cv2

originals = np.stack(pictures[2::slices_each])  # (200, 64, 64), one a patient
turn = cv2.getRotationMatrix2D((32, 32), 2, 1.0)  # 2 degrees around the middle
turn[:, 2] += 1  # and one pixel down and to the right
turned = np.stack(
    [cv2.warpAffine(picture, turn, (64, 64), borderMode=cv2.BORDER_REPLICATE) for picture in originals]
)
copies = np.clip(turned * 1.1, 0, 255)

X_twice = np.concatenate([originals, copies]).reshape(2 * n_patients, -1) / 255
y_twice = np.tile(coin_of_patient, 2)
owners_twice = np.tile(owners[2::slices_each], 2)

first_augment = cross_val_predict(nearest, X_twice, y_twice, cv=KFold(5, shuffle=True, random_state=0))
first_split = cross_val_predict(nearest, X_twice, y_twice, groups=owners_twice, cv=GroupKFold(5))
print(f"augment first, then split: {np.mean(first_augment == y_twice):.2f}")
print(f"copies stay together:      {np.mean(first_split == y_twice):.2f}")

# %% [markdown]
# The pixels have moved, and the comparison is a crude one. Even so the twin often is the best match. (With
# an 80 : 20 split, one original in five has its copy beside it in the test part, where it helps nobody.) A
# convolutional network, which is made to ignore shifts, finds the twin far more easily.
#
# **The order is: split by patient, then augment the training part, and nothing else.**

# %% [markdown]
# ## 6. The leak inside your own pipeline
#
# The last leak needs no copies at all. Take 100 of the originals, with a coin toss for each. A picture has
# 4,096 pixels, which is a lot for 100 patients. So somebody proposes: *let us keep the 100 pixels that
# go best with the label, and train on these.* scikit-learn has it ready: `SelectKBest(k=100)`.
#
# ### Exercise 4 (open): plan a crime, then solve it
# Use `LogisticRegression()`, `cv=GroupKFold(5)`, `groups=one_each`, and `cross_val_predict` for both answers.
#
# 1. **Leaky**: select the 100 pixels with *all* patients, then cross-validate on those columns.
# 2. **Honest**: put the selection and the classifier into one `make_pipeline`, and cross-validate that.
#
# Every fold keeps its patients together both times. Before you run it: which of the two will be above 0.5?

# %%
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

X_one = X[2::slices_each][:100]  # (100, 4096), one slice of each of 100 patients
y_one, one_each = coin_of_patient[:100], owners[2::slices_each][:100]
folds = {"cv": GroupKFold(5), "groups": one_each}

# %% tags=["exercise"]
leaky_accuracy = ...
honest_accuracy = ...

# %% tags=["check"]
check("splits.selection", (leaky_accuracy, honest_accuracy))

# %% tags=["solution"]
X_few = SelectKBest(k=100).fit_transform(X_one, y_one)  # this line has seen every label, the test labels too
leaky_accuracy = np.mean(cross_val_predict(LogisticRegression(), X_few, y_one, **folds) == y_one)

# the pipeline selects again in each fold, on that fold's training patients
pipeline = make_pipeline(SelectKBest(k=100), LogisticRegression())
honest_accuracy = np.mean(cross_val_predict(pipeline, X_one, y_one, **folds) == y_one)

# %% [markdown]
# **What a split protects is what stands inside it.** The mean that you subtract, the principal components,
# the features that you keep, the number of epochs: all of it is fitted, so all of it belongs inside the fold.
#
# ## 7. 19 out of 19
#
# The paper's best program answered 19 of 19 test pictures correctly, and so it says *100 %*. Say that the
# split was clean. *How bad might the program really be, and still have such a lucky day?*
#
# Suppose it is right on 9 of 10 patients. Then a perfect score on 19 has this chance:

# %%
print(f"one program:              {0.9**19:.3f}")
print(f"one of eight programs:    {1 - (1 - 0.9**19) ** 8:.2f}")

# %% tags=["expected"]
# one program:              0.135
# one of eight programs:    0.69

# %% [markdown]
# So if eight independent programs of that quality try, it is likelier than not that one of them comes out
# "perfect". (The paper compares eight. They shared their test pictures, so they were not independent.)
#
# An **interval** says this in two numbers. The formula of Wilson (1927) for $k$ right answers out of $n$ is
#
# $$\frac{k + z^2/2}{n + z^2} \;\pm\; \frac{z}{n + z^2}\sqrt{\frac{k\,(n-k)}{n} + \frac{z^2}{4}}, \qquad z = 1.96 .$$
#
# It acts as if you had seen about two more right answers and two more wrong ones. That is why it stays
# honest at 19 of 19.
#
# ### Exercise 5: write it down
# Return the lower and the upper limit.


# %% tags=["exercise"]
def wilson(k, n, z=1.96): ...


# %% tags=["check"]
check("splits.wilson", wilson)


# %% tags=["solution"]
def wilson(k, n, z=1.96):
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return centre - half, centre + half


# %% [markdown]
# `evaluate` does the same whenever each patient has one picture. The next cell rebuilds five of the paper's
# results from its text: 19 pictures, some of them wrong. (We assume 19 different patients; the paper
# does not say.) *How far apart are the best and the worst of the first four, really?*

# %%
reported = {"CNN-SVM hybrid": 19, "CNN": 18, "MobileNet": 17, "VGG16": 16, "DenseNet": 13}
truth = np.repeat([0, 1, 2, 3], [4, 4, 8, 3])

rebuilt = {}
for name, n_right in reported.items():
    answers = truth.copy()
    n_wrong = 19 - n_right
    answers[:n_wrong] = (answers[:n_wrong] + 1) % 4  # which ones are wrong does not change the accuracy
    rebuilt[name] = evaluate(
        Predictions(
            labels=truth,
            probabilities=np.eye(4)[answers],
            class_names=clinic.class_names,
            patient_ids=np.arange(19).astype(str),
            model=f"{name}, as reported",
            dataset="the paper's 19 test pictures",
            measured_on="real pictures",
        )
    )
    print(f"{name:<15} {n_right} of 19   {rebuilt[name].accuracy}")

# %% tags=["expected"]
# CNN-SVM hybrid  19 of 19   1.000 [0.832, 1.000]
# CNN             18 of 19   0.947 [0.754, 0.991]
# MobileNet       17 of 19   0.895 [0.686, 0.971]
# VGG16           16 of 19   0.842 [0.624, 0.945]
# DenseNet        13 of 19   0.684 [0.460, 0.846]

# %%
paper_figure = figures.compare_accuracy(rebuilt)
figures.retitle(paper_figure, "19 pictures cannot rank the paper's programs")
paper_figure.update_xaxes(title_text="Accuracy as reported by the paper (%), with 95 % interval")

# %% [markdown]
# The first four overlap almost wholly: three pictures separate the best of them from the last.
#
# ### Exercise 6: how many patients does a claim need?
# A program makes no mistake at all on $n$ patients. Then $k = n$, and Wilson's lower limit becomes
# $n / (n + z^2)$ with $z^2 = 3.84$. What is the smallest $n$ whose lower limit reaches 0.90?

# %% tags=["exercise"]
patients_needed = ...

# %% tags=["check"]
check("splits.needed", patients_needed)

# %% tags=["solution"]
patients_needed = next(n for n in range(1, 1000) if n / (n + 3.84) >= 0.90)  # 35

# %% [markdown]
# How wide is the interval of a program that is right on 9 patients of 10? *How many times more patients
# halve it?*

# %%
import plotly.graph_objects as go

n_patients_tested = [19, 50, 100, 200, 400, 800]
z = 1.96
half_widths = [100 * z / (n + z**2) * np.sqrt(0.09 * n + z**2 / 4) for n in n_patients_tested]

width_figure = go.Figure(
    go.Scatter(
        x=n_patients_tested,
        y=half_widths,
        mode="lines+markers+text",
        text=[f"± {half:.1f}" for half in half_widths],
        textposition="top right",
    )
)
width_figure.update_layout(
    title="Four times the patients halve the interval",
    xaxis_title="patients in the test set",
    yaxis_title="half of the 95 % interval (percentage points)",
    yaxis_rangemode="tozero",
    xaxis_range=[0, 900],
)

# %% [markdown]
# ## 8. Your own pictures
#
# A real dataset lies on disk, a folder a class. Which patient a file belongs to, often only its *name* can
# tell. We write eight tiny files to see how the course reads such a folder: two patients a class, two
# slices each.

# %%
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp()) / "my_clinic"
for class_folder, patients in {"normal": ("anna", "boris"), "LDH": ("clara", "deniz")}.items():
    (folder / class_folder).mkdir(parents=True)
    for name in patients:
        for slice_number in (1, 2):
            cv2.imwrite(
                str(folder / class_folder / f"{name}_{slice_number:02d}.png"), originals[slice_number]
            )

mine = load_dataset("folder", path=folder, patient_pattern=r"^([a-z]+)_")
print(mine.summary().reset_index().to_string(index=False))

# %% tags=["expected"]
#          class  pictures  patients
#        Healthy         4         2
# Herniated Disk         4         2
#            all         8         4

# %% [markdown]
# Three things happened. The folder names `normal` and `LDH` were understood (`aliases={…}` teaches it others);
# the pattern `^([a-z]+)_` took what stands before the underscore as the patient; and the pictures were fitted
# into squares of 224 pixels. What if you ask for a split of four patients?

# %%
try:
    split_by_patient(mine)
except LumbarError as problem:
    print(problem)

# %% [markdown]
# The course refuses and says what it wants. A mistake in the data should stop you at the door, not come back
# as a strange accuracy two hours later.
#
# Pictures with boxes around each disc, as the site Roboflow exports them, are read by
# `load_dataset("yolo", path="…", classes=("Bulging", "Herniated", …), patient_pattern="…")`, a crop a disc.
# Such exports often contain *augmented copies* of each picture (`NAME.rf.HASH.jpg`), spread over folders
# called `train` and `test`. After section 5 you know what to ask.
#
# ## Quiz
# Put the letter of the right answer in quotes.
#
# 1. **A dataset has 200 patients with one slice each. Its authors make five turned copies of every slice. When
#    should they split?**
#    - a) any time, since each patient has one slice
#    - b) before they make the copies
#    - c) after the copies, if they add a validation set
# 2. **A program is right on 19 of 19. Which claim does this carry?**
#    - a) its accuracy is 100 %
#    - b) its accuracy is above 95 %
#    - c) its accuracy is probably above 83 %
# 3. **600 slices of 100 patients, or 600 patients with a slice each: which test set gives the narrower interval?**
#    - a) the 600 patients
#    - b) both the same, 600 pictures are 600 pictures
#    - c) it depends on the number of classes

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ...}

# %% tags=["check"]
check("splits.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "c", "3": "a"}

# %% [markdown]
# ## What you have seen
#
# - A label is a few pixels; everything else in a picture is free for a program to exploit.
# - An accuracy means nothing without its floor: what does a program reach that never looks?
# - A split by picture made nearest-neighbour recognise the toss of a coin. A split by patient did not.
# - Copies made before the split leak, and so does anything that is *fitted* outside the fold.
# - 19 of 19 is [0.83, 1.00]. The unit of an interval is the patient, not the picture.
#
# **Take along:** whenever somebody shows you an accuracy, ask *who* is in the test set, *how many* they are, and
# *what was fitted on whom*. In lesson 04 we train a network, and ask ourselves.
#
# ## References
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, J Am Stat Assoc 22:209.
# - Ambroise and McLachlan (2002), *Selection bias in gene extraction on the basis of microarray gene-expression data*, Proc
#   Natl Acad Sci USA 99:6562. (The leak of section 6, in the journals of the day.)
# - Kaufman, Rosset, Perlich and Stitelman (2012), *Leakage in data mining: formulation, detection, and avoidance*, ACM Trans
#   Knowl Discov Data 6:15.
# - Yagis and others (2021), *Effect of data leakage in brain MRI classification using 2D convolutional neural networks*, Sci
#   Rep 11:22544.
# - Kapoor and Narayanan (2023), *Leakage and the reproducibility crisis in machine-learning-based science*, Patterns 4:100804.
