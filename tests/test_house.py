"""The structure of the tree itself: what may include what, and which symbols leave an object file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ne_torch import _core

ROOT = Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"
FLAGS = {
    name: flags.split()
    for name, flags in re.findall(
        r"^ +add_isa\((\w+) ((?:-m\w+ ?)+)", (CSRC / "CMakeLists.txt").read_text(), re.M
    )
}
BELOW = {  # arrows point down only: what each room may include besides itself
    "core": set(),
    "kernels": {"core"},
    "isa": {"core", "kernels"},
    "dispatch": {"core", "isa"},
    "threading": set(),
    "random": {"core"},
    "functional": {"core", "dispatch", "threading"},
    "training": {"core", "dispatch", "functional", "threading"},
    "serving": {"core", "dispatch", "functional", "threading"},
    "bindings": {"core", "dispatch", "functional", "random", "serving", "threading", "training"},
}
SOURCES = sorted(CSRC.rglob("*.[ch]pp"))


def room_of(path: Path) -> str:
    return path.relative_to(CSRC).parts[0]


def includes(path: Path) -> list[str]:
    return re.findall(r'^#include ["<]([^">]+)[">]', path.read_text(), re.M)


@pytest.mark.parametrize("room", BELOW)
def test_rooms_include_only_what_is_below(room):
    for path in (p for p in SOURCES if room_of(p) == room):
        rooms = {name.split("/")[0] for name in includes(path) if (CSRC / name).is_file()}
        assert rooms <= BELOW[room] | {room}, path.name


def test_intrinsics_stay_in_the_vector_types():
    for path in SOURCES:
        if path.name.startswith("vec_"):
            continue
        allowed = {"emmintrin.h"} if room_of(path) == "threading" else set()
        allowed |= {"immintrin.h", "intrin.h"} if path.name == "cpu_features.cpp" else set()
        assert {n for n in includes(path) if re.search(r"intrin|arm_neon", n)} <= allowed, path.name


def test_files_with_instruction_set_flags_use_no_containers_or_algorithms():
    allowed = {"cmath", "cstddef", "cstdint", "cstring", "immintrin.h", "arm_neon.h"}
    for path in SOURCES:
        if room_of(path) in ("core", "kernels", "isa") and path.name != "aligned_buffer.hpp":
            system = {name for name in includes(path) if not (CSRC / name).is_file()}
            assert system <= allowed, path.name


def test_pybind11_stays_in_the_bindings():
    for path in SOURCES:
        assert room_of(path) == "bindings" or not any("pybind11" in name for name in includes(path))


def compiled_without_optimization(isa, folder):
    target = folder / f"{isa}.o"
    common = ["-std=c++20", "-O0", "-fPIC", "-ffp-contract=off", "-w", f"-I{CSRC}", "-c", "-o", target]
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    subprocess.run([compiler, *FLAGS[isa], *common, CSRC / "isa" / f"{isa}.cpp"], check=True)
    return target


@pytest.mark.parametrize("optimized", [False, True])
@pytest.mark.parametrize("isa", [isa for isa in FLAGS if isa in _core.available_isas()])
def test_objects_with_instruction_set_flags_define_only_their_own_symbols(
    isa, optimized, native_build, tmp_path
):
    """A weak symbol that others define too may be the one the linker keeps for everybody."""
    if shutil.which("nm") is None:
        pytest.skip("no nm on this machine")
    if optimized:
        (target,) = native_build.rglob(f"{isa}.cpp.o")
    else:
        target = compiled_without_optimization(isa, tmp_path)
    listing = subprocess.check_output(["nm", "-C", "--defined-only", str(target)], text=True)
    symbols = [line.split(maxsplit=2)[1:] for line in listing.splitlines()]
    shared = [name for kind, name in symbols if kind not in "tdrbn" and "DW.ref" not in name]
    strangers = [
        name for name in shared if f"ne_torch::{isa}::" not in name and name != f"ne_torch::{isa}_table"
    ]
    assert f"ne_torch::{isa}_table" in shared
    assert strangers == []


def test_flags_are_baseline_and_exact():
    build = (CSRC / "CMakeLists.txt").read_text()
    assert not re.search(r"-march|-ffast-math|-fopenmp|OpenMP|-Ofast|/fp:fast", build)
    assert "-ffp-contract=off" in build
    assert set(FLAGS) == {"avx2", "avx512"}


def test_numpy_is_the_only_runtime_dependency():
    project = (ROOT / "pyproject.toml").read_text()
    assert re.findall(r'^dependencies = \["numpy>=[\d.]+"\]$', project, re.M)


def test_import_loads_no_extra():
    code = "import sys, ne_torch; print([m for m in sys.argv[1:] if m in sys.modules])"
    extras = ["torch", "onnx", "sklearn", "scipy", "matplotlib", "tqdm", "pooch", "nbformat"]
    loaded = subprocess.check_output([sys.executable, "-c", code, *extras], text=True, cwd=ROOT / "tests")
    assert loaded.strip() == "[]"
