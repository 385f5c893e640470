"""Every public class and function, found through the ``__all__`` of the package and its public modules."""

import inspect
from importlib import import_module

import ne_torch as nt

MODULES = [
    nt,
    *(getattr(nt, name) for name in nt.__all__ if inspect.ismodule(getattr(nt, name))),
    *(import_module("ne_torch.receipt"), import_module("ne_torch.sklearn")),
]


def _things(is_one):
    things = {}
    for module in MODULES:
        for name in module.__all__:
            thing = getattr(module, name)
            if is_one(thing) and thing not in things.values():
                things[name] = thing
    return things


CLASSES = _things(inspect.isclass)
FUNCTIONS = _things(inspect.isfunction)
