"""Fixtures that every test file shares: an instruction set, a dtype, and torch on one thread.

``pytest --bare`` is for an environment with NumPy and pytest alone: what needs more is skipped.
"""

import contextlib
import os
import re
import signal
import threading
from pathlib import Path

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import _core

from programs import aarch64, native, native_build  # noqa: F401 - each file's own would build its own programs

try:
    import torch
except ImportError:
    torch = None
else:
    torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--bare", action="store_true", help="skip what needs more than NumPy and pytest")


def pytest_configure(config):
    if torch is None and not config.getoption("--bare"):
        raise pytest.UsageError("the tests need torch: pip install 'ne_torch[test]', or pytest --bare")


def _skip_what_needs_more(config, error):
    """Skip where a package of an extra is missing; anything else is an error as ever."""
    missing = re.search(r"No module named '(?!ne_torch|numpy)([\w.]+)|needs .+; pip install", str(error))
    if config.getoption("--bare") and missing:
        pytest.skip(missing[0])


class _Module(pytest.Module):
    def collect(self):
        try:
            return super().collect()
        except self.CollectError as error:
            _skip_what_needs_more(self.config, error)
            raise


def pytest_pycollect_makemodule(module_path, parent):
    return _Module.from_parent(parent, path=module_path)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except ImportError as error:
        _skip_what_needs_more(pyfuncitem.config, error)
        raise


def _isas() -> list[str]:
    """Return the instruction sets to test: the one that NE_TORCH_ISA names, else all of this machine."""
    chosen = os.environ.get("NE_TORCH_ISA")
    return [chosen] if chosen else _core.available_isas()


@pytest.fixture(params=_isas())
def isa(request):
    before = _core.active_isa()
    _core.select_isa(request.param)
    yield request.param
    _core.select_isa(before)


@pytest.fixture
def other_isa(isa):
    """Another instruction set than ``isa``, whose bits must be the same."""
    others = [name for name in _core.available_isas() if name != isa]
    if not others:
        pytest.skip("this machine has one instruction set only")
    return others[-1]


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return np.dtype(request.param)


@pytest.fixture
def threads():
    """Let a test change the number of threads."""
    before = nt.get_num_threads()
    yield
    nt.set_num_threads(before)


@pytest.fixture
def mnist_or_digits(monkeypatch):
    """MNIST where it lies beside the project, or can be had; else the digits of scikit-learn."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
    if beside.exists():
        monkeypatch.setenv("NE_TORCH_DATA", str(beside))
    return nt.datasets.load_mnist_or_digits()[0]


@pytest.fixture
def keyboard():
    """Let SIGINT raise KeyboardInterrupt, which a shell's background jobs ignore; return what sends it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield _interrupted_after
    signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _interrupted_after(seconds):
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
    timer.start()  # waits for the timer's thread, and may be interrupted itself
    try:
        yield
    finally:
        timer.join()
