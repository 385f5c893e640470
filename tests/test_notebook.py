"""The notebook runs top to bottom: on MNIST, and where there is none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbclient")

ROOT = Path(__file__).resolve().parents[1]
MNIST = Path(os.environ.get("NE_TORCH_DATA", ROOT.parent / "shared" / "data" / "mnist"))


def run(environment: dict[str, str]) -> str:
    """Run the main job with the environment added; return what it printed."""
    job = subprocess.run(
        [sys.executable, str(ROOT / "notebooks" / "train_mnist.py")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert job.returncode == 0, job.stdout + job.stderr
    return job.stdout


@pytest.mark.skipif(not (MNIST / "train-images-idx3-ubyte.gz").exists(), reason="no MNIST on this machine")
def test_notebook_reads_97_percent_of_mnist():
    printed = run({"NE_TORCH_DATA": str(MNIST)})
    accuracy, _seconds = map(
        float, re.search(r"accuracy ([\d.]+) % .* in ([\d.]+) s on MNIST", printed).groups()
    )
    assert accuracy >= 97
    published = (ROOT / "docs" / "reproducibility.md").read_text(encoding="utf-8")
    assert re.search(r"SHA-256 of the trained parameters (\w{64})", printed).group(1) in published
    assert (ROOT / "notebooks" / "mnist.png").stat().st_size > 10_000


def test_notebook_falls_back_to_digits_and_says_so(tmp_path):
    nowhere = {"NE_TORCH_DATA": str(tmp_path), "NE_TORCH_OFFLINE": "1", "XDG_CACHE_HOME": str(tmp_path)}
    printed = run(nowhere)
    assert float(re.search(r"accuracy ([\d.]+) % .* on the 8x8 digits", printed).group(1)) > 90
    executed = (ROOT / "notebooks" / "mnist-executed.ipynb").read_text(encoding="utf-8")
    assert "MNIST could not be found, so this runs on the 8x8 digits." in executed


def test_notebook_is_committed_with_the_outputs_of_mnist():
    committed = (ROOT / "notebooks" / "mnist.ipynb").read_text(encoding="utf-8")
    assert "This runs on MNIST." in committed
    assert float(re.search(r"test accuracy ([\d.]+) %", committed).group(1)) >= 97
    assert "image/png" in committed
