"""Files of predictors: safetensors, laid out so that they can be used where they are mapped into memory.

The format is eight bytes of the header's length, the header in JSON, and the tensors one after the other
(huggingface/safetensors). Padding the header with blanks, which the format allows, puts the panels at
multiples of 64 bytes. The library of that name copies each tensor and takes longer to import than a file
takes to open, so these few lines read and write the format themselves; the tests read the files with it.

Metadata: ``format``, ``version``, ``stages`` (JSON: the stages in order, without their arrays), ``dtype`` and
``sha256`` of all bytes behind the header. Tensors: ``<stage>.panels``, ``<stage>.bias``, ``<stage>.scale``,
``<stage>.weight``, ``<stage>.shift``, ``<stage>.tables.<i>``.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ne_torch._files import write_atomically
from ne_torch.serving.predictor import Predictor
from ne_torch.serving.stages import Dense, Elementwise, Lookup, Normalize, ScaleShift, Skip, Stage
from ne_torch.typing import Array

__all__ = ["load_predictor", "save_predictor"]

_FORMAT, _VERSION = "ne_torch predictor", "1"
_DTYPES = {"F32": "<f4", "F64": "<f8", "U16": "<u2", "I8": "|i1"}
_ARRAYS = ("panels", "bias", "scale", "weight", "shift")
_LONGEST_HEADER = 1 << 24


def save_predictor(stages: Sequence[Stage], dtype: str, path: str | os.PathLike[str]) -> None:
    """Write the stages to a file, all of it or nothing."""
    tensors = {
        f"{index}.{name}": getattr(stage, name)
        for name in _ARRAYS  # the panels first: what has the largest elements keeps the rest aligned
        for index, stage in enumerate(stages)
        if getattr(stage, name, None) is not None
    }
    for index, stage in enumerate(stages):
        if isinstance(stage, Lookup):
            tensors |= {f"{index}.tables.{i}": table for i, table in enumerate(stage.tables)}
    spelled = {np.dtype(value): key for key, value in _DTYPES.items()}
    header: dict[str, Any] = {}
    pieces: list[bytes] = []
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize):
        piece = tensor.astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes()
        begin, end = end, end + len(piece)
        shape, offsets = list(tensor.shape), [begin, end]
        header[name] = {"dtype": spelled[tensor.dtype], "shape": shape, "data_offsets": offsets}
        pieces.append(piece)
    body = b"".join(pieces)
    header["__metadata__"] = {
        "format": _FORMAT,
        "version": _VERSION,
        "dtype": dtype,
        "stages": json.dumps([_described(stage) for stage in stages]),
        "sha256": _sha256(body),
    }
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    write_atomically(path, len(text).to_bytes(8, "little") + text + body)


def load_predictor(path: str | os.PathLike[str], *, verify: bool = False) -> Predictor:
    """Open a file of ``Predictor.save``.

    The file is mapped into memory, not read: pages come when they are needed, and processes that open the
    same file share them. It must not be written to meanwhile; ``Predictor.save`` replaces a file and never
    writes into one.

    Parameters
    ----------
    path : path-like
        Of the file.
    verify : bool, default False
        Whether to read all of it and compare the SHA-256 of its weights, which finds flipped bits.

    Raises
    ------
    ValueError
        If the file is no such file, or a damaged one.
    OSError
        If it cannot be opened.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, ne_torch as nt
    >>> path = os.path.join(tempfile.mkdtemp(), "net.safetensors")
    >>> nt.Linear(3, 2, rng=0).freeze().save(path)
    >>> nt.load_predictor(path)(np.ones((5, 3), "float32")).shape
    (5, 2)
    """
    with open(path, "rb") as file:  # noqa: PTH123 - mmap wants the number of an open file
        try:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # mmap takes no empty file
            raise _damaged(path, "it is empty") from None
    try:
        header, body = _header(content)
        metadata = header.pop("__metadata__")
        found = (metadata.get("format"), metadata.get("version"))
        if found != (_FORMAT, _VERSION):
            raise ValueError(
                f"expected {_FORMAT!r}, version {_VERSION}, got {found[0]!r}, version {found[1]}"
            )
        if metadata["dtype"] not in ("float32", "float64"):
            raise ValueError(f"expected dtype float32 or float64, got {metadata['dtype']!r}")
        if verify and _sha256(memoryview(content)[body:]) != metadata["sha256"]:
            raise ValueError("expected the SHA-256 of its header, got another")
        tensors = {name: _tensor(content, body, entry) for name, entry in header.items()}
        stages = [
            _stage(index, described, tensors)
            for index, described in enumerate(json.loads(metadata["stages"]))
        ]
        return Predictor(stages, metadata["dtype"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from None


def _sha256(content: bytes | memoryview) -> str:
    import hashlib  # takes longer to import than a file to open, and is seldom asked for

    return hashlib.sha256(content).hexdigest()


def _damaged(path: str | os.PathLike[str], reason: str) -> ValueError:
    return ValueError(
        f"load_predictor: {os.fspath(path)!r} is no file of Predictor.save, or damaged: {reason}"
    )


def _described(stage: Stage) -> dict[str, Any]:
    if isinstance(stage, Dense):
        return {"in": stage.in_features, "out": stage.out_features, "activation": stage.activation}
    if isinstance(stage, Lookup):
        return {"name": stage.name, "in": stage.in_features, "columns": list(stage.columns)}
    told: dict[str, Any] = {"name": stage.name, "width": stage.width}
    if isinstance(stage, Elementwise) and any(stage.numbers):
        told["numbers"] = list(stage.numbers)
    if isinstance(stage, Normalize):
        told["eps"] = stage.eps
    if isinstance(stage, Skip):
        told["slot"] = stage.slot
    return told


def _stage(index: int, described: dict[str, Any], tensors: dict[str, Array]) -> Stage:
    if "width" in described:
        return _of_one_width(index, described, tensors)
    if "columns" in described:
        return _lookup(index, described, tensors)
    sizes = _width(described["in"]), _width(described["out"])
    panels, bias, scale = (tensors.get(f"{index}.{name}") for name in ("panels", "bias", "scale"))
    if panels is None:
        raise ValueError(f"expected a tensor {index}.panels")
    return Dense(*sizes, _text(described["activation"]), panels, bias, scale)


def _lookup(index: int, described: dict[str, Any], tensors: dict[str, Array]) -> Lookup:
    if described["name"] != "tabular_embedding":
        raise ValueError(f"expected tabular_embedding, got {described['name']!r}")
    columns = described["columns"]
    if type(columns) is not list or any(type(c) is not int or not 0 <= c < 2**31 for c in columns):
        raise ValueError(f"expected columns, got {columns!r}")
    tables = tuple(tensors[f"{index}.tables.{i}"] for i in range(len(columns)))
    return Lookup(_width(described["in"]), tuple(columns), tables)


def _of_one_width(index: int, described: dict[str, Any], tensors: dict[str, Array]) -> Stage:
    name, width = _text(described["name"]), _width(described["width"])
    if name == "layer_norm":
        eps = described["eps"]
        if type(eps) is not float:
            raise ValueError(f"expected eps as a number, got {eps!r}")
        return Normalize(width, eps, tensors.get(f"{index}.weight"), tensors.get(f"{index}.bias"))
    if name == "batch_norm":
        return ScaleShift(width, tensors[f"{index}.scale"], tensors[f"{index}.shift"])
    if name in ("keep", "add_kept"):
        slot = described["slot"]
        if type(slot) is not int or not 0 <= slot < 2**31:
            raise ValueError(f"expected a slot, got {slot!r}")
        return Skip(name, width, slot)
    return Elementwise(name, width, _two_numbers(described.get("numbers", [0.0, 0.0])))


def _width(value: Any) -> int:
    if type(value) is not int or not 0 < value < 2**31:
        raise ValueError(f"expected a width, got {value!r}")
    return value


def _two_numbers(value: Any) -> tuple[float, float]:
    if type(value) is not list or [type(number) for number in value] != [float, float]:
        raise ValueError(f"expected two numbers, got {value!r}")
    return value[0], value[1]


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"expected a name, got {value!r}")
    return value


def _header(content: mmap.mmap) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(content[:8], "little")
    if length > min(_LONGEST_HEADER, len(content) - 8):
        raise ValueError(f"expected a header of at most {len(content) - 8} bytes, got {length}")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    return header, 8 + length


def _tensor(content: mmap.mmap, body: int, entry: dict[str, Any]) -> Array:
    begin, end = entry["data_offsets"]
    dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
    count = 1
    for length in shape:  # of Python's integers, which do not overflow
        if type(length) is not int or length < 0:
            raise ValueError(f"expected a shape, got {shape}")
        count *= length
    if not 0 <= begin <= end <= len(content) - body or end - begin != count * dtype.itemsize:
        raise ValueError(f"expected {count} elements within the file, got offsets {begin} and {end}")
    array = np.frombuffer(content, dtype, count, body + begin).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
