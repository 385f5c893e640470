"""Every example in a docstring runs and shows what it says."""

import doctest
import importlib
import inspect
import pkgutil

import ne_torch
import pytest
from ne_torch import losses

MODULES = [
    "ne_torch",
    *(m.name for m in pkgutil.walk_packages(ne_torch.__path__, "ne_torch.") if "._" not in m.name),
]
WITH_EXAMPLE = [ne_torch.Linear, ne_torch.ReLU, ne_torch.Softmax, ne_torch.Sequential]
WITH_EXAMPLE += [ne_torch.Trainer, ne_torch.Generator]
WITH_EXAMPLE += [getattr(losses, name) for name in losses.__all__ if name != "Loss"]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name):
    result = doctest.testmod(importlib.import_module(name), verbose=False)
    assert result.failed == 0


@pytest.mark.parametrize("thing", WITH_EXAMPLE, ids=lambda thing: thing.__name__)
def test_docstring_has_an_example(thing):
    assert doctest.DocTestFinder(recurse=False).find(thing)[0].examples


@pytest.mark.parametrize("name", [name for name in ne_torch.__all__ if name != "__version__"])
def test_public_name_has_a_docstring(name):
    assert inspect.getdoc(getattr(ne_torch, name)).splitlines()[0].endswith(".")
