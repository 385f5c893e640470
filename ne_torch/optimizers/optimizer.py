"""What all optimizers have in common: groups of parameters, what they remember of each, the step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ne_torch import _core
from ne_torch._memory import aligned
from ne_torch.layer import Parameter
from ne_torch.optimizers.hyperparameter import Number
from ne_torch.optimizers.param_group import ParamGroup, described_groups, parameters
from ne_torch.typing import Array

__all__ = ["Optimizer"]


class Optimizer:
    """Base of optimizers: a name in csrc/core/names.hpp, whose kernels do the work.

    A class of its own names its hyperparameters (attributes of kind Number and Flag) and its states, in the
    order of csrc/kernels/optimizers.hpp.

    Attributes
    ----------
    param_groups : list of ParamGroup
        Parameters with their hyperparameters, as in torch: ``optimizer.param_groups[1]["lr"] = 0.1``. An
        attribute such as ``optimizer.lr`` reads the first group and sets all of them.

    Examples
    --------
    >>> import ne_torch as nt
    >>> body, head = nt.Linear(4, 8, rng=0), nt.Linear(8, 1, rng=1)
    >>> groups = [{"params": body.parameters(), "lr": 0.01}, {"params": head.parameters()}]
    >>> optimizer = nt.SGD(groups, lr=0.1, momentum=0.9)
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.01, 0.1]
    """

    _kind: ClassVar[str]
    _option_names: ClassVar[tuple[str, ...]]
    _state_names: ClassVar[tuple[str, ...]]

    lr = Number("The learning rate.")

    def __init__(self, params: Iterable[Parameter] | Iterable[Mapping[str, Any]], **options: Any) -> None:
        self._defaults = options
        self.param_groups: list[ParamGroup] = []
        self._states: list[list[Array | None]] = []
        for group in described_groups(params, type(self).__name__):
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take up more parameters, whose steps are counted from here.

        Parameters
        ----------
        param_group : dict
            ``"params"``, and hyperparameters that are not to be those of the constructor.

        Raises
        ------
        TypeError
            If it holds anything but Parameters, or another hyperparameter.
        ValueError
            If a parameter is in a group already, or a hyperparameter does not fit. Nothing has changed then.
        """
        place = type(self).__name__
        options = dict(param_group)
        added = parameters(options.pop("params"), place)
        ids = [id(parameter) for parameter in (*self.params, *added)]
        if len(set(ids)) < len(ids):
            raise ValueError(f"{place}: expected every parameter in one group, once, got one of them twice")
        defaults = self._spelled_out(self._defaults)
        self.param_groups.append(ParamGroup(type(self), added, {**defaults, **self._spelled_out(options)}))
        self._states += [[None] * len(self._state_names) for _ in added]
        _core.structure_changed()

    @classmethod
    def _spelled_out(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options with those that stand for several replaced by them."""
        return dict(options)

    @classmethod
    def _short_form(cls, name: str, options: Mapping[str, Any]) -> Any:  # noqa: ARG003 - of a subclass
        """Return an option that stands for several."""
        raise KeyError(name)

    @classmethod
    def _check_together(cls, options: Mapping[str, Any]) -> None:
        """Raise ValueError where hyperparameters do not go with each other."""

    @property
    def params(self) -> list[Parameter]:
        """The parameters of all groups."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def _members(self) -> list[int]:
        """Return the group of each parameter."""
        return [i for i, group in enumerate(self.param_groups) for _ in group["params"]]

    def _group_settings(self) -> list[_core.OptimizerSettings]:
        return [group._settings for group in self.param_groups]

    def _initial_state(self, parameter: Parameter) -> Array:
        return np.zeros_like(parameter.data)

    def states(self) -> list[tuple[Array | None, ...]]:
        """Return what is remembered of each parameter, made where the hyperparameters want it."""
        wanted = [group.wanted_states() for group in self.param_groups]
        for parameter, state, member in zip(self.params, self._states, self._members(), strict=True):
            for i, want in enumerate(wanted[member]):
                if want and state[i] is None:
                    state[i] = aligned(self._initial_state(parameter))
        return [tuple(state) for state in self._states]

    def state_names(self) -> tuple[str, ...]:
        """Return what ``states`` holds, by name."""
        return self._state_names

    def step(self) -> None:
        """Update every parameter that has a gradient; where the call fails, none."""
        self._step()

    def _step(
        self,
        record: tuple[list[Any], list[Any]] | None = None,
        schedule: _core.Schedule | None = None,
    ) -> None:
        """Step, and replace a list's content and move a schedule on with it: no interrupt comes between."""
        every = zip(self.params, self.states(), self._members(), strict=True)
        active = [(p.data, p.grad, states, member) for p, states, member in every if p.grad is not None]
        columns = zip(*active, strict=True) if active else ((), (), (), ())
        params, grads, states, members = (list(column) for column in columns)
        place = f"{type(self).__name__}.step"
        _core.update(params, grads, states, self._group_settings(), members, place, record, schedule)

    def _penalty(self) -> float:
        """Return what weight decay is the gradient of: ``weight_decay / 2 ||p||^2`` over all parameters."""
        return sum(
            0.5
            * group._settings.weight_decay
            * _core.square_sum([parameter.data for parameter in group["params"]])
            for group in self.param_groups
            if group._settings.weight_decay and not group._settings.decoupled_weight_decay
        )

    @property
    def steps(self) -> int:
        """The number of steps taken, by the first group."""
        return self.param_groups[0]._settings.steps

    def zero_grad(self) -> None:
        """Forget the gradients. A backward pass overwrites them anyway: training does not need this call."""
        for parameter in self.params:
            parameter.grad = None

    def options(self) -> dict[str, Any]:
        """Return the hyperparameters of the first group by name."""
        return self.param_groups[0].options()

    def set_options(self, **options: Any) -> None:
        """Change hyperparameters of all groups, all of them or none where one does not fit."""
        for group in self.param_groups:
            group.checked_change(options)
        for group in self.param_groups:
            group.set_options(options)

    def state_dict(self) -> dict[str, Any]:
        """Return the groups and copies of the states, by name.

        ``"param_groups"`` has a dict for each, of hyperparameters, ``"steps"`` and, in ``"params"``, the
        numbers of its parameters; each state is a list with an array for each parameter, or None where it was
        not needed so far.
        """
        states = {
            name: [None if state[i] is None else np.array(state[i]) for state in self._states]
            for i, name in enumerate(self._state_names)
        }
        members = self._members()
        groups = [
            {**group.told(), "params": [i for i, member in enumerate(members) if member == number]}
            for number, group in enumerate(self.param_groups)
        ]
        return {"param_groups": groups, **states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over hyperparameters and states.

        Raises
        ------
        ValueError, TypeError
            If a name is missing or unknown, or a value does not fit. Nothing has been changed then.
        """
        place = f"{type(self).__name__}.load_state_dict"
        told = self._with_groups(state_dict)
        if told.keys() != {"param_groups", *self._state_names}:
            expected = sorted(["param_groups", *self._state_names])
            raise ValueError(f"{place}: expected the keys {expected}, got {sorted(told)}")
        groups = told["param_groups"]
        expected = [group["params"] for group in self.state_dict()["param_groups"]]
        if [group.get("params") for group in groups] != expected:
            raise ValueError(f"{place}: expected groups of the parameters {expected}, got others")
        columns = [self._column(name, told[name], place) for name in self._state_names]
        found = [ParamGroup.from_told(type(self), group, place) for group in groups]
        for group, other in zip(self.param_groups, found, strict=True):
            group.take_over(other)
        self._states = [list(state) for state in zip(*columns, strict=True)]
        _core.structure_changed()

    def _with_groups(self, state_dict: dict[str, Any]) -> dict[str, Any]:
        """Return a state_dict with groups; those of releases before groups are flat."""
        if "param_groups" in state_dict:
            return state_dict
        states = {name: value for name, value in state_dict.items() if name in self._state_names}
        options = {name: value for name, value in state_dict.items() if name not in self._state_names}
        return {"param_groups": [{**options, "params": list(range(len(self.params)))}], **states}

    def _column(self, name: str, found: Any, place: str) -> list[Array | None]:
        """Return one kind of state for all parameters, checked and copied."""
        shapes = [parameter.shape for parameter in self.params]
        if len(found) != len(shapes) or any(
            v is not None and np.shape(v) != shape for v, shape in zip(found, shapes, strict=True)
        ):
            raise ValueError(f"{place}: expected {name} of the shapes {shapes}")
        return [
            None if state is None else aligned(np.asarray(state, parameter.dtype))
            for state, parameter in zip(found, self.params, strict=True)
        ]

    def __repr__(self) -> str:
        texts = [", ".join(f"{n}={value}" for n, value in g.options().items()) for g in self.param_groups]
        return f"{type(self).__name__}({texts[0] if len(texts) == 1 else texts})"
