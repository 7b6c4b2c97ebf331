"""A network that looks at every lumbar disc from the side and from above, and at all five discs for the patient.

After Chen, Zheng, Zhao, Wang, "Deep learning-based intelligent diagnosis of lumbar diseases with multi-angle view of
intervertebral disc", Mathematics 2024, 12, 2062, in outline: discs are found on the sagittal slice, an axial slice is
taken through each, a branch for each view is fused. How wide the branches are, how they are fused and how levels are
joined is ours.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from ..dataset import LUMBAR_DISCS, LumbarError
from .disc_crops import SIDE_PX
from .view_pairs import VIEWS, ViewPairs

POOLINGS = ("maximum", "attention")
WIDTHS = (16, 32, 48)


@keras.saving.register_keras_serializable(package="lumbar_utils")
class AttentionOverLevels(layers.Layer):
    """Weighs the discs of a patient and returns the weighted mean of their features (Ilse et al., ICML 2018).

    Input (N, L, C); output (N, C). `weights_of(x)` returns the (N, L) weights, which sum to 1.
    """

    def __init__(self, units: int = 16, **options):
        super().__init__(**options)
        self.units = units
        self._hidden, self._score = layers.Dense(units, activation="tanh"), layers.Dense(1, use_bias=False)

    def build(self, input_shape):
        self._hidden.build(input_shape)
        self._score.build((*input_shape[:-1], self.units))
        super().build(input_shape)

    def weights_of(self, x):
        return ops.softmax(self._score(self._hidden(x))[..., 0], axis=1)

    def call(self, x):
        return ops.sum(self.weights_of(x)[..., None] * x, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def disc_branch(view: str) -> keras.Model:
    """Return the network that turns one picture of a disc (64, 64, 1) into features (48,)."""
    x = inputs = keras.Input((SIDE_PX, SIDE_PX, 1))
    for number, width in enumerate(WIDTHS):
        stride = 2 if number == 0 else 1  # the first layer would do three quarters of the work
        x = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D()(x) if number else x
    # an average forgets where on the crop something was, a maximum forgets how much of it there was
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    return keras.Model(inputs, layers.Dense(WIDTHS[-1], activation="relu")(x), name=f"{view}_branch")


def build_two_views(views: tuple[str, ...] = VIEWS, pooling: str = "maximum") -> keras.Model:
    """Return a network with an input (5, 64, 64, 1) for each view and two outputs, logits both.

    "disc" (N, 5) says of each disc whether it is herniated, "patient" (N,) whether any is. Each view has one branch,
    whose weights all levels share.

    pooling : how levels are joined: "maximum" takes the disc that looks worst, "attention" learns whom to look at.
    """
    if not views or set(views) - set(VIEWS) or len(set(views)) != len(views):
        raise LumbarError(f"views is {views}, wanted one or both of {', '.join(VIEWS)}, each once.")
    if pooling not in POOLINGS:
        raise LumbarError(f"pooling is {pooling!r}, wanted {' or '.join(POOLINGS)}; choose one of the two.")
    inputs = {view: keras.Input((len(LUMBAR_DISCS), SIDE_PX, SIDE_PX, 1), name=view) for view in views}
    seen = [
        layers.TimeDistributed(disc_branch(view), name=f"{view}_of_each_disc")(inputs[view]) for view in views
    ]
    fused = layers.Concatenate(name="fused")(seen) if len(seen) > 1 else seen[0]
    fused = layers.Dropout(0.2)(layers.Dense(WIDTHS[-1], activation="relu", name="together")(fused))
    disc = layers.Dense(1, name="disc_logit")(fused)
    disc = layers.Reshape((len(LUMBAR_DISCS),), name="disc")(disc)
    if pooling == "maximum":
        patient = layers.GlobalMaxPooling1D(name="worst")(layers.Reshape((len(LUMBAR_DISCS), 1))(disc))
    else:
        patient = layers.Dense(1, name="patient_logit")(AttentionOverLevels(name="attention")(fused))
    patient = layers.Reshape((), name="patient")(patient)
    name = "_and_".join(views) + f"_{pooling}"
    return keras.Model(inputs, {"disc": disc, "patient": patient}, name=name)


def unless_unclear(truth, logits):
    """Return the binary cross-entropy of logits, of which rows with the label -1 have no part."""
    known = ops.cast(truth >= 0, logits.dtype)
    each = (
        keras.ops.maximum(logits, 0) - logits * ops.cast(truth, logits.dtype) + ops.softplus(-ops.abs(logits))
    )
    return ops.sum(known * each) / ops.maximum(ops.sum(known), 1)


def fit_two_views(
    model: keras.Model,
    training: ViewPairs,
    validation: ViewPairs,
    *,
    epochs: int = 15,
    batch_size: int = 16,
    learning_rate: float = 2e-3,
    seed: int = 0,
    verbose: int = 0,
) -> keras.callbacks.History:
    """Train a network of `build_two_views`; the weights of the epoch with the lowest validation loss are kept."""
    views = tuple(each.name for each in model.inputs)
    keras.utils.set_random_seed(seed)
    steps = -(-len(training) // batch_size) * epochs
    falling = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=0.01)
    model.compile(keras.optimizers.Adam(falling), loss={"disc": unless_unclear, "patient": unless_unclear})
    best = keras.callbacks.EarlyStopping("val_loss", patience=epochs, restore_best_weights=True)
    answers = [
        {"disc": each.labels.astype("float32"), "patient": each.patient_labels.astype("float32")}
        for each in (training, validation)
    ]
    return model.fit(
        training.inputs(views),
        answers[0],
        validation_data=(validation.inputs(views), answers[1]),
        epochs=epochs,
        batch_size=batch_size,
        callbacks=[best],
        verbose=verbose,
    )


def herniation_probabilities(model: keras.Model, pairs: ViewPairs):
    """Return the probability of a herniation of each disc (P, 5), and of any in the patient (P,)."""
    views = tuple(each.name for each in model.inputs)
    logits = model.predict(pairs.inputs(views), batch_size=32, verbose=0)
    return tuple(ops.convert_to_numpy(ops.sigmoid(logits[name])) for name in ("disc", "patient"))
