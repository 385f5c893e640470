"""Parameters that share hyperparameters, and what a caller may pass for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from ne_torch import _core
from ne_torch._checks import step_count
from ne_torch.layer import Parameter

if TYPE_CHECKING:
    from ne_torch.optimizers.optimizer import Optimizer

__all__ = ["ParamGroup", "described_groups", "parameters"]

_NOTES = ("initial_lr", "name")  # what others may write into a group: schedulers, and people


class ParamGroup(MutableMapping[str, Any]):
    """Some parameters of an optimizer, with hyperparameters of their own: a dict, as in torch.

    ``group["params"]`` is the list of parameters, ``group["lr"]`` and the like can be read and assigned
    between steps. Adam's ``group["betas"]`` stands for ``beta1`` and ``beta2``.
    """

    def __init__(self, kind: type[Optimizer], params: list[Parameter], options: Mapping[str, Any]) -> None:
        self._kind = kind
        self._params = params
        self._settings = _core.OptimizerSettings(kind._kind, self._checked(options))
        self._notes = {name: value for name, value in options.items() if name in _NOTES}

    @classmethod
    def from_told(cls, kind: type[Optimizer], told: Mapping[str, Any], place: str) -> ParamGroup:
        """Return a group without parameters from what ``told`` returned; an error where it cannot be one."""
        options = {name: value for name, value in told.items() if name not in ("params", "steps")}
        missing = {*kind._option_names, "steps"} - told.keys()
        if missing:
            raise ValueError(f"{place}: expected every hyperparameter and steps, missing: {sorted(missing)}")
        steps = step_count(told["steps"], place)
        group = cls(kind, [], options)
        group._settings.steps = steps
        return group

    def told(self) -> dict[str, Any]:
        """Return everything but the parameters, as plain values."""
        return {**self.options(), **self._notes, "steps": self._settings.steps}

    def take_over(self, other: ParamGroup) -> None:
        """Have the values of another group; the settings stay the object that engines know."""
        for name, value in other.told().items():
            if name not in other._notes:
                setattr(self._settings, name, value)
        self._notes.update(other._notes)

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return all hyperparameters as they are kept; an error where one does not fit, or the whole."""
        place, names = self._kind.__name__, self._kind._option_names
        unknown = options.keys() - {*names, *_NOTES}
        if unknown:
            raise TypeError(f"{place}: expected hyperparameters among {names}, got {sorted(unknown)}")
        checked = {name: getattr(self._kind, name).checked(options[name], place) for name in names}
        self._kind._check_together(checked)
        return checked

    def options(self) -> dict[str, Any]:
        """Return the hyperparameters by name."""
        return {name: getattr(self._settings, name) for name in self._kind._option_names}

    def checked_change(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return all hyperparameters after a change; an error where it does not fit."""
        return self._checked({**self.options(), **self._kind._spelled_out(options)})

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Change hyperparameters, all of them or none where one does not fit."""
        self._set(self.checked_change(options))

    def _set(self, checked: Mapping[str, Any]) -> None:
        before = self.wanted_states()
        for name, value in checked.items():
            setattr(self._settings, name, value)
        if self.wanted_states() != before:
            _core.structure_changed()  # engines without a state must ask for it

    def wanted_states(self) -> list[bool]:
        """Return which states the hyperparameters want remembered."""
        return [self._settings.wants_state(i) for i in range(len(self._kind._state_names))]

    def __getitem__(self, key: str) -> Any:
        if key == "params":
            return list(self._params)
        if key in self._notes:
            return self._notes[key]
        if key in self._kind._option_names:
            return getattr(self._settings, key)
        return self._kind._short_form(key, self.options())

    def __setitem__(self, key: str, value: Any) -> None:
        place = self._kind.__name__
        if key == "params":
            raise TypeError(f"{place}: expected params to stay, got others; add_param_group adds some")
        if key in _NOTES:
            self._notes[key] = value
        elif key in self._kind._option_names:  # alone: what goes together may change one after the other
            self._set({key: getattr(self._kind, key).checked(value, place)})
        elif key in self:  # short for several
            self.set_options({key: value})
        else:
            raise KeyError(key)

    def __delitem__(self, key: str) -> None:
        del self._notes[key]

    def __iter__(self) -> Iterator[str]:
        return iter(("params", *self._kind._option_names, *self._notes))

    def __len__(self) -> int:
        return 1 + len(self._kind._option_names) + len(self._notes)

    def __repr__(self) -> str:
        values = {name: value for name, value in self.items() if name != "params"}
        return f"ParamGroup({len(self._params)} parameters, {values})"


def described_groups(params: Any, place: str) -> list[dict[str, Any]]:
    """Return groups as dicts for params, which are Parameters or such dicts already."""
    if isinstance(params, (Parameter, Mapping)):
        raise TypeError(f"{place}: expected an iterable of parameters, got {type(params).__name__}")
    items = list(params)
    if not items:
        raise ValueError(
            f"{place}: expected at least one parameter, got none; is anything learned by this model?"
        )
    if isinstance(items[0], Mapping):
        return [dict(_group(item, place)) for item in items]
    return [{"params": items}]


def _group(item: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(item, Mapping) or "params" not in item:
        raise TypeError(f'{place}: expected every group as a dict with "params", got {item!r}')
    return item


def parameters(params: Parameter | Iterable[Any], place: str) -> list[Parameter]:
    """Return the parameters of a group; TypeError where they are none."""
    result = [params] if isinstance(params, Parameter) else list(params)
    for parameter in result:
        if not isinstance(parameter, Parameter):
            kind = type(parameter).__name__
            raise TypeError(f"{place}: expected params from model.parameters(), got {kind}")
    return result
