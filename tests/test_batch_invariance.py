"""A row gives the same bits alone, in any batch, and at any place of it."""

import ne_torch as nt
import numpy as np
import pytest

from networks import make
from samples import normal, same_bits, with_specials

SIZES = [(1, 1), (5, 1), (1, 7), (3, 17, 2), (64, 32, 10), (130, 65, 33, 3), (784, 128, 10), (1500, 20)]
BATCHES = [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 129]


@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "-".join(map(str, sizes)))
def test_forward_of_a_row_is_the_same_in_any_batch(sizes, dtype, isa, threads):
    model, _ = make(sizes, dtype)
    model.append(nt.Softmax())
    x = normal((max(BATCHES), sizes[0]), dtype)
    alone = np.stack([model.forward(row) for row in x])
    for count in (1, 3):
        nt.set_num_threads(count)
        for batch in BATCHES:
            for begin in {0, max(BATCHES) - batch, (max(BATCHES) - batch) // 2}:
                part = slice(begin, begin + batch)
                assert same_bits(model.forward(x[part]), alone[part])


def test_forward_of_a_row_does_not_see_its_neighbours(dtype, isa):
    model, _ = make((33, 40, 9), dtype)
    x = normal((50, 33), dtype)
    expected = model.forward(x)
    for place in (0, 15, 16, 49):
        neighbours = with_specials(x.shape, dtype, 0.3, seed=place)
        neighbours[place] = x[place]
        assert same_bits(model.forward(neighbours)[place], expected[place])


def test_grad_input_of_a_row_is_the_same_in_any_batch(dtype, isa):
    model, _ = make((33, 40, 9), dtype)
    x, grad = normal((50, 33), dtype), normal((50, 9), dtype, 1)

    def grad_input(part):
        model.forward(x[part])
        return model.backward(grad[part])

    whole = grad_input(slice(None))
    for begin, end in [(0, 1), (49, 50), (3, 20), (16, 32), (7, 50)]:
        assert same_bits(grad_input(slice(begin, end)), whole[begin:end])
