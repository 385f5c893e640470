"""Files that are written all or not at all, and the library that reads most of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["import_safetensors", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file of which nobody ever sees a part: a temporary file, fsync, rename."""
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


def import_safetensors(place: str) -> Any:
    """Return the library, or raise ImportError with the cure."""
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ImportError(f"{place}: needs safetensors; pip install 'ne_torch[files]'") from None
    return safetensors
