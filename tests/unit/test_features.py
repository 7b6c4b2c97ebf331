import hashlib

import keras
import numpy as np
import pytest
from helpers import small_dataset

from lumbar_utils import LumbarError, build_model, fit
from lumbar_utils.training import backbone_features, features_of, fit_head


def stripes(seed, n=10):
    return small_dataset(patients_per_class=n, pictures_per_patient=2, seed=seed)


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return build_model("cnn", input_shape=(32, 32, 1), num_classes=2)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMBAR_CACHE", str(tmp_path))
    return tmp_path / "features"


def test_kept_features_are_the_fresh_ones(model, cache):
    data = stripes(0)
    fresh = backbone_features(model, data, cache=False)
    assert not cache.exists()
    first, (file,) = backbone_features(model, data), cache.iterdir()
    written = file.stat().st_mtime_ns
    kept = backbone_features(model, data)
    assert np.array_equal(first, fresh) and np.array_equal(kept, fresh) and fresh.dtype == np.float32
    assert np.allclose(fresh, features_of(model, data), atol=1e-6)
    assert file.stat().st_mtime_ns == written and len(list(cache.iterdir())) == 1


def test_they_are_read_and_not_computed_again(model, cache):
    data = stripes(0)
    backbone_features(model, data)
    (file,) = cache.iterdir()
    with np.load(file) as content:
        other = content["features"] + 1
    np.savez(file, features=other, sha256=hashlib.sha256(other.tobytes()).hexdigest())
    assert np.array_equal(backbone_features(model, data), other)


def test_other_pixels_weights_and_layers_have_other_features(model, cache):
    data = stripes(0)
    backbone_features(model, data)
    backbone_features(model, stripes(1))
    assert backbone_features(model, data, layer="block5_relu").ndim == 4
    weights = model.get_weights()
    model.set_weights([weights[0] + 0.1, *weights[1:]])
    backbone_features(model, data)
    assert len(list(cache.iterdir())) == 4
    head = model.layers[-1]
    head.set_weights([kernel + 1 for kernel in head.get_weights()])
    backbone_features(model, data)  # the head has no part in them
    assert len(list(cache.iterdir())) == 4


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b[:400] + b"\xff\x00" + b[402:]])
def test_damaged_features_are_computed_again_with_a_warning(model, cache, damage):
    data = stripes(0)
    fresh, (file,) = backbone_features(model, data), cache.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning, match="are damaged .* computed again"):
        again = backbone_features(model, data)
    assert np.array_equal(again, fresh)
    assert np.array_equal(backbone_features(model, data), fresh)


def test_a_folder_that_takes_nothing_is_no_reason_to_stop(model, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LUMBAR_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="cannot be kept"):
        assert len(backbone_features(model, stripes(0))) == 40


def test_frozen_first_then_fine_tuned(model, cache):
    def backbone():
        return [weight.copy() for layer in model.layers[:-1] for weight in layer.get_weights()]

    before, head = backbone(), model.layers[-1].get_weights()[0].copy()
    history = fit_head(model, stripes(0), stripes(1), epochs=5, live=False)
    assert len(history) == 5 and history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert all(np.array_equal(old, new) for old, new in zip(before, backbone(), strict=True))
    assert not np.array_equal(head, model.layers[-1].get_weights()[0])
    # the whole network now does what the head did on kept features
    x, y = stripes(1).images, stripes(1).labels
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    loss = model.evaluate(x[..., None] / 255.0, y, verbose=0)
    assert loss == pytest.approx(history["val_loss"].min(), abs=1e-3)

    fit(model, stripes(0), stripes(1), epochs=1, learning_rate=1e-4, live=False)
    assert not any(
        np.array_equal(old, new) for old, new in zip(before, backbone(), strict=True) if old.ndim == 4
    )


def test_the_shipped_network_is_found_by_name(cache):
    features = backbone_features("cnn", stripes(0, n=2))
    assert features.shape == (8, 128)


def test_what_cannot_be_is_told(model, cache):
    with pytest.raises(LumbarError, match="cnn_course has no layer 'block9'; it has pictures, block1_conv"):
        backbone_features(model, stripes(0), layer="block9")
    with pytest.raises(LumbarError, match="cannot augment"):
        fit_head(model, stripes(0), stripes(1), augment=lambda x: x)
    pictures = keras.Input((32, 32, 1))
    flat = keras.Model(pictures, keras.layers.Flatten(name="flat")(pictures), name="flat")
    with pytest.raises(LumbarError, match="flat ends in Flatten 'flat', wanted a Dense layer"):
        fit_head(flat, stripes(0), stripes(1))
