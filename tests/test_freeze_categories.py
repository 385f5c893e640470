"""Frozen rows of numbers and categories: forward's bits where codes are right, forward's words where not."""

import re
import tracemalloc

import ne_torch as nt
import numpy as np
import pytest

from samples import LAYOUTS, contiguous, same_bits, with_specials
from test_export_c import COMPILERS, build, output
from test_fused_embedding import CATEGORIES, FEATURES, OUT, SAYS, WRONG, make, problem
from test_predictor_file import changed, stages


def with_codes(rows, dtype):
    """Return rows whose numbers may be anything, and whose codes are right."""
    x = with_specials((rows, FEATURES), dtype, 0.05)
    codes, _ = problem(rows, dtype)
    for column in CATEGORIES:
        x[:, column] = codes[:, column]
    return x


def frozen(dtype, weights="same"):
    model = make(np.dtype(dtype)).model
    return model, model.freeze(weights)


def test_categories_give_the_bits_of_forward_in_any_batch(isa, dtype, threads):
    model, predictor = frozen(dtype)
    x = with_codes(9000, dtype)  # which two threads share
    x[7, 1] = -0.0  # code 0
    expected = model(x)
    for count in (1, 2):
        nt.set_num_threads(count)
        for batch in (0, 1, 2, 5, 17, 64, 333, 9000):
            assert same_bits(predictor(x[:batch]), expected[:batch])
        assert same_bits(predictor(x[7]), expected[7])
        assert same_bits(predictor(x[:60].reshape(3, 4, 5, -1)), expected[:60].reshape(3, 4, 5, -1))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_categories_come_in_any_layout(layout, dtype):
    model, predictor = frozen(dtype)
    laid_out = LAYOUTS[layout](problem(9, dtype)[0])
    out = np.empty((9, OUT), dtype)
    assert predictor(laid_out, out=out) is out
    assert same_bits(out, model(contiguous(laid_out, dtype)))


@pytest.mark.parametrize("weights", ["bfloat16", "int8"])
def test_reduced_weights_leave_the_tables_as_they_are(weights, isa, tmp_path):
    model, predictor = frozen("float32", weights)
    x = with_codes(40, "float32")
    rest = nt.Sequential(*model[1:]).freeze(weights)
    assert same_bits(predictor(x), rest(model[0](x)))
    assert all(map(same_bits, predictor._stages[0].tables, (e.weight for e in model[0].embeddings)))
    predictor.save(tmp_path / "p")
    assert same_bits(nt.load_predictor(tmp_path / "p", verify=True)(x), predictor(x))
    assert repr(predictor) == f"Predictor(6 -> 13 tabular_embedding -> 17 relu -> 3, weights={weights})"
    assert predictor.nbytes == rest.nbytes + sum(e.weight.nbytes for e in model[0].embeddings)


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(("rows", "row"), [(1, 0), (41, 0), (41, 40), (9000, 3), (9000, 8999)])
def test_a_wrong_code_is_refused_as_by_forward(isa, dtype, value, rows, row, threads):
    nt.set_num_threads(2)
    model, predictor = frozen(dtype)
    x, _ = problem(rows, dtype)
    x[row, 1] = value
    out = np.full((rows, OUT), 5, dtype)
    with pytest.raises(ValueError, match=SAYS) as says:
        model(x)
    for call in (lambda: predictor(x, out=out), lambda: predictor(x)):
        with pytest.raises(ValueError, match=f"^{re.escape(str(says.value))}$"):
            call()
    assert (out == 5).all()


def test_of_many_wrong_codes_the_first_by_column_is_named(dtype, threads):
    nt.set_num_threads(2)
    model, predictor = frozen(dtype)
    x, _ = problem(9000, dtype)
    x[0, 4], x[1, 2], x[8000, 1], x[8999, 1] = 41, 2, 9, 8
    for call in (model, predictor):
        with pytest.raises(ValueError, match=r"in column 1, got 9\.0$"):
            call(x)


def test_a_prediction_with_codes_into_out_allocates_nothing(dtype):
    _, predictor = frozen(dtype)
    for rows in (1, 64, 9000):
        x, out = problem(rows, dtype)[0], np.empty((rows, OUT), dtype)
        predictor(x, out)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(20):
                predictor(x, out)
            assert tracemalloc.get_traced_memory()[0] - before < 1000
        finally:
            tracemalloc.stop()


def tensor(name, **values):
    return lambda header: header[name].update(values)


@pytest.mark.parametrize(
    "change",
    [
        tensor("0.tables.0", shape=[35]),
        tensor("0.tables.0", shape=[35, 1]),
        tensor("0.tables.0", shape=[5, 7]),
        tensor("0.tables.0", shape=[7, 5, 1]),
        tensor("0.tables.0", shape=[0, 5], data_offsets=[0, 0]),
        tensor("0.tables.0", shape=[2**40, 0], data_offsets=[0, 0]),
        tensor("0.tables.0", dtype="I8"),
        lambda header: header.pop("0.tables.2"),
        stages(lambda s: s[0].update({"columns": [4, 1, 2]})),
        stages(lambda s: s[0].update({"columns": [1, 2, 6]})),
        stages(lambda s: s[0].update({"columns": [1, 2]})),
        stages(lambda s: s[0].update({"columns": [1, 2, 4, 5]})),
        stages(lambda s: s[0].update({"columns": [1, 2, 4.0]})),
        stages(lambda s: s[0].update({"columns": [0, True, 4]})),
        stages(lambda s: s[0].update({"columns": [1, 2, 2**70]})),
        stages(lambda s: s[0].update({"columns": {"1": 0}})),
        stages(lambda s: s[0].update({"name": "softmax"})),
        stages(lambda s: s[0].update({"in": 2**31 - 1})),
        stages(lambda s: s[0].pop("in")),
        stages(lambda s: s.insert(1, s[0])),
    ],
)
def test_a_wrong_header_of_categories_is_refused(change, tmp_path):
    path = tmp_path / "p"
    frozen("float32")[1].save(path)
    nt.load_predictor(path)
    path.write_bytes(changed(path, change))
    with pytest.raises(ValueError, match=r"is no file of Predictor\.save, or damaged"):
        nt.load_predictor(path)


@pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang")
@pytest.mark.parametrize("compiler", COMPILERS or ["none"])
@pytest.mark.parametrize("flags", ["-O0", "-O3 -march=native"])
def test_exported_c_reads_no_table_for_a_wrong_code(compiler, flags, dtype, tmp_path):
    _, predictor = frozen(dtype)
    x, _ = problem(2 * len(WRONG), dtype)
    x[::2, 1] = WRONG
    found = output(build(predictor, tmp_path, compiler, flags), predictor, x)
    assert np.isnan(found[::2]).all()
    assert same_bits(found[1::2], predictor(x[1::2]))
    assert " *     x[1]: 0 to 6\n" in (tmp_path / "net.h").read_text()
