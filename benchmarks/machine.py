"""The machine and the versions that were measured."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
import tempfile
from pathlib import Path


def describe() -> dict[str, str]:
    """Return what a reader needs to judge the figures."""
    return {
        "processor": _processor(),
        "caches": _caches(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "compiler": _first_line(["c++", "--version"]),
        "instruction set of ne_torch": _first_line(
            [sys.executable, "-c", "from ne_torch import _core; print(_core.active_isa())"]
        ),
        **{name: _version(name) for name in ("ne_torch", "torch", "jax", "numpy")},
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    fields = dict.fromkeys(("model name", "cpu family", "model"), "unknown")
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    for line in lines:
        name, _, value = line.partition(":")
        if fields.get(name.strip()) == "unknown":
            fields[name.strip()] = value.strip()
    count = sum(line.startswith("processor") for line in lines)
    return f"{fields['model name']}, family {fields['cpu family']}, model {fields['model']}; {count} cores"


def _caches() -> str:
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        found.append(f"L{level} {kind.lower()} {size}")
    return ", ".join(found) or "unknown"


def _first_line(command: list[str]) -> str:
    try:
        return subprocess.check_output(command, text=True, cwd=tempfile.gettempdir()).splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
