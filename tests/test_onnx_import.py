"""ONNX files as models: the round trip, forms of other writers, and files that cannot be read."""

import ne_torch as nt
import numpy as np
import onnx
import pytest
from ne_torch.sequential import flatten
from onnx import TensorProto, helper, numpy_helper

import onnx_cases
from samples import normal, same_bits


def kinds(layers):
    """Return classes and options of layers without dropout, as they are printed."""
    flat = [inner for layer in layers for inner in flatten(layer)]
    return [
        [kinds(layer)] if isinstance(layer, nt.Residual) else repr(layer)
        for layer in flat
        if not isinstance(layer, nt.Dropout)
    ]


READABLE = [name for name in onnx_cases.ALL if name not in ("tabular", "categories alone")]


@pytest.mark.parametrize("name", READABLE)
def test_round_trip_keeps_layers_and_bits(dtype, name, tmp_path):
    model = onnx_cases.make(name, dtype)
    nt.export_onnx(model, tmp_path / "net.onnx")
    found = nt.import_onnx(tmp_path / "net.onnx")
    assert not found.training
    expected = kinds(model) or ["Identity()"]
    assert kinds(found) == expected
    arrays = [value for key, value in model.state_dict().items() if not key.endswith("tracked")]
    theirs = [value for key, value in found.state_dict().items() if not key.endswith("tracked")]
    assert len(arrays) == len(theirs)
    assert all(same_bits(a, b) for a, b in zip(arrays, theirs, strict=True))
    x = onnx_cases.rows(name, dtype, 7)
    assert same_bits(found(x), model(x))
    nt.export_onnx(found, tmp_path / "again.onnx")
    assert same_bits(nt.import_onnx(tmp_path / "again.onnx")(x), model(x))


def write(path, nodes, constants, shape=("n", 3), opset=20, kind=TensorProto.FLOAT):
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    x, y = (
        helper.make_tensor_value_info(name, kind, dims) for name, dims in (("x", shape), ("y", ("a", "b")))
    )
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


W, B = normal((3, 3), "float32", 1), normal(3, "float32", 2)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([("MatMul", ["x", "w"], ["y"], {})], lambda x: x @ W),
        ([("MatMul", ["x", "w"], ["h"], {}), ("Add", ["h", "b"], ["y"], {})], lambda x: x @ W + B),
        ([("MatMul", ["x", "w"], ["h"], {}), ("Add", ["b", "h"], ["y"], {})], lambda x: x @ W + B),
        ([("Gemm", ["x", "w"], ["y"], {})], lambda x: x @ W),
        (
            [("Gemm", ["x", "w", "b"], ["y"], {"transB": 1, "alpha": 0.5, "beta": 2.0})],
            lambda x: 0.5 * (x @ W.T) + 2 * B,
        ),
        ([("Gemm", ["x", "w", "one"], ["y"], {"beta": 0.25})], lambda x: x @ W + np.float32(0.25)),
        ([("Add", ["h", "x"], ["y"], {})], lambda x: np.maximum(x, 0) + x),
        ([("Mul", ["s", "x"], ["y"], {})], lambda x: x / (1 + np.exp(-x))),
    ],
    ids=["matmul", "matmul add", "add matmul", "gemm", "all options", "scalar", "add", "silu"],
)
def test_import_reads_what_others_write(nodes, expected, tmp_path):
    nodes = [helper.make_node(op, i, o, **a) for op, i, o, a in nodes]
    first = {"h": "Relu", "s": "Sigmoid"}.get(nodes[0].input[0])
    if first:
        nodes.insert(0, helper.make_node(first, ["x"], [nodes[0].input[0]]))
    used = {name for node in nodes for name in node.input}
    constants = {n: v for n, v in {"w": W, "b": B, "one": np.ones((), "float32")}.items() if n in used}
    write(tmp_path / "net.onnx", nodes, constants)
    x = normal((4, 3), "float32", 3)
    # some 8 roundings of terms below 3 * 4 * 4
    assert np.abs(nt.import_onnx(tmp_path / "net.onnx")(x) - expected(x)).max() < 8 * 48 * 2.0**-24


REFUSED = {
    "operator": ([("Relu", ["x"], ["a"], {}), ("Cos", ["a"], ["y"], {})], "got Cos 'y'"),
    "domain": ([("Relu", ["x"], ["y"], {"domain": "own"})], "got Relu 'y'"),
    "transA": ([("Gemm", ["x", "w"], ["y"], {"transA": 1})], "transA = 0.*Gemm"),
    "matrix C": ([("Gemm", ["x", "w", "w"], ["y"], {})], "C of shape"),
    "weight from the left": ([("MatMul", ["w", "x"], ["y"], {})], "'x' as what is transformed, got MatMul"),
    "x by x": ([("MatMul", ["x", "x"], ["y"], {})], "constants beside x"),
    "softmax axis": ([("Softmax", ["x"], ["y"], {"axis": 0})], "the last axis, got Softmax"),
    "clip": ([("Clip", ["x"], ["y"], {})], "minimum below a maximum"),
    "selu": ([("Selu", ["x"], ["y"], {"alpha": 2.0})], "got Selu"),
    "affine": ([("Mul", ["x", "b"], ["y"], {})], "got Mul"),
    "bias": ([("MatMul", ["x", "w"], ["a"], {}), ("Add", ["a", "w"], ["y"], {})], "a bias of shape"),
    "two ways": (
        [("Relu", ["x"], ["a"], {}), ("Tanh", ["x"], ["c"], {}), ("Sub", ["a", "c"], ["y"], {})],
        "got Relu 'a'",
    ),
    "integer weight": ([("Gemm", ["x", "i"], ["y"], {})], "'i' of float32 or float64"),
    "gather": ([("Gather", ["w", "x"], ["y"], {})], "integers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_import_names_the_first_node_it_cannot_read(case, tmp_path):
    nodes, match = REFUSED[case]
    nodes = [helper.make_node(op, i, o, **a) for op, i, o, a in nodes]
    write(tmp_path / "net.onnx", nodes, {"w": W, "b": B, "i": np.ones((3, 3), "int64")})
    with pytest.raises(TypeError, match=f"import_onnx: .*{match}"):
        nt.import_onnx(tmp_path / "net.onnx")


def relu(source="x", target="y"):
    return helper.make_node("Relu", [source], [target])


def test_import_refuses_graphs_that_are_no_chain(tmp_path):
    path = tmp_path / "net.onnx"
    write(path, [relu(), relu("y", "z")], {})
    with pytest.raises(ValueError, match="1 nodes beside"):
        nt.import_onnx(path)
    write(path, [relu()], {}, opset=12)
    with pytest.raises(ValueError, match="opset 13"):
        nt.import_onnx(path)
    write(path, [relu()], {}, kind=TensorProto.INT8)
    with pytest.raises(TypeError, match="float32 or float64"):
        nt.import_onnx(path)
    write(path, [helper.make_node("Sum", ["x", "q"], ["y"])], {})
    with pytest.raises(ValueError, match="no valid ONNX"):
        nt.import_onnx(path)


def test_import_refuses_weights_in_other_files(tmp_path):
    write(tmp_path / "net.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": W})
    proto = onnx.load(tmp_path / "net.onnx")
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    (tmp_path / "net.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises(ValueError, match="import_onnx"):
        nt.import_onnx(tmp_path / "net.onnx")


def test_import_of_many_connections_within_one_another_is_an_error(tmp_path):
    nodes = [relu("x", "s0")] + [helper.make_node("Add", ["x", f"s{i}"], [f"s{i + 1}"]) for i in range(2000)]
    write(tmp_path / "net.onnx", [*nodes, relu("s2000")], {})
    with pytest.raises(ValueError, match="fewer connections"):
        nt.import_onnx(tmp_path / "net.onnx")


def test_damaged_files_are_errors_that_say_so(tmp_path):
    nt.export_onnx(onnx_cases.make("residual", np.dtype("float32")), tmp_path / "net.onnx")
    content, path = (tmp_path / "net.onnx").read_bytes(), tmp_path / "damaged.onnx"
    rng, failed = np.random.default_rng(0), 0
    for trial in range(400):
        damaged = bytearray(content)
        for place in rng.integers(len(content), size=3):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged[: len(content) if trial % 4 else rng.integers(len(content))])
        try:
            nt.import_onnx(path)
        except (ValueError, TypeError) as error:
            assert str(error).startswith("import_onnx: ")  # noqa: PT017 - some are still valid
            failed += 1
    assert failed > 100


def test_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        nt.import_onnx(tmp_path / "none.onnx")
