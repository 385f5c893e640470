"""What reduced weights cost: 784-128-10 trained on MNIST, frozen each way, on the 10,000 test images."""

from __future__ import annotations

import numpy as np


def measure(_peer: str, _seconds: float) -> dict[str, object]:
    import ne_torch as nt
    from ne_torch.datasets import load_mnist_or_digits, one_hot

    data, _ = load_mnist_or_digits()
    model = nt.Sequential(nt.Linear(data.x_train.shape[1], 128, rng=0), nt.ReLU(), nt.Linear(128, 10, rng=1))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1, momentum=0.9))
    trainer.fit(data.x_train, one_hot(data.y_train, 10), epochs=20, batch_size=64, rng=0)
    expected = model.forward(data.x_test)
    found: dict[str, object] = {"data": data.name, "images": len(data.x_test)}
    for weights in ("same", "bfloat16", "int8"):
        predictor = model.freeze(weights)
        y = predictor(data.x_test)
        found[predictor.weights] = {
            "right": int((y.argmax(axis=1) == data.y_test).sum()),
            "changed": int((y.argmax(axis=1) != expected.argmax(axis=1)).sum()),
            "error": float(np.abs(y - expected).max()),
            "bytes": predictor.nbytes,
        }
    return found
