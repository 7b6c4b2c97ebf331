# %% [markdown]
# # AlexNet: the network that made the field switch
#
# **When you have finished you can**
# 1. say how many millimetres of a patient the first filter sees, and what its stride steps over;
# 2. draw AlexNet's eight layers, and count its 62,378,344 parameters by hand (and the 60,965,224 of the original);
# 3. say which two layers hold nine tenths of them, and why the machine's time goes elsewhere;
# 4. show that a network can learn diagnoses by heart that were drawn by lot, and say what its training accuracy is worth;
# 5. say which of AlexNet's inventions are still in use.
#
# *About 60 minutes of your time, 80 s of the machine's, 1.4 GB of memory.*

# %% tags=["setup", "keras"]
# (written by the generator)

# %% [markdown]
# In autumn 2012 a network by Krizhevsky, Sutskever and Hinton won the ImageNet contest: 1.2 million photographs, 1,000
# classes. Among its five best guesses the right class was missing for 15.3 % of the photographs; the second best team missed
# 26.2 % (*reported*). Within two years nearly everybody in the field had switched to networks. The paper that this
# course rebuilds still uses it, on about 190 pictures. Our question is: **where do 62 million parameters sit, and what do
# they do with 190 patients?**

# %%
import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import tensorflow as tf
from keras import layers
from plotly.subplots import make_subplots

from lumbar_utils import build_model, check, count_parameters, course_size, evaluate, figures, fit
from lumbar_utils import lesion_mask, load_dataset, paper_reported, predict, prepare, split_by_patient
from lumbar_utils.evaluation import load_results, paired_difference, wilson
from lumbar_utils.figures.style import BLACK, BLUE, SKY, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure

size = course_size(epochs=8, patients=800)
clinic = load_dataset("phantom", n_patients=size.patients, seed=0)
train, validation, test = split_by_patient(clinic, fractions=(0.7, 0.1, 0.2), seed=0)
print(f"{len(train)} patients to train, {len(validation)} to validate, {len(test)} to test")

# %% [markdown]
# The same drawn patients as in lesson 04, split in the same way.
#
# ## 1. A big first look
#
# AlexNet begins with filters 11 pixels wide that move 4 pixels at a time. Its pictures are 224 pixels wide, and our slices
# show about 280 mm. *How much of the spine does one such filter see? And a herniation of 5 mm: how many steps?*

# %%
pixel_mm = 280 / 224
print(f"one pixel {pixel_mm:.2f} mm")
print(f"the filter sees {11 * pixel_mm:.2f} mm and moves {4 * pixel_mm:.1f} mm at a time")

# %% tags=["expected"]
# one pixel 1.25 mm
# the filter sees 13.75 mm and moves 5.0 mm at a time

# %% [markdown]
# A disc is 8 to 12 mm high, so the first filter sees a whole disc at once. And a herniation of 5 mm is *one step*. Lesson 04's
# network started with windows of 6.6 mm and moved by one pixel. Does the big step cost small lesions? Keep the
# question; in section 9 we put it to two networks.
#
# Photographs of dogs forgive a big step, since the dog fills the picture. And it saves time: a stride of 4 leaves one
# sixteenth of the positions.
#
# ### Play: window, stride, picture size
# Left, a slice with its herniations outlined: the blue square is the filter's window, the dots are places where it stops (one row
# and one column of them). Right, what comes out of one filter that we set by hand: it answers strongly where bright lies above dark
# or dark above bright. So each disc gives two lines, its two endplates. Each square on the right is one number of the map.
#
# *Before you move anything: at which stride can you no longer tell the two lines of a disc apart?*

# %%
import cv2
import ipywidgets as widgets

from lumbar_utils.live import show_figure

herniated = np.flatnonzero(clinic.labels == clinic.class_names.index("Herniated Disk"))
shown = max(herniated, key=lambda row: lesion_mask(clinic.masks[row], "Herniated Disk").sum())
slice_, lesion = clinic.images[shown], lesion_mask(clinic.masks[shown], "Herniated Disk")
lesion_mm = np.argwhere(lesion)[lesion.sum() // 2][::-1] * pixel_mm  # (x, y) of a place in it

filter_px = widgets.IntSlider(
    value=11, min=3, max=31, step=2, description="filter (px)", continuous_update=False
)
stride_px = widgets.IntSlider(value=4, min=1, max=12, description="stride (px)", continuous_update=False)
picture_px = widgets.SelectionSlider(
    options=[64, 96, 128, 224], value=224, description="picture (px)", continuous_update=False
)
screen = widgets.Output()


def draw_window(width, stride, side):
    mm = 280 / side  # one pixel
    picture = cv2.resize(slice_, (side, side), interpolation=cv2.INTER_AREA)
    t = np.linspace(-2, 2, width)
    edge = np.outer(-t * np.exp(-(t**2) / 2), np.exp(-(t**2) / 2))  # bright above, dark below
    answers = np.abs(cv2.filter2D(picture.astype("float32"), -1, edge / np.abs(edge).sum()))
    stops = np.arange(width // 2, side - width // 2, stride)  # middles of the windows, in pixels
    answers = answers[np.ix_(stops, stops)]  # the map

    place = (stops + 0.5) * mm
    near = [place[np.abs(place - middle).argmin()] for middle in lesion_mm]  # the stop nearest to the lesion
    half = width * mm / 2
    fig = make_subplots(cols=2, subplot_titles=("the slice", f"the map, {len(stops)} × {len(stops)} numbers"))
    fig.add_trace(figures.pictures.grey_picture(picture), row=1, col=1)
    fig.update_traces(x0=mm / 2, y0=mm / 2, dx=mm, dy=mm, selector={"type": "image"})
    ring = figures.pictures.outline(lesion, name="herniation", legend=False)
    ring.x = [None if x is None else (x + 0.5) * pixel_mm for x in ring.x]
    ring.y = [None if y is None else (y + 0.5) * pixel_mm for y in ring.y]
    fig.add_trace(ring, row=1, col=1)
    across, down = (place[np.abs(place - middle) < 40] for middle in lesion_mm)
    x, y = np.r_[across, np.full(len(down), near[0])], np.r_[np.full(len(across), near[1]), down]
    dots = {"color": SKY, "size": 4}
    fig.add_scatter(x=x, y=y, mode="markers", marker=dots, showlegend=False, hoverinfo="skip", row=1, col=1)
    fig.add_shape(
        type="rect", x0=near[0] - half, x1=near[0] + half, y0=near[1] - half, y1=near[1] + half,
        line={"color": SKY, "width": 3}, row=1, col=1,
    )  # fmt: skip
    fig.add_heatmap(
        x=place,
        y=place,
        z=answers.round(1),
        colorscale="Cividis",
        showscale=False,
        hoverinfo="skip",
        row=1,
        col=2,
    )
    for col in (1, 2):
        fig.update_xaxes(range=[lesion_mm[0] - 65, lesion_mm[0] + 65], title_text="mm", row=1, col=col)
        fig.update_yaxes(range=[lesion_mm[1] + 40, lesion_mm[1] - 90], row=1, col=col)
        fig.update_yaxes(scaleanchor="x" if col == 1 else "x2", constrain="domain", row=1, col=col)
    fig.update_xaxes(constrain="domain")
    fig.update_yaxes(title_text="mm", row=1, col=1)
    return finish(
        fig,
        f"The filter sees {width * mm:.1f} mm, moves {stride * mm:.1f} mm at a time, and leaves {len(stops)} × "
        f"{len(stops)} numbers; a herniation of 5 mm is {5 / (stride * mm):.1f} steps",
        details="Left: a phantom slice with the filter's window and its stops. Right: the map of a filter for "
        "horizontal edges, at the same place.",
        height=420,
        above=24,
    )


def redraw(change=None):
    show_figure(screen, draw_window(filter_px.value, stride_px.value, picture_px.value))


for control in (filter_px, stride_px, picture_px):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([filter_px, stride_px, picture_px]), screen])

# %% tags=["drive"]
for control, value in ((filter_px, 3), (stride_px, 1), (picture_px, picture_px.options[0])):
    shown = screen.outputs
    control.value = value
    assert screen.outputs != shown, control

# %% [markdown]
# Try three things. Put the stride to 1: what does the map gain, and how many numbers does it cost? Put it to 12. Then go back to 4
# and take a picture of 64 pixels: the same 11-pixel filter now sees a vertebra with both its discs. *Pixels* are
# what the network knows; *millimetres* are what the disease knows.
#
# (The widget stops where the window would leave the picture, which gives 54 × 54. AlexNet adds a black border of three
# pixels, and that makes room for one more stop: 55 × 55.)
#
# ## 2. Eight layers, built in the open
#
# Five convolutions, then three dense layers. In lesson 04 we built a network and it took its place in memory. AlexNet's
# numbers would take 250 MB, and four times that in training. We want its shapes and counts only, so we draw a **blueprint**:
# inside a TensorFlow graph, layers know their shapes, but not one number is made.
#
# First the convolutions. The comments give the shape, $N$ is the number of pictures. *Between which two lines does the
# picture lose most of its size?*

# %%
blueprint = tf.Graph()

with blueprint.as_default():
    pictures = keras.Input((224, 224, 3))
    x = layers.ZeroPadding2D(((2, 1), (2, 1)))(pictures)  # (N, 227, 227, 3)
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1")(x)  # (N, 55, 55, 96)
    x = layers.MaxPooling2D(3, strides=2)(x)  # (N, 27, 27, 96)
    x = layers.Conv2D(256, 5, padding="same", activation="relu", name="conv2")(x)  # (N, 27, 27, 256)
    x = layers.MaxPooling2D(3, strides=2)(x)  # (N, 13, 13, 256)
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv3")(x)  # (N, 13, 13, 384)
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv4")(x)  # (N, 13, 13, 384)
    x = layers.Conv2D(256, 3, padding="same", activation="relu", name="conv5")(x)  # (N, 13, 13, 256)
    x = layers.MaxPooling2D(3, strides=2)(x)  # (N, 6, 6, 256)
print(x.shape)

# %% tags=["expected"]
# (None, 6, 6, 256)

# %% [markdown]
# Look at the pooling: windows 3 wide that move by 2. They **overlap** by one pixel; in lesson 04 they did not.
#
# Lesson 04 took the *mean* of each map at this point, one number a map. AlexNet keeps every cell: it lays all
# $6 \cdot 6 \cdot 256 = 9{,}216$ numbers in a row (`Flatten`) and connects each with each of 4,096 neurons, and those
# with 4,096 more. **Dropout** hides a random half of the numbers during training.

# %%
with blueprint.as_default():
    x = layers.Flatten()(x)  # (N, 9216)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(4096, activation="relu", name="fc6")(x)  # (N, 4096)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(4096, activation="relu", name="fc7")(x)  # (N, 4096)
    logits = layers.Dense(1000, name="fc8")(x)  # (N, 1000), the classes of ImageNet
    alexnet = keras.Model(pictures, logits)
print(f"{alexnet.count_params():,} parameters")

# %% tags=["expected"]
# 62,378,344 parameters

# %% [markdown]
# "fc" stands for *fully connected*. Eight layers have weights; pooling, flattening and dropout have none. Lesson 04's network had
# 246,356 parameters, so this one has 250 times as many.
#
# ## 3. Where do they sit?
#
# ### Exercise 1 (warm-up): count the first layer
# Each of the 96 filters looks at 11 × 11 pixels of 3 channels, and has one bias. How many parameters has `conv1`?

# %% tags=["exercise"]
first_layer_parameters = ...

# %% tags=["check"]
check("alexnet.first_layer", first_layer_parameters)

# %% tags=["solution"]
first_layer_parameters = 96 * (11 * 11 * 3 + 1)

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("alexnet.first_layer")`. Each call tells you a little more.)*
#
# Now all eight. A convolution has window × window × channels in × channels out weights; a dense layer has numbers in × numbers
# out. Each adds one bias for what comes out. *Which line will be the largest?*

# %%
by_hand = {
    "conv1": 11 * 11 * 3 * 96 + 96,
    "conv2": 5 * 5 * 96 * 256 + 256,
    "conv3": 3 * 3 * 256 * 384 + 384,
    "conv4": 3 * 3 * 384 * 384 + 384,
    "conv5": 3 * 3 * 384 * 256 + 256,
    "fc6": 6 * 6 * 256 * 4096 + 4096,
    "fc7": 4096 * 4096 + 4096,
    "fc8": 4096 * 1000 + 1000,
}
for name, count in by_hand.items():
    assert count == alexnet.get_layer(name).count_params()
    print(f"{name:<5} {count:10,}")
print(f"sum   {sum(by_hand.values()):10,}")
print(f"fc6 and fc7: {(by_hand['fc6'] + by_hand['fc7']) / sum(by_hand.values()):.1%}")

# %% tags=["expected"]
# conv1     34,944
# conv2    614,656
# conv3    885,120
# conv4  1,327,488
# conv5    884,992
# fc6   37,752,832
# fc7   16,781,312
# fc8    4,097,000
# sum   62,378,344
# fc6 and fc7: 87.4%

# %% [markdown]
# Two layers hold nearly nine tenths; all five convolutions together hold 6 %. The reason is the step from maps to a row: in
# `fc6` each *place* of each map has its own weight for each of 4,096 neurons. What lesson 04, section 1, called
# hopeless for pixels is done here with maps.
#
# ### Where does the time go?
# Counting parameters is not counting work. The work is **multiply-adds**: a weight of a dense layer is used once a picture,
# a weight of a convolution once at *every place* where its window stops. `conv1` stops at 55 × 55 = 3,025 places. *So which
# layers keep the machine busy?*


# %%
def layer_table(model):
    """Return for each layer with weights: parameters, places where they are used, multiply-adds a picture."""
    rows = []
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.Dense):
            places = int(np.prod(layer.output.shape[1:-1]))  # 1 for a dense layer
            work = int(np.prod(layer.kernel.shape)) * places
            rows.append((layer.name, layer.count_params(), places, work))
    return pd.DataFrame(rows, columns=["layer", "parameters", "places", "multiply_adds"]).set_index("layer")


table = layer_table(alexnet)
table

# %%
share = 100 * table[["parameters", "multiply_adds"]] / table[["parameters", "multiply_adds"]].sum()
dense = share.index.str.startswith("fc")
fig = go.Figure()
for column, name, colour, pattern, sign in (
    ("parameters", "parameters", BLUE, "", -1),
    ("multiply_adds", "multiply-adds", VERMILLION, "/", 1),
):
    fig.add_bar(
        x=sign * share[column], y=share.index, orientation="h", name=name,
        marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "white", "bgcolor": colour, "size": 6}},
        text=[f"{value:.1f} %" for value in share[column]],
        textposition="outside", cliponaxis=False, textfont_color=BLACK,
    )  # fmt: skip
fig.update_layout(
    barmode="relative", bargap=0.25, legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": 1.08}
)
fig.update_xaxes(
    title_text="share of all parameters (%, left) and of all multiply-adds (%, right)",
    range=[-72, 52], tickvals=[-60, -40, -20, 0, 20, 40], ticktext=["60", "40", "20", "0", "20", "40"],
)  # fmt: skip
fig.update_yaxes(autorange="reversed", showgrid=False, ticks="")
finish(
    fig,
    f"The dense layers hold {share['parameters'][dense].sum():.0f} % of the parameters, the convolutions do "
    f"{share['multiply_adds'][~dense].sum():.0f} % of the work",
    details="; ".join(
        f"{name}: {row.parameters:.1f} % of parameters, {row.multiply_adds:.1f} % of multiply-adds"
        for name, row in share.iterrows()
    )
    + ".",
    height=400,
    above=10,
)

# %% [markdown]
# One picture takes 1.1 thousand million multiply-adds, and `conv2` alone does four tenths of them. The weights sit in one half of the
# network, the work in the other. Remember it when somebody calls a network "large": large in memory, or in time?
#
# ### Exercise 2: a smaller picture
# `fc6` is as wide as the maps are many and large. Suppose the pictures were **128 × 128** pixels, everything else alike: pad to 131,
# convolve 11 wide by 4, then three poolings 3 wide by 2 (and convolutions that keep the size). How many parameters has `fc6` then?

# %% tags=["exercise"]
fc6_at_128 = ...

# %% tags=["check"]
check("alexnet.small_picture", fc6_at_128)

# %% tags=["solution"]
side = (131 - 11) // 4 + 1  # 31
for _ in range(3):
    side = (side - 3) // 2 + 1  # 15, 7, 3
fc6_at_128 = side * side * 256 * 4096 + 4096

# %% [markdown]
# ## 4. The other number
#
# Look AlexNet up, and you will find 62.4 million parameters in one place and 61.0 million in another (60,965,224, to be
# exact). Both are right. The graphics cards of 2012 had 3 GB of memory, too little for the network, so the authors split it
# over *two*: half of the filters of each layer on each card. To save traffic, some layers saw only the maps on their own card.
#
# That is a **grouped convolution**: with two groups, the first half of the filters sees the first half of the maps, the second
# half the second. It was `conv2`, `conv4` and `conv5`; `conv3` and the dense layers saw both cards.
#
# ### Exercise 3: the second convolution of 2012
# With one tower, each of the 256 filters of `conv2` sees 5 × 5 places of 96 maps, and each has a bias: 614,656. How many parameters
# has `conv2` with two groups?

# %% tags=["exercise"]
conv2_two_groups = ...

# %% tags=["check"]
check("alexnet.groups", conv2_two_groups)

# %% tags=["solution"]
conv2_two_groups = 2 * (5 * 5 * 48 * 128 + 128)  # two cards, each 128 filters that see 48 maps

# %% [markdown]
# The other two lose half of their weights as well. So the original has this many fewer:

# %%
saved = (5 * 5 * 96 * 256 + 3 * 3 * 384 * 384 + 3 * 3 * 384 * 256) // 2  # half the weights, no bias
print(f"{62_378_344:,} - {saved:,} = {62_378_344 - saved:,}")
print(f"two groups: {count_parameters('alexnet', 'paper', 'two_groups', num_classes=1000):,}")
print(f"one tower:  {count_parameters('alexnet', 'paper', num_classes=1000):,}")

# %% tags=["expected"]
# 62,378,344 - 1,413,120 = 60,965,224
# two groups: 60,965,224
# one tower:  62,378,344

# %% [markdown]
# A makeshift of 2012 became a tool: MobileNet, later in this course, drives it to the end, with as many groups as there are
# maps. (A third number, 61,100,840, belongs to narrower layers from a later paper, which is what PyTorch calls AlexNet.)
#
# ## 5. Three inventions, and what became of them
#
# **Overlapping pooling** (windows of 3, steps of 2) lowered the error by 0.4 percentage points on ImageNet (*reported*). Today it is rare;
# many networks let a convolution with a stride do the shrinking.
#
# **Local response normalisation** (LRN) divides each number by something that grows with what its neighbours in the other
# maps say at the same place: $b = a \,/\, \big(2 + 10^{-4} \sum_{5\ \text{maps}} a^2\big)^{0.75}$. A loud map is to quiet its
# neighbours. It lowered the error by 1.4 points (*reported*). *What does it do to a number 1 among numbers 1? And to 100
# among numbers 100?*

# %%
for a in (0.1, 1.0, 10.0, 100.0, 1000.0):
    divisor = (2 + 1e-4 * 5 * a**2) ** 0.75  # all five maps say a
    print(f"a = {a:6.1f} is divided by {divisor:6.2f}")

# %% tags=["expected"]
# a =    0.1 is divided by   1.68
# a =    1.0 is divided by   1.68
# a =   10.0 is divided by   1.71
# a =  100.0 is divided by   4.30
# a = 1000.0 is divided by 106.05

# %% [markdown]
# For small numbers it is a division by 1.68, a constant, which the next layer's weights undo. Only large numbers compete. AlexNet
# fed its network pixels from about -128 to 127; scaled to [0, 1], as the paper of this course does, the same constants would
# normalise little or nothing. Two years later the authors of VGG tried LRN, found no gain, and dropped it.
# What remained of the wish is batch normalisation (lesson 04, section 4), which measures the spread instead of assuming it.
#
# **Dropout** is still with us. AlexNet needed it: "without dropout, our network exhibits substantial overfitting", they
# write. Where nine tenths of a network sit in two layers, that is where it learns by heart. And this is our next question.
#
# ## 6. What 190 patients mean to it
#
# For four classes `fc8` shrinks. ImageNet has 1.2 million pictures to train on. The paper has about 190 patients, 80 % of them to train:
# 152. *How many parameters are there for each picture?*

# %%
four_classes = count_parameters("alexnet", "paper")
for name, parameters, pictures_to_train in (
    ("AlexNet, ImageNet", 62_378_344, 1_200_000),
    ("AlexNet, the paper", four_classes, 152),
    ("lesson 04's network, the paper", 246_356, 152),
):
    print(f"{name:<31}{parameters / pictures_to_train:9,.0f} parameters a picture")

# %% tags=["expected"]
# AlexNet, ImageNet                     52 parameters a picture
# AlexNet, the paper               383,538 parameters a picture
# lesson 04's network, the paper     1,621 parameters a picture

# %% [markdown]
# Statistics used to teach: no more parameters than data. Even AlexNet on ImageNet breaks that rule 52 times over, and works.
# So the count alone is no verdict. We need an experiment.
#
# ## 7. The experiment: diagnoses drawn by lot
#
# Zhang and others (2017) had a simple idea. Take a network and its training pictures, and **shuffle the labels**: every
# patient gets the diagnosis of some other patient. There is nothing left to learn. *What training accuracy will the network reach?*
#
# We take 152 patients, as the paper had, and 200 others whom the network never meets in training. A small AlexNet at 64 pixels, with its
# proportions: three convolutions, then a wide dense head in which nearly all parameters sit. Or, beside it, with the head of lesson 04: the mean
# of each map.

# %%
n_few = min(152, len(train) // 2)
small = prepare(train.images[: n_few + 200], size=64)  # (352, 64, 64, 1)
x_few, x_others = small[:n_few], small[n_few:]
true_few, true_others = train.labels[:n_few], train.labels[n_few : n_few + 200]
by_lot = np.random.default_rng(0).permutation(true_few)  # as many of each diagnosis, on other patients

grey, spread = x_few.mean(), x_few.std()
x_few, x_others = (x_few - grey) / spread, (x_others - grey) / spread


def small_alexnet(head, dropout=0.0):
    keras.utils.set_random_seed(0)
    pictures = keras.Input((64, 64, 1))
    x = layers.Conv2D(16, 11, strides=2, padding="same", activation="relu")(pictures)  # (N, 32, 32, 16)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)  # (N, 16, 16, 16)
    x = layers.Conv2D(32, 5, padding="same", activation="relu")(x)  # (N, 16, 16, 32)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)  # (N, 8, 8, 32)
    x = layers.Conv2D(48, 3, padding="same", activation="relu")(x)  # (N, 8, 8, 48)
    if head == "wide":
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)  # (N, 4, 4, 48)
        x = layers.Flatten()(x)  # (N, 768)
        for width in (1024, 1024):
            x = layers.Dropout(dropout)(x)
            x = layers.Dense(width, activation="relu")(x)
    else:
        x = layers.GlobalAveragePooling2D()(x)  # (N, 48)
    return keras.Model(pictures, layers.Dense(4)(x))


for head in ("wide", "mean"):
    print(f"{head}: {small_alexnet(head).count_params():,} parameters")

# %% tags=["expected"]
# wide: 1,869,812 parameters
# mean: 28,852 parameters

# %% [markdown]
# `fit` is the one of lesson 04. We follow two accuracies: on the 152 patients with the labels they were *given*, and on the others with their
# true ones. There are four classes of about the same size, so guessing reaches about 25 %. First the wide head.

# %%
rounds = course_size(epochs=30).epochs


def learn(network, labels):
    """Return the history: accuracy on the 152 as labelled here, val_accuracy on the others' true labels."""
    return fit(
        network,
        (x_few, labels),
        (x_others, true_others),
        epochs=rounds,
        patience=rounds,
        class_weight=None,
        live=False,
    )


def draw_learning(true, lot, head):
    fig = make_subplots(
        cols=2, shared_yaxes=True, subplot_titles=("the patients it trains on", "patients it never met")
    )
    for col, column in ((1, "accuracy"), (2, "val_accuracy")):
        for history, name, colour, dash in (
            (true, "true", BLUE, "solid"),
            (lot, "drawn by lot", VERMILLION, "dash"),
        ):
            line = {"color": colour, "dash": dash, "width": 2.5}
            y = 100 * history[column]
            fig.add_scatter(
                x=history["epoch"],
                y=y,
                name=name,
                line=line,
                mode="lines",
                showlegend=col == 1,
                row=1,
                col=col,
            )
        fig.add_hline(y=25, line={"color": BLACK, "dash": "dot", "width": 1.5}, row=1, col=col)
    fig.update_xaxes(title_text="Epoch")
    fig.update_yaxes(range=[0, 103])
    fig.update_yaxes(title_text="Accuracy (%)", row=1, col=1)
    fig.update_layout(
        legend={
            "orientation": "h",
            "x": 0.5,
            "xanchor": "center",
            "y": -0.22,
            "title": {"text": "diagnoses: "},
        }
    )
    last, noise = 100 * true.iloc[-1], 100 * lot.iloc[-1]
    return finish(
        fig,
        f"{head}: of diagnoses drawn by lot it learns {noise['accuracy']:.0f} %, of true ones {last['accuracy']:.0f} %; on new patients "
        f"that is worth {noise['val_accuracy']:.0f} and {last['val_accuracy']:.0f} %",
        details="Accuracy by epoch on phantoms, trained once with true and once with shuffled labels; dotted: guessing.",
        height=360,
        above=26,
    )


wide = {"true": learn(small_alexnet("wide"), true_few), "lot": learn(small_alexnet("wide"), by_lot)}
draw_learning(**wide, head="Wide head")

# %% [markdown]
# Read the left half alone, and you could not tell which curve learned medicine. The network has found its 152 patients again,
# each by some detail that no other patient has, anatomy or noise, and remembers what it was told about them. On new patients that is worth a guess.
#
# Note what this does *not* say. With true labels the same network, with the same capacity, does learn something that holds for others.
# So the power to learn by heart does not forbid to learn; it only makes **training accuracy worthless as evidence**.
#
# Why is it possible at all? Forget networks. Take $w$ random numbers made from each picture, and solve for weights that give each
# patient the label drawn for it. That is one linear equation a patient, with $w$ unknowns. *From which $w$ on is every lot learned?*

# %%
rng = np.random.default_rng(1)
pixels = x_few.reshape(n_few, -1)  # (152, 4096)
wanted = np.eye(4)[by_lot] - 0.25
for w in (n_few // 8, n_few // 4, n_few // 2, n_few, 2 * n_few):
    numbers = np.maximum(pixels @ rng.normal(size=(4096, w)) / 64, 0)  # (152, w)
    weights = np.linalg.lstsq(numbers, wanted, rcond=None)[0]  # (w, 4)
    learned = np.mean((numbers @ weights).argmax(axis=1) == by_lot)
    print(f"{w:4} unknowns for {n_few} patients: {learned:.0%} of the lots learned")

# %% [markdown]
# As many unknowns as equations, and everything can be solved, sense or nonsense. AlexNet's `fc7` alone has 4,096 neurons, 27 for each of the
# paper's training patients.
#
# ### Now the small head
# The same convolutions, and the mean of each map: 28,852 parameters, still 190 for each patient. *Will it learn the lots as well? And how
# will it do on new patients?*

# %%
mean = {"true": learn(small_alexnet("mean"), true_few), "lot": learn(small_alexnet("mean"), by_lot)}
draw_learning(**mean, head="Mean of each map")

# %%
rows = []
for head, runs in (("wide", wide), ("mean", mean)):
    for labels, history in runs.items():
        own, new = history.iloc[-1][["accuracy", "val_accuracy"]]
        low, high = wilson(round(new * len(x_others)), len(x_others))
        rows.append((head, labels, f"{own:.2f}", f"{new:.2f} [{low:.2f}, {high:.2f}]", f"{own - new:.2f}"))
pd.DataFrame(rows, columns=["head", "diagnoses", "own patients", "new patients (phantoms)", "by heart"])

# %% [markdown]
# The last column is the distance between the two before it: what the network knows about its own patients and cannot use on others. Compare the
# heads in it, and then on new patients, where you must read the intervals. The small head is slow to learn by heart, because the mean of a map
# forgets *where* something was, and a detail is known by its place. It is not unable to; it takes more epochs.
#
# These are four single runs on drawn patients; another seed moves the curves. What stays is a guess: on new patients, nothing can be gained from lots.
#
# ### Exercise 4 (open): does dropout forbid learning by heart?
# AlexNet's answer to overfitting was dropout of one half. Train `small_alexnet("wide", dropout=0.5)` with `learn` on the diagnoses drawn by
# lot, and give the last epoch's `accuracy` and `val_accuracy`. *Guess both first.* (`accuracy` is counted while half of the head is
# hidden; with all of it at work the network remembers more.)

# %% tags=["exercise"]
lots_learned = ...
right_on_others = ...

# %% tags=["check"]
check("alexnet.dropout", (lots_learned, right_on_others))

# %% tags=["solution"]
with_dropout = learn(small_alexnet("wide", dropout=0.5), by_lot)
lots_learned, right_on_others = with_dropout.iloc[-1][["accuracy", "val_accuracy"]]

# %% [markdown]
# So none of these devices makes a network unable to learn by heart. They make it *harder*, and what is easier is learned first. If patients have
# something in common, that is usually easier than 152 private details. More patients do the same: each of them makes learning by heart harder, and
# learning the disease no harder at all.
#
# ## 8. AlexNet at course size
#
# The course network keeps AlexNet's five convolutions: the 11-pixel first look, then 5, then 3, and the overlapping pooling. It is narrower; its first
# stride is 2; batch normalisation stands for LRN; and it ends in the mean of each map. *How many parameters do these four decisions leave?*

# %%
keras.utils.set_random_seed(0)
model = build_model("alexnet")
print(f"{model.name}: {model.count_params():,} parameters")
for name in (
    "conv1_relu",
    "pool1",
    "conv2_relu",
    "pool2",
    "conv3_relu",
    "conv4_relu",
    "conv5_relu",
    "features",
):
    print(f"{name:<11}{model.get_layer(name).output.shape}")

# %% tags=["expected"]
# alexnet_course: 278,180 parameters
# conv1_relu (None, 64, 64, 32)
# pool1      (None, 32, 32, 32)
# conv2_relu (None, 32, 32, 64)
# pool2      (None, 16, 16, 64)
# conv3_relu (None, 16, 16, 96)
# conv4_relu (None, 16, 16, 96)
# conv5_relu (None, 16, 16, 96)
# features   (None, 96)

# %% [markdown]
# By hand, as in lesson 04: weights without bias, and four numbers a map for batch normalisation.

# %%
total, channels = 0, 1
for window, filters in ((11, 32), (5, 64), (3, 96), (3, 96), (3, 96)):
    total, channels = total + window * window * channels * filters + 4 * filters, filters
print(f"{total:,} in the convolutions + {96 * 4 + 4} in the dense layer = {total + 96 * 4 + 4:,}")

# %% tags=["expected"]
# 277,792 in the convolutions + 388 in the dense layer = 278,180

# %% [markdown]
# More than two hundred times smaller, and now nearly all of it is convolution. Training, as in lesson 04. *How far will a few epochs bring it?*

# %%
steps = size.epochs * -(-len(train) // 16)
falling = keras.optimizers.schedules.CosineDecay(0.001, steps, alpha=0.01)
history = fit(model, train, validation, epochs=size.epochs, learning_rate=falling, seed=0)
print(f"best epoch {history.attrs['best_epoch']} of {len(history)}, {history.attrs['seconds']:.0f} s")

# %% [markdown]
# These are few epochs, and a validation accuracy on some 80 patients jumps by luck alone: 1.96 standard deviations are about 11 points. Look at the
# trend, not at the teeth. The shipped AlexNet has the same layers, learned from many more phantoms, and sees the column that the
# localiser cuts out. Its result on a locked test set, beside the CNN's and the ceiling (lesson 16, section 6):

# %%
stored = load_results("zoo")
data = stored["alexnet"].provenance["data"]["training"]["make_dataset"]
recipe = stored["alexnet"].provenance["configuration"]
print(
    f"trained on {data['n_patients']:,} patients for {recipe['epochs']} epochs, the first {recipe['epochs_by_size'][0]} on "
    "pictures of half the height and width"
)
for name in ("alexnet", "cnn", "ceiling"):
    print(f"{name:<8}{evaluate(stored[name]).accuracy}  on {len(stored[name])} phantom patients")
print("AlexNet minus CNN:", paired_difference(stored["alexnet"], stored["cnn"]))

# %% [markdown]
# If the last interval holds 0, these patients cannot tell the two architectures apart, though one looks through 3 pixels first and the other through 11.
# Now all of them on *our* test patients, whom none has met. *Which difference will be larger: between two architectures,
# or between a network trained here and one trained on more?*

# %%
from lumbar_utils.training import predictions_of

shipped = {name: build_model(name, weights="phantom") for name in ("alexnet", "cnn")}
on_test = {
    f"AlexNet, trained here, {len(train)} patients": predictions_of(model, test, measured_on="phantoms"),
    "AlexNet, shipped": predictions_of(shipped["alexnet"], test, measured_on="phantoms"),
    "CNN, shipped": predictions_of(shipped["cnn"], test, measured_on="phantoms"),
}
figures.compare_accuracy({name: evaluate(predictions) for name, predictions in on_test.items()})

# %%
here, there, cnn = on_test.values()
print("AlexNet, shipped minus trained here:", paired_difference(there, here))
print("shipped, AlexNet minus CNN:         ", paired_difference(there, cnn))

# %% [markdown]
# Lesson 04 ended on the same note: ask first what each rival was shown, and only then what it is built of.
#
# ### What the first layer has learned
# The 2012 paper shows its first filters: stripes and blobs in all directions. Ours are 11 × 11 as well, and grey. *What would you look for in a
# spine?*

# %%
first = shipped["alexnet"].get_layer("conv1_conv").get_weights()[0][:, :, 0, :]  # (11, 11, 32)
first = first / np.abs(first).max(axis=(0, 1))  # each filter to its own largest weight
tiles = np.pad(first, ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)  # (13, 13, 32)
sheet = tiles.reshape(13, 13, 4, 8).transpose(2, 0, 3, 1).reshape(4 * 13, 8 * 13)

fig = go.Figure(
    go.Heatmap(z=sheet.round(2), colorscale="Cividis", zmid=0, hoverinfo="skip", colorbar_title="weight")
)
fig.update_xaxes(visible=False)
fig.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
smooth = np.mean([np.corrcoef(f[:-1].ravel(), f[1:].ravel())[0, 1] for f in np.moveaxis(first, -1, 0)])
finish(
    fig,
    f"32 filters of the first layer: neighbouring weights correlate by {smooth:.2f}, noise would by 0",
    details="The 32 first filters of the shipped AlexNet, 11 x 11 weights each, scaled to their largest weight.",
    height=360,
)

# %% [markdown]
# In the column's frame a pixel is about 1.1 mm wide, so 11 pixels show about 12 mm. Where a filter is dark on one
# side and bright on the other, it answers at an edge of that direction. Where it looks like noise, it has learned little; a larger window has more
# weights to fill, and no more patients to fill them from.
#
# ## 9. What it gets wrong
#
# First all mistakes on the locked test set, then the question of section 1.

# %%
figures.confusion_matrix(evaluate(stored["alexnet"]))

# %% [markdown]
# *Does the big first step cost small lesions?* Both shipped networks were trained on other phantoms, so all our herniated patients are new to them, also those of
# our training set. We sort them by how much of the herniation the slice shows, and ask both networks.

# %%
ill = clinic.subset(herniated)
area_mm2 = np.array([lesion_mask(mask, "Herniated Disk").sum() for mask in ill.masks]) * pixel_mm**2
columns = prepare(
    ill, size=shipped["cnn"].input_shape[1:3], crop="column"
)  # the localiser runs once for both
found = {name: predict(network, columns).argmax(axis=1) == ill.labels for name, network in shipped.items()}

thirds = np.array_split(np.argsort(area_mm2, kind="stable"), 3)
names = [
    f"{area_mm2[rows].min():.0f} to {area_mm2[rows].max():.0f} mm²<br>({len(rows)} patients)"
    for rows in thirds
]
fig = go.Figure()
for (name, hits), colour, symbol, shift in zip(
    found.items(), (BLUE, VERMILLION), ("circle", "diamond"), (-0.08, 0.08), strict=True
):
    k = np.array([hits[rows].sum() for rows in thirds])
    n = np.array([len(rows) for rows in thirds])
    limits = np.array([wilson(*pair) for pair in zip(k, n, strict=True)])
    fig.add_scatter(
        x=np.arange(3) + shift, y=100 * k / n, mode="markers", name={"alexnet": "AlexNet", "cnn": "CNN"}[name],
        marker={"color": colour, "size": 12, "symbol": symbol},
        error_y={"type": "data", "symmetric": False, "array": 100 * (limits[:, 1] - k / n),
                 "arrayminus": 100 * (k / n - limits[:, 0]), "thickness": 2.5, "width": 7},
    )  # fmt: skip
fig.update_xaxes(
    tickvals=[0, 1, 2], ticktext=names, title_text="area of the herniation in the slice", range=[-0.5, 2.5]
)
fig.update_yaxes(title_text="herniations found (%), 95 % interval", range=[0, 103])
fig.update_layout(legend={"x": 0.02, "y": 0.98})
small, large = ({name: hits[rows].mean() for name, hits in found.items()} for rows in (thirds[0], thirds[-1]))
finish(
    fig,
    f"Of the smallest third AlexNet finds {100 * small['alexnet']:.0f} % and the CNN {100 * small['cnn']:.0f} %, of the largest "
    f"{100 * large['alexnet']:.0f} and {100 * large['cnn']:.0f} %",
    details="Herniations found by the two shipped networks, by area in the slice; Wilson intervals, measured on phantoms.",
    height=380,
)

# %%
for rows, name in zip(thirds, ("smallest", "middle", "largest"), strict=True):
    only_alexnet = np.sum(found["alexnet"][rows] & ~found["cnn"][rows])
    only_cnn = np.sum(found["cnn"][rows] & ~found["alexnet"][rows])
    print(f"{name:<9}third: AlexNet alone finds {only_alexnet}, the CNN alone {only_cnn}")

# %% [markdown]
# Read the pairs (lesson 16, section 6): only patients on whom the two part have a say, and it takes six on one side and none on the other before that says
# anything. Then compare along the other axis. What makes a herniation hard, its size or the network? And note that the course network
# steps by 2 pixels, not by 4: we tested *its* first look, not the paper's.

# %%
missed, both = ~found["alexnet"] & found["cnn"], ~found["alexnet"] & ~found["cnn"]
chosen = np.concatenate([np.flatnonzero(missed)[:2], np.flatnonzero(both)[:2]])
if len(chosen) == 0:  # nothing was missed: then the smallest
    chosen = thirds[0][:4]
near = []  # 64 x 64 pixels around each lesion
for row in chosen:
    lesion_there = lesion_mask(ill.masks[row], "Herniated Disk")
    y, x = np.argwhere(lesion_there)[lesion_there.sum() // 2]
    window = np.s_[max(y - 32, 0) : y + 32, max(x - 32, 0) : x + 32]
    near.append((ill.images[row][window], lesion_there[window]))
figures.picture_grid(
    [picture for picture, _ in near],
    [
        f"{area_mm2[row]:.0f} mm², {'both' if both[row] else 'AlexNet' if missed[row] else 'none'} missed it"
        for row in chosen
    ],
    overlays=[outline for _, outline in near],
    title=f"AlexNet missed {missed.sum() + both.sum()} of {len(ill)} herniations; {both.sum()} of these the CNN missed too",
)

# %% [markdown]
# Some of these you would miss as well. Lesson 04, section 9, tells why a slice may show so little of a herniation.
#
# ## 10. At the paper's size
#
# One line changes: `build_model("alexnet", preset="paper")`, 224 pixels, three channels, `epochs=100`. Do not run it on a small machine.
# Weights, gradients and Adam's two memories are four times 58.3 million numbers of 4 bytes:

# %%
print(f"{4 * 4 * four_classes / 1e9:.2f} GB before the first picture")

# %% tags=["expected"]
# 0.93 GB before the first picture

# %% [markdown]
# And the time? Not measured, but computed: training costs about three times the multiply-adds of an answer (forward, and backward twice). Your
# training above tells how many your machine does in a second.

# %%
course_work = layer_table(model)["multiply_adds"].sum()
speed = 3 * course_work * len(train) * len(history) / history.attrs["seconds"]
paper_work = 3 * table["multiply_adds"].sum() * 152 * 100
print(f"this machine did {speed / 1e9:.0f} thousand million multiply-adds a second in section 8")
print(
    f"100 epochs of 152 pictures at the paper's size would take it about {paper_work / speed / 60:.0f} minutes (computed)"
)

# %% [markdown]
# A GPU does it in a fraction of that; the memory is what forbids it on Binder.
#
# And what does the paper report for AlexNet? *No number*, only a sentence: "The overall classification accuracy was high, notwithstanding a few
# misclassifications shown by the confusion matrix." The table of reported values has a gap here:

# %%
reported = paper_reported().accuracies.set_index("model")
print("reported accuracy of AlexNet:", reported.loc["AlexNet", "accuracy"])
for mistakes in (1, 2, 3, 4):
    low, high = wilson(19 - mistakes, 19)
    print(f"if 'a few' were {mistakes} of 19: {(19 - mistakes) / 19:.2f}, interval {low:.2f} to {high:.2f}")

# %% tags=["expected"]
# reported accuracy of AlexNet: nan
# if 'a few' were 1 of 19: 0.95, interval 0.75 to 0.99
# if 'a few' were 2 of 19: 0.89, interval 0.69 to 0.97
# if 'a few' were 3 of 19: 0.84, interval 0.62 to 0.94
# if 'a few' were 4 of 19: 0.79, interval 0.57 to 0.91

# %% [markdown]
# Whatever "a few" was, the interval begins far below "high". The sentence before it praises "consistently rising training and validation accuracy". You have seen
# in section 7 what a rising *training* accuracy is worth.
#
# ## Quiz
#
# 1. **A network has 100 % training accuracy on 152 patients. What does that prove?**
#    - a) it has learned the disease
#    - b) it is useless on others
#    - c) nothing about others; ask patients whom it has not met
# 2. **You want AlexNet to answer *faster*. Where do you save?**
#    - a) in `fc6`, it has the most parameters
#    - b) in the convolutions, they do nearly all the work
#    - c) nowhere, size and time are the same
# 3. **The pictures grow from 224 to 448 pixels. What grows?**
#    - a) the parameters of `conv1`
#    - b) the parameters of `fc6`, and the work of all convolutions
#    - c) nothing, the filters are the same
# 4. **More parameters than patients. So the network ...**
#    - a) must fail on new patients
#    - b) needs a dropout of 0.5, and is safe with it
#    - c) can learn by heart, and may still learn what patients have in common

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ..., "4": ...}

# %% tags=["check"]
check("alexnet.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "c", "2": "b", "3": "b", "4": "c"}

# %% [markdown]
# ## What you have seen
#
# - A window is measured in millimetres: 11 pixels see 13.75 mm, and a step of 4 pixels is as large as a herniation.
# - 62,378,344 parameters, 87 % of them in two dense layers; 60,965,224 in the original, whose groups stem from two small graphics cards.
# - Parameters and work are different things: a weight of a convolution works at thousands of places, a dense one once.
# - LRN is gone, overlapping pooling is rare, dropout stayed, and ReLU conquered everything.
# - A network learns diagnoses drawn by lot. Training accuracy is therefore no evidence; only new patients are.
# - For AlexNet, the paper reports a word instead of a number.
#
# **All scores here are phantom scores.** They say how methods compare on drawn patients, and nothing about a clinic.
#
# ## References
# - Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural networks*, NIPS 25.
# - Srivastava and others (2014), *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 15:1929.
# - Krizhevsky (2014), *One weird trick for parallelizing convolutional neural networks*, arXiv:1404.5997 (the narrower AlexNet).
# - Simonyan and Zisserman (2015), *Very deep convolutional networks for large-scale image recognition*, ICLR, arXiv:1409.1556.
# - Zhang, Bengio, Hardt, Recht and Vinyals (2017), *Understanding deep learning requires rethinking generalization*, ICLR, arXiv:1611.03530.
