"""Coverage-guided fuzzing (libFuzzer through atheris) of everything that reads a file.

    python tests/fuzz_files.py READER [options of libFuzzer, such as -max_total_time=60]

READER is model, predictor, trainer, receipt, onnx, arrays, table or idx. A reader may refuse what it is given
by ValueError (and a graph of other operators by TypeError) of few words; anything else is a finding, which
belongs into the tests, and so is more memory than a gigabyte above that of the program itself.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["ne_torch"]):
    import ne_torch as nt
    import ne_torch.checkpoint
    import ne_torch.interchange.model_file
    import ne_torch.interchange.onnx_export
    import ne_torch.interchange.onnx_import
    import ne_torch.serving.file  # what would be imported when first used
    from ne_torch import datasets
    from ne_torch.receipt import verify
    from ne_torch.receipt.__main__ import _arrays

FOLDER = Path(tempfile.mkdtemp())
HISTORY = nt.History()
HISTORY.record(0, 0.5, 0.1, None)
X, TARGET = (np.ones((4, width), "float32") for width in (3, 2))


def make_trainer(scheduled: bool = True) -> nt.Trainer:
    model = nt.Sequential(nt.Linear(3, 2, rng=0), nt.ReLU(), nt.Linear(2, 2, rng=1))
    optimizer = nt.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = nt.lr_scheduler.StepLR(optimizer, 1) if scheduled else None
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, scheduler=scheduler)


def every_layer() -> nt.Sequential:
    inner = nt.Residual(nt.LayerNorm(2), nt.Linear(2, 2, rng=1), nt.SiLU(), nt.Dropout(0.5, rng=2))
    last = nt.BatchNorm1d(2), nt.Softplus(2.0), nt.Linear(2, 2, rng=3), nt.Softmax()
    return nt.Sequential(nt.Linear(3, 2, rng=0), nt.LeakyReLU(), inner, *last).eval()


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


def onnx(content: bytes) -> None:
    with contextlib.suppress(TypeError):
        nt.import_onnx(in_file(content)).state_dict()


def arrays(content: bytes) -> None:
    _arrays(str(in_file(content)))


def table(content: bytes) -> None:
    logger = nt.callbacks.CSVLogger(in_file(content), append=True)
    logger.train_begin(None)
    logger.epoch_end(None, 0, HISTORY)


def idx(content: bytes) -> None:
    datasets._decode_idx(content, "input")


READERS = {f.__name__: f for f in (model, predictor, trainer, receipt, onnx, arrays, table, idx)}


def seeds() -> dict[str, bytes]:
    """One good file for each reader."""
    recorded, trained, whole = make_trainer(scheduled=False), make_trainer(), every_layer()
    recorded.fit(X, TARGET, epochs=2, batch_size=2, rng=0, receipt=FOLDER / "receipt")
    trained.fit(
        X, TARGET, epochs=2, batch_size=2, callbacks=[nt.callbacks.EarlyStopping("loss")], max_steps=3
    )
    trained.save(FOLDER / "trainer")
    whole.save(FOLDER / "model")
    table = nt.TabularEmbedding(3, {0: (2, 1), 2: (3, 1)}, rng=4)
    nt.Sequential(table, whole).freeze().save(FOLDER / "predictor")
    nt.export_onnx(whole, FOLDER / "onnx")
    with (FOLDER / "arrays").open("wb") as file:
        np.savez_compressed(file, x=X, target=TARGET)
    (FOLDER / "table").write_text("epoch,loss,seconds\n0,0.5,0.1\n")
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
        try:
            with np.errstate(all="ignore"):
                READERS[name](content)
        except ValueError as error:
            assert len(str(error)) < 4000  # noqa: PT017 - of those that are refused
        except MemoryError:
            pass

    limit = f"-rss_limit_mb={1024 + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}"
    atheris.Setup([*sys.argv, limit, str(corpus)], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
