"""MLPClassifier of scikit-learn and ours, same arguments and data: seconds of fit, and the score."""

from __future__ import annotations

import time
import warnings

EPOCHS = 10
# Data set, hidden layers; the rest are scikit-learn's defaults: adam, relu, alpha 1e-4, batches of 200.
FITS = {"digits": (100,), "synthetic": (100,), "synthetic, 20-20": (20, 20), "MNIST": (100,)}
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
    warnings.simplefilter("ignore")  # ten epochs are few to converge in
    found: dict[str, object] = {}
    for name, hidden in FITS.items():
        x, y, x_test, y_test = data(name.partition(",")[0])
        seconds, scores = [], []
        for seed in range(5):
            estimator = estimator_of(peer)(hidden, max_iter=EPOCHS, random_state=seed)
            begin = time.perf_counter()
            estimator.fit(x, y)
            seconds.append(time.perf_counter() - begin)
            scores.append(float(estimator.score(x_test, y_test)))
        found[name] = {"seconds": seconds, "scores": scores, "samples": len(x)}
    return found
