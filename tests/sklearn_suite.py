"""Run scikit-learn's own tests of its perceptrons on ours: ``python tests/sklearn_suite.py [options]``.

The installed module of tests is imported with our classes under its names. It prints which tests fail, and
returns pytest's exit code.
"""

from __future__ import annotations

import sys

import pytest
from ne_torch import sklearn as ours

from sklearn import neural_network

MODULE = "sklearn.neural_network.tests.test_mlp"

PRIVATE = {
    "test_gradient": "calls _loss_grad_lbfgs",
    "test_learning_rate_warmstart": "reads _optimizer.learning_rate",
    "test_adaptive_learning_rate": "reads _optimizer.learning_rate",
}
"""Tests that use what is private to scikit-learn's classes, and what that is."""


class Suite:
    """Leaves out the tests of private names, and remembers those that fail."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.passed = 0

    def pytest_collection_modifyitems(self, config, items):
        """Deselect by the function's name."""
        left_out = [item for item in items if item.originalname in PRIVATE]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]

    def pytest_runtest_logreport(self, report):
        """Count."""
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call" and report.passed:
            self.passed += 1


def run(options: list[str]) -> int:
    """Run the tests on our classes."""
    neural_network.MLPClassifier, neural_network.MLPRegressor = ours.MLPClassifier, ours.MLPRegressor
    suite = Suite()
    code = pytest.main(["-q", "-p", "no:cacheprovider", "--pyargs", MODULE, *options], plugins=[suite])
    for name, reason in PRIVATE.items():
        print(f"left out: {name} {reason}")
    for name in suite.failed:
        print(f"failed: {name}")
    print(f"{suite.passed} passed, {len(suite.failed)} failed")
    return int(code)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
