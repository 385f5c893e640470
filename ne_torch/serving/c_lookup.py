"""Numbers and categories in the C export: codes are looked up with a check, for C has no exceptions."""

from __future__ import annotations

from string import Template

from ne_torch.serving.c_numbers import c_vectors
from ne_torch.serving.stages import Lookup

__all__ = ["lookup_stage", "lookup_words"]

_STAGE = Template("""
/* the numbers as they are, then a row of the table of each category; NaN where a number is no code */
$tables
static inline void ${f}_row($T code, const $T *table, int64_t rows, int columns, $T *y) {
    const int64_t row = code >= 0 && code <= ($T)rows ? (int64_t)code : -1;
    const int known = row >= 0 && row < rows && ($T)row == code;
    for (int i = 0; i < columns; ++i) y[i] = known ? table[row * columns + i] : ($T)NAN;
}

static inline void ${f}(const $T *x, $T *y) {
$lines
}
""")


def lookup_words(stage: Lookup) -> str:
    """Return what the head of the export says of the codes, as lines of its comment."""
    if not stage.columns:
        return ""
    columns = "".join(
        f"\n *     x[{column}]: 0 to {len(table) - 1}"
        for column, table in zip(stage.columns, stage.tables, strict=True)
    )
    return (
        "\n *\n * These elements are codes of categories, integers as numbers of the type of the rest:"
        f"{columns}\n * Any other number there reads no table, it makes all of y NaN."
    )


def lookup_stage(stage: Lookup, common: dict[str, str]) -> str:
    """Return the function of the stage, with its tables."""
    lines, column, at = [], 0, 0
    for begin in (*stage.columns, stage.in_features):
        if count := begin - column:
            many = f"for (int i = 0; i < {count}; ++i) y[{at} + i] = x[{column} + i];"
            lines.append("    " + (f"y[{at}] = x[{column}];" if count == 1 else many))
        column, at = begin + 1, at + count
    tables = {f"t{i}": table for i, table in enumerate(stage.tables)}
    for letter, begin, table in zip(tables, stage.columns, stage.tables, strict=True):
        rows, columns = table.shape
        call = f"{common['f']}_row(x[{begin}], {common['f']}_{letter}, {rows}, {columns}, y + {at});"
        lines.append(f"    {call}")
        at += columns
    texts = c_vectors(common, **{letter: table.ravel() for letter, table in tables.items()})
    return _STAGE.substitute(common, tables=texts, lines="\n".join(lines))
