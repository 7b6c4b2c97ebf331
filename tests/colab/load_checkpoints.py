"""Every shipped network under Colab's versions: its weights load, and Keras and LiteRT give the same probabilities."""

import numpy as np

from lumbar_utils import build_model, load_predictor, predict
from lumbar_utils.checkpoints import CARD, CHECKPOINTS
from lumbar_utils.phantom import make_dataset

images = make_dataset(4, seed=0).images
names = sorted(card.parent.name.removesuffix("_course") for card in CHECKPOINTS.glob(f"*_course/{CARD}"))
if not names:
    raise SystemExit(f"There is no network in {CHECKPOINTS}.")
for name in names:
    predictor = load_predictor(name)
    frames = predictor.frame(images)
    model = build_model(name, weights="phantom")
    difference = np.abs(predictor.predict(frames) - predict(model, images)).max()
    print(f"{name:18s} Keras against LiteRT: {difference:.1e}")
    if not difference < 1e-3:
        raise SystemExit(f"{name}: Keras and LiteRT differ by {difference:.1e}, wanted less than 0.001.")
