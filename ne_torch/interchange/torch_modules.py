"""Models of torch made ours, and ours made torch's, with the same weights to the bit.

A layer's arguments have the names that torch's class gives them, so one table serves both ways.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ne_torch.interchange.architecture import build, describe
from ne_torch.interchange.torch_chain import children_in_order
from ne_torch.layer import Layer
from ne_torch.residual import Residual
from ne_torch.sequential import Sequential
from ne_torch.typing import Array

__all__ = ["from_torch", "to_torch"]


def from_torch(module: Any) -> Any:
    """Return the model that a torch module is, with its weights, buffers and mode.

    It understands the layers that both have, ``Sequential`` in ``Sequential``, and modules whose ``forward``
    passes its input from one of them to the next, ``torch.relu`` and its like in between. The first becomes
    a layer of ours, the others a ``Sequential``; where a forward adds the input of some to their output,
    ``x + f(x)``, they are in a ``Residual``. Weights are copied.

    Parameters
    ----------
    module : torch.nn.Module
        ``Softmax`` and ``LogSoftmax`` over the last axis: ``dim=-1``, or 1 for inputs (batch, features). Of
        inputs with more axes torch takes axis 1 then, ours the last one still.

    Raises
    ------
    TypeError
        If a part of it is not supported; the message names the first.
    ValueError
        If a layer stands in two places.
    ImportError
        If torch is missing.

    Examples
    --------
    >>> import numpy as np, torch, ne_torch as nt
    >>> theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GELU())
    >>> ours = nt.from_torch(theirs)
    >>> ours
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True, dtype=float32)
      (1): GELU(approximate='none')
    )
    >>> bool((ours[0].weight == theirs[0].weight.detach().numpy()).all())
    True
    """
    torch = _torch("from_torch")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"from_torch: expected a torch.nn.Module, got {type(module).__name__}")
    parts = [part for _, part in module.named_modules(remove_duplicate=False)]
    if len(set(parts)) < len(parts):
        raise ValueError("from_torch: expected every module once, got one of them twice in the module")
    _refuse_changed_forward(module)
    return _ours(torch, module, "the module", module)


def to_torch(model: Layer) -> Any:
    """Return the torch module that a model is, with its weights, buffers and mode.

    A ``Sequential`` becomes one, with the same names in its ``state_dict``; a ``Residual`` the class that
    its documentation shows. Weights are copied.

    Raises
    ------
    TypeError
        If torch has no such layer: ``TabularEmbedding``, and layers of your own.
    ValueError
        If a layer stands in two places.
    ImportError
        If torch is missing.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.to_torch(nt.Sequential(nt.Linear(3, 4, rng=0), nt.ReLU()))
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): ReLU()
    )
    """
    torch = _torch("to_torch")
    module = _theirs(torch, describe(model, "to_torch"))
    state = {name: torch.from_numpy(np.array(value)) for name, value in model.state_dict().items()}
    module.load_state_dict(state)
    return module


def _refuse_changed_forward(module: Any) -> None:
    """Raise TypeError where a module does other than its class says."""
    for name, part in module.named_modules():
        if part._forward_hooks or part._forward_pre_hooks or "forward" in vars(part):
            kind, place = type(part).__name__, f"the module.{name}".rstrip(".")
            raise TypeError(
                f"from_torch: expected modules without forward hooks or a forward of their own, "
                f"got {kind} with one as {place}; remove it first"
            )


def _ours(torch: Any, module: Any, place: str, root: Any) -> Layer:
    kind = type(module).__name__
    layer: Layer
    if type(module) in (torch.nn.Sequential, _residual()):
        parts = [_ours(torch, part, f"{place}.{name}", root) for name, part in module.named_children()]
        layer = Sequential(*parts) if type(module) is torch.nn.Sequential else Residual(*parts)
    elif type(module) is getattr(torch.nn, kind, None):
        if kind not in _ARGUMENTS:
            raise TypeError(f"from_torch: expected layers that ne_torch has, got {kind} as {place}")
        arguments = _ARGUMENTS[kind](module, place)
        if kind in ("BatchNorm1d", "LayerNorm"):  # which need not have numbers of their own
            arguments["dtype"] = _dtype(_first_number(torch, module, root), place)
        layer = build({"class": kind, "arguments": arguments}, sys.maxsize)
        layer.load_state_dict({name: _array(value, place) for name, value in module.state_dict().items()})
    else:
        parts = _chained(torch, children_in_order(torch, module, place), place, root, module.training)
        layer = parts[0] if len(parts) == 1 and isinstance(parts[0], Residual) else Sequential(*parts)
    layer.training = module.training
    return layer


def _chained(torch: Any, chain: list[tuple[str, Any]], place: str, root: Any, training: bool) -> list[Layer]:
    layers: list[Layer] = []
    for name, part in chain:
        if isinstance(part, list):
            layers.append(Residual(*_chained(torch, part, place, root, training)))
            layers[-1].training = training
        else:
            layers.append(_ours(torch, part, f"{place}.{name}", root))
    return layers


def _theirs(torch: Any, told: dict[str, Any]) -> Any:
    kind = told["class"]
    if "layers" in told:
        make = torch.nn.Sequential if kind == "Sequential" else _residual()
        module = make(*(_theirs(torch, layer) for layer in told["layers"]))
    elif kind == "TabularEmbedding":
        raise TypeError("to_torch: expected layers that torch has, got TabularEmbedding")
    else:
        arguments = dict(told["arguments"])
        if "dtype" in arguments:
            arguments["dtype"] = getattr(torch, arguments["dtype"])
        if kind in ("Softmax", "LogSoftmax"):
            arguments["dim"] = -1
        module = getattr(torch.nn, kind)(**arguments)
    module.training = told.get("training", True)
    return module


def _residual() -> Any:
    from ne_torch.interchange import torch_residual

    return torch_residual.Residual


def _first_number(torch: Any, *modules: Any) -> Any:
    """Return the first floating tensor of the first module that has one; else one of torch's default."""
    tensors = (tensor for module in modules for tensor in module.state_dict().values())
    return next((tensor for tensor in tensors if tensor.is_floating_point()), torch.empty(0))


def _plain(*names: str) -> Callable[[Any, str], dict[str, Any]]:
    """Return what reads arguments that are attributes of those names."""
    return lambda module, _place: {name: getattr(module, name) for name in names}


def _class_wise(module: Any, place: str) -> dict[str, Any]:
    if module.dim not in (-1, 1):
        kind = type(module).__name__
        raise TypeError(f"from_torch: expected {kind} over the last axis, got dim={module.dim} as {place}")
    return {}


def _linear(module: Any, place: str) -> dict[str, Any]:
    sizes = _plain("in_features", "out_features")(module, place)
    return {**sizes, "bias": module.bias is not None, "dtype": _dtype(module.weight, place)}


def _layer_norm(module: Any, place: str) -> dict[str, Any]:
    shape = tuple(module.normalized_shape)
    if len(shape) != 1:
        raise TypeError(f"from_torch: expected LayerNorm over one axis, got {shape} as {place}")
    return {
        "normalized_shape": shape[0],
        "bias": module.bias is not None,
        **_plain("eps", "elementwise_affine")(module, place),
    }


def _batch_norm(module: Any, place: str) -> dict[str, Any]:
    names = ("num_features", "eps", "momentum", "affine", "track_running_stats")
    if module.affine and module.bias is None:
        raise TypeError(f"from_torch: expected BatchNorm1d with a bias, got none as {place}")
    return _plain(*names)(module, place)


def _embedding(module: Any, place: str) -> dict[str, Any]:
    for name in ("max_norm", "scale_grad_by_freq", "sparse"):
        if getattr(module, name):
            raise TypeError(f"from_torch: expected Embedding without {name}, got it as {place}")
    sizes = _plain("num_embeddings", "embedding_dim", "padding_idx")(module, place)
    return {**sizes, "dtype": _dtype(module.weight, place)}


_ARGUMENTS: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "BatchNorm1d": _batch_norm,
    "Dropout": _plain("p"),
    "ELU": _plain("alpha"),
    "Embedding": _embedding,
    "GELU": _plain("approximate"),
    "Hardtanh": _plain("min_val", "max_val"),
    "LayerNorm": _layer_norm,
    "LeakyReLU": _plain("negative_slope"),
    "Linear": _linear,
    "LogSoftmax": _class_wise,
    "Softmax": _class_wise,
    "Softplus": _plain("beta", "threshold"),
    **dict.fromkeys(("Identity", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Tanh"), _plain()),
}


def _dtype(tensor: Any, place: str) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in ("float32", "float64"):
        raise TypeError(f"from_torch: expected float32 or float64, got {name} in {place}; convert it first")
    return name


def _array(tensor: Any, place: str) -> Array:
    if tensor.device.type != "cpu":
        raise TypeError(
            f"from_torch: expected CPU tensors, got {tensor.device} in {place}; call .cpu() first"
        )
    array: Array = tensor.detach().numpy()
    return array


def _torch(place: str) -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError(f"{place}: needs torch; see pytorch.org for how to install it") from None
    return torch
