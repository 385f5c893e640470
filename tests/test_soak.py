"""A short soak in every run of the tests; the long one is `make soak`."""

import sys

import pytest

import soak

pytest.importorskip("safetensors")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files of interrupted saves
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")
def test_a_short_soak_ends_with_the_bits_of_an_undisturbed_run():
    figures = soak.soak(20)
    assert figures["interrupts"] > 50
    assert figures["loads"] > 0
