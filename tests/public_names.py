"""Every public class and function, found through the ``__all__`` of the package and its public modules.

``CLASSES`` and ``FUNCTIONS`` are those that users reach by name; ``public_classes`` has those of every room.
"""

import inspect
import pkgutil
from importlib import import_module

import ne_torch as nt

MODULES = [
    nt,
    *(getattr(nt, name) for name in nt.__all__ if inspect.ismodule(getattr(nt, name))),
    *(import_module("ne_torch.receipt"), import_module("ne_torch.sklearn")),
]


def _exports(modules):
    return [(name, getattr(module, name)) for module in modules for name in getattr(module, "__all__", ())]


def _things(is_one):
    things = {}
    for name, thing in _exports(MODULES):
        if is_one(thing) and thing not in things.values():
            things[name] = thing
    return things


def public_classes():
    """Return the classes in ``__all__`` of ne_torch and of every room whose name is public."""
    names = [
        m.name for m in pkgutil.iter_modules(nt.__path__, "ne_torch.") if not m.name.startswith("ne_torch._")
    ]
    found = _exports([nt, *map(import_module, names)])
    return {thing for _, thing in found if inspect.isclass(thing) and thing.__module__.startswith("ne_torch")}


CLASSES = _things(inspect.isclass)
FUNCTIONS = _things(inspect.isfunction)
