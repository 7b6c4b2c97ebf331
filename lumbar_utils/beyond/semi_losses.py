"""What semi-supervised learning adds to cross-entropy: pseudo-labels, Dirichlet uncertainty, semantic contrast."""

from __future__ import annotations

import tensorflow as tf

TARGET_EVIDENCE = 10.0  # what a labelled picture should speak for its class; uncertainty is then K / (K + 10)


def pseudo_labels(weak_logits, threshold: float):
    """Return the likeliest class of each picture, (B,) int, and 1.0 where its probability is `threshold` or more.

    FixMatch: Sohn et al., NeurIPS 2020, equation 4. No gradient flows back through a pseudo-label.
    """
    probabilities = tf.stop_gradient(tf.nn.softmax(weak_logits))
    labels = tf.argmax(probabilities, axis=-1)
    return labels, tf.cast(tf.reduce_max(probabilities, axis=-1) >= threshold, tf.float32)


def consistency_loss(strong_logits, labels, accepted):
    """Return the cross-entropy of the strongly changed pictures with their pseudo-labels.

    The mean is over *all* B pictures, of which those not accepted count 0: few accepted, little say.
    """
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, strong_logits)
    return tf.reduce_mean(accepted * loss)


def dirichlet(logits):
    """Return the parameters of a Dirichlet distribution over class probabilities, (B, K), each above 1.

    A class's evidence is softplus(logit), and alpha = evidence + 1: no evidence at all gives the uniform distribution
    (Sensoy et al., NeurIPS 2018).
    """
    return tf.nn.softplus(logits) + 1.0


def dirichlet_uncertainty(logits):
    """Return K / (sum of alpha) a picture, in (0, 1): near 1 without evidence, whatever softmax says."""
    return tf.cast(tf.shape(logits)[-1], logits.dtype) / tf.reduce_sum(dirichlet(logits), axis=-1)


def dirichlet_divergence(alpha, target):
    """Return the Kullback-Leibler divergence KL(Dir(alpha) || Dir(target)) a row; both are (B, K)."""
    log_beta = lambda a: tf.reduce_sum(tf.math.lgamma(a), -1) - tf.math.lgamma(tf.reduce_sum(a, -1))
    expected_log = tf.math.digamma(alpha) - tf.math.digamma(tf.reduce_sum(alpha, -1, keepdims=True))
    return log_beta(target) - log_beta(alpha) + tf.reduce_sum((alpha - target) * expected_log, -1)


def evidence_loss(logits, labels):
    """Return the mean divergence of the predicted Dirichlet distributions from those that the labels ask for.

    The target is 1 for every class, and `TARGET_EVIDENCE` more for the right one. SeCoFixMatch's abstract names a KL
    loss between predicted and target Dirichlet distributions; the targets and the order of the two are ours.
    """
    target = 1.0 + TARGET_EVIDENCE * tf.one_hot(labels, logits.shape[-1])
    return tf.reduce_mean(dirichlet_divergence(dirichlet(logits), target))


def semantic_contrast(labelled, labels, unlabelled, guesses, accepted, temperature: float = 0.2):
    """Return how far unlabelled pictures stand from labelled ones of the class they are taken for.

    For each accepted unlabelled picture: minus the mean over labelled pictures of its class of the log of the softmax,
    over all labelled pictures, of cosine / temperature. That is the supervised contrastive loss (Khosla et al.,
    NeurIPS 2020, L_out) with unlabelled anchors and labelled partners. SeCoFixMatch's abstract asks for semantic
    consistency between labelled and unlabelled pictures; this form of it is ours.

    Parameters
    ----------
    labelled, labels : features (A, D) and classes (A,). unlabelled, guesses : (B, D) and pseudo-labels (B,).
    accepted : (B,) 1.0 or 0.0. Anchors without a labelled partner count 0; the mean is over all B.
    """
    cosine = tf.matmul(tf.nn.l2_normalize(unlabelled, -1), tf.nn.l2_normalize(labelled, -1), transpose_b=True)
    log_share = tf.nn.log_softmax(cosine / temperature, axis=-1)  # (B, A)
    partner = tf.cast(guesses[:, None] == labels[None, :], tf.float32)
    n_partners = tf.reduce_sum(partner, -1)
    per_anchor = -tf.math.divide_no_nan(tf.reduce_sum(partner * log_share, -1), n_partners)
    return tf.reduce_mean(accepted * per_anchor)
