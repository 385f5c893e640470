"""Exported C99: the predictor's bits from gcc and clang, here and on an emulated AArch64."""

import itertools
import os
import re
import shutil
import subprocess

import ne_torch as nt
import numpy as np
import pytest

from activations import layers
from networks import make
from programs import CROSS_COMPILER, EMULATOR
from samples import same_bits, with_specials

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
FLAGS = ["-O0", "-O2", "-O3 -march=native", "-O3 -ffp-contract=fast"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
WEIGHTS = [("float32", "same"), ("float64", "same"), ("float32", "bfloat16"), ("float32", "int8")]
# reads rows from stdin, writes predictions to stdout
PROGRAM = """
#include <stdio.h>
#include "{name}.h"
int main(void) {{
    static {scalar} x[{NAME}_IN_FEATURES], y[{NAME}_OUT_FEATURES];
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        {name}_predict(x, y);
        fwrite(y, sizeof y, 1, stdout);
    }}
    return 0;
}}
"""


def build(predictor, folder, compiler, flags, name="net"):
    predictor.export_c(folder / f"{name}.h")
    scalar = {"float32": "float", "float64": "double"}[predictor.dtype.name]
    source, program = folder / "main.c", folder / "main"
    source.write_text(PROGRAM.format(name=name, NAME=name.upper(), scalar=scalar))
    command = [compiler, *STRICT, *flags.split(), source, "-o", program, "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return program


def output(program, predictor, x, *prefix):
    done = subprocess.run([*prefix, program], input=x.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, predictor.dtype).reshape(len(x), predictor.out_features)


@pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("compiler", COMPILERS or ["none"])
def test_exported_activations_give_the_bits_of_python(compiler, dtype, tmp_path):
    every = [*layers(), nt.Softmax(), nt.LogSoftmax()]
    for number, (layer, flags) in enumerate(zip(every, itertools.cycle(FLAGS), strict=False)):
        folder = tmp_path / str(number)
        folder.mkdir()
        predictor = nt.Sequential(layer, nt.Linear(19, 19, dtype=dtype, rng=number), layer).freeze()
        x = with_specials((200, 19), dtype, 0.05)
        found = output(build(predictor, folder, compiler, flags), predictor, x)
        assert same_bits(found, predictor(x)), (layer, flags)


def network(sizes, dtype, weights):
    """Return a net with every layer there is, before, between and after the dense ones."""
    model, _ = make(sizes, np.dtype(dtype))
    model.insert(0, nt.ReLU())
    model.append(nt.Softmax())
    model.append(nt.Linear(sizes[-1], 3, bias=False, dtype=dtype, rng=9))
    return model.freeze(weights)


@pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang")
@pytest.mark.parametrize(("dtype", "weights"), WEIGHTS)
@pytest.mark.parametrize("compiler", COMPILERS or ["none"])
def test_exported_c_gives_the_bits_of_python(compiler, dtype, weights, tmp_path):
    for (number, flags), sizes in itertools.product(enumerate(FLAGS), [(33, 70, 19), (1, 1), (5, 201, 2)]):
        folder = tmp_path / f"{number}-{sizes[0]}"
        folder.mkdir()
        predictor = network(sizes, dtype, weights)
        x = with_specials((40, sizes[0]), dtype, 0.02)
        found = output(build(predictor, folder, compiler, flags), predictor, x)
        assert same_bits(found, predictor(x)), (flags, sizes)


@pytest.mark.skipif(not (CROSS_COMPILER and EMULATOR), reason="no qemu-aarch64 or no cross compiler")
@pytest.mark.parametrize(("dtype", "weights"), WEIGHTS)
def test_exported_c_gives_the_bits_of_python_on_aarch64(dtype, weights, tmp_path):
    compiler = CROSS_COMPILER.removesuffix("g++") + "gcc"
    predictor = network((33, 70, 19), dtype, weights)
    x = with_specials((40, 33), dtype, 0.02)
    program = build(predictor, tmp_path, compiler, "-O3 -static")
    assert same_bits(output(program, predictor, x, EMULATOR), predictor(x))


@pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang")
@pytest.mark.parametrize("compiler", COMPILERS or ["none"])
def test_exported_c_gives_the_bits_of_python_for_all_of_mnist(compiler, tmp_path, mnist_or_digits):
    data = mnist_or_digits
    model, _ = make((data.x_test.shape[1], 128, 10), np.dtype("float32"))
    predictor = model.freeze()
    found = output(build(predictor, tmp_path, compiler, "-O3 -march=native"), predictor, data.x_test)
    assert same_bits(found, predictor(data.x_test))


@pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang")
def test_two_exported_nets_live_in_one_program(tmp_path):
    first, second = (nt.Linear(4, 2, rng=i).freeze() for i in (0, 1))
    first.export_c(tmp_path / "one.h")
    second.export_c(tmp_path / "two.h")
    (tmp_path / "main.c").write_text(
        '#include "one.h"\n#include "two.h"\n#include "one.h"\n'
        "int main(void) { float x[4] = {1, 2, 3, 4}, y[4]; one_predict(x, y); two_predict(x, y + 2); "
        "return y[0] == y[2]; }"
    )
    command = [COMPILERS[0], *STRICT, tmp_path / "main.c", "-o", tmp_path / "main", "-lm"]
    subprocess.run(command, check=True)
    subprocess.run([tmp_path / "main"], check=True)


def test_exported_weights_that_are_not_finite_are_spelled_out(tmp_path):
    layer = nt.Linear(3, 1, bias=False)
    layer.weight = [[np.inf, -np.inf, np.nan]]
    layer.freeze().export_c(tmp_path / "net.h")
    assert "INFINITY, 0.0f" in (tmp_path / "net.h").read_text()
    assert "-INFINITY, 0.0f" in (tmp_path / "net.h").read_text()
    assert "NAN, 0.0f" in (tmp_path / "net.h").read_text()


def test_export_names_its_function_after_the_file(tmp_path):
    predictor = nt.Linear(2, 1, rng=0).freeze()
    predictor.export_c(tmp_path / "my-net.2.h")
    assert "static inline void my_net_2_predict(" in (tmp_path / "my-net.2.h").read_text()
    predictor.export_c(tmp_path / "other.h", name="Scorer")
    assert re.search(r"#define SCORER_IN_FEATURES 2\b", (tmp_path / "other.h").read_text())


@pytest.mark.parametrize("name", ["2fast", "a b", "", "a-b", "ä"])
def test_export_refuses_a_name_that_is_none_in_c(name, tmp_path):
    with pytest.raises(ValueError, match="export_c: expected a name that is an identifier of C"):
        nt.Linear(2, 1).freeze().export_c(tmp_path / "net.h", name=name)
    assert not os.listdir(tmp_path)  # noqa: PTH208
