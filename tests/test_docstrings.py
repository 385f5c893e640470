"""Every public class and function has a docstring with an example, which runs and shows what it says."""

import doctest
import importlib
import inspect
import pkgutil

import ne_torch
import pytest

from public_names import CLASSES, FUNCTIONS

MODULES = [
    "ne_torch",
    *(m.name for m in pkgutil.walk_packages(ne_torch.__path__, "ne_torch.") if "._" not in m.name),
]


@pytest.mark.parametrize("name", [*MODULES, "ne_torch._config", "ne_torch._gradcheck"])
def test_docstring_examples_run(name):
    result = doctest.testmod(importlib.import_module(name), verbose=False)
    assert result.failed == 0


@pytest.mark.parametrize("thing", [*CLASSES.values(), *FUNCTIONS.values()], ids=[*CLASSES, *FUNCTIONS])
def test_docstring_says_what_it_is_and_has_an_example(thing):
    assert inspect.getdoc(thing).splitlines()[0].endswith(".")
    found = doctest.DocTestFinder(recurse=False).find(thing)[0]
    assert found.examples
    assert "Examples\n    --------" in found.docstring


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_public_methods_have_docstrings(kind):
    for name, member in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_") and member.__module__.startswith("ne_torch"):
            assert inspect.getdoc(member), name
