"""Train and eval mode, and buffers: through containers, copies, files and a trainer."""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest

from samples import normal, same_bits


class Counting(nt.Layer):
    """Counts its forward passes: in ``seen`` those in train mode, in ``calls`` all of them."""

    def __init__(self):
        self.seen, self.calls, self.modes = np.zeros((), np.int64), np.zeros(2, np.uint64), []

    def forward(self, x):
        self.seen[...] += self.training
        self.calls[0] += np.uint64(1)
        self.modes.append(self.training)
        return x

    def backward(self, grad_output):
        return grad_output

    def named_buffers(self, persistent_only=False):
        return {"seen": self.seen} if persistent_only else {"seen": self.seen, "calls": self.calls}


class Bare:
    """Has nothing but what Sequential asks for."""

    def forward(self, x):
        return x

    def backward(self, grad_output):
        return grad_output


def make():
    return nt.Sequential(Counting(), nt.Sequential(nt.Linear(3, 2, rng=0), Counting()), Bare())


def test_mode_reaches_inner_layers():
    model = make()
    assert model.training
    assert model[1][1].training
    assert model.eval() is model
    assert not any(layer.training for layer in (model, model[0], model[1], model[1][0], model[1][1]))
    assert model.train() is model
    assert all(layer.training for layer in (model, model[0], model[1], model[1][0], model[1][1]))
    model[1].eval()
    assert (model[0].training, model[1][1].training) == (True, False)


def test_buffers_are_named_as_parameters_are():
    model = make()
    assert list(model.named_buffers()) == ["0.seen", "0.calls", "1.1.seen", "1.1.calls"]
    assert list(model.named_buffers(persistent_only=True)) == ["0.seen", "1.1.seen"]
    assert model.named_buffers()["1.1.calls"] is model[1][1].calls
    assert sorted(model.state_dict()) == ["0.seen", "1.0.bias", "1.0.weight", "1.1.seen"]
    assert model.state_dict()["0.seen"].dtype == np.int64


def test_buffers_are_loaded_in_place():
    model, seen = make(), np.int64(7)
    array = model[0].seen
    model.load_state_dict({**model.state_dict(), "0.seen": seen})
    assert (int(array), int(model[1][1].seen)) == (7, 0)


@pytest.mark.parametrize(("value", "error"), [(1.0, TypeError), ([1, 2], ValueError)])
def test_wrong_buffer_changes_nothing(value, error):
    model = make()
    before = model.state_dict()
    with pytest.raises(error, match=r"1\.1\.seen"):
        model.load_state_dict({**{name: array + 1 for name, array in before.items()}, "1.1.seen": value})
    assert all(same_bits(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_keep_mode_and_buffers(duplicate):
    model = make().eval()
    model[1].train()
    model(np.zeros((1, 3), "float32"))
    other = duplicate(model)
    assert (other.training, other[0].training, other[1].training) == (False, False, True)
    assert (int(other[1][1].seen), int(other[1][1].calls[0])) == (1, 1)
    assert other[1][1].seen is not model[1][1].seen


def trained(model):
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    return trainer, normal((6, 3), "float32"), normal((6, 2), "float32", 1)


def test_trainer_trains_in_train_mode_and_evaluates_in_eval_mode():
    model = make().eval()
    model[0].train()
    trainer, x, target = trained(model)
    trainer.step(x, target)
    trainer.evaluate(x, target)
    trainer.fit(x, target, batch_size=3, validation_data=(x, target))
    validation = [False]
    expected = [True, False, *validation, True, True, *validation]  # fit tries validation_data beforehand
    assert model[1][1].modes == model[0].modes == expected
    assert (model.training, model[0].training, model[1][1].training) == (False, True, False)


def test_trainer_restores_modes_after_an_error():
    model = make()
    trainer, x, target = trained(model)
    with pytest.raises(ValueError, match="shape"):
        trainer.evaluate(x, target[:, :1])
    assert model[0].training
    model.eval()
    with pytest.raises(ValueError, match="shape"):
        trainer.step(x, target[:, :1])
    assert not model[1][1].training


def test_failed_step_leaves_buffers_as_they_were():
    trainer, x, target = trained(make())
    trainer.step(x, target)
    before = {name: array.copy() for name, array in trainer.model.named_buffers().items()}
    with pytest.raises(ValueError, match="shape"):
        trainer.step(x, target[:, :1])
    assert all(same_bits(array, before[name]) for name, array in trainer.model.named_buffers().items())


def test_trainer_saves_all_buffers(tmp_path):
    trainer, x, target = trained(make())
    trainer.step(x, target)
    trainer.save(tmp_path / "run.safetensors")
    other, *_ = trained(make())
    other.load(tmp_path / "run.safetensors")
    assert [int(array.flat[0]) for array in other.model.named_buffers().values()] == [1, 1, 1, 1]


def test_trainer_loads_files_without_passing_buffers(tmp_path, monkeypatch):
    trainer, x, target = trained(make())
    trainer.step(x, target)
    with monkeypatch.context() as patch:
        patch.setattr("ne_torch.checkpoint._passing_buffers", lambda _: {})
        trainer.save(tmp_path / "run.safetensors")
    other, *_ = trained(make())
    other.load(tmp_path / "run.safetensors")
    assert [int(array.flat[0]) for array in other.model.named_buffers().values()] == [1, 0, 1, 0]


def test_trainer_refuses_a_buffer_of_another_shape(tmp_path):
    trainer, *_ = trained(make())
    trainer.model[0].calls = np.zeros(3, np.uint64)
    trainer.save(tmp_path / "run.safetensors")
    other, *_ = trained(make())
    before = other.model.state_dict()
    with pytest.raises(ValueError, match=r"0\.calls of shape \(2,\), got \(3,\)"):
        other.load(tmp_path / "run.safetensors")
    assert all(same_bits(value, before[name]) for name, value in other.model.state_dict().items())
