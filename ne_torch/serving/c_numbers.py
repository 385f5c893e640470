"""Numbers spelled in C99 so that a compiler reads them back to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch.typing import Array

__all__ = ["c_number", "c_numbers", "c_vectors"]


def c_number(value: Any) -> str:
    """Spell a number so that a C compiler reads it back to the bit."""
    if isinstance(value, np.integer):
        return str(value)
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "-INFINITY" if np.signbit(value) else "INFINITY"
    return f"{value!s}f" if value.dtype == np.float32 else repr(value.item())


def c_numbers(values: Array) -> str:
    """Spell the elements of an initializer, in lines of eight."""
    spelled = list(map(c_number, values))
    return ",\n".join(", ".join(spelled[i : i + 8]) for i in range(0, len(spelled), 8))


def c_vectors(common: dict[str, str], **vectors: Array | None) -> str:
    """Spell vectors as constants, named by the function and a letter; one that is None is left out."""
    return "".join(
        f"static const {common['T']} {common['f']}_{letter}[{values.size}] = {{\n{c_numbers(values)}\n}};\n"
        for letter, values in vectors.items()
        if values is not None
    )
