"""Builds the programs of tests/platforms, for this machine and for AArch64, and runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "platforms"
EMULATOR = shutil.which("qemu-aarch64")
CROSS_COMPILER = shutil.which("aarch64-linux-gnu-g++")


def build(folder, *options):
    """Build the programs in the folder; return it."""
    beside_python = Path(sys.executable).with_name("cmake")
    cmake = beside_python if beside_python.exists() else shutil.which("cmake")
    if cmake is None or not shutil.which(os.environ.get("CXX", "c++")):
        pytest.skip("no cmake or no compiler on this machine")
    for step in (
        [cmake, "-S", SOURCE, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", *options],
        [cmake, "--build", folder, "--parallel", "2"],
    ):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def native_build(tmp_path_factory):
    """Return the folder in which the programs are built for this machine."""
    return build(tmp_path_factory.mktemp("native"))


@pytest.fixture(scope="session")
def native(native_build):
    """Return a function that runs a program on this machine."""
    return runner([], native_build)


@pytest.fixture(scope="session")
def aarch64(tmp_path_factory):
    """Return a function that runs a program on an emulated AArch64."""
    if EMULATOR is None or CROSS_COMPILER is None:
        pytest.skip("no qemu-aarch64 or no aarch64-linux-gnu-g++; .ci/install_cross installs both")
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={SOURCE / 'aarch64.cmake'}"
    return runner([EMULATOR], build(tmp_path_factory.mktemp("aarch64"), toolchain))


def runner(prefix, folder):
    def run(program, *arguments, input=b"", **environment):  # noqa: A002 - as subprocess calls it
        command, environment = (
            [*prefix, folder / program, *map(str, arguments)],
            {**os.environ, **environment},
        )
        done = subprocess.run(
            command, env=environment, input=input, capture_output=True, timeout=300, check=False
        )
        assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr)
        return done.stdout

    return run
