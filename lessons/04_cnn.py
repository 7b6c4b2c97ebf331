# %% [markdown]
# # A convolutional network: from a 3 × 3 window to a diagnosis
#
# **When you have finished you can**
# 1. build a convolutional network block by block, and say what each block does to the shape of a picture;
# 2. count its 246,356 parameters by hand;
# 3. train it, and judge it by an interval instead of a number;
# 4. draw where it looked, beside where the disease is;
# 5. exchange its last layer for a support vector machine.
#
# *About 60 minutes of your time, 55 s of the machine's, 1.5 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %%
import keras
import numpy as np
import pandas as pd
from keras import layers

from lumbar_utils import build_model, check, course_size, evaluate, explain, figures, fit
from lumbar_utils import lesion_mask, load_dataset, prepare, split_by_patient

size = course_size(epochs=15, patients=800)
clinic = load_dataset("phantom", n_patients=size.patients, seed=0)
train, validation, test = split_by_patient(clinic, fractions=(0.7, 0.1, 0.2), seed=0)
clinic.summary()

# %% [markdown]
# 800 drawn patients, one slice each, four classes. (The paper splits 80 : 10 : 10. We give the test
# part 20 %, because lesson 02 showed what an interval on 19 pictures is worth.)
#
# ## 1. Why not simply connect everything?
#
# The simplest network would connect each pixel to each of, say, 128 neurons. We shrink the pictures to
# 128 × 128 pixels. *How many parameters would that first layer have? Guess the number of digits.*

# %%
pixels = 128 * 128
print(f"{pixels:,} pixels x 128 neurons + 128 biases = {pixels * 128 + 128:,} parameters")

# %% tags=["expected"]
# 16,384 pixels x 128 neurons + 128 biases = 2,097,280 parameters

# %% [markdown]
# Two million, to be learned from a few hundred patients. Worse: each neuron would know one *place*. A
# herniation at L4-L5 would teach it nothing about a herniation at L5-S1, or about a patient who lay two
# centimetres lower.
#
# A **convolution** cures both. It takes a small window, 3 × 3 pixels, and slides it over the whole picture
# with the *same nine weights* everywhere. What it learns at one disc, it knows at all of them.
#
# ## 2. One filter, by hand
#
# Before a network learns filters, let us set two ourselves. The first subtracts the row below from the row
# above; the second subtracts the column on the right from the column on the left. *Which of the two will
# light up at the endplates of the vertebrae, and which along the spinal canal?*

# %%
picture = prepare(train.images[:1], size=128)  # (1, 128, 128, 1), values in [0, 1]

top_minus_bottom = np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]], dtype="float32")
left_minus_right = top_minus_bottom.T

by_hand = layers.Conv2D(2, 3, padding="same", use_bias=False)
by_hand.build(picture.shape)
by_hand.set_weights([np.stack([top_minus_bottom, left_minus_right], axis=-1)[:, :, None, :]])  # (3, 3, 1, 2)
maps = np.abs(keras.ops.convert_to_numpy(by_hand(picture)))[0]  # (128, 128, 2)

figures.picture_grid(
    [picture[0, ..., 0], maps[..., 0] / maps.max(), maps[..., 1] / maps.max()],
    ["the slice", "top minus bottom", "left minus right"],
    title="One filter draws the endplates, the other the canal",
)

# %% [markdown]
# The output of a filter is called a **map**: again a picture, bright where the filter found what it looks
# for. A layer with 16 filters makes 16 maps. The network will choose the nine weights of each by itself.
#
# How large is the window on the patient? The phantom's field of view is about 280 mm wide.

# %%
pixel_mm = 280 / 128
print(f"one pixel {pixel_mm:.1f} mm, one 3 x 3 window {3 * pixel_mm:.1f} mm")

# %% tags=["expected"]
# one pixel 2.2 mm, one 3 x 3 window 6.6 mm

# %% [markdown]
# A window of 6.6 mm holds half a disc's height, and a herniation of 5 mm is two pixels. One window alone
# cannot tell a herniation from a bulge; it has to see the neighbourhood.
#
# ## 3. Seeing more: pooling
#
# **Max pooling** keeps the largest of each 2 × 2 values. The map shrinks to half its height and width, and
# the next 3 × 3 window covers twice as much of the patient. How much a cell of the last map has seen is its
# **receptive field**. Two rules are enough: a 3 × 3 convolution adds 2 steps, a pooling adds 1 step and
# then doubles the step.

# %%
seen, step = 1, 1  # in pixels of the input
for block in (1, 2, 3, 4, 5):
    seen = seen + 2 * step
    print(f"block {block}: a cell has seen {seen:2d} pixels = {seen * pixel_mm:5.1f} mm")
    if block <= 3:  # pooling stands after the first three blocks
        seen, step = seen + step, 2 * step

# %% tags=["expected"]
# block 1: a cell has seen  3 pixels =   6.6 mm
# block 2: a cell has seen  8 pixels =  17.5 mm
# block 3: a cell has seen 18 pixels =  39.4 mm
# block 4: a cell has seen 38 pixels =  83.1 mm
# block 5: a cell has seen 54 pixels = 118.1 mm

# %% [markdown]
# From a scrap of a disc to three vertebral levels. That is the right order of size: stenosis and spondylosis
# are diseases of several levels.
#
# ### Exercise 1 (warm-up): and without pooling?
# Five 3 × 3 convolutions in a row, no pooling between them. How many pixels wide is the receptive field?

# %% tags=["exercise"]
pixels_seen = ...

# %% tags=["check"]
check("cnn.receptive", pixels_seen)

# %% tags=["solution"]
pixels_seen = 1 + 5 * 2

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("cnn.receptive")`.)*
#
# ## 4. Building the network
#
# One block is: convolution, **batch normalisation** (brings each map to mean 0 and spread 1 over the batch,
# so that the next layer need not chase it), **ReLU** (cuts off what is below zero; without it, two
# convolutions in a row would be just one larger convolution), and pooling.
#
# The first block, line by line. Follow the shape in the comment; $N$ is the number of pictures.

# %%
inputs = keras.Input((128, 128, 1))  # (N, 128, 128, 1)
x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)  # (N, 128, 128, 16)
x = layers.BatchNormalization(momentum=0.9)(x)
x = layers.ReLU()(x)
x = layers.MaxPooling2D()(x)  # (N, 64, 64, 16)
print(x.shape)

# %% tags=["expected"]
# (None, 64, 64, 16)

# %% [markdown]
# (`None` is Keras's $N$: any number of pictures.) The convolution needs no bias, since batch normalisation
# adds one anyway. The other four blocks repeat this with more filters. *After three poolings, what is the
# height of the map?*

# %%
for block, filters in enumerate((32, 64, 128, 128), start=2):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    if block <= 3:
        x = layers.MaxPooling2D()(x)
    print(f"after block {block}: {x.shape}")

# %% tags=["expected"]
# after block 2: (None, 32, 32, 32)
# after block 3: (None, 16, 16, 64)
# after block 4: (None, 16, 16, 128)
# after block 5: (None, 16, 16, 128)

# %% [markdown]
# 128 maps of 16 × 16 cells. To get from maps to a diagnosis we take the *mean* of each map (**global average
# pooling**: how much of this did you see, wherever it was?) and combine the 128 means into four numbers, one a
# class. **Dropout** hides a random 30 % of the means during training, so that no single one becomes
# indispensable.

# %%
x = layers.GlobalAveragePooling2D()(x)  # (N, 128)
x = layers.Dropout(0.3)(x)
logits = layers.Dense(4)(x)  # (N, 4)
ours = keras.Model(inputs, logits)
print(f"{ours.count_params():,} parameters")

# %% tags=["expected"]
# 246,356 parameters

# %% [markdown]
# An eighth of what the single dense layer of section 1 had, and five layers deep. Where are they? A convolution has
# $3 \cdot 3 \cdot C_{in} \cdot C_{out}$ weights. Batch normalisation keeps four numbers a map: two are learned,
# two are a running mean and spread.

# %%
total, channels = 0, 1
for block, filters in enumerate((16, 32, 64, 128, 128), start=1):
    convolution, normalisation = 3 * 3 * channels * filters, 4 * filters
    print(f"block {block}: {convolution:7,} + {normalisation:3}")
    total, channels = total + convolution + normalisation, filters
print(f"dense:   {128 * 4 + 4:7,}")
print(f"in all:  {total + 128 * 4 + 4:7,}")

# %% tags=["expected"]
# block 1:     144 +  64
# block 2:   4,608 + 128
# block 3:  18,432 + 256
# block 4:  73,728 + 512
# block 5: 147,456 + 512
# dense:       516
# in all:  246,356

# %% [markdown]
# ### Exercise 2: colour pictures
# Suppose the pictures were in colour: three channels instead of one, everything else alike. How many
# parameters does the *whole* network have then?

# %% tags=["exercise"]
colour_parameters = ...

# %% tags=["check"]
check("cnn.colour", colour_parameters)

# %% tags=["solution"]
colour_parameters = 246_356 + 3 * 3 * 2 * 16  # two more input channels for each of the 16 first filters

# %% [markdown]
# `build_model("cnn")` builds the same network from the same lines, with names on its layers. From here on we use
# that one, so that all lessons speak of the same network.

# %%
keras.utils.set_random_seed(0)
model = build_model("cnn")
print(
    f"{model.name}: {model.count_params():,} parameters, last maps {model.get_layer('block5_relu').output.shape}"
)

# %% tags=["expected"]
# cnn_course: 246,356 parameters, last maps (None, 16, 16, 128)

# %% [markdown]
# ## 5. What the network says before it has learned
#
# The four outputs are **logits**: any numbers. **Softmax** turns them into probabilities. The **loss** is
# $-\log$ of the probability that the network gave to the right class. *A network that has no idea gives each
# of the four classes 1/4. What is its loss?*

# %%
print(f"loss without an idea: {-np.log(1 / 4):.3f}")

# %% tags=["expected"]
# loss without an idea: 1.386

# %% [markdown]
# Remember this 1.386: a training curve that starts far above it, or stays at it, tells you something.
#
# ## 6. Rare classes
#
# Our classes are not equally common, and the paper's were not either. The loss is a mean over pictures, so a
# common class has more say. The cure is a **class weight**: a picture of class $k$ counts $N / (K \cdot n_k)$
# times, for $N$ pictures, $K$ classes and $n_k$ pictures of this one. Then all classes weigh the same in sum.
#
# ### Exercise 3: weigh the paper's test set
# It held 4 Healthy, 4 Herniated Disk, 8 Spinal Stenosis and 3 Spondylosis. If a training set had these shares, what
# would a Spondylosis picture weigh?

# %% tags=["exercise"]
spondylosis_weight = ...

# %% tags=["check"]
check("cnn.weight", spondylosis_weight)

# %% tags=["solution"]
spondylosis_weight = 19 / (4 * 3)

# %% [markdown]
# ## 7. Training
#
# `fit` shows the network its training pictures in batches of 16, and after each batch moves every weight a little
# in the direction that lowers the loss (the optimizer is called Adam). A walk through all pictures is an
# **epoch**. `fit` weighs the classes as above, watches the validation loss, and in the end takes back
# the weights of the best epoch.
#
# How large is a step? We let the **learning rate** fall from 0.001 to almost nothing along a cosine: large steps first
# to get near, small ones at the end to settle. With steps of one size the validation loss jumps to the last epoch, and
# which epoch is "best" is luck. *Where will the two curves part?*

# %%
steps = size.epochs * -(-len(train) // 16)  # batches of 16, so many epochs long
falling = keras.optimizers.schedules.CosineDecay(0.001, steps, alpha=0.01)

history = fit(model, train, validation, epochs=size.epochs, learning_rate=falling, seed=0)
print(f"best epoch {history.attrs['best_epoch']} of {len(history)}, {history.attrs['seconds']:.0f} s")

# %% [markdown]
# While both curves fall, the network learns what patients have in common. Where the training loss goes on
# falling and the validation loss does not, it learns its patients by heart. That is **overfitting**, and it comes
# early: the network has more parameters than we have patients, several hundred times over.
#
# ## 8. The test, once
#
# `predictions_of` asks the network about the test patients. They have played no part so far.

# %%
from lumbar_utils.training import predictions_of

ours_on_test = predictions_of(model, test, measured_on="phantoms")
report = evaluate(ours_on_test)
report

# %% [markdown]
# Read the interval before the number. And read the classes one by one: an accuracy is a mean, and a mean may hide
# a class that is never found.
#
# Would more patients help? The course ships the same network, trained on many more phantoms. And it is shown less:
# a *localiser* finds the vertebrae first, and the network sees the column from L1 to S1 alone, upright, each
# millimetre by nearly twice as many pixels. Its result on a locked test set is stored, with every single prediction:

# %%
from lumbar_utils.evaluation import load_results

stored = load_results("zoo")["cnn"]
shipped_patients = stored.provenance["data"]["training"]["make_dataset"]["n_patients"]
print(f"trained on {shipped_patients:,} patients for {stored.provenance['configuration']['epochs']} epochs")
print(f"{len(stored)} test patients, measured on {stored.measured_on}: accuracy {evaluate(stored).accuracy}")

# %% [markdown]
# But this is *another* test set, and two test sets are not a comparison. So we let the shipped network answer
# our own test patients, who are new to it as well. *What do you expect?*

# %%
shipped = build_model("cnn", weights="phantom")
shipped_on_test = predictions_of(shipped, test, measured_on="phantoms")

figures.compare_accuracy(
    {
        f"trained here, {len(train)} patients": report,
        f"shipped, {shipped_patients:,} patients": evaluate(shipped_on_test),
    }
)

# %% [markdown]
# The architecture is the same, layer by layer. What differs is what it was fed: how many patients, and which part of
# the picture. When somebody praises an architecture, ask first what each of its rivals was shown.
#
# This is what the shipped network sees of our first four test patients:

# %%
from lumbar_utils.framing import COLUMN_SIZE, frame

figures.picture_grid(
    list(frame(test.images[:4], COLUMN_SIZE, "column").pictures),
    [test.class_names[label] for label in test.labels[:4]],
    title="The column of the spine, 192 x 96 pixels, as the localiser cuts it out",
)

# %% [markdown]
# ## 9. What it gets wrong
#
# From here on we look at the shipped network. Which diseases does it confuse?

# %%
figures.confusion_matrix(evaluate(shipped_on_test))

# %% [markdown]
# We are in the rare position of knowing the truth: how deep each herniation is, and how much of it the slice shows.
# *What could make a herniation invisible?*

# %%
hernia = test.class_names.index("Herniated Disk")
rows = np.flatnonzero(test.labels == hernia)
lesion_pixels = np.array([lesion_mask(test.masks[row], "Herniated Disk").sum() for row in rows])
found = shipped_on_test.predicted[rows] == hernia

pd.DataFrame({"answer": np.where(found, "found", "missed"), "pixels": lesion_pixels}).groupby("answer").agg(
    herniations=("pixels", "size"), median_pixels=("pixels", "median"), smallest=("pixels", "min")
)

# %%
smallest = rows[np.argsort(lesion_pixels)[[0, 1, -2, -1]]]
figures.picture_grid(
    [test.images[row][64:192, 64:192] for row in smallest],
    [f"said {test.class_names[shipped_on_test.predicted[row]]}" for row in smallest],
    overlays=[lesion_mask(test.masks[row], "Herniated Disk")[64:192, 64:192] for row in smallest],
    title="The two smallest and the two largest herniations of the test, enlarged",
)

# %% [markdown]
# A herniation of 5 mm need not show 5 mm: most sit a little to the left or right, and a slice through the middle cuts
# their edge only, or passes them by. No architecture can find what was not recorded. There are also healthy
# people with a protrusion of 3 or 4 mm and no complaint. So 100 % would not be a triumph here; it would be a
# reason to look for the leak.
#
# ## 10. Where did it look? Grad-CAM by hand
#
# The network ends in "mean of each map, then a weighted sum". So we can ask each *cell* for its share of the logit:
# weigh the 128 maps by the dense layer's weights for one class, and add them up. What is positive speaks for the
# class. For such a network, this is what **Grad-CAM** (Selvaraju 2017) computes.

# %%
probe = keras.Model(shipped.inputs, [shipped.get_layer("block5_relu").output, shipped.outputs[0]])
weights_of_class, _ = shipped.get_layer("logits").get_weights()  # (128, 4)

visible = rows[lesion_pixels > 0]
row = max(visible, key=lambda row: shipped_on_test.probabilities[row, hernia])

column = prepare(test.images[[row]], size=COLUMN_SIZE, crop="column")  # (1, 192, 96, 1)
maps, _ = probe.predict(column, verbose=0)  # (1, 24, 12, 128)
evidence = np.maximum(maps[0] @ weights_of_class[:, hernia], 0)  # (24, 12)
by_hand = evidence / evidence.max()
print(by_hand.shape)

# %% tags=["expected"]
# (24, 12)

# %% [markdown]
# 24 × 12 cells, stretched over the column. The outline is the true herniation. *Does the heat lie on it?*

# %%
import cv2

seen = frame(test.images[[row]], COLUMN_SIZE, "column")
lesion = seen.cells_of(lesion_mask(test.masks[row], "Herniated Disk")[None], COLUMN_SIZE)[0] > 0.5
heat = cv2.resize(by_hand, COLUMN_SIZE[::-1], interpolation=cv2.INTER_LINEAR)
inside, chance = heat[lesion].sum() / heat.sum(), lesion.mean()

overlay = figures.heat_overlay(seen.pictures[0], heat, outline=lesion)
finding = f"{inside:.2%} of the heat on {chance:.2%} of the column: {inside / chance:.1f} times chance"
figures.retitle(overlay, finding)

# %% [markdown]
# The title compares two numbers: the share of the heat inside the lesion, and the share of the column that the
# lesion covers. The second is **chance**: a heat map that is equally warm everywhere would score just that.
# Do not expect the first to be large. One cell is about 9 mm wide, and the lesion is a fraction of a cell.
#
# `explain` does the same for any network, by its gradient. Do the two agree?

# %%
by_gradient = explain(shipped, column, class_index=hernia)[0]
print("the same heat map:", np.allclose(by_gradient, heat, atol=1e-3))

# %% tags=["expected"]
# the same heat map: True

# %% [markdown]
# ### Exercise 4 (open): one picture proves nothing
# A single nice heat map is an anecdote. For **all** visible herniations of the test set (their rows stand in
# `visible`), compute the share of the heat that lies inside the lesion, and the share of the picture that the lesion
# covers. Give the mean of each. How many times chance is it?
#
# *Tools:* `explain(shipped, test.images[visible], class_index=hernia)` gives one heat map a row, put back to where the
# column lies in the whole picture; the lesions are `lesion_mask(test.masks[row], "Herniated Disk")`.

# %% tags=["exercise"]
share_inside = ...
share_of_picture = ...

# %% tags=["check"]
check("cnn.pointing", (share_inside, share_of_picture))

# %% tags=["solution"]
heats = explain(shipped, test.images[visible], class_index=hernia)
lesions = np.stack([lesion_mask(test.masks[row], "Herniated Disk") for row in visible])
with_heat = heats.sum(axis=(1, 2)) > 0  # where nothing speaks for the class there is no heat to share out
share_inside = np.mean((heats * lesions).sum(axis=(1, 2))[with_heat] / heats.sum(axis=(1, 2))[with_heat])
share_of_picture = lesions[with_heat].mean()

# %% [markdown]
# ## 11. Push the disc out yourself
#
# So far we took patients as they came. A phantom can do what no clinic can: change *one thing* and leave the rest.
# We take 20 healthy people of 35 years and push their disc L4-L5 back, millimetre by millimetre. The network runs in
# LiteRT here, without TensorFlow, as it does in the dashboard. *From how many millimetres on will it call this a
# herniation?*

# %%
from lumbar_utils import load_predictor, render, sample_patient

predictor = load_predictor("cnn")


def with_herniation(seed, depth_mm):
    overrides = {"L4-L5": {"herniation_mm": depth_mm}}
    return render(sample_patient(seed, disease="Healthy", age_years=35, overrides=overrides))


depths_mm = np.arange(0.0, 12.1, 1.5)
answers = np.stack(
    [
        predictor.predict(np.stack([with_herniation(seed, depth).image for seed in range(20)])).mean(axis=0)
        for depth in depths_mm
    ]
)  # (9, 4): the mean over 20 patients

# %%
import plotly.graph_objects as go

curve = go.Figure()
for k, name in enumerate(predictor.class_names):
    style = {"mode": "lines+markers", "marker_symbol": k, "line_dash": figures.style.DASHES[k]}
    curve.add_scatter(x=depths_mm, y=100 * answers[:, k], name=name, **style)
before, after = answers[[0, -1], hernia]
curve.update_layout(
    title=f"12 mm take the herniation's probability from {before:.0%} to {after:.0%}",
    xaxis_title="herniation at L4-L5 (mm)",
    yaxis_title="mean probability (%)",
    yaxis_range=[0, 100],
    height=420,
)

# %% [markdown]
# That is a mean. Drag the slider (or use the arrow keys) and watch one patient: the picture, the lesion's outline and
# the heat change together. Then change the patient. *Is the turning point the same for everybody? What does the network
# say at 0 mm?*

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure

depth_slider = widgets.FloatSlider(
    value=6,
    min=0,
    max=12,
    step=0.5,
    description="herniation (mm)",
    continuous_update=False,
    style={"description_width": "initial"},
)
who = widgets.BoundedIntText(value=5, min=0, max=999, description="patient")
screen = widgets.Output()


def redraw(change=None):
    slice_ = with_herniation(who.value, depth_slider.value)
    x, y = (int(value) for value in slice_.landmarks["L4-L5"])
    near = np.s_[max(y - 56, 0) : y + 56, max(x - 56, 0) : x + 56]  # the disc L4-L5 and its neighbours
    seen = predictor.frame(slice_.image[None])  # the localiser runs once for both questions
    probabilities, heat = predictor.predict(seen)[0], predictor.explain(seen, class_index=hernia)[0]
    fig = figures.picture_grid(
        [slice_.image[near], slice_.image[near]],
        ["the lesion", "what speaks for a herniation"],
        overlays=[lesion_mask(slice_.mask, "Herniated Disk")[near], heat[near]],
        title=", ".join(
            f"{name} {p:.0%}" for name, p in zip(predictor.class_names, probabilities, strict=True)
        ),
    )
    show_figure(screen, fig)


for control in (depth_slider, who):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([depth_slider, who]), screen])

# %% tags=["drive"]
shown = screen.outputs
depth_slider.value = 12
deeper = screen.outputs
who.value = 6
assert shown != deeper != screen.outputs

# %% [markdown]
# ## 12. CNN-SVM: another last layer
#
# The paper's best program is a hybrid. It throws away the dense layer, keeps the 128 means as **features**, and gives them
# to a **support vector machine**, which draws the boundary that leaves the widest margin to the patients
# next to it. That is three lines of scikit-learn.

# %%
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

extractor = keras.Model(model.inputs, model.get_layer("features").output)
features_train = extractor.predict(prepare(train, size=128), verbose=0)
features_test = extractor.predict(prepare(test, size=128), verbose=0)
print("features of a picture:", features_train.shape[1])

# %% tags=["expected"]
# features of a picture: 128

# %% [markdown]
# The scaler and the machine are fitted on training patients only (lesson 02, section 6). *Will it beat the dense
# layer on the same features?*

# %%
from dataclasses import replace

svm = make_pipeline(StandardScaler(), SVC(C=1.0, class_weight="balanced")).fit(features_train, train.labels)
svm_on_test = replace(ours_on_test, probabilities=np.eye(4)[svm.predict(features_test)], model="CNN-SVM")

figures.compare_accuracy({"CNN, dense layer": report, "CNN, support vector machine": evaluate(svm_on_test)})

# %% [markdown]
# Both saw the same features of the same patients, so we can compare them *in pairs*: only patients on whom the two
# disagree count. That is far sharper than looking whether two intervals overlap.

# %%
from lumbar_utils.evaluation import paired_difference

print("CNN-SVM minus CNN:", paired_difference(svm_on_test, ours_on_test))

# %% [markdown]
# If the interval holds 0, the last layer is not what matters. The paper's claim that the hybrid "surpassed all other
# models" rests on 19 of 19 against ResNet50's 19 of 19.
#
# ## Quiz
#
# 1. **Why does a convolution need so few weights?**
#    - a) it uses the same small window everywhere
#    - b) pooling throws most of them away
#    - c) ReLU sets half of them to zero
# 2. **The training loss falls, the validation loss rises. What do you do?**
#    - a) train longer
#    - b) take back the weights of the best epoch, get more patients
#    - c) move the validation patients into the training set
# 3. **A heat map lies nicely on the lesion. What does it prove?**
#    - a) the diagnosis is right
#    - b) the network reasons like a radiologist
#    - c) little: compare it with chance, over many patients

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ...}

# %% tags=["check"]
check("cnn.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "a", "2": "b", "3": "c"}

# %% [markdown]
# ## What you have seen
#
# - Nine weights, slid over a whole picture, replace two million.
# - Pooling lets a cell of the last map see 118 mm of the patient, three vertebral levels.
# - A slice shows some herniations by a few pixels only. No architecture finds what was not recorded.
# - The shipped network has the same layers as yours. More patients, and a picture cropped to the column, are the whole
#   difference.
# - A heat map is a measurement. It has a chance level, and one picture is an anecdote.
# - A support vector machine in the place of the last layer changes little; whether it does is a paired question.
#
# **All scores here are phantom scores.** They say how methods compare on drawn patients, and nothing about a clinic.
#
# ## References
# - LeCun, Bottou, Bengio and Haffner (1998), *Gradient-based learning applied to document recognition*, Proc IEEE 86:2278.
# - Lin, Chen and Yan (2014), *Network in network* (global average pooling), ICLR, arXiv:1312.4400.
# - Srivastava and others (2014), *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 15:1929.
# - Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing internal covariate shift*,
#   ICML, arXiv:1502.03167.
# - Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR, arXiv:1412.6980.
# - Loshchilov and Hutter (2017), *SGDR: stochastic gradient descent with warm restarts* (the cosine), ICLR, arXiv:1608.03983.
# - Selvaraju and others (2017), *Grad-CAM: visual explanations from deep networks via gradient-based localization*, ICCV.
