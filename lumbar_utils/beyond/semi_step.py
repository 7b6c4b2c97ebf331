"""One step of semi-supervised learning, and the running mean of the weights that it moves."""

from __future__ import annotations

import keras
import tensorflow as tf

from .semi_losses import (
    consistency_loss,
    dirichlet_uncertainty,
    evidence_loss,
    pseudo_labels,
    semantic_contrast,
)

EVIDENCE_WEIGHT, CONTRAST_WEIGHT = 0.05, 0.5  # of SeCoFixMatch's two losses beside FixMatch's; ours


class Learner:
    """Moves the weights of `model` step by step, and keeps their exponential moving mean.

    Parameters
    ----------
    model : ends in logits; its last layer's input is what semantic contrast compares.
    class_weights : (K,) how much a labelled picture of each class counts.
    steps : in all; the learning rate falls along 7/16 of a cosine's period meanwhile, as FixMatch's.
    threshold, max_uncertainty : what a pseudo-label must reach; the second may be None.
    semantic : also draw accepted pictures towards labelled ones, and teach evidence.
    """

    def __init__(
        self, model, class_weights, *, steps, learning_rate, threshold, max_uncertainty, semantic, ema
    ):
        self._both = keras.Model(model.inputs[0], [model.layers[-1].input, model.outputs[0]])
        self._weights, self._model = tf.constant(class_weights, tf.float32), model
        self._threshold, self._max_uncertainty, self._semantic = threshold, max_uncertainty, semantic
        self._optimizer = keras.optimizers.Adam(_FixMatchDecay(learning_rate, steps))
        self._optimizer.build(model.trainable_variables)
        self._longest, self._taken = ema, tf.Variable(0.0, trainable=False)
        self._means = [tf.Variable(weight, trainable=False) for weight in model.get_weights()]

    @tf.function
    def learn_labelled(self, x, y):
        """Take one step on labelled pictures alone; return their loss and the share that was right."""
        with tf.GradientTape() as tape:
            logits = self._model(x, training=True)
            loss = self._labelled_loss(logits, y)
        self._move(tape, loss)
        return loss, _share_right(logits, y)

    @tf.function
    def learn(self, x, y, weak, strong):
        """Take one step on A labelled and B unlabelled pictures, the latter changed weakly and strongly.

        Returns the labelled loss, the share of the labelled that was right, the unlabelled loss, the pseudo-labels
        (B,) and 1.0 where one was accepted (B,).
        """
        guess_logits = self._model(weak, training=False)
        guesses, accepted = pseudo_labels(guess_logits, self._threshold)
        if self._max_uncertainty is not None:
            sure = dirichlet_uncertainty(guess_logits) <= self._max_uncertainty
            accepted *= tf.cast(sure, tf.float32)
        n_labelled = x.shape[0]
        with tf.GradientTape() as tape:
            features, logits = self._both(tf.concat([x, strong], axis=0), training=True)
            labelled_loss = self._labelled_loss(logits[:n_labelled], y)
            unlabelled_loss = consistency_loss(logits[n_labelled:], guesses, accepted)
            loss = labelled_loss + unlabelled_loss
            if self._semantic:
                contrast = semantic_contrast(
                    features[:n_labelled], y, features[n_labelled:], guesses, accepted
                )
                evidence = evidence_loss(logits[:n_labelled], y)
                loss += CONTRAST_WEIGHT * contrast + EVIDENCE_WEIGHT * evidence
        self._move(tape, loss)
        return labelled_loss, _share_right(logits[:n_labelled], y), unlabelled_loss, guesses, accepted

    def mean_weights(self) -> list:
        """Return the moving mean of all weights, those of batch normalisation's statistics included."""
        return [mean.numpy() for mean in self._means]

    def _labelled_loss(self, logits, y):
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        return tf.reduce_mean(tf.gather(self._weights, y) * loss)

    def _move(self, tape, loss) -> None:
        variables = self._model.trainable_variables
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        # while few steps are taken the mean is short, or it would remember the first random weights
        decay = tf.minimum(self._longest, (1.0 + self._taken) / (10.0 + self._taken))
        for mean, weight in zip(self._means, self._model.weights, strict=True):
            mean.assign(decay * mean + (1.0 - decay) * tf.cast(weight.value, tf.float32))
        self._taken.assign_add(1.0)


class _FixMatchDecay(keras.optimizers.schedules.LearningRateSchedule):
    """highest * cos(7 pi step / (16 steps)): falls to a fifth."""

    def __init__(self, highest: float, steps: int):
        self._highest, self._steps = highest, steps

    def __call__(self, step):
        return self._highest * keras.ops.cos(
            7 * 3.14159265 / 16 * keras.ops.cast(step, "float32") / self._steps
        )

    def get_config(self) -> dict:
        return {"highest": self._highest, "steps": self._steps}


def _share_right(logits, y):
    return tf.reduce_mean(tf.cast(tf.argmax(logits, axis=-1) == tf.cast(y, tf.int64), tf.float32))
