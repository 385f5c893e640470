"""Parameter groups: torch's numbers with hyperparameters of each group's own, fused and layer by layer."""

import copy
import json
import pickle

import ne_torch as nt
import numpy as np
import pytest
import torch
from ne_torch.receipt import verify

import reference
from samples import normal, same_bits

CASES = [  # optimizer, its defaults, what the second group has of its own
    ("SGD", {"lr": 0.1, "momentum": 0.9}, {"lr": 0.01}),
    ("SGD", {"lr": 0.1}, {"momentum": 0.5, "weight_decay": 0.1, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}, {"momentum": 0.0, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}, {"dampening": 0.0, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.1}, {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "amsgrad": True}, {"amsgrad": False, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3}, {"weight_decay": 0.0}),
    ("RMSprop", {"alpha": 0.9}, {"centered": True, "momentum": 0.5}),
    ("Adagrad", {"lr": 0.1}, {"lr_decay": 0.1, "weight_decay": 0.1}),
]
IDS = [f"{name}-{defaults}-{own}" for name, defaults, own in CASES]
SHAPES = [(7, 9), (5,), (3, 4)]


@pytest.mark.parametrize(("name", "defaults", "own"), CASES, ids=IDS)
def test_ten_steps_in_groups_are_those_of_an_optimizer_for_each(name, defaults, own, isa, dtype):
    """Each group moves to the bit as it does alone; torch's in the same groups agree."""
    together = [nt.Parameter(normal(shape, dtype, i)) for i, shape in enumerate(SHAPES)]
    alone = [nt.Parameter(p.data.copy()) for p in together]
    leaves = [torch.tensor(p.data, requires_grad=True) for p in together]
    ours = getattr(nt, name)([{"params": together[:2]}, {"params": together[2], **own}], **defaults)
    single = [getattr(nt, name)(alone[:2], **defaults), getattr(nt, name)(alone[2:], **{**defaults, **own})]
    theirs = getattr(torch.optim, name)([{"params": leaves[:2]}, {"params": leaves[2:], **own}], **defaults)
    for step in range(10):
        for p, q, leaf in zip(together, alone, leaves, strict=True):
            # away from 0, where a step of Adam is no smaller for a smaller gradient
            p.grad = normal(p.shape, dtype, step + 10) + np.sign(p.data)
            q.grad, leaf.grad = p.grad, torch.tensor(p.grad)
        for optimizer in (ours, theirs, *single):
            optimizer.step()
    for p, q, leaf in zip(together, alone, leaves, strict=True):
        assert same_bits(p.data, q.data)
        # ten steps of about 50 roundings, of numbers below 10
        reference.assert_within(p.data, leaf.detach().numpy(), 10 * 50 * 10 * np.finfo(dtype).eps)


def _trainer(name, defaults, own, dtype="float32"):
    model = nt.Sequential(
        nt.Linear(13, 17, dtype=dtype, rng=3), nt.ReLU(), nt.Linear(17, 5, dtype=dtype, rng=4)
    )
    weights, biases = model.parameters()[::2], model.parameters()[1::2]
    optimizer = getattr(nt, name)([{"params": weights}, {"params": biases, **own}], **defaults)
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)


def _arrays(trainer):
    states = [s for all_ in trainer.optimizer.states() for s in all_ if s is not None]
    return [*(p.data for p in trainer.model.parameters()), *states]


@pytest.mark.parametrize(("name", "defaults", "own"), CASES, ids=IDS)
def test_fused_training_in_groups_equals_layer_by_layer(name, defaults, own, isa, dtype, threads):
    x, target = normal((33, 13), dtype, 1), normal((33, 5), dtype, 2)
    layered = _trainer(name, defaults, own, dtype)
    layered._stepper.engine = None
    losses = layered.fit(x, target, epochs=3, batch_size=8, rng=5).loss
    for count in (1, 2):
        nt.set_num_threads(count)
        fused = _trainer(name, defaults, own, dtype)
        assert fused.fused
        assert fused.fit(x, target, epochs=3, batch_size=8, rng=5).loss == losses
        assert all(map(same_bits, _arrays(fused), _arrays(layered)))
        assert [group["params"] for group in fused.optimizer.state_dict()["param_groups"]] == [[0, 1], [2, 3]]


def test_a_group_changes_between_steps():
    x, target = normal((8, 13), "float32", 1), normal((8, 5), "float32", 2)
    fused, layered = (_trainer("SGD", {"lr": 0.1}, {}) for _ in range(2))
    for trainer in (fused, layered):
        layered._stepper.engine = None
        trainer.step(x, target)
        trainer.optimizer.param_groups[1]["lr"] = 0.5
        trainer.optimizer.param_groups[1]["momentum"] = 0.9
        layered._stepper.engine = None
        trainer.step(x, target)
    assert all(map(same_bits, _arrays(fused), _arrays(layered)))
    assert len(_arrays(fused)) == 6
    assert fused.optimizer.lr == 0.1
    fused.optimizer.lr = 0.25
    assert [group["lr"] for group in fused.optimizer.param_groups] == [0.25, 0.25]


def test_added_group_counts_its_own_steps(dtype):
    first, second = (nt.Parameter(np.ones(3, dtype)) for _ in range(2))
    leaves = [torch.ones(3, dtype=getattr(torch, dtype.name), requires_grad=True) for _ in range(2)]
    ours, theirs = nt.Adam([first], lr=0.1), torch.optim.Adam([leaves[0]], lr=0.1)
    for step in range(4):
        if step == 2:
            ours.add_param_group({"params": [second], "lr": 0.2})
            theirs.add_param_group({"params": [leaves[1]], "lr": 0.2})
        for p, leaf in zip((first, second), leaves, strict=True):
            p.grad, leaf.grad = np.ones(3, dtype), torch.ones_like(leaf)
        ours.step()
        theirs.step()
    for p, leaf in zip((first, second), leaves, strict=True):
        reference.assert_within(p.data, leaf.detach().numpy(), 40 * np.finfo(dtype).eps)
    assert [group["steps"] for group in ours.state_dict()["param_groups"]] == [4, 2]


def test_added_group_joins_the_fused_training():
    x, target = normal((8, 13), "float32", 1), normal((8, 5), "float32", 2)
    trainer = _trainer("SGD", {"lr": 0.1}, {})
    head = nt.Linear(5, 5, rng=6)
    trainer.model.append(head)
    assert trainer.step(x, target) > 0
    assert not trainer.fused  # the head is not learned
    before = head.weight.copy()
    trainer.optimizer.add_param_group({"params": head.parameters(), "lr": 0.0})
    trainer._stepper.renew()
    assert trainer.fused
    trainer.step(x, target)
    assert same_bits(head.weight, before)


@pytest.mark.parametrize(("name", "defaults", "own"), CASES, ids=IDS)
def test_saved_groups_go_on_to_the_same_bits(name, defaults, own, tmp_path):
    x, target = normal((40, 13), "float32"), normal((40, 5), "float32", 1)
    whole, first = (_trainer(name, defaults, own) for _ in range(2))
    second = _trainer(name, {"lr": 0.5}, {})
    whole.fit(x, target, epochs=3, batch_size=8, rng=2)
    first.fit(x, target, epochs=3, batch_size=8, rng=2, max_steps=7)
    first.save(tmp_path / "trainer.safetensors")
    second.load(tmp_path / "trainer.safetensors")
    second.fit(x, target, epochs=3, batch_size=8, resume=True)
    copied = pickle.loads(pickle.dumps(copy.deepcopy(first)))
    copied.fit(x, target, epochs=3, batch_size=8, resume=True)
    for trainer in (second, copied):
        assert all(map(same_bits, _arrays(trainer), _arrays(whole)))


def test_state_of_other_groups_is_refused():
    state = _trainer("SGD", {"lr": 0.1}, {}).optimizer.state_dict()
    model = nt.Sequential(nt.Linear(13, 17), nt.Linear(17, 5))
    flat = nt.SGD(model.parameters())
    with pytest.raises(ValueError, match=r"expected groups of the parameters \[\[0, 1, 2, 3\]\], got others"):
        flat.load_state_dict(state)


def test_state_from_before_groups_is_understood():
    parameter = nt.Parameter(np.ones(2))
    sgd = nt.SGD([parameter], lr=0.1)
    options = {"lr": 0.5, "momentum": 0.9, "weight_decay": 0.0, "nesterov": True}
    sgd.load_state_dict({**options, "dampening": 0, "maximize": 0, "steps": 3, "velocity": [np.ones(2)]})
    assert (sgd.lr, sgd.momentum, sgd.nesterov, sgd.steps) == (0.5, 0.9, True, 3)
    assert sgd.velocity()[0].tolist() == [1, 1]


def test_receipt_of_groups_is_verified(tmp_path):
    x, target = normal((40, 13), "float32"), normal((40, 5), "float32", 1)
    trainer = _trainer("SGD", {"lr": 0.1, "momentum": 0.9}, {"lr": 0.01, "momentum": 0.0})
    trainer.fit(x, target, epochs=2, batch_size=8, rng=1, receipt=tmp_path / "run.json")
    assert verify(tmp_path / "run.json", (x, target)) is None
    content = json.loads((tmp_path / "run.json").read_text())
    assert content["groups"] == [[0, 2], [1, 3]]
    content["epochs"][1]["options"][1]["lr"] = 0.02
    (tmp_path / "run.json").write_text(json.dumps(content))
    assert verify(tmp_path / "run.json", (x, target)) == 2


P = nt.Parameter(np.ones(2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nt.SGD([{"params": [P]}, {"params": [P]}]), ValueError, "in one group, once"),
        (lambda: nt.SGD([P, P]), ValueError, "in one group, once"),
        (lambda: nt.SGD([{"lr": 0.1}]), TypeError, 'every group as a dict with "params"'),
        (lambda: nt.SGD([{"params": [P]}, P]), TypeError, 'every group as a dict with "params"'),
        (lambda: nt.SGD([P, {"params": [P]}]), TypeError, "expected params from model.parameters"),
        (lambda: nt.SGD(P), TypeError, "an iterable of parameters, got Parameter"),
        (lambda: nt.SGD([{"params": [P], "betas": (0, 0)}]), TypeError, r"got \['betas'\]"),
        (lambda: nt.SGD([{"params": [P], "lr": -1}]), ValueError, "SGD: expected lr >= 0, got -1"),
        (lambda: nt.Adam([{"params": [P], "betas": (0, 1)}]), ValueError, "expected beta2 < 1"),
        (lambda: nt.SGD([{"params": [P], "nesterov": True}]), ValueError, "momentum > 0 with nesterov"),
        (lambda: nt.SGD([P]).param_groups[0].update(eps=1), KeyError, "eps"),
        (lambda: nt.SGD([P]).param_groups[0].update(params=[P]), TypeError, "add_param_group"),
        (lambda: nt.SGD([P]).param_groups[0]["eps"], KeyError, "eps"),
    ],
)
def test_groups_that_cannot_be_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_group_is_a_dict():
    group = nt.Adam([P], lr=0.5, betas=(0.5, 0.75)).param_groups[0]
    assert group["betas"] == (0.5, 0.75)
    group["betas"] = (0.25, 0.5)
    assert (group["beta1"], group["beta2"]) == (0.25, 0.5)
    group["name"] = "head"
    assert dict(group)["name"] == "head"
    assert group["params"] == [P]
    assert len(list(group)) == len(group)
    del group["name"]
    assert "name" not in group
    assert "betas" in group
    assert repr(group).startswith("ParamGroup(1 parameters, {'lr': 0.5, ")
