"""The tests of ONNX itself for the operators that import reads, with their data, as chains of one input."""

import re
import warnings

import ne_torch as nt
import numpy as np
import onnx
import pytest
from ne_torch.interchange.onnx_layers import LAYERS
from onnx import numpy_helper

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the numbers that its cases are made of
    from onnx.backend.test.loader import load_model_tests

    NODES = load_model_tests(kind="node")

OPERATORS = {*LAYERS, "Add", "Mul"}
LEFT_OUT = {  # names, and what import says of them
    r"(add|mul|clip_default)_u?int\d+.*|identity_(sequence|opt)": "input of float32 or float64",
    r"(add|mul)(_bcast|_example)?": "a chain of",  # no layer adds constants, or multiplies by them
    r"batchnorm_(example|epsilon)": "rows of features",  # these have four axes
    r"batchnorm_.*_training_mode": "outside training mode",
    r"clip_(min_greater_than_max|default_max|default_inbounds)": "a minimum below a maximum",
    r"gather_(0|1|2d_indices|negative_indices)": "rows of a table",  # of four axes, or along the second
    r"gemm_default_matrix_bias": "the same for every row",
    r"gemm_(transposeA|all_attributes)": "transA = 0",
    r"layer_normalization_4d_axis(0|1|2|_negative_[234])": "length of the last axis",
    r"layer_normalization_3d_axis(0|1|_negative_[23])_epsilon": "length of the last axis",
    r"layer_normalization_2d_axis(0|_negative_2)": "length of the last axis",
    r"(log)?softmax_axis_[01]": "the last axis",
    r"matmul_(3d|4d|bcast|1d_3d|4d_1d|1d_1d)": "a matrix of constants",
    r"selu(_example)?": "alpha=1.67",  # SELU has its own two constants
}


def operators(test):
    return {node.op_type for node in test.model.graph.node}


CASES = {
    test.name.removeprefix("test_"): test
    for test in NODES
    if len(operators(test)) == 1 and operators(test) <= OPERATORS
}


def chain(test):
    """Return a test's model with its first output alone, and all inputs but x made constants."""
    model, inputs = onnx.ModelProto(), list(test.data_sets[0][0])
    model.CopyFrom(test.model)
    graph, x = model.graph, 1 if operators(test) == {"Gather"} else 0
    del graph.output[1:]
    for index in reversed(range(len(graph.input))):
        if index != x:
            graph.initializer.append(numpy_helper.from_array(inputs[index], graph.input[index].name))
            del graph.input[index]
    return model, inputs[x], test.data_sets[0][1][0]


def result(test, path):
    """Return what a test's chain gives, or the error of import."""
    model, x, expected = chain(test)
    path.write_bytes(model.SerializeToString())
    try:
        imported = nt.import_onnx(path)
    except (TypeError, ValueError) as error:
        return error, expected
    return imported(x), expected


def left_out(name):
    return next((why for names, why in LEFT_OUT.items() if re.fullmatch(names, name)), None)


READ = [name for name in CASES if left_out(name) is None]


@pytest.mark.parametrize("name", READ)
def test_node_gives_what_onnx_expects(name, tmp_path):
    test = CASES[name]
    found, expected = result(test, tmp_path / "node.onnx")
    assert isinstance(found, np.ndarray), found
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, test.rtol, test.atol)


@pytest.mark.parametrize("name", [name for name in CASES if left_out(name)])
def test_node_left_out_is_refused_for_the_reason_given(name, tmp_path):
    found, _ = result(CASES[name], tmp_path / "node.onnx")
    assert isinstance(found, TypeError)
    assert re.search(left_out(name), str(found))


def test_nodes_that_are_read_are_as_many_as_counted():
    """onnx 1.23 has these; another version may add some."""
    assert len(READ) >= 53
    assert {kind for name in READ for kind in operators(CASES[name])} == OPERATORS - {
        "Add",
        "Mul",
        "BatchNormalization",
        "Gather",
    }
