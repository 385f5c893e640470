"""Files of every released version load, and give the same bits for good."""

import numpy as np
import pytest

from released_files import FIXTURES, KINDS
from samples import same_bits


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_released_versions_load(kind):
    """Written by tests/fixtures/write.py at each release; outputs are promised to the bit."""
    paths = sorted(FIXTURES.glob(f"{kind}-[0-9]*.safetensors"))
    assert paths
    for path in paths:
        assert same_bits(KINDS[kind][1](path), np.load(path.with_suffix(".npy"))), path.name


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_this_version_are_read_as_those_of_released_ones(kind, tmp_path):
    write, read = KINDS[kind]
    write(tmp_path / "file")
    latest = sorted(FIXTURES.glob(f"{kind}-[0-9]*.npy"))[-1]
    assert same_bits(read(tmp_path / "file"), np.load(latest))


def test_every_kept_file_is_tested():
    kept = {path.stem.rpartition("-")[0] for path in FIXTURES.glob("*.safetensors")}
    assert kept == set(KINDS)
