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
def activation_names() -> list[str]: ...
def activation_forward(
    name: str,
    input: ArrayLike,
    out: Array | None = None,
    place: str = "activation_forward",
    first: float = 0.0,
    second: float = 0.0,
) -> Array: ...
def activation_backward(
    name: str,
    grad_output: ArrayLike,
    input: ArrayLike,
    out: Array | None = None,
    place: str = "activation_backward",
    first: float = 0.0,
    second: float = 0.0,
) -> Array: ...
def softmax_forward(input: ArrayLike, out: Array | None = None, place: str = "softmax_forward") -> Array: ...
def softmax_backward(
    grad_output: ArrayLike, output: ArrayLike, out: Array | None = None, place: str = "softmax_backward"
) -> Array: ...
def dropout(
    input: ArrayLike,
    seed: int,
    passed: int,
    p: float,
    out: Array | None = None,
    place: str = "dropout",
    name: str = "input",
) -> Array: ...
def embedding_backward(
    grad_output: ArrayLike,
    codes: Array,
    rows: int,
    padding: int,
    dtype: str,
    place: str = "embedding_backward",
) -> Array: ...
def layer_norm_forward(
    input: ArrayLike,
    features: int,
    dtype: str,
    weight: ArrayLike | None,
    bias: ArrayLike | None,
    eps: float,
    place: str = "layer_norm_forward",
) -> tuple[Array, Array, Array]: ...
def layer_norm_backward(
    grad_output: ArrayLike,
    normalized: ArrayLike,
    rstd: ArrayLike,
    weight: ArrayLike | None,
    place: str = "layer_norm_backward",
) -> Array: ...
def batch_norm_forward(
    input: ArrayLike,
    weight: ArrayLike | None,
    bias: ArrayLike | None,
    eps: float,
    running: tuple[Any, ...] | None = None,
    place: str = "batch_norm_forward",
) -> tuple[Array, Array, Array]: ...
def batch_norm_backward(
    grad_output: ArrayLike,
    normalized: ArrayLike,
    rstd: ArrayLike,
    weight: ArrayLike | None,
    place: str = "batch_norm_backward",
) -> tuple[Array, Array, Array]: ...
def fold_statistics(
    weight: ArrayLike | None, bias: ArrayLike | None, mean: ArrayLike, var: ArrayLike, eps: float
) -> tuple[Array, Array]: ...
def scale_shift(
    input: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike | None,
    place: str = "scale_shift",
    name: str = "input",
) -> Array: ...
def scale_shift_gradients(
    grad_output: ArrayLike, normalized: ArrayLike, place: str = "scale_shift_gradients"
) -> tuple[Array, Array]: ...
def log_softmax_forward(
    input: ArrayLike, out: Array | None = None, place: str = "log_softmax_forward"
) -> Array: ...
def log_softmax_backward(
    grad_output: ArrayLike, output: ArrayLike, out: Array | None = None, place: str = "log_softmax_backward"
) -> Array: ...

class LossSettings:
    def __init__(self, name: str, reduction: str = "mean", options: dict[str, Any] = ...) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def reduction(self) -> str: ...
    @property
    def options(self) -> dict[str, Any]: ...

def loss_total(
    settings: LossSettings,
    prediction: ArrayLike,
    target: ArrayLike,
    sample_weight: ArrayLike | None = None,
    place: str = "loss_total",
) -> tuple[float, float]: ...
def loss_forward(
    settings: LossSettings,
    prediction: ArrayLike,
    target: ArrayLike,
    sample_weight: ArrayLike | None = None,
    place: str = "loss_forward",
) -> Any: ...
def loss_backward(
    settings: LossSettings,
    prediction: ArrayLike,
    target: ArrayLike,
    sample_weight: ArrayLike | None = None,
    grad_output: ArrayLike | None = None,
    out: Array | None = None,
    place: str = "loss_backward",
) -> Array: ...
def update(
    params: Sequence[Array],
    grads: Sequence[ArrayLike],
    states: Sequence[Sequence[Array | None]],
    groups: Sequence[OptimizerSettings],
    members: Sequence[int],
    place: str = "update",
    record: tuple[list[Any], list[Any]] | None = None,
    schedule: Schedule | None = None,
) -> None: ...
def square_sum(arrays: Sequence[ArrayLike], place: str = "square_sum") -> float: ...
def finite_number(value: Any, place: str, name: str) -> float: ...

class OptimizerSettings:
    lr: float
    weight_decay: float
    momentum: float
    dampening: float
    beta1: float
    beta2: float
    alpha: float
    eps: float
    lr_decay: float
    nesterov: bool
    maximize: bool
    amsgrad: bool
    centered: bool
    decoupled_weight_decay: bool
    steps: int
    def __init__(self, name: str, values: dict[str, Any] = ...) -> None: ...
    def wants_state(self, index: int) -> bool: ...

class Schedule:
    def __init__(
        self, settings: list[OptimizerSettings], names: Sequence[str], values: Array, counter: list[int]
    ) -> None: ...
    @property
    def left(self) -> int: ...
    def current(self) -> bool: ...
    def move_on(self, steps: int) -> None: ...

class ScaledBytes:
    def __init__(self, bytes: Array, scale: Array, shift: Array) -> None: ...
    def converted(self) -> Array: ...

class Engine:
    def __init__(
        self,
        dtype: str,
        layers: list[tuple[Any, ...]],
        loss: LossSettings,
        groups: list[OptimizerSettings],
        clipping: tuple[float, float] = ...,
    ) -> None: ...
    def step(
        self,
        x: ArrayLike,
        target: ArrayLike,
        sample_weight: ArrayLike | None = None,
        schedule: Schedule | None = None,
    ) -> float | None: ...
    def step_and_record(
        self,
        x: ArrayLike,
        target: ArrayLike,
        cursor: list[Any],
        rows: int,
        sample_weight: ArrayLike | None = None,
        schedule: Schedule | None = None,
    ) -> bool: ...
    def run(
        self,
        x: Array | ScaledBytes,
        target: Array,
        order: Array | None,
        cursor: list[Any],
        batch_size: int,
        seconds: float,
        sample_weight: ArrayLike | None = None,
        schedule: Schedule | None = None,
    ) -> bool: ...

class Predictor:
    def __init__(self, dtype: str, stages: tuple[tuple[Any, ...], ...]) -> None: ...
    def predict(self, x: ArrayLike, out: Array | None = None) -> Array: ...

def panel_width(itemsize: int) -> int: ...
def panel_line(itemsize: int) -> int: ...
def elementary_constants(dtype: str) -> dict[str, Any]: ...
def as_array(value: ArrayLike, place: str, name: str, dtype: str | None) -> Array: ...
def numpy_view(value: ArrayLike, place: str, name: str) -> Array: ...
def structure_changed() -> None: ...
def philox4x32(counter: Sequence[int], key0: int, key1: int) -> list[int]: ...
def normal_quantile(p: float) -> float: ...
def random_normal(seed: int, block: int, deviation: float, shape: Sequence[int], dtype: str) -> Array: ...
def random_uniform(
    seed: int, block: int, low: float, high: float, shape: Sequence[int], dtype: str
) -> Array: ...
def random_permutation(seed: int, block: int, n: int) -> Array: ...
def available_isas() -> list[str]: ...
def active_isa() -> str: ...
def select_isa(name: str) -> None: ...
def has_fma() -> bool: ...
def available_cpus(root: str = "") -> int: ...
def get_num_threads() -> int: ...
def set_num_threads(threads: int) -> None: ...
