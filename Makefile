# Every command does its own set-up, in a .venv of the project's own. PYTHON=python3.12 chooses an interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml CMakeLists.txt csrc/CMakeLists.txt $(shell find csrc ne_torch -name '*.[ch]pp' -o -name '*.py*' -not -name '*.pyc')

ifneq ($(wildcard ../shared/data/mnist),)
export NE_TORCH_DATA ?= $(abspath ../shared/data/mnist)
endif

.DEFAULT_GOAL := help
.PHONY: help mnist test soak interrupts fuzz coverage sanitize sanitize-quick lint format notebook stubs benchmark wheel clean

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

mnist: $(VENV)/notebook.stamp ## the main job: train on MNIST (else on digits), print accuracy and time
	$(BIN)/python notebooks/train_mnist.py

test: $(VENV)/test.stamp ## all tests, for every instruction set of this machine, and the notebook; with coverage
	$(BIN)/pytest -v --cov

soak: $(VENV)/test.stamp ## ten minutes of training, predicting and saving in four threads, with interrupts
	$(BIN)/python tests/soak.py --minutes 10

interrupts: $(VENV)/test.stamp ## how long Ctrl-C in fit takes, a hundred times
	$(BIN)/python tests/interrupts.py

fuzz: $(VENV)/fuzz.stamp ## a minute of libFuzzer (atheris) on each reader of files
	for reader in model predictor trainer receipt onnx arrays table idx; do $(BIN)/python tests/fuzz_files.py $$reader -max_total_time=60 || exit 1; done

coverage: $(VENV)/test.stamp ## which lines of C++ the tests run: a table, and an error below 95 %
	tests/coverage $(BIN)/python

sanitize: $(VENV)/test.stamp ## all tests under AddressSanitizer and UBSan, the thread pool under ThreadSanitizer
	tests/sanitize all $(BIN)/python

sanitize-quick: $(VENV)/test.stamp ## the part of it that runs before a change lands
	tests/sanitize quick $(BIN)/python

lint: $(VENV)/lint.stamp ## ruff, mypy, repo-review, clang-format, clang-tidy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/repo-review .
	$(BIN)/clang-format --dry-run --Werror $$(find csrc benchmarks tests -name '*.[ch]pp')
	$(BIN)/cmake -S . -B build/lint -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_BUILD_TYPE=Release \
	  -DPython_EXECUTABLE=$(abspath $(BIN))/python -DSKBUILD_PROJECT_VERSION_FULL=lint \
	  -Dpybind11_DIR=$$($(BIN)/python -m pybind11 --cmakedir) > build/lint.log
	find csrc/core csrc/dispatch csrc/functional csrc/isa/scalar.cpp csrc/random csrc/serving csrc/threading \
	  csrc/training -name '*.cpp' | xargs -n 4 -P $$(nproc) $(BIN)/clang-tidy --quiet -p build/lint

format: $(VENV)/lint.stamp ## rewrite sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(find csrc benchmarks tests -name '*.[ch]pp')

notebook: $(VENV)/notebook.stamp ## execute the notebook again and keep its outputs
	$(BIN)/python notebooks/train_mnist.py --in-place

stubs: $(VENV)/lint.stamp ## check _core.pyi against the module
	cd build && ../$(BIN)/python -m mypy.stubtest --allowlist ../.ci/stubtest-allowlist ne_torch._core

benchmark: $(VENV)/benchmark.stamp ## measure against torch, JAX and NumPy; writes docs/performance.md
	$(BIN)/python -m benchmarks

wheel: $(VENV)/pip.stamp ## build a wheel into dist/
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean: ## remove everything that was built
	rm -rf $(VENV) build dist

$(VENV)/pip.stamp:
	$(PYTHON) -m venv $(VENV)
	touch $@

# The package is installed as users install it, from a wheel; one stamp for each set of extras. Every installation
# compiles anew, for its build is isolated: `lint,test.stamp` is both at once.
comma := ,
$(VENV)/%.stamp: $(VENV)/pip.stamp $(SOURCES)
	$(BIN)/python -m pip install --quiet ".[$*]"
	touch $@ $(patsubst %,$(VENV)/%.stamp,$(subst $(comma), ,$*))
