"""L-BFGS, by SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch._extras import extra
from ne_torch.layer import Parameter
from ne_torch.optimizers.param_group import described_groups, parameters
from ne_torch.typing import Array

__all__ = ["LBFGS"]


class LBFGS:
    """L-BFGS for small nets and whole batches: scipy.optimize's L-BFGS-B over all parameters, in float64.

    R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for bound constrained optimization",
    SIAM J. Sci. Comput. 16, 1995; with its line search (strong Wolfe conditions), so there is no lr.
    Needs SciPy (extra ``scipy``).

    In ``Trainer.fit`` an epoch is one ``step`` on all samples: up to max_iter iterations, begun without
    memory of the epoch before. Pass ``batch_size=len(x)``, and usually ``epochs=1`` with a large max_iter.

    Parameters
    ----------
    params : iterable of Parameter
        ``model.parameters()``; one group.
    max_iter : int, default 20
        Iterations of a step.
    max_eval : int, optional
        Evaluations of a step; 1.25 max_iter by default.
    tolerance_grad : float, default 1e-7
        End where no element of the gradient is larger.
    tolerance_change : float, default 1e-9
        End where an iteration lowers the loss by no more than this share of the larger of it and 1.
    history_size : int, default 100
        Pairs of differences that stand for the curvature.

    Attributes
    ----------
    steps : int
        Iterations so far, of all steps.
    message : str
        Why the last step ended, in SciPy's words.

    Raises
    ------
    ImportError
        If SciPy is not installed.

    Notes
    -----
    The arithmetic of the iteration is SciPy's: its bits are not promised across platforms.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(2, 1, dtype="float64", rng=0))
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.LBFGS(model.parameters(), max_iter=100))
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 1.0]])
    >>> history = trainer.fit(x, x @ [[2.0], [-1.0]] + 3, batch_size=4)
    >>> model[0].weight.round(4).tolist(), model[0].bias.round(4).tolist()
    ([[2.0, -1.0]], [3.0])
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
    ) -> None:
        place = "LBFGS"
        _minimize()
        groups = described_groups(params, place)
        if len(groups) > 1:
            raise ValueError(f"{place}: expected one group of parameters, got {len(groups)}")
        self.params = parameters(groups[0]["params"], place)
        self.max_iter = positive_integer(max_iter, place, "max_iter")
        evaluations = self.max_iter * 5 // 4 if max_eval is None else max_eval
        self.max_eval = positive_integer(evaluations, place, "max_eval")
        self.tolerance_grad = _core.finite_number(tolerance_grad, place, "tolerance_grad")
        self.tolerance_change = _core.finite_number(tolerance_change, place, "tolerance_change")
        self.history_size = positive_integer(history_size, place, "history_size")
        self.steps = 0
        self.message = ""

    def step(self, closure: Callable[[], float]) -> float:
        """Descend as far as the limits let it; where the call fails, no parameter changes.

        Parameters
        ----------
        closure : callable
            Runs forward and backward on all samples, and returns the loss. It is called many times.

        Returns
        -------
        float
            The loss before.

        Raises
        ------
        RuntimeError
            If the loss is not finite, or a parameter has no gradient after the closure.
        """
        start = [parameter.data.copy() for parameter in self.params]
        losses: list[float] = []

        def objective(flat: Array) -> tuple[float, Array]:
            self._scatter(flat)
            losses.append(float(closure()))
            if not math.isfinite(losses[-1]):
                raise RuntimeError(f"LBFGS.step: expected a finite loss, got {losses[-1]}; scale the data")
            return losses[-1], self._gathered([p.grad for p in self.params])

        options = {
            "maxiter": self.max_iter,
            "maxfun": self.max_eval,
            "maxcor": self.history_size,
            "gtol": self.tolerance_grad,
            "ftol": self.tolerance_change,
        }
        try:
            at = self._gathered(start)
            result = _minimize()(objective, at, jac=True, method="L-BFGS-B", options=options)
            self._scatter(result.x)
        except BaseException:
            for parameter, data in zip(self.params, start, strict=True):
                parameter.data = data
            raise
        self.steps += int(result.nit)
        self.message = str(result.message)
        return losses[0]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.params:
            parameter.grad = None

    def _gathered(self, arrays: list[Array | None]) -> Array:
        if any(array is None for array in arrays):
            raise RuntimeError(
                "LBFGS.step: expected a gradient of every parameter, got none; the closure runs backward"
            )
        return np.concatenate([np.asarray(array, "float64").ravel() for array in arrays])

    def _scatter(self, flat: Array) -> None:
        begin = 0
        for parameter in self.params:
            parameter.data = flat[begin : begin + parameter.size].reshape(parameter.shape)
            begin += parameter.size

    def __repr__(self) -> str:
        names = ("max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size")
        return f"LBFGS({', '.join(f'{name}={getattr(self, name)}' for name in names)})"


def _minimize() -> Any:
    with extra("scipy", "LBFGS", "SciPy"):
        from scipy.optimize import minimize
    return minimize
