"""Command line: ``python -m ne_torch.receipt verify FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ne_torch.receipt.repeat import verify


def main(arguments: list[str] | None = None) -> int:
    """Run ``python -m ne_torch.receipt``; return 0 where all epochs are confirmed."""
    parser = argparse.ArgumentParser(prog="python -m ne_torch.receipt", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("verify", help="train again, and compare every epoch")
    command.add_argument("file")
    command.add_argument("--data", metavar="FILE.npz", help="with arrays x, target, perhaps sample_weight")
    options = parser.parse_args(arguments)
    try:
        data = None
        if options.data is not None:
            data = _arrays(options.data)
        differs = verify(options.file, data, print)
    except (OSError, KeyError, ImportError, ValueError) as error:
        print(f"could not be verified: {error}", file=sys.stderr)
        return 2
    print("confirmed" if differs is None else f"NOT confirmed: epoch {differs} is the first that differs")
    return 0 if differs is None else 1


def _arrays(path: str) -> tuple[Any, ...]:
    """Return the arrays of a file; ValueError where it is damaged."""
    with Path(path).open("rb") as file:
        try:
            with np.load(file) as arrays:
                return tuple(arrays[n] for n in ("x", "target", "sample_weight") if n in arrays)
        except Exception as error:  # those of zip, zlib and NumPy have no common base
            raise ValueError(f"{path!r} is no .npz file of arrays: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
