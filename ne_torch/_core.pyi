from collections.abc import Sequence
from typing import Any

from ne_torch.typing import Array, ArrayLike

__version__: str

def affine_forward(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None,
    out: Array | None = None,
    place: str = "affine_forward",
) -> Array: ...
def affine_backward(
    grad_output: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: bool = True,
    grad_weight: Array | None = None,
    grad_bias: Array | None = None,
    place: str = "affine_backward",
) -> tuple[Array, Array, Array | None]: ...
def activation_forward(
    name: str, input: ArrayLike, out: Array | None = None, place: str = "activation_forward"
) -> Array: ...
def activation_backward(
    name: str,
    grad_output: ArrayLike,
    input: ArrayLike,
    out: Array | None = None,
    place: str = "activation_backward",
) -> Array: ...
def softmax_forward(input: ArrayLike, out: Array | None = None, place: str = "softmax_forward") -> Array: ...
def softmax_backward(
    grad_output: ArrayLike, output: ArrayLike, out: Array | None = None, place: str = "softmax_backward"
) -> Array: ...
def loss_forward(
    name: str, prediction: ArrayLike, target: ArrayLike, place: str = "loss_forward"
) -> float: ...
def loss_backward(
    name: str,
    prediction: ArrayLike,
    target: ArrayLike,
    out: Array | None = None,
    place: str = "loss_backward",
) -> Array: ...
def sgd_update(
    params: Sequence[Array],
    grads: Sequence[ArrayLike],
    velocities: Sequence[Array | None],
    settings: SGDSettings,
    place: str = "sgd_update",
) -> None: ...
def finite_number(value: Any, place: str, name: str) -> float: ...

class SGDSettings:
    lr: float
    momentum: float
    weight_decay: float
    nesterov: bool
    def __init__(
        self, lr: float, momentum: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False
    ) -> None: ...

class Engine:
    def __init__(
        self, dtype: str, layers: list[tuple[Any, ...]], loss: str, settings: SGDSettings
    ) -> None: ...
    def step(self, x: ArrayLike, target: ArrayLike) -> float | None: ...
    def run(
        self,
        x: Array,
        target: Array,
        order: Array | None,
        cursor: list[Any],
        batch_size: int,
        seconds: float,
    ) -> bool: ...

def as_array(value: ArrayLike, place: str, name: str, dtype: str | None) -> Array: ...
def structure_changed() -> None: ...
def philox4x32(counter: Sequence[int], key0: int, key1: int) -> list[int]: ...
def normal_quantile(p: float) -> float: ...
def random_normal(seed: int, block: int, deviation: float, shape: Sequence[int], dtype: str) -> Array: ...
def random_permutation(seed: int, block: int, n: int) -> Array: ...
def available_isas() -> list[str]: ...
def active_isa() -> str: ...
def select_isa(name: str) -> None: ...
def has_fma() -> bool: ...
def available_cpus() -> int: ...
def get_num_threads() -> int: ...
def set_num_threads(threads: int) -> None: ...
