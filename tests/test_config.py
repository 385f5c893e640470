"""Threads, show_config, and what the environment says at import."""

import sys

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import _core

from process import run


def test_threads_are_set_and_told(threads):
    for n in (1, 3, np.int64(2)):
        nt.set_num_threads(n)
        assert nt.get_num_threads() == n


def test_config_shows_version_instruction_set_and_threads(isa, threads, capsys):
    nt.set_num_threads(3)
    nt.show_config()
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"ne_torch {nt.__version__}"
    assert second.startswith(f"instruction set: {isa}")
    assert second.endswith("; available: " + ", ".join(_core.available_isas()))
    assert third == f"threads: 3 of {_core.available_cpus()} usable processors"


def test_config_says_where_fused_multiply_adds_are_slow(monkeypatch, capsys):
    monkeypatch.setattr(_core, "has_fma", lambda: False)
    nt.show_config()
    assert "no FMA in this processor" in capsys.readouterr().out


def test_instruction_sets_end_with_scalar():
    assert _core.available_isas()[-1] == "scalar"


@pytest.mark.parametrize("name", _core.available_isas())
def test_environment_selects_instruction_set_and_threads(name):
    result = run("import ne_torch as nt; nt.show_config()", NE_TORCH_ISA=name, NE_TORCH_NUM_THREADS="7")
    assert f"instruction set: {name}" in result.stdout
    assert "threads: 7 of" in result.stdout


def test_environment_left_empty_is_no_choice():
    nothing = {"NE_TORCH_ISA": "", "NE_TORCH_NUM_THREADS": "", "OMP_NUM_THREADS": ""}
    result = run("import ne_torch as nt; nt.show_config()", **nothing)
    assert f"instruction set: {_core.available_isas()[0]}" in result.stdout
    assert f"threads: {_core.available_cpus()} of" in result.stdout


@pytest.mark.parametrize(
    ("theirs", "threads"),
    [("1", "1"), (" 7 ", "7"), ("5,2", "5"), ("3 , 4", "3"), ("99999999999", "1024")]
    + [(none, str(_core.available_cpus())) for none in ("0", "-2", "four", "2 threads", "1.5", ",2")],
)
def test_openmp_setting_is_the_default_where_it_is_a_number(theirs, threads):
    code = "import ne_torch as nt; print(nt.get_num_threads())"
    assert run(code, NE_TORCH_NUM_THREADS="", OMP_NUM_THREADS=theirs).stdout.strip() == threads


def test_own_setting_goes_before_that_of_openmp():
    code = "import ne_torch as nt; print(nt.get_num_threads())"
    assert run(code, NE_TORCH_NUM_THREADS="2", OMP_NUM_THREADS="1").stdout.strip() == "2"


def test_import_loads_none_of_the_extras():
    extras = {"torch", "sklearn", "matplotlib", "tqdm", "pooch", "scipy", "pandas"}
    result = run(f"import sys, ne_torch; print(sorted({extras} & set(sys.modules)))")
    assert result.stdout == "[]\n"


def test_a_served_predictor_loads_no_layers_and_no_training(tmp_path):
    model = nt.Sequential(nt.TabularEmbedding(3, {0: (2, 1)}, rng=0), nt.Linear(3, 2, rng=0))
    model.freeze().save(tmp_path / "p.safetensors")
    result = run(
        "import sys, numpy; before = set(sys.modules)\n"
        f"import ne_torch; ne_torch.load_predictor({str(tmp_path / 'p.safetensors')!r})([1.0, 2, 3])\n"
        "print(*sorted(m for m in set(sys.modules) - before if m.startswith('ne_torch.')))"
    )
    private = {"_core", "_extras", "_files", "_memory"}
    rooms = {name.split(".")[1] for name in result.stdout.split()}
    assert rooms == {*private, "serving", "typing"}
    assert "ne_torch.serving.freeze" not in result.stdout


def test_names_are_found_before_they_are_loaded():
    found = run(
        "import ne_torch; assert 'Linear' in dir(ne_torch) and 'Linear' in ne_torch.__all__\n"
        "from ne_torch import *; print(Linear.__name__, datasets.__name__, MSELoss.__name__)"
    )
    assert found.stdout == "Linear ne_torch.datasets MSELoss\n"
    with pytest.raises(AttributeError, match="module 'ne_torch' has no attribute 'Lineal'"):
        nt.Lineal  # noqa: B018


def test_public_names_are_there():
    assert all(hasattr(nt, name) for name in nt.__all__)
    assert sorted(nt.__all__) == sorted(set(nt.__all__))
    assert all(hasattr(nt.functional, name) for name in nt.functional.__all__)


TOO_MANY_THREADS = """
import resource
import ne_torch as nt
import numpy as np

x, weight = (np.random.default_rng(n).standard_normal((n, 512), np.float32) for n in (256, 384))
nt.set_num_threads(1)
expected = nt.functional.affine_forward(x, weight)
with open("/proc/self/statm") as status:
    pages = int(status.read().split()[0])
limit = pages * resource.getpagesize() + 1280 * 2**20  # room for two stacks of 512 MiB, and to spare
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for threads in (4, 5, 8, 16):
    nt.set_num_threads(threads)
    for _ in range(20):
        assert nt.functional.affine_forward(x, weight).tobytes() == expected.tobytes(), threads
"""
WITH_LARGE_STACKS = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_STACK, (512 * 2**20, resource.getrlimit(resource.RLIMIT_STACK)[1]))
os.execv(sys.executable, [sys.executable, "-c", {TOO_MANY_THREADS!r}])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_threads_that_cannot_be_started_change_no_result():
    result = run(WITH_LARGE_STACKS)
    assert result.returncode == 0, result.stderr
