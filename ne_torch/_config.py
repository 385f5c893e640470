"""Threads, instruction set, version."""

from __future__ import annotations

from ne_torch import _core
from ne_torch._checks import positive_integer

__all__ = ["get_num_threads", "set_num_threads", "show_config"]


def set_num_threads(threads: int) -> None:
    """Set the most threads a computation may use; results do not depend on it.

    Parameters
    ----------
    threads : int
        From 1 to 1024. The default is the environment variable ``NE_TORCH_NUM_THREADS``, else the first
        number in ``OMP_NUM_THREADS``, by which joblib and Dask share out the cores among processes, else the
        number of processors this process may use (affinity and cgroup quota respected).
        threadpoolctl knows nothing of these threads.

    Raises
    ------
    TypeError, ValueError
        If it is no integer in that range.

    Examples
    --------
    >>> import ne_torch as nt
    >>> before = nt.get_num_threads()
    >>> nt.set_num_threads(1)
    >>> nt.get_num_threads()
    1
    >>> nt.set_num_threads(before)
    """
    count = positive_integer(threads, "set_num_threads", "threads")
    if count > 1024:
        raise ValueError(f"set_num_threads: expected an integer from 1 to 1024, got {count}")
    _core.set_num_threads(count)


def get_num_threads() -> int:
    """Return the most threads a computation may use.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def show_config() -> None:
    """Print the version, the instruction set in use and the ones this machine offers, and the threads.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.show_config()  # doctest: +ELLIPSIS
    ne_torch ...
    instruction set: ...
    threads: ...
    """
    isa = _core.active_isa()
    slow = "" if _core.has_fma() else " (no FMA in this processor: std::fma gives the same bits, slowly)"
    print(f"ne_torch {_core.__version__}")
    print(f"instruction set: {isa}{slow}; available: {', '.join(_core.available_isas())}")
    print(f"threads: {_core.get_num_threads()} of {_core.available_cpus()} usable processors")
