"""Files that are written all or not at all, most of them safetensors with a versioned header."""

from __future__ import annotations

import os
from typing import Any

from ne_torch._extras import extra
from ne_torch.typing import Array

__all__ = ["read_safetensors", "write_atomically", "write_safetensors"]


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file of which nobody ever sees a part: a temporary file, fsync, rename."""
    from pathlib import Path

    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_safetensors(
    path: str | os.PathLike[str], tensors: dict[str, Array], metadata: dict[str, str], place: str
) -> None:
    """Write tensors by name, with texts in the header; ImportError without the library."""
    write_atomically(path, _safetensors(place).numpy.save(tensors, metadata))


def read_safetensors(
    path: str | os.PathLike[str], kind: str, version: str, place: str
) -> tuple[dict[str, Array], dict[str, str]]:
    """Return tensors and header of such a file; ValueError where its format is not this kind's."""
    safetensors = _safetensors(place)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except safetensors.SafetensorError as error:
        raise ValueError(str(error)) from None
    found = metadata.get("format"), metadata.get("version")
    if found != (kind, version):
        raise ValueError(f"expected {kind}, version {version}, got {found[0]!r}, version {found[1]}")
    return tensors, metadata


def _safetensors(place: str) -> Any:
    with extra("files", place, "safetensors"):
        import safetensors
        import safetensors.numpy
    return safetensors
