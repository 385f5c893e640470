"""The hashes of docs/reproducibility.md, trained again on every table that is fast enough."""

import re
from pathlib import Path

import ne_torch as nt
import pytest
from ne_torch import _core, datasets
from ne_torch.receipt import Receipt, state_hash, verify

from test_notebook import MNIST

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reproducibility.md"
PUBLISHED = {
    name: (int(epochs), digest)
    for name, epochs, digest in re.findall(
        r"^\| (MNIST|digits) \| (\d+) \| `(\w{64})` \|$", PAGE.read_text(), re.M
    )
}


def train(data, epochs, **options):
    """Train as the notebook does."""
    inputs = data.x_train.shape[1]
    model = nt.Sequential(nt.Linear(inputs, 128, rng=1), nt.ReLU(), nt.Linear(128, 10, rng=2), nt.Softmax())
    optimizer = nt.SGD(model.parameters(), lr=0.5, momentum=0.9)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)
    target = datasets.one_hot(data.y_train, 10)
    trainer.fit(data.x_train, target, epochs=epochs, batch_size=64, rng=0, **options)
    return state_hash(model)


def test_digits_have_the_published_hash(isa):
    epochs, expected = PUBLISHED["digits"]
    assert train(datasets.load_digits(), epochs) == expected


def test_digits_receipt_is_verified_by_name(isa, tmp_path):
    train(datasets.load_digits(), 3, receipt=Receipt(tmp_path / "digits.json", "digits"))
    assert verify(tmp_path / "digits.json") is None


@pytest.mark.skipif(not (MNIST / "train-images-idx3-ubyte.gz").exists(), reason="no MNIST on this machine")
def test_mnist_has_the_published_hash(isa, monkeypatch):
    if isa == "scalar" and len(_core.available_isas()) > 1:
        pytest.skip("two minutes; test_twin.py and test_platforms.py compare this table")
    monkeypatch.setenv("NE_TORCH_DATA", str(MNIST))
    epochs, expected = PUBLISHED["MNIST"]
    assert train(datasets.load_mnist(), epochs) == expected
