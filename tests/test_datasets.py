"""Data sets: where files are looked for, what is verified, what comes out. No network is touched."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import datasets

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
FOLDER = Path(os.environ.get("NE_TORCH_DATA", SHARED))
needs_mnist = pytest.mark.skipif(
    not (FOLDER / "t10k-labels-idx1-ubyte.gz").exists(), reason="the MNIST files are not on this machine"
)


def idx(values: np.ndarray) -> bytes:
    header = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def test_decode_idx_reads_what_was_written():
    values = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(datasets._decode_idx(idx(values), "made-up"), values)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x00",
        b"\x00\x00\x0d\x01\x00\x00\x00\x00",
        idx(np.zeros(5))[:-1],
        idx(np.zeros(5)) + b"\x00",
    ],
    ids=["empty", "short", "floats", "truncated", "too long"],
)
def test_decode_idx_refuses_broken_files(content):
    with pytest.raises(ValueError, match="load_mnist: expected made-up"):
        datasets._decode_idx(content, "made-up")


@needs_mnist
def test_load_mnist_finds_the_folder(monkeypatch):
    monkeypatch.setenv("NE_TORCH_DATA", str(FOLDER))
    data = nt.datasets.load_mnist()
    assert data.x_train.shape == (60000, 784)
    assert data.x_test.shape == (10000, 784)
    assert data.x_train.dtype == np.float32
    assert data.y_train.dtype == np.int64
    assert (data.x_train.min(), data.x_train.max()) == (0.0, 1.0)
    assert list(data.y_train[:5]) == [5, 0, 4, 1, 9]


@needs_mnist
def test_load_mnist_finds_a_subfolder_and_raw_files(monkeypatch, tmp_path):
    (tmp_path / "mnist").mkdir()
    for name in datasets.MNIST_SHA256:
        raw = gzip.decompress((FOLDER / f"{name}.gz").read_bytes())
        (tmp_path / "mnist" / name).write_bytes(raw)
    monkeypatch.setenv("NE_TORCH_DATA", str(tmp_path))
    assert nt.datasets.load_mnist(dtype="float64").x_test.dtype == np.float64


def test_load_mnist_refuses_a_wrong_file(monkeypatch, tmp_path):
    for name in datasets.MNIST_SHA256:
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(b"not MNIST"))
    monkeypatch.setenv("NE_TORCH_DATA", str(tmp_path))
    with pytest.raises(
        ValueError, match=r"expected train-images.* with SHA-256 ba8910.*got .*replace that file"
    ):
        nt.datasets.load_mnist()


def test_load_mnist_unpacks_no_more_than_it_needs(monkeypatch, tmp_path):
    """Many zeros in a small file are refused without room for them."""
    name = next(iter(datasets.MNIST_SHA256))
    with gzip.open(tmp_path / f"{name}.gz", "wb") as file:
        for _ in range(256):
            file.write(bytes(1 << 20))
    monkeypatch.setenv("NE_TORCH_DATA", str(tmp_path))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="SHA-256"):
            nt.datasets.load_mnist()
        assert tracemalloc.get_traced_memory()[1] < 130 << 20  # some 45 MB, twice while they are joined
    finally:
        tracemalloc.stop()


def test_load_mnist_offline_says_what_was_tried(monkeypatch, tmp_path):
    monkeypatch.setenv("NE_TORCH_DATA", str(tmp_path))
    monkeypatch.setenv("NE_TORCH_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match=r"NE_TORCH_DATA.*NE_TORCH_OFFLINE.*the cache"):
        nt.datasets.load_mnist(cache_dir=tmp_path / "cache")


def fake_mirrors(monkeypatch, tmp_path, answers):
    """Let mirror number i write answers[i], or raise it; return the addresses asked."""
    pooch = pytest.importorskip("pooch")
    asked = []

    def retrieve(url, known_hash, fname, path, progressbar):
        asked.append(url)
        answer = answers[[url.startswith(mirror) for mirror in datasets.MIRRORS].index(True)]
        if isinstance(answer, Exception):
            raise answer
        path.mkdir(exist_ok=True)
        (path / fname).write_bytes(answer)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    monkeypatch.delenv("NE_TORCH_DATA", raising=False)
    monkeypatch.delenv("NE_TORCH_OFFLINE", raising=False)
    return asked


@needs_mnist
def test_downloads_skip_a_corrupt_mirror(monkeypatch, tmp_path):
    name = "t10k-labels-idx1-ubyte"
    good = (FOLDER / f"{name}.gz").read_bytes()
    asked = fake_mirrors(monkeypatch, tmp_path, [gzip.compress(b"corrupt"), good])
    assert len(datasets._find(name, tmp_path / "cache")) == 10008
    assert asked == [f"{mirror}{name}.gz" for mirror in datasets.MIRRORS]


def test_downloads_fail_with_every_mirror_named(monkeypatch, tmp_path):
    fake_mirrors(monkeypatch, tmp_path, [OSError("no route"), gzip.compress(b"corrupt")])
    with pytest.raises(FileNotFoundError) as caught:
        nt.datasets.load_mnist(cache_dir=tmp_path / "cache")
    assert all(mirror in str(caught.value) for mirror in datasets.MIRRORS)
    assert not list((tmp_path / "cache").glob("*"))


def test_load_mnist_or_digits_says_which(monkeypatch, tmp_path):
    pytest.importorskip("sklearn")
    monkeypatch.setenv("NE_TORCH_DATA", str(tmp_path))
    monkeypatch.setenv("NE_TORCH_OFFLINE", "1")
    monkeypatch.setattr(datasets, "_cache", lambda _: tmp_path / "cache")
    data, which = nt.datasets.load_mnist_or_digits()
    assert data.name == "the 8x8 digits"
    assert "MNIST could not be found" in which


def test_load_digits_is_the_same_every_time():
    pytest.importorskip("sklearn")
    first, second = nt.datasets.load_digits(), nt.datasets.load_digits("float64")
    assert first.x_train.shape == (1438, 64)
    assert first.x_test.shape == (359, 64)
    assert 0 <= first.x_train.min() < first.x_train.max() <= 1
    np.testing.assert_array_equal(first.x_test, second.x_test.astype("float32"))


def test_one_hot_has_a_one_in_the_column_of_the_label():
    np.testing.assert_array_equal(nt.datasets.one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
    assert nt.datasets.one_hot([1], 2, dtype="float64").dtype == np.float64


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 3], "from 0 to 2, got 0 to 3"), ([-1], "got -1 to -1"), ([0.5], "float64"), ([[1]], r"\(1, 1\)")],
)
def test_one_hot_refuses_other_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        nt.datasets.one_hot(labels, 3)
