# %% [markdown]
# # Start here: what this course asks, and whether your machine is ready
#
# **When you have finished you can**
# 1. say that your set-up is in order, or mend it;
# 2. find your way: what the paper built, what we ask of it, and in which lesson;
# 3. use a lesson: guess, run, answer, take a hint;
# 4. take your work with you before a temporary server forgets it.
#
# *About 15 minutes of your time, 8 s of the machine's, 0.2 GB of memory.*

# %% [markdown]
# ## 1. Is everything there?
#
# A notebook is a row of cells, and grey ones hold Python. **Shift-Enter** runs the cell that you stand in and moves on.
# Every lesson begins with a cell like this one:

# %% tags=["setup"]
# (written by the generator)

# %% [markdown]
# The next cell looks at your machine. *good* means good; *mind* means that the course runs, with a limit that is named;
# under *MEND* stands how to mend it.

# %%
from lumbar_utils import doctor

doctor()

# %% [markdown]
# ## 2. The paper, and what we ask of it
#
# In 2025 a paper described a system that sorts pictures of the lower back into four classes: **healthy**, **herniated
# disk**, **spinal stenosis** and **spondylosis**. It trains seven networks and a hybrid, draws heat maps to show
# where they look, and reports up to 100 % right answers.
#
# We rebuild that system, step by step, and ask a question at each step. *Before you look: which question would you put
# to somebody who reports 100 %?*

# %%
from lumbar_utils.teaching import course_map

course_map()

# %% [markdown]
# The paper's own pictures are not public, and with real pictures nobody knows the truth for certain. So our patients are
# **phantoms**: drawn by a program from anatomy and the physics of MRI, each with a disease that we know to the
# pixel. Methods that fail on phantoms can be understood there. But a score on phantoms is a *phantom score*: it says
# nothing about how often anybody would be right in a clinic. Nothing in this course is a medical device.
#
# ## 3. You against twenty patients
#
# Before any network tries, try yourself. Below is a slice through the middle of a lower back, seen from the side: the
# belly is on the left, the back on the right. Four kinds of patients are hidden among twenty:
#
# - **Healthy**: discs (the pads between the blocks) of even height, a wide bright band behind them;
# - **Herniated Disk**: one disc bulges out sharply into the bright band;
# - **Spinal Stenosis**: the bright band is narrowed, often at several levels;
# - **Spondylosis**: dark, flat discs, and spurs at the edges of the blocks.
#
# Name ten of them or more. *How many do you expect to get right? Guessing blindly gives one in four.*

# %%
import cv2
import ipywidgets as widgets

from lumbar_utils import load_dataset

patients = load_dataset("phantom", n_patients=20, seed=7)
counts = {"right": 0, "seen": 0}

picture = widgets.Image(format="png", layout={"width": "360px", "height": "360px"})
words = widgets.HTML("Patient 1 of 20. What do you see?")
buttons = [widgets.Button(description=name) for name in patients.class_names]


def show_patient(row):
    picture.value = cv2.imencode(".png", patients.images[row])[1].tobytes()


def answer(button):
    row = counts["seen"]
    if row == len(patients):
        return
    truth = patients.class_names[patients.labels[row]]
    counts["seen"] += 1
    counts["right"] += button.description == truth
    verdict = "Right" if button.description == truth else f"You said {button.description}"
    words.value = f"{verdict}; patient {row + 1} has: {truth}. So far <b>{counts['right']} of {counts['seen']}</b> right."
    if counts["seen"] < len(patients):
        show_patient(counts["seen"])


for button in buttons:
    button.on_click(answer)
show_patient(0)
widgets.VBox([picture, widgets.HBox(buttons, layout={"flex_flow": "row wrap"}), words])

# %% tags=["drive"]
first = picture.value
for button in buttons:
    button.click()
assert counts["seen"] == len(buttons) and picture.value != first
assert f"of {len(buttons)}</b> right" in words.value
for _ in range(len(patients)):
    buttons[0].click()
assert counts["seen"] == len(patients)

# %% [markdown]
# Some were not to be seen at all. A herniation may lie beside the slice, and a healthy person may have worn
# discs without any complaint. That is true of real patients too, and it is why 100 % should make you curious.
#
# ## 4. How a lesson works
#
# **Guess first.** A question in *italics* stands before most cells. Answer it in your head, then run the cell. Who has
# guessed remembers.
#
# **Then answer.** In an exercise you replace the three dots, and the cell under it tells you whether you are right; if
# not, what your answer would mean. Run the check below once as it is, then put in a number.
#
# ### Exercise 1 (warm-up): one picture
# The paper's test set held 4 + 4 + 8 + 3 = 19 pictures. By how many percentage points does its accuracy change when one
# more of them is right?

# %% tags=["exercise"]
points_a_picture = ...

# %% tags=["check"]
from lumbar_utils import check

check("start.one_picture", points_a_picture)

# %% tags=["solution"]
points_a_picture = 100 / 19

# %% [markdown]
# **Stuck?** Ask for a hint. There is more than one; each call gives the next. The solutions lie in the folder
# `notebooks/solutions`.

# %%
from lumbar_utils import hint

hint("start.perfect")

# %% [markdown]
# ### Exercise 2: luck
# A program is right for nine of ten patients in the long run. How likely does it get 19 patients *all* right?

# %% tags=["exercise"]
perfect_by_luck = ...

# %% tags=["check"]
check("start.perfect", perfect_by_luck)

# %% tags=["solution"]
perfect_by_luck = 0.9**19

# %% [markdown]
# ### Exercise 3 (open): your own score
# How many of the twenty did you name right, of how many you looked at? Put in the two counts. The check answers
# with an **interval**: the range of true skills that fit such a count. You will see one beside every number here.

# %% tags=["exercise"]
mine = ...  # (right, looked at)

# %% tags=["check"]
check("start.mine", mine)

# %% tags=["solution"]
mine = (13, 20)  # somebody's first try

# %% [markdown]
# ## 5. Keep your work
#
# **On your own machine** everything stays where it is; Ctrl-S saves.
#
# **On Binder** the machine is lent. Ten minutes without a running cell, a closed lid, a lunch, and it is deleted with
# all that you wrote; after six hours in any case. So before you leave: save (Ctrl-S), run the next cell, and download
# the file that it names. To go on, open Binder again and drag your notebooks into the file browser.
#
# **On Colab** your copy lives in your Drive once you choose *File, Save a copy in Drive*; what runs is lost after
# some idle time, what is written is not.

# %%
from lumbar_utils.teaching import pack_work

pack_work()

# %% [markdown]
# **Memory.** Binder lends 2 GB, and a lesson that trains a network holds up to 1.6 of them. When you are done with a
# lesson choose *Kernel, Shut Down Kernel*; otherwise the next one may die without a word.
#
# ## Quiz
#
# 1. **A program scores 92 % on phantoms. In a clinic it will be right**
#    - a) for about 92 % of patients
#    - b) for somewhat fewer, say 85 %
#    - c) nobody knows how often
# 2. **One program is reported with 19 of 19, another with 18 of 19. Then**
#    - a) the first is clearly better
#    - b) they differ by one picture, and nobody can tell
#    - c) both are excellent, that much is certain
# 3. **You worked on Binder and come back from lunch. Your answers are**
#    - a) kept in the cloud
#    - b) gone, unless you downloaded them
#    - c) in the notebook's file on Binder

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ...}

# %% tags=["check"]
check("start.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "c", "2": "b", "3": "b"}

# %% [markdown]
# ## Where to go
#
# | lesson | its question |
# |---|---|
# | [01 The lumbar spine and what MRI shows of it](01_spine_and_mri.ipynb) | What is bright, what is dark, and what does one slice hide? |
# | [02 Data, splits and leaks](02_data_splits_leaks.ipynb) | How does a program score 100 % and know nothing? |
# | [03 Preparation and augmentation](03_preparation_augmentation.ipynb) | What may one change in a picture without changing the diagnosis? |
# | [04 A convolutional network](04_cnn.ipynb) | What does a network see, and how well? |
# | [05 AlexNet](05_alexnet.ipynb) | Where do 62 million parameters sit, and what do they do with 190 patients? |
# | [06 VGG16 and transfer learning](06_vgg16.ipynb) | Does it help to have seen another world first? |
# | [07 ResNet50](07_resnet50.ipynb) | Why did deeper networks get worse, and what does adding the input back change? |
# | [08 DenseNet](08_densenet.ipynb) | What is gained by keeping every map instead of adding them up? |
# | [09 MobileNet](09_mobilenet.ipynb) | What does a convolution cost, and can one do with a ninth of it? |
# | [10 The involution layer](10_involution.ipynb) | What if the filter belonged to the place? |
# | [11 VGG16 with involution](11_involution_vgg16.ipynb) | What would show that the involution made the difference? |
# | [12 Handcrafted features](12_handcrafted_features.ipynb) | How far does one get with features that somebody thought up? |
# | [13 The CNN-SVM hybrid](13_cnn_svm.ipynb) | Is it the last layer that decides? |
# | [14 Ensembles](14_ensembles.ipynb) | When do many know more than one? |
# | [15 Grad-CAM](15_gradcam.ipynb) | A heat map looks convincing. What would make us believe it? |
# | [16 How sure?](16_how_sure.ipynb) | What is a number worth? |
# | [17 Two views](17_two_views.ipynb) | What does one slice leave out, and what is a second picture worth? |
# | [18 Unlabelled pictures, clinical data](18_unlabelled_and_clinical.ipynb) | What can be learned without labels, and from a history? |
# | [19 A real dataset](19_real_dataset.ipynb) | What can be learned from fifteen people, and what from their boxes alone? |
# | [20 The dashboard](20_dashboard.ipynb) | All models side by side, and a picture of your own |
#
# Short of time? 01, 02, 04 and 16 carry the rest.
#
# ## What you have seen
#
# - Your machine is in order, or you know what to mend.
# - The paper reports up to 100 %; on 19 pictures that is one lucky day in seven for a program that errs on every tenth
#   patient.
# - The patients here are phantoms: the truth is known to the pixel, and a phantom score is no clinical score.
# - Guess, run, answer, take a hint; and on Binder, download before you leave.
#
# ## References
# - The paper's numbers stand in the lessons marked *reported*; lesson 16 reads its table again.
# - Varoquaux and Cheplygina (2022), *Machine learning for medical imaging: methodological failures and recommendations for the
#   future*, npj Digit Med 5:48.
