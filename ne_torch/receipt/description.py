"""What is trained, as the header of a receipt tells it, and the trainer that is built from that."""

from __future__ import annotations

from typing import Any

from ne_torch import losses, optimizers
from ne_torch._checks import step_count
from ne_torch.activations import ReLU, Softmax
from ne_torch.interchange.architecture import build, describe
from ne_torch.linear import Linear
from ne_torch.losses import Loss
from ne_torch.optimizers import SGD, Optimizer
from ne_torch.sequential import Sequential, flatten
from ne_torch.trainer import Trainer

__all__ = ["build_trainer", "describe_trainer", "options_of", "set_options"]

_OPTIMIZERS: dict[str, Any] = {
    name: getattr(optimizers, name) for name in optimizers.__all__ if name not in ("LBFGS", "Optimizer")
}
_PLAIN: dict[str, Any] = {"Linear": Linear, "ReLU": ReLU, "Softmax": Softmax}
_MOST_COMPRESSED = 1032  # zlib makes no more of a byte
_ALWAYS_TOLD = ("lr", "momentum", "weight_decay", "nesterov")  # of SGD; others where they are not 0


def describe_trainer(trainer: Trainer) -> dict[str, Any]:
    """Return model, loss, optimizer and clipping; what is not there at its plainest is left out.

    Raises
    ------
    TypeError
        If verify could not build the trainer again.
    """
    optimizer = trainer.optimizer
    if (
        not trainer.fused
        or type(optimizer) not in _OPTIMIZERS.values()
        or not isinstance(trainer.loss, Loss)
        or (trainer.scheduler is not None and trainer.scheduler.per_step)
    ):
        raise TypeError(
            "Trainer.fit: expected layers, loss and optimizer that the engine trains, and no scheduler that "
            "counts steps, for a receipt, because verify has to build them again"
        )
    numbers = {id(parameter): i for i, parameter in enumerate(trainer.model.parameters())}
    groups = [[numbers[id(p)] for p in group["params"]] for group in optimizer.param_groups]
    steps = [group._settings.steps for group in optimizer.param_groups]
    clipping = [trainer._stepper.clipping.norm, trainer._stepper.clipping.value]
    return {
        "model": _described_model(trainer.model),
        "loss": _described_loss(trainer.loss),
        "optimizer": type(optimizer).__name__,
        **({"groups": groups} if len(groups) > 1 else {}),
        **({"steps": steps} if any(steps) else {}),
        **({"clipping": clipping} if any(clipping) else {}),
    }


def options_of(optimizer: Optimizer) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the hyperparameters, of each group where there are several."""
    told = [
        {
            name: value
            for name, value in group.options().items()
            if type(optimizer) is not SGD or name in _ALWAYS_TOLD or value
        }
        for group in optimizer.param_groups
    ]
    return told[0] if len(told) == 1 else told


def build_trainer(content: dict[str, Any]) -> Trainer:
    """Return a trainer as described, with the hyperparameters of the first epoch and any state.

    Raises
    ------
    ValueError
        If it describes none, or one that is larger than the initial state beside it.
    """
    model = _built_model(content["model"], len(content["initial_state"]) * _MOST_COMPRESSED)
    parameters = model.parameters()
    groups = content.get("groups", [range(len(parameters))])
    kind = content["optimizer"]
    if kind not in _OPTIMIZERS:
        raise ValueError(f"receipt: expected an optimizer of ne_torch that takes steps, got {kind!r}")
    optimizer = _OPTIMIZERS[kind]([{"params": [parameters[i] for i in group]} for group in groups])
    steps = content.get("steps", [0] * len(groups))
    for group, count in zip(optimizer.param_groups, steps, strict=True):
        group._settings.steps = step_count(count, "receipt")
    norm, value = content.get("clipping", (0, 0))
    loss = _built_loss(content["loss"])
    trainer = Trainer(
        model, loss=loss, optimizer=optimizer, clip_grad_norm=norm or None, clip_grad_value=value or None
    )
    set_options(optimizer, content["epochs"][0]["options"])
    return trainer


def set_options(optimizer: Optimizer, options: Any) -> None:
    """Set hyperparameters as ``options_of`` told them."""
    by_group = options if isinstance(options, list) else [options]
    for group, values in zip(optimizer.param_groups, by_group, strict=True):
        group.set_options(values)


def _described_model(model: Any) -> list[list[Any]] | dict[str, Any]:
    """Return a line for each layer where they are plain ones, as the first receipts have it."""
    layers = flatten(model)
    if {*map(type, layers)} - {*_PLAIN.values()}:
        return describe(model, "Trainer.fit")
    return [
        ["Linear", layer.in_features, layer.out_features, layer.bias is not None, layer.dtype.name]
        if type(layer) is Linear
        else [type(layer).__name__]
        for layer in layers
    ]


def _built_model(described: Any, most: int) -> Any:
    """Return the model; ValueError where it has more weights than so many."""
    if isinstance(described, dict):
        return build(described, most)
    size = sum(int(arguments[0]) * int(arguments[1]) for kind, *arguments in described if kind == "Linear")
    if size > most:
        raise ValueError(f"receipt: expected an initial state of {size} weights")
    return Sequential(*(_PLAIN[kind](*arguments) for kind, *arguments in described))


def _described_loss(loss: Loss) -> str | list[Any]:
    """Return its name; with its options, where not all are defaults."""
    name, options = type(loss).__name__, loss.options()
    return name if options == type(loss)().options() else [name, options]


def _built_loss(described: str | list[Any]) -> Loss:
    """Return the loss of that name and with those options; ValueError where there is none."""
    name, options = (described, {}) if isinstance(described, str) else described
    if name not in losses.__all__:
        raise ValueError(f"receipt: expected a loss of ne_torch, got {name!r}")
    loss: Loss = getattr(losses, name)(**options)
    return loss
