"""Files of predictors: opened by memory map, on any instruction set; damaged ones are refused."""

import json
import os
import subprocess
import sys

import ne_torch as nt
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from ne_torch import _core

from networks import make
from process import run
from samples import normal, same_bits

WEIGHTS = [("float32", "same"), ("float64", "same"), ("float32", "bfloat16"), ("float32", "int8")]
by_weights = pytest.mark.parametrize(("dtype", "weights"), WEIGHTS)


def predictor_of(dtype="float32", weights="same", sizes=(33, 40, 9)):
    model, _ = make(sizes, np.dtype(dtype))
    model.insert(0, nt.ReLU())
    model.append(nt.Softmax())
    return model.freeze(weights)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "net.safetensors"
    predictor_of().save(path)
    return path


@by_weights
def test_a_file_gives_the_same_predictor(dtype, weights, tmp_path, isa):
    predictor = predictor_of(dtype, weights)
    predictor.save(tmp_path / "p")
    for verify in (False, True):
        loaded = nt.load_predictor(tmp_path / "p", verify=verify)
        assert repr(loaded) == repr(predictor)
        x = normal((50, 33), dtype)
        assert same_bits(loaded(x), predictor(x))
        assert same_bits(loaded(x[3]), predictor(x[3]))


def test_a_file_serves_any_instruction_set(tmp_path, isa):
    predictor_of().save(tmp_path / "p")
    x = normal((50, 33), "float32")
    expected = predictor_of()(x)
    for other in _core.available_isas():
        _core.select_isa(other)
        assert same_bits(nt.load_predictor(tmp_path / "p")(x), expected)


def test_a_file_serves_another_process(saved):
    code = (
        "import numpy as np, ne_torch as nt, sys\n"
        f"p = nt.load_predictor({str(saved)!r})\n"
        "print(p(np.linspace(-1, 1, 33, dtype='float32')).tobytes().hex())"
    )
    expected = predictor_of()(np.linspace(-1, 1, 33, dtype="float32")).tobytes().hex()
    for isa in _core.available_isas():
        assert run(code, NE_TORCH_ISA=isa).stdout.strip() == expected


def test_a_file_is_mapped_and_not_read(tmp_path):
    model, _ = make((2000, 2000, 10), np.dtype("float32"))
    model.freeze().save(tmp_path / "p")
    loaded = nt.load_predictor(tmp_path / "p")
    panels = loaded._stages[0].panels
    assert not panels.flags.owndata
    assert not panels.flags.writeable
    assert panels.__array_interface__["data"][0] % 64 == 0


def test_a_predictor_outlives_its_file(saved):
    loaded, x = nt.load_predictor(saved), normal((5, 33), "float32")
    expected = loaded(x)
    saved.unlink()
    assert same_bits(loaded(x), expected)


def test_saving_over_a_file_in_use_leaves_it_whole(saved):
    loaded, x = nt.load_predictor(saved), normal((5, 33), "float32")
    expected = loaded(x)
    predictor_of("float64").save(saved)
    assert same_bits(loaded(x), expected)


@by_weights
def test_a_file_is_read_by_the_library_of_its_format(dtype, weights, tmp_path):
    predictor = predictor_of(dtype, weights)
    predictor.save(tmp_path / "p")
    found = safetensors.numpy.load_file(tmp_path / "p")
    for index, stage in enumerate(predictor._stages):
        for name in ("panels", "bias", "scale"):
            array = getattr(stage, name, None)
            if array is not None:
                assert same_bits(found.pop(f"{index}.{name}"), array)
    assert not found
    with safetensors.safe_open(tmp_path / "p", "numpy") as file:
        assert file.metadata()["format"] == "ne_torch predictor"


def test_a_pickle_of_a_loaded_predictor_needs_no_file(saved):
    import pickle

    loaded, x = nt.load_predictor(saved), normal((5, 33), "float32")
    content = pickle.dumps(loaded)
    saved.unlink()
    assert same_bits(pickle.loads(content)(x), loaded(x))


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        nt.load_predictor(tmp_path / "none")


def changed(path, change):
    """Return the file's bytes with its header changed."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def replaced(key, value):
    return lambda header: header["__metadata__"].update({key: value})


def entry(**values):
    return lambda header: header["1.panels"].update(values)


def stages(change):
    def apply(header):
        described = json.loads(header["__metadata__"]["stages"])
        change(described)
        header["__metadata__"]["stages"] = json.dumps(described)

    return apply


@pytest.mark.parametrize(
    "change",
    [
        replaced("format", "another"),
        replaced("version", "2"),
        replaced("dtype", "float16"),
        replaced("dtype", "float64"),
        replaced("stages", "[]"),
        replaced("stages", "["),
        replaced("stages", "[" * 100000),
        replaced("stages", "{}"),
        entry(dtype="F16"),
        entry(dtype="F64"),
        entry(shape=[-1]),
        entry(shape=[1.5]),
        entry(shape=[2**63, 2**63]),
        entry(shape="many"),
        entry(data_offsets=[0, 2**70]),
        entry(data_offsets=[-8, 0]),
        entry(data_offsets=[8, 0]),
        entry(data_offsets=[0]),
        lambda header: header.pop("1.panels"),
        lambda header: header.pop("__metadata__"),
        lambda header: header.update({"__metadata__": []}),
        stages(lambda s: s[1].update({"in": 2**62})),
        stages(lambda s: s[1].update({"out": -1})),
        stages(lambda s: s[1].update({"in": "33"})),
        stages(lambda s: s[1].update({"activation": "none such"})),
        stages(lambda s: s[0].update({"width": 34})),
        stages(lambda s: s[0].update({"name": "none such"})),
        stages(lambda s: s.pop(1)),
        stages(lambda s: s.reverse()),
    ],
)
def test_a_wrong_header_is_refused(saved, change):
    saved.write_bytes(changed(saved, change))
    with pytest.raises(ValueError, match=r"is no file of Predictor\.save, or damaged"):
        nt.load_predictor(saved)


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff" * 8, b"\xff" * 100, b"\0" * 100, b"PK\3\4" * 100])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(ValueError, match=r"is no file of Predictor\.save, or damaged"):
        nt.load_predictor(tmp_path / "p")


def test_a_truncated_file_is_refused(saved):
    content = saved.read_bytes()
    for length in [*range(0, 1200, 7), *range(1200, len(content), 97)]:
        saved.unlink()  # a mapped file must not be cut under its readers
        saved.write_bytes(content[:length])
        with pytest.raises(ValueError, match="or damaged"):
            nt.load_predictor(saved)


def test_a_flipped_bit_in_the_weights_is_found_when_asked(saved):
    content = bytearray(saved.read_bytes())
    content[-100] ^= 4
    saved.write_bytes(content)
    nt.load_predictor(saved)
    with pytest.raises(ValueError, match="SHA-256"):
        nt.load_predictor(saved, verify=True)


def test_mutated_files_are_refused_or_run(saved, tmp_path):
    """What is mutated in the weights alone is another net, which verify refuses."""
    original = saved.read_bytes()
    rng = np.random.default_rng(0)
    x = normal((2, 33), "float32")
    refused = accepted = 0
    for number in range(10_000):
        content = bytearray(original)
        end = len(content) if number % 4 == 0 else 1400  # mostly the header
        for place in rng.integers(0, end, rng.integers(1, 4)):
            content[place] ^= 1 << rng.integers(0, 8)
        path = tmp_path / "mutated"
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        try:
            loaded = nt.load_predictor(path)
        except ValueError as error:
            refused += "or damaged" in str(error)
        else:
            accepted += 1
            if loaded.in_features == 33:
                assert loaded(x.astype(loaded.dtype)).shape == (2, loaded.out_features)
    assert refused + accepted == 10_000
    assert refused > 5000


def test_a_prediction_from_a_file_needs_nothing_but_numpy(saved):
    code = (
        "import sys, numpy as np\n"
        "before = set(sys.modules)\n"
        "import ne_torch as nt\n"
        f"nt.load_predictor({str(saved)!r})(np.ones(33, 'float32'))\n"
        "print({m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=os.sep, check=True
    )
    assert set(eval(done.stdout)) <= {"ne_torch", "numpy"}
