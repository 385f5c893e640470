"""Frozen models with dropout, normalisation and residual connections: the bits of eval mode, files, C."""

import pickle

import ne_torch as nt
import numpy as np
import pytest

from samples import normal, same_bits
from test_export_c import COMPILERS, FLAGS, build, output
from test_fused_layers import MODELS, OUT, WIDTH, linear


def trained(name, dtype):
    model = nt.Sequential(*MODELS[name](dtype))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.002))
    for seed in range(3):
        trainer.step(normal((16, WIDTH), dtype, seed) + 1, normal((16, OUT), dtype, seed + 1))
    return model


FROZEN = [name for name in MODELS if name != "batch norm first"]


@pytest.mark.parametrize("name", FROZEN)
def test_frozen_layers_give_the_bits_of_eval_mode(isa, dtype, name, tmp_path):
    model = trained(name, dtype)
    predictor = model.freeze()
    assert model.training
    model.eval()
    predictor.save(tmp_path / "net.safetensors")
    loaded = nt.load_predictor(tmp_path / "net.safetensors", verify=True)
    for rows in (1, 3, 64, 300):
        x = normal((rows, WIDTH), dtype, rows)
        expected = model(x)
        for found in (predictor, loaded, pickle.loads(pickle.dumps(predictor))):
            assert same_bits(found(x), expected)
        assert same_bits(predictor(x[0]), expected[0])


def test_frozen_layers_do_not_change_with_the_model(dtype):
    model = trained("batch norm", dtype)
    predictor = model.freeze()
    x = normal((4, WIDTH), dtype)
    before = predictor(x)
    model(normal((5, WIDTH), dtype))
    for parameter in model.parameters():
        parameter.data = 0
    assert same_bits(predictor(x), before)


def test_residuals_of_different_widths_share_nothing(dtype):
    model = nt.Sequential(
        nt.Residual(linear(40, 40, dtype)),
        linear(40, 5, dtype, 1),
        nt.Residual(nt.Residual(linear(5, 5, dtype, 2)), linear(5, 5, dtype, 3)),
        linear(5, 70, dtype, 4),
        nt.Residual(linear(70, 3, dtype, 5), nt.LayerNorm(3, dtype=dtype), linear(3, 70, dtype, 6)),
    )
    x = normal((130, 40), dtype)
    assert same_bits(model.freeze()(x), model(x))


def test_reduced_weights_go_with_normalization():
    model = trained("layer norm", np.dtype("float32")).eval()
    x = normal((9, WIDTH), "float32")
    assert np.abs(model.freeze("bfloat16")(x) - model(x)).max() < 0.2


def test_freeze_names_what_it_cannot_do(dtype):
    with pytest.raises(ValueError, match="running statistics"):
        nt.Sequential(nt.BatchNorm1d(3, track_running_stats=False, dtype=dtype), linear(3, 2, dtype)).freeze()
    with pytest.raises(TypeError, match="TabularEmbedding"):
        nt.Sequential(nt.TabularEmbedding(3, {0: (2, 1)}, dtype=dtype), linear(3, 2, dtype)).freeze()
    with pytest.raises(ValueError, match="give 3 features"):
        nt.Sequential(nt.Residual(linear(3, 2, dtype))).freeze()
    with pytest.raises(ValueError, match="for 3 features"):
        nt.Sequential(nt.LayerNorm(2, dtype=dtype), linear(3, 2, dtype)).freeze()


@pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang")
@pytest.mark.parametrize("flags", FLAGS[1:])
def test_exported_c_of_layers_gives_the_bits_of_python(dtype, flags, tmp_path):
    for number, name in enumerate(FROZEN):
        folder = tmp_path / str(number)
        folder.mkdir()
        predictor = trained(name, dtype).freeze()
        x = normal((20, WIDTH), dtype)
        found = output(build(predictor, folder, COMPILERS[0], flags), predictor, x)
        assert same_bits(found, predictor(x)), name
