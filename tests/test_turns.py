"""Small nets, large batches: threads take turns at the gradients, and every bit is as one thread has it."""

import ne_torch as nt
import numpy as np
import pytest

from samples import normal

# Some 300 elements a sample: a member's block has a few hundred samples, so that these batches have many
# rounds, and a last one in which some members have no samples, or a few.
BATCHES = [4001, 5120, 7777]


def bits(trainer, losses):
    return losses, [parameter.data.tobytes() for parameter in trainer.model.parameters()]


def train(batch, dtype, threads_used, **options):
    nt.set_num_threads(threads_used)
    model = nt.Sequential(
        nt.Linear(4, 32, dtype=dtype, rng=0),
        nt.Tanh(),
        nt.Residual(nt.Linear(32, 16, dtype=dtype, rng=1), nt.ReLU(), nt.Linear(16, 32, dtype=dtype, rng=2)),
        nt.Dropout(0.2, rng=7),
        nt.LayerNorm(32, dtype=dtype),
        nt.Linear(32, 3, dtype=dtype, rng=3),
    )
    optimizer = nt.Adam(model.parameters(), lr=0.01)
    trainer = nt.Trainer(model, loss=nt.CrossEntropyLoss(), optimizer=optimizer, **options)
    x, target = normal((2 * batch, 4), dtype), np.arange(2 * batch) % 3
    weight = np.abs(normal((2 * batch,), dtype, 1))
    losses = [trainer.step(x[:batch], target[:batch], sample_weight=weight[:batch]) for _ in range(3)]
    losses += trainer.fit(x, target, epochs=2, batch_size=batch, rng=5, sample_weight=weight).loss
    assert trainer.fused
    return bits(trainer, losses)


@pytest.mark.parametrize("options", [{}, {"clip_grad_norm": 0.1}], ids=["plain", "clipped"])
@pytest.mark.parametrize("batch", BATCHES)
def test_any_number_of_threads_gives_the_same_bits(batch, options, dtype, threads):
    expected = train(batch, dtype, 1, **options)
    for count in (2, 3, 4):
        assert train(batch, dtype, count, **options) == expected
