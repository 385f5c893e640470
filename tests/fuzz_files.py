"""Coverage-guided fuzzing (libFuzzer through atheris) of everything that reads a file.

    python tests/fuzz_files.py READER [options of libFuzzer, such as -max_total_time=60]

READER is model, predictor, trainer, receipt or idx. A reader may refuse what it is given by ValueError;
anything else is a finding, which belongs into the tests.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["ne_torch"]):
    import ne_torch as nt
    import ne_torch.checkpoint
    import ne_torch.interchange.model_file
    import ne_torch.serving.file  # what would be imported when first used
    from ne_torch import datasets
    from ne_torch.receipt import verify

FOLDER = Path(tempfile.mkdtemp())
X, TARGET = (np.ones((4, width), "float32") for width in (3, 2))


def make_trainer() -> nt.Trainer:
    model = nt.Sequential(nt.Linear(3, 2, rng=0), nt.ReLU(), nt.Linear(2, 2, rng=1))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1, momentum=0.9))


def in_file(content: bytes) -> Path:
    path = FOLDER / "input"
    path.unlink(missing_ok=True)  # what is mapped must not be written to
    path.write_bytes(content)
    return path


def model(content: bytes) -> None:
    nt.load(in_file(content)).state_dict()


def predictor(content: bytes) -> None:
    loaded = nt.load_predictor(in_file(content))
    if loaded.in_features < 10_000:
        loaded(np.ones(loaded.in_features, loaded.dtype))


def trainer(content: bytes) -> None:
    loaded = make_trainer()
    loaded.load(in_file(content))
    loaded.step(X, TARGET)


def receipt(content: bytes) -> None:
    verify(in_file(content), (X, TARGET))


def idx(content: bytes) -> None:
    datasets._decode_idx(content, "input")


READERS = {reader.__name__: reader for reader in (model, predictor, trainer, receipt, idx)}


def seeds() -> dict[str, bytes]:
    """One good file for each reader."""
    trained = make_trainer()
    trained.fit(X, TARGET, epochs=2, batch_size=2, rng=0, receipt=FOLDER / "receipt")
    trained.save(FOLDER / "trainer")
    trained.model.save(FOLDER / "model")
    trained.model.freeze().save(FOLDER / "predictor")
    (FOLDER / "idx").write_bytes(b"\x00\x00\x08\x02\x00\x00\x00\x02\x00\x00\x00\x03" + bytes(6))
    return {name: (FOLDER / name).read_bytes() for name in READERS}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        sys.exit(f"expected one of {sorted(READERS)}, and options of libFuzzer")
    name = sys.argv.pop(1)
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    (corpus / "good").write_bytes(seeds()[name])

    def test(content: bytes) -> None:
        with contextlib.suppress(ValueError, MemoryError), np.errstate(all="ignore"):
            READERS[name](content)

    atheris.Setup([*sys.argv, "-rss_limit_mb=4096", str(corpus)], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
