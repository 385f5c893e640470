"""MLPClassifier of scikit-learn and ours, same arguments and data: seconds of fit, and the score."""

from __future__ import annotations

import time
import warnings
from typing import NamedTuple

from benchmarks.problems import Net

SEEDS = 5


class Fit(NamedTuple):
    """Hidden layers, epochs at the most, and how many times faster than scikit-learn's it is to be."""

    hidden: tuple[int, ...]
    epochs: int
    floor: int


FITS = {
    "digits": Fit((100,), 200, 10),
    "synthetic": Fit((100,), 10, 10),
    "synthetic, 20-20": Fit((20, 20), 10, 10),
    "MNIST": Fit((100,), 10, 10),
    "MNIST, 512": Fit((512,), 5, 5),
}
PEERS = ("ne_torch", "sklearn")


def data(name: str):
    """Return x_train, y_train, x_test, y_test in float32."""
    from sklearn.datasets import load_digits, make_classification
    from sklearn.model_selection import train_test_split

    if name == "MNIST":
        from ne_torch.datasets import load_mnist_or_digits

        data, _ = load_mnist_or_digits()
        return data.x_train, data.y_train, data.x_test, data.y_test
    if name == "digits":
        x, y = load_digits(return_X_y=True)
        x = x / 16
    else:
        x, y = make_classification(125_000, 20, n_informative=12, n_classes=4, random_state=0)
    x_train, x_test, y_train, y_test = train_test_split(x.astype("float32"), y, test_size=0.2, random_state=0)
    return x_train, y_train, x_test, y_test


def estimator_of(peer: str):
    if peer == "ne_torch":
        from ne_torch.sklearn import MLPClassifier
    else:
        from sklearn.neural_network import MLPClassifier
    return MLPClassifier


def measure(peer: str, _seconds: float) -> dict[str, object]:
    """Return seconds and test score by fit, one seed after the other."""
    warnings.simplefilter("ignore")  # a few epochs are not enough to converge in
    found: dict[str, object] = {}
    for name, fit in FITS.items():
        x, y, x_test, y_test = data(name.partition(",")[0])
        seconds, scores, flops = [], [], []
        for seed in range(SEEDS):
            estimator = estimator_of(peer)(fit.hidden, max_iter=fit.epochs, random_state=seed)
            begin = time.perf_counter()
            estimator.fit(x, y)
            seconds.append(time.perf_counter() - begin)
            scores.append(float(estimator.score(x_test, y_test)))
            widths = (x.shape[1], *fit.hidden, estimator.n_outputs_)
            flops.append(Net(widths, len(x)).flops * estimator.n_iter_)
        found[name] = {"seconds": seconds, "scores": scores, "samples": len(x), "flops": flops}
    return found
