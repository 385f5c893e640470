"""Data sets for the examples: MNIST, and the 8x8 digits that ship inside scikit-learn.

MNIST (LeCun, Cortes, Burges) is looked for in the folder ``NE_TORCH_DATA``, then in the cache of earlier
downloads, then at public mirrors through pooch (extra ``datasets``). Wherever a file comes from, the SHA-256
of its decompressed bytes has to be the published one.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ne_torch import _core
from ne_torch._checks import float_dtype, positive_integer
from ne_torch._extras import extra
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["Dataset", "load_digits", "load_mnist", "load_mnist_or_digits", "one_hot"]

MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_LARGEST = 16 + 60_000 * 28 * 28  # bytes of the largest of them
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


class Dataset(NamedTuple):
    """Images in rows, with their labels.

    Attributes
    ----------
    name : str
    x_train, x_test : ndarray of shape (samples, pixels)
        Brightness from 0 to 1.
    y_train, y_test : ndarray of shape (samples,), int64
        Labels from 0 to 9.
    image_shape : tuple of int
        Height and width; their product is the number of pixels.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.datasets.load_digits().image_shape
    (8, 8)
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    image_shape: tuple[int, int]


def load_mnist(dtype: DTypeName = "float32", cache_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """Return MNIST: 60,000 training and 10,000 test images of 28 x 28 pixels.

    Parameters
    ----------
    dtype : {"float32", "float64"}, default "float32"
    cache_dir : path, optional
        Where downloads are kept; the default is pooch's cache folder for ``ne_torch``.

    Raises
    ------
    ValueError
        If a file in ``NE_TORCH_DATA`` has another hash than the published one.
    FileNotFoundError
        If no source has the files; the message says what was tried.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.datasets.load_mnist().x_train.shape  # doctest: +SKIP
    (60000, 784)
    """
    number = float_dtype(dtype, "load_mnist")
    raw = {name: _decode_idx(_find(name, cache_dir), name) for name in MNIST_SHA256}

    def images(name: str) -> Array:
        pixels = raw[f"{name}-images-idx3-ubyte"]
        scaled: Array = pixels.reshape(len(pixels), -1) / number.type(255)
        return scaled

    def labels(name: str) -> Array:
        return raw[f"{name}-labels-idx1-ubyte"].astype(np.int64)

    return Dataset("MNIST", images("train"), labels("train"), images("t10k"), labels("t10k"), (28, 28))


def load_digits(dtype: DTypeName = "float32") -> Dataset:
    """Return scikit-learn's 8x8 digits: 1,438 training and 359 test images, the same split every time.

    Examples
    --------
    >>> import ne_torch as nt
    >>> data = nt.datasets.load_digits()
    >>> data.x_train.shape, data.y_test.shape
    ((1438, 64), (359,))
    """
    number = float_dtype(dtype, "load_digits")
    with extra("notebook", "load_digits", "scikit-learn"):
        from sklearn.datasets import load_digits as load
    pixels, labels = load(return_X_y=True)
    x, y = (pixels / 16).astype(number), labels.astype(np.int64)
    test = np.arange(len(x)) % 5 == 4
    return Dataset("the 8x8 digits", x[~test], y[~test], x[test], y[test], (8, 8))


def load_mnist_or_digits(dtype: DTypeName = "float32") -> tuple[Dataset, str]:
    """Return MNIST, or the 8x8 digits where MNIST cannot be had; and a sentence that says which, and why.

    Examples
    --------
    >>> import ne_torch as nt
    >>> data, which = nt.datasets.load_mnist_or_digits()  # doctest: +SKIP
    >>> print(which)  # doctest: +SKIP
    This runs on MNIST.
    """
    try:
        data = load_mnist(dtype)
    except (FileNotFoundError, ImportError) as error:
        return load_digits(dtype), f"MNIST could not be found, so this runs on the 8x8 digits. ({error})"
    return data, "This runs on MNIST."


def one_hot(labels: ArrayLike, num_classes: int, dtype: DTypeName = "float32") -> Array:
    """Return an array of shape (samples, num_classes): 1 in the column of each sample's label, 0 elsewhere.

    Raises
    ------
    ValueError
        If a label is not in 0 .. num_classes - 1.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.datasets.one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    classes = positive_integer(num_classes, "one_hot", "num_classes")
    indices = _core.numpy_view(labels, "one_hot", "labels")
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        raise ValueError(
            f"one_hot: expected integer labels of shape (samples,), got {indices.dtype} {indices.shape}"
        )
    if indices.size and not 0 <= indices.min() <= indices.max() < classes:
        raise ValueError(
            f"one_hot: expected labels from 0 to {classes - 1}, got {indices.min()} to {indices.max()}"
        )
    rows: Array = np.eye(classes, dtype=float_dtype(dtype, "one_hot"))[indices]
    return rows


def _find(name: str, cache_dir: str | os.PathLike[str] | None) -> bytes:
    tried = []
    if folder := os.environ.get("NE_TORCH_DATA"):
        for path in _candidates(Path(folder), name):
            if path.is_file():
                return _verified(_decompressed(path), name, str(path))
        tried.append(f"NE_TORCH_DATA={folder}")
    else:
        tried.append("NE_TORCH_DATA (not set)")
    if os.environ.get("NE_TORCH_OFFLINE", "") not in ("", "0"):
        return _cached(name, cache_dir, [*tried, "no mirrors, because NE_TORCH_OFFLINE is set"])
    return _downloaded(name, cache_dir, tried)


def _candidates(folder: Path, name: str) -> list[Path]:
    return [base / f"{name}{ending}" for base in (folder, folder / "mnist") for ending in (".gz", "")]


def _decompressed(path: Path) -> bytes:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if zipped else open)(path, "rb") as file:
            return file.read(_LARGEST + 1)  # what is longer has another hash, and may be too long for memory
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"load_mnist: {str(path)!r} is damaged: {error}; replace that file") from None


def _verified(content: bytes, name: str, source: str) -> bytes:
    actual = hashlib.sha256(content).hexdigest()
    if actual != MNIST_SHA256[name]:
        raise ValueError(
            f"load_mnist: expected {name} with SHA-256 {MNIST_SHA256[name]} of its decompressed bytes, "
            f"got {actual} from {source}; replace that file"
        )
    return content


def _cache(cache_dir: str | os.PathLike[str] | None) -> Path:
    if cache_dir is not None:
        return Path(cache_dir)
    try:
        import pooch
    except ImportError:
        raise ImportError(
            "load_mnist: downloading needs pooch; pip install 'ne_torch[datasets]', or set NE_TORCH_DATA"
        ) from None
    return Path(pooch.os_cache("ne_torch"))


def _cached(name: str, cache_dir: str | os.PathLike[str] | None, tried: list[str]) -> bytes:
    path = _cache(cache_dir) / f"{name}.gz"
    if path.is_file():
        return _verified(_decompressed(path), name, str(path))
    raise FileNotFoundError(
        f"load_mnist: {name} not found; tried {', '.join([*tried, f'the cache {path.parent}'])}"
    )


def _downloaded(name: str, cache_dir: str | os.PathLike[str] | None, tried: list[str]) -> bytes:
    folder = _cache(cache_dir)
    import pooch

    cached = folder / f"{name}.gz"
    for mirror in MIRRORS:
        try:
            pooch.retrieve(
                f"{mirror}{name}.gz", known_hash=None, fname=cached.name, path=folder, progressbar=False
            )
            return _verified(_decompressed(cached), name, mirror)
        except (OSError, EOFError, ValueError) as error:
            cached.unlink(missing_ok=True)
            tried.append(f"{mirror} ({type(error).__name__})")
    raise FileNotFoundError(f"load_mnist: {name} not found; tried {', '.join(tried)}")


def _decode_idx(content: bytes, name: str) -> npt.NDArray[Any]:
    """Decode the IDX format: two zero bytes, 8 for uint8, the number of axes, their lengths, the values."""
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError(f"load_mnist: expected {name} in IDX format with uint8 values, got {content[:4]!r}")
    axes = content[3]
    shape = np.frombuffer(content, ">u4", count=axes, offset=4) if len(content) >= 4 + 4 * axes else None
    if shape is None or len(content) - 4 - 4 * axes != int(np.prod(shape, dtype=np.uint64)):
        raise ValueError(f"load_mnist: expected {name} to hold as many values as its header says")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(tuple(map(int, shape)))
