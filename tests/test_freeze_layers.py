"""Frozen models with dropout, normalisation, residual connections, categories: bits, files, C."""

import pickle

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.sequential import flatten

from samples import normal, same_bits
from test_export_c import COMPILERS, FLAGS, build, output
from test_fused_layers import MODELS, OUT, WIDTH, linear


def table(dtype, categories):
    return nt.TabularEmbedding(WIDTH, categories, dtype=dtype, rng=0)


FROZEN = {name: layers for name, layers in MODELS.items() if name != "batch norm first"} | {
    "categories": lambda d: [
        table(d, {1: (7, 5), 4: (40, 2), 18: (1, 3)}),
        linear(26, 17, d, 1),
        nt.ReLU(),
        linear(17, OUT, d, 2),
    ],
    "categories before everything": lambda d: [
        nt.Dropout(0.0, rng=1),
        nt.Sequential(table(d, {0: (3, 2), 1: (3, 1)}), nt.Residual(nt.BatchNorm1d(20, dtype=d), nt.ReLU())),
        nt.Dropout(0.3, rng=1),
        nt.Residual(nt.LayerNorm(20, dtype=d), linear(20, 20, d, 1), nt.GELU()),
        linear(20, OUT, d, 2),
        nt.Softmax(),
    ],
    "categories alone": lambda d: [table(d, dict.fromkeys(range(WIDTH), (2, 1))), linear(WIDTH, OUT, d, 1)],
    "no categories": lambda d: [table(d, {}), nt.ReLU(), linear(WIDTH, OUT, d, 1)],
}


def inputs(model, rows, dtype, seed, mean=0):
    x = normal((rows, WIDTH), dtype, seed) + mean
    first = next(layer for layer in nt.Sequential(*flatten(model)) if not isinstance(layer, nt.Dropout))
    if isinstance(first, nt.TabularEmbedding):
        for column, embedding in zip(first.columns, first.embeddings, strict=True):
            x[:, column] = np.random.default_rng(seed).integers(0, embedding.num_embeddings, rows)
    return x


def trained(name, dtype):
    model = nt.Sequential(*FROZEN[name](dtype))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.002))
    for seed in range(3):
        trainer.step(inputs(model, 16, dtype, seed, 1), normal((16, OUT), dtype, seed + 1))
    return model


@pytest.mark.parametrize("name", FROZEN)
def test_frozen_layers_give_the_bits_of_eval_mode(isa, dtype, name, tmp_path):
    model = trained(name, dtype)
    predictor = model.freeze()
    assert model.training
    model.eval()
    predictor.save(tmp_path / "net.safetensors")
    loaded = nt.load_predictor(tmp_path / "net.safetensors", verify=True)
    for rows in (1, 3, 64, 300):
        x = inputs(model, rows, dtype, rows)
        expected = model(x)
        for found in (predictor, loaded, pickle.loads(pickle.dumps(predictor))):
            assert same_bits(found(x), expected)
        assert same_bits(predictor(x[0]), expected[0])


@pytest.mark.parametrize("name", ["batch norm", "categories"])
def test_frozen_layers_do_not_change_with_the_model(name, dtype):
    model = trained(name, dtype)
    predictor = model.freeze()
    x = inputs(model, 4, dtype, 0)
    before = predictor(x)
    model(inputs(model, 5, dtype, 1))
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


@pytest.mark.parametrize("name", ["layer norm", "categories before everything"])
def test_reduced_weights_go_with_other_layers(name):
    model = trained(name, np.dtype("float32")).eval()
    x = inputs(model, 9, "float32", 0)
    assert np.abs(model.freeze("bfloat16")(x) - model(x)).max() < 0.2


def test_freeze_names_what_it_cannot_do(dtype):
    with pytest.raises(ValueError, match="running statistics"):
        nt.Sequential(nt.BatchNorm1d(3, track_running_stats=False, dtype=dtype), linear(3, 2, dtype)).freeze()
    with pytest.raises(TypeError, match="got Embedding"):
        nt.Sequential(nt.Embedding(3, 3, dtype=dtype), linear(3, 2, dtype)).freeze()
    tabular = nt.TabularEmbedding(3, {0: (2, 1)}, dtype=dtype)
    with pytest.raises(ValueError, match="TabularEmbedding as the first layer, got one at place 1"):
        nt.Sequential(nt.ReLU(), tabular, linear(3, 2, dtype)).freeze()
    with pytest.raises(ValueError, match="TabularEmbedding as the first layer, got one in a Residual"):
        nt.Sequential(nt.Residual(tabular), linear(3, 2, dtype)).freeze()
    with pytest.raises(ValueError, match="in_features=3, the width of the layer before it"):
        nt.Sequential(tabular, linear(4, 2, dtype)).freeze()
    with pytest.raises(ValueError, match="at least one Linear"):
        tabular.freeze()
    with pytest.raises(TypeError, match="layers of one dtype"):
        nt.Sequential(nt.TabularEmbedding(3, {}, dtype="float32"), linear(3, 2, "float64")).freeze()
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
        model = trained(name, dtype)
        predictor, x = model.freeze(), inputs(model, 20, dtype, 0)
        found = output(build(predictor, folder, COMPILERS[0], flags), predictor, x)
        assert same_bits(found, predictor(x)), name
