"""The map of the course: the paper's flow, the question that each step raises, and the lessons that take it up."""

from __future__ import annotations

import plotly.graph_objects as go

from lumbar_utils.figures import flow_map

STEPS = (
    (
        "Pictures",
        "lumbar MRI and X-ray, annotated by professionals; split 80:10:10",
        "Whose pictures are they? Is a patient on both sides of the split?",
        "01, 02",
    ),
    (
        "Preprocessing",
        "224 x 224 pixels, grey values 0 to 1; zoom, rotation, horizontal flip, contrast",
        "Which changes leave the diagnosis as it is?",
        "03",
    ),
    (
        "Networks",
        "CNN, AlexNet, VGG16, VGG16 with involution, ResNet50, DenseNet, MobileNet",
        "What is each made of, and does it matter here?",
        "04 to 11",
    ),
    (
        "Feature engineering",
        "features made by hand beside the network's; PCA",
        "How far do texture and shape alone get?",
        "12",
    ),
    (
        "Hybrid and ensemble",
        "a support vector machine on the CNN's features; votes",
        "Does the last layer decide? Do the voters err alike?",
        "13, 14",
    ),
    (
        "Grad-CAM",
        "heat maps on the pictures",
        "Does the heat lie on the lesion, more than by chance?",
        "15",
    ),
    (
        "Evaluation",
        "reported: up to 100 % of 19 test pictures",
        "How sure can one be, and of what?",
        "16",
    ),
)


def course_map() -> go.Figure:
    """Return the paper's system as a chain of steps, and beside each step what the course asks of it."""
    return flow_map(STEPS, title="The paper's system in seven steps, and a question for each")
