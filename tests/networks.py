"""Networks of ne_torch, each with its twin of torch."""

import itertools

import ne_torch as nt
import torch

from samples import normal


def make(sizes, dtype, seed=0):
    """Return Linear-ReLU-...-Linear, with biases that are not 0, and the same net of torch."""
    model, twin = nt.Sequential(), torch.nn.Sequential()
    for i, (in_features, out_features) in enumerate(itertools.pairwise(sizes)):
        if i > 0:
            model.append(nt.ReLU())
            twin.append(torch.nn.ReLU())
        model.append(nt.Linear(in_features, out_features, dtype=dtype, rng=seed + i))
        model[-1].bias = normal(out_features, dtype, seed + i)
        twin.append(torch.nn.Linear(in_features, out_features, dtype=getattr(torch, dtype.name)))
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in model.state_dict().items()})
    return model, twin
