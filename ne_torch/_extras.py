"""Packages that not everybody has: the error that names the cure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["extra"]


@contextmanager
def extra(name: str, place: str, package: str) -> Iterator[None]:
    """Around imports of an extra's package: ImportError says what ``place`` needs, and how to get it."""
    try:
        yield
    except ImportError:
        raise ImportError(f"{place}: needs {package}; pip install 'ne_torch[{name}]'") from None
