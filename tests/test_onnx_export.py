"""Models as ONNX files: what onnxruntime makes of them, names, and errors."""

import ne_torch as nt
import numpy as np
import onnx
import pytest

import onnx_cases
from onnx_cases import OUT, WIDTH


def tolerance(name, dtype, expected):
    """64 roundings of numbers of the output's size, and in float64 the one of what is kept in float32.

    Those are the options, and constants of GELU in onnx's own evaluator.
    """
    exact = {"linear", "linear without bias", "perceptron", "nested", "softmax", "log softmax"}
    unit = 64 * np.finfo(dtype).eps
    option = 0 if name in exact | onnx_cases.EMBEDDED.keys() else 2.0**-24
    return (unit + option) * max(1.0, float(np.abs(expected).max()))


@pytest.mark.parametrize("name", onnx_cases.ALL)
def test_exported_model_gives_what_eval_mode_gives(dtype, name, tmp_path):
    model, path = onnx_cases.make(name, dtype), tmp_path / "net.onnx"
    nt.export_onnx(model, path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    for count in (1, 7):
        x = onnx_cases.rows(name, dtype, count)
        expected = model(x)
        found, runner = onnx_cases.run(path, x)
        assert found.dtype == dtype
        assert np.abs(found - expected).max() <= tolerance(name, dtype, expected)
    assert runner == "onnxruntime" or dtype == np.float64


def test_export_runs_in_onnxruntime_in_float64(tmp_path):
    """Which lack a float64 kernel there may change with its version; nets of these do not."""
    for name in ("perceptron", "linear", "layer norm", "batch norm", "softmax", "embedding"):
        nt.export_onnx(onnx_cases.make(name, np.dtype("float64")), tmp_path / "net.onnx")
        runner = onnx_cases.run(tmp_path / "net.onnx", onnx_cases.rows(name, "float64", 2))[1]
        assert runner == "onnxruntime", name


def test_export_has_the_names_and_bits_of_state_dict(dtype, tmp_path):
    model = nt.Sequential(*onnx_cases.NETS["residual"](dtype))
    nt.export_onnx(model, tmp_path / "net.onnx")
    assert model.training
    graph = onnx.load(tmp_path / "net.onnx").graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for key, value in model.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert arrays[key].tobytes() == value.tobytes()
    dims = graph.input[0].type.tensor_type.shape.dim
    assert (graph.input[0].name, dims[0].dim_param, dims[1].dim_value) == ("input", "batch", WIDTH)
    dims = graph.output[0].type.tensor_type.shape.dim
    assert (graph.output[0].name, dims[0].dim_param, dims[1].dim_value) == ("output", "batch", OUT)


def test_export_takes_a_layer_alone(tmp_path):
    nt.export_onnx(nt.Linear(2, 3, rng=0), tmp_path / "net.onnx")
    names = [tensor.name for tensor in onnx.load(tmp_path / "net.onnx").graph.initializer]
    assert names == ["weight", "bias"]


class Own(nt.ReLU):
    """A layer that is not of the package."""


@pytest.mark.parametrize(
    ("layers", "error", "match"),
    [
        (
            [nt.ReLU(), nt.Sequential(Own())],
            TypeError,
            r"expected layers of ne_torch, got Own at place '1\.0'",
        ),
        ([nt.Linear(2, 3), nt.Linear(3, 2, dtype="float64")], TypeError, "one dtype"),
        ([nt.Linear(2, 3), nt.Linear(2, 3)], ValueError, "for 3 features"),
        ([nt.Residual(nt.Linear(2, 3))], ValueError, "give 2 features"),
        ([nt.ReLU(), nt.Embedding(3, 2)], ValueError, "Embedding as the first layer, got one at place '1'"),
        ([nt.Residual(nt.Embedding(3, 2))], ValueError, "Residual of codes"),
        ([nt.BatchNorm1d(3, track_running_stats=False)], ValueError, "running statistics"),
    ],
    ids=["class", "dtype", "width", "residual", "embedding", "residual of codes", "batch norm"],
)
def test_export_names_what_it_cannot_do_and_leaves_the_file(layers, error, match, tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"before")
    with pytest.raises(error, match=match):
        nt.export_onnx(nt.Sequential(*layers), tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
