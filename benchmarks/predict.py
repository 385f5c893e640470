"""Predictions of one row or a batch, called from Python, beside onnxruntime, torch and NumPy."""

from __future__ import annotations

import os

import numpy as np

from benchmarks.problems import PREDICTIONS, Net
from benchmarks.timing import repeated, times

PEERS = (
    "ne_torch", "ne_torch.out", "ne_torch.bfloat16", "ne_torch.int8",
    "onnxruntime", "onnxruntime.bound", "torch", "torch.compiled", "numpy",
)  # fmt: skip


def frozen(net: Net, weights: str = "same"):
    import ne_torch as nt

    _, _, matrices, biases = net.data()
    model = nt.Sequential()
    for matrix, bias in zip(matrices, biases, strict=True):
        model.append(nt.Linear(matrix.shape[1], matrix.shape[0]))
        model[-1].weight, model[-1].bias = matrix, bias
        model.append(nt.ReLU())
    del model[-1]
    return model.freeze(weights)


def with_ne_torch(net: Net, variant: str):
    x = net.data()[0]
    if variant == "out":
        predictor, out = frozen(net), np.empty((net.batch, net.widths[-1]), "float32")
        return lambda: predictor(x, out)
    predictor = frozen(net, variant or "same")
    return lambda: predictor(x)


def onnx_model(net: Net) -> bytes:
    """Return the net as an ONNX file: Gemm, Relu, ..., Gemm."""
    from onnx import TensorProto, helper, numpy_helper

    _, _, matrices, biases = net.data()
    nodes, constants, last = [], [], "x"
    for i, (matrix, bias) in enumerate(zip(matrices, biases, strict=True)):
        names = [f"weight{i}", f"bias{i}"]
        constants += [
            numpy_helper.from_array(array, name) for array, name in zip((matrix, bias), names, strict=True)
        ]
        if i > 0:
            nodes.append(helper.make_node("Relu", [last], [f"relu{i}"]))
            last = f"relu{i}"
        nodes.append(helper.make_node("Gemm", [last, *names], [f"gemm{i}"], transB=1))
        last = f"gemm{i}"
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])]
        for name, width in (("x", net.widths[0]), (last, net.widths[-1]))
    ]
    graph = helper.make_graph(nodes, "net", *ends, constants)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def onnx_session(net: Net):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    return onnxruntime.InferenceSession(onnx_model(net), options, providers=["CPUExecutionProvider"])


def with_onnxruntime(net: Net, variant: str):
    session, x = onnx_session(net), net.data()[0]
    if not variant:
        return lambda: session.run(None, {"x": x})[0]
    import onnxruntime

    bound = session.io_binding()
    out = np.empty((net.batch, net.widths[-1]), "float32")
    kept = onnxruntime.OrtValue.ortvalue_from_numpy(x)
    bound.bind_ortvalue_input("x", kept)
    bound.bind_output(
        session.get_outputs()[0].name,
        "cpu",
        0,
        np.float32,
        list(out.shape),
        out.__array_interface__["data"][0],
    )

    def call():
        session.run_with_iobinding(bound)
        return out

    return call


def with_torch(net: Net, variant: str):
    import torch

    from benchmarks.peers.torch import make

    model, x, _ = make(net)
    model.eval()
    if variant:
        model = torch.compile(model)

    def call():
        with torch.inference_mode():
            return model(x)

    return call


def with_numpy(net: Net, _variant: str):
    x, _, matrices, biases = net.data()

    def call():
        y = x
        for i, (matrix, bias) in enumerate(zip(matrices, biases, strict=True)):
            if i > 0:
                np.maximum(y, 0, out=y)
            y = y @ matrix.T
            y += bias
        return y

    return call


def caller(peer: str, net: Net):
    """Return the call that is timed."""
    library, _, variant = peer.partition(".")
    make = {
        "ne_torch": with_ne_torch,
        "onnxruntime": with_onnxruntime,
        "torch": with_torch,
        "numpy": with_numpy,
    }
    return make[library](net, variant)


def measure(peer: str, seconds: float) -> dict[str, object]:
    return {net.name: {"us": times(repeated(caller(peer, net)), seconds)} for net in PREDICTIONS}
