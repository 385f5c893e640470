"""The training that callbacks are tested in, fused and layer by layer."""

import ne_torch as nt
import pytest
from ne_torch.callbacks import Callback

from samples import normal
from test_trainer_fused import TheirReLU

fused_and_by_layers = pytest.mark.parametrize("relu", [nt.ReLU, TheirReLU], ids=["fused", "layers"])

ROWS, BATCH = 50, 8


def make_trainer(relu=nt.ReLU, lr=0.05):
    model = nt.Sequential(nt.Linear(6, 9, rng=1), relu(), nt.Linear(9, 3, rng=2))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=lr, momentum=0.9))


def fit(trainer, callbacks, **options):
    x, target = normal((ROWS, 6), "float32", 3), normal((ROWS, 3), "float32", 4)
    validation = normal((20, 6), "float32", 5), normal((20, 3), "float32", 6)
    options = {"epochs": 6, "batch_size": BATCH, "rng": 5, "validation_data": validation, **options}
    return trainer.fit(x, target, callbacks=callbacks, **options)


def weights(trainer):
    return [parameter.data.tobytes() for parameter in trainer.model.parameters()]


def weights_after(relu, epochs):
    trainer = make_trainer(relu)
    fit(trainer, [], epochs=epochs)
    return weights(trainer)


class Scripted(Callback):
    """Writes numbers of its own into the history, so that the best epoch is known."""

    def __init__(self, values, at=None, error=None):
        self.values, self.at, self.error = values, at, error

    def epoch_end(self, trainer, epoch, history):
        history.validation_loss[epoch] = self.values[epoch]
        if epoch == self.at:
            raise self.error("stop")
