"""Every public class is pickled and copied, and the copy does what the original does."""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.activations import Activation
from ne_torch.receipt import Receipt
from ne_torch.sklearn import MLPClassifier, MLPRegressor

from public_names import CLASSES
from reference_losses import CASES
from samples import normal

X = normal((12, 4), "float32")
TARGET = normal((12, 1), "float32", 1)


def half(count):
    return 0.5**count


def two_parts(epoch):
    yield X[:6] + epoch, TARGET[:6]
    yield X[6:], TARGET[6:]


def optimizer(kind=nt.SGD, **options):
    """Return an optimizer that has taken two steps, and so remembers."""
    parameter = nt.Parameter(np.ones(3))
    made = kind([parameter], **options)
    for i in range(2):
        parameter.grad = normal(3, "float64", i)
        made.step()
    return made


def lbfgs():
    parameter = nt.Parameter(np.ones(3))
    return nt.LBFGS([parameter])


def scheduler(kind, *arguments, **options):
    made = kind(nt.SGD([nt.Parameter(np.ones(3))], lr=1.0), *arguments, **options)
    made.step(*([0.5] if kind is nt.lr_scheduler.ReduceLROnPlateau else []))
    return made


def composed(kind):
    inner = nt.SGD([nt.Parameter(np.ones(3))], lr=1.0)
    parts = [nt.lr_scheduler.StepLR(inner, 2), nt.lr_scheduler.ExponentialLR(inner, 0.5)]
    milestones = [[3]] if kind is nt.lr_scheduler.SequentialLR else []
    made = kind(inner, parts, *milestones) if milestones else kind(parts)
    made.step()
    return made


def trainer():
    model = nt.Sequential(nt.Linear(4, 8, rng=0), nt.Dropout(0.2, rng=1), nt.Tanh(), nt.Linear(8, 1, rng=2))
    adam = nt.Adam(model.parameters())
    decay = nt.lr_scheduler.ExponentialLR(adam, 0.5, per_step=True)
    made = nt.Trainer(model, loss=nt.HuberLoss(), optimizer=adam, scheduler=decay, clip_grad_norm=1.0)
    made.fit(X, TARGET, epochs=2, batch_size=5, rng=0)
    return made


def trained(*callbacks, **options):
    """Return the history of a short training."""
    held_out = {"validation_data": (X, TARGET), "metrics": ["r2"]}
    return trainer().fit(X, TARGET, epochs=3, rng=0, callbacks=list(callbacks), **held_out, **options)


def used(callback):
    trained(callback)
    return callback


def parameter():
    made = nt.Parameter(np.arange(3.0))
    made.grad = np.ones(3)
    return made


def generator():
    made = nt.Generator(7)
    made.normal((5,))
    return made


def receipt():
    made, model = Receipt(), nt.Sequential(nt.Linear(4, 1, rng=0))
    sgd = nt.SGD(model.parameters(), lr=0.1)
    nt.Trainer(model, loss=nt.MSELoss(), optimizer=sgd).fit(X, TARGET, epochs=2, rng=0, receipt=made)
    return made


def fitted(kind, y):
    return kind(hidden_layer_sizes=(4,), max_iter=3, random_state=0, tol=0.0).partial_fit(X, *y)


def of_layer(layer):
    codes = np.array([[0.0, 1, 2, 1]] * 3, "float32")
    x = codes.astype(int) if isinstance(layer, nt.Embedding) else codes
    return [layer(x), layer.training, *layer.state_dict().values()]


def of_loss(loss):
    prediction = abs(normal((12, 6), "float64"))
    target = np.arange(12) % 6 if loss.takes_classes else prediction / 9
    return [loss(prediction, target), loss.backward()]


def of_optimizer(made):
    for param in made.params:
        param.grad = np.full(3, 0.25)
    if isinstance(made, nt.LBFGS):
        made.step(lambda: float(sum(np.square(param.data).sum() for param in made.params)))
        return [param.data for param in made.params]
    made.step()
    return [made.state_dict(), *(param.data for param in made.params)]


def of_scheduler(made):
    made.step(*([0.75] if isinstance(made, nt.lr_scheduler.ReduceLROnPlateau) else []))
    rates = [group["lr"] for group in made.optimizer.param_groups]
    return [rates, made.last_epoch if hasattr(made, "last_epoch") else None]


def of_trainer(made):
    history = made.fit(X, TARGET, epochs=4, batch_size=5, resume=True)
    return [history.loss, made.step(X, TARGET), *made.model.state_dict().values()]


def of_estimator(made):
    return [made.predict(X), made.partial_fit(X, made.predict(X)).predict(X), *made.coefs_]


LAYERS = {
    **{name: getattr(nt, name) for name, kind in CLASSES.items() if issubclass(kind, Activation)},
    "LogSoftmax": nt.LogSoftmax,
    "Softmax": nt.Softmax,
    "BatchNorm1d": lambda: nt.BatchNorm1d(4),
    "Dropout": lambda: nt.Dropout(0.5, rng=0),
    "Embedding": lambda: nt.Embedding(3, 2, rng=0),
    "LayerNorm": lambda: nt.LayerNorm(4),
    "Linear": lambda: nt.Linear(4, 2, rng=0),
    "Residual": lambda: nt.Residual(nt.Linear(4, 4, rng=0)).eval(),
    "Sequential": lambda: nt.Sequential(nt.Linear(4, 2, rng=0), nt.ReLU()),
    "TabularEmbedding": lambda: nt.TabularEmbedding(4, {1: (3, 2)}, rng=0),
}
LOSSES = {case.exported: case.ours for case in CASES}
OPTIMIZERS = {
    "SGD": lambda: optimizer(nt.SGD, lr=0.1, momentum=0.9),
    "LBFGS": lbfgs,
    **{
        name: lambda name=name: optimizer(getattr(nt, name))
        for name in ("Adagrad", "Adam", "AdamW", "RMSprop")
    },
}
S = nt.lr_scheduler
SCHEDULERS = {
    "CosineAnnealingLR": lambda: scheduler(S.CosineAnnealingLR, 5),
    "ExponentialLR": lambda: scheduler(S.ExponentialLR, 0.5),
    "LambdaLR": lambda: scheduler(S.LambdaLR, half),
    "LinearLR": lambda: scheduler(S.LinearLR),
    "MultiStepLR": lambda: scheduler(S.MultiStepLR, [2]),
    "OneCycleLR": lambda: scheduler(S.OneCycleLR, 1.0, total_steps=9),
    "ReduceLROnPlateau": lambda: scheduler(S.ReduceLROnPlateau, patience=0),
    "StepLR": lambda: scheduler(S.StepLR, 2),
    "ChainedScheduler": lambda: composed(S.ChainedScheduler),
    "SequentialLR": lambda: composed(S.SequentialLR),
}
OTHERS = {
    "ArrayBatches": (
        lambda: nt.data.batches(X, batch_size=5, rng=0), lambda made: [*made, *made, len(made)]),
    "Batches": (
        lambda: nt.data.Batches(two_parts, steps=1), lambda made: [b for e in (0, 1) for b in made.epoch(e)]),
    "CSVLogger": (lambda: used(nt.callbacks.CSVLogger("log.csv")), lambda made: [made.state_dict()]),
    "Callback": (nt.callbacks.Callback, lambda made: [made.state_dict(), made.monitor]),
    "Dataset": (lambda: nt.datasets.Dataset("of", X, TARGET, X, TARGET, (2, 2)), list),
    "EarlyStopping": (
        lambda: used(nt.callbacks.EarlyStopping()), lambda made: [made.best, trained(made).loss, made.best]),
    "Generator": (generator, lambda made: [made.position, made.normal((5,)), made.permutation(9)]),
    "History": (trained, lambda made: [repr(made), made.columns(), made.validation_r2]),
    "ModelCheckpoint": (
        lambda: used(nt.callbacks.ModelCheckpoint("model.safetensors", monitor="validation_loss")),
        lambda made: [made.state_dict(), made.monitor]),
    "Parameter": (parameter, lambda made: [made.data, made.grad]),
    "Predictor": (lambda: trainer().model.freeze("int8"), lambda made: [repr(made), made(X)]),
    "Receipt": (receipt, lambda made: [made.content]),
    "Scaled": (
        lambda: nt.data.Scaled(np.arange(6, dtype="uint8").reshape(2, 3), 0.5, [1.0, 2.0, 3.0]),
        lambda made: [made[:], made.dtype]),
    "Trainer": (trainer, of_trainer),
    "MLPClassifier": (lambda: fitted(MLPClassifier, (np.arange(12) % 3, None, [0, 1, 2])), of_estimator),
    "MLPRegressor": (lambda: fitted(MLPRegressor, (TARGET[:, 0],)), of_estimator),
}  # fmt: skip
BASES = {"Layer", "Loss", "LRScheduler", "Optimizer"}  # whose instances are those of the classes below them
TABLE = {
    **{name: (make, of_layer) for name, make in LAYERS.items()},
    **{name: (make, of_loss) for name, make in LOSSES.items()},
    **{name: (make, of_optimizer) for name, make in OPTIMIZERS.items()},
    **{name: (make, of_scheduler) for name, make in SCHEDULERS.items()},
    **OTHERS,
}
WAYS = {"pickle": lambda made: pickle.loads(pickle.dumps(made)), "deepcopy": copy.deepcopy}


def assert_equal(ours, theirs):
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_equal(one, other)
    else:
        np.testing.assert_array_equal(ours, theirs)


def test_every_public_class_is_in_the_table():
    assert set(TABLE) | BASES == set(CLASSES)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TABLE)
def test_a_copy_does_what_the_original_does(name, way, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, what_it_does = TABLE[name]
    original = make()
    assert type(original) is CLASSES[name]
    twin = WAYS[way](original)
    assert type(twin) is type(original)
    if not name.startswith("MLP"):  # they tell arguments only
        assert repr(twin).partition(" at 0x")[0] == repr(original).partition(" at 0x")[0]
    expected = what_it_does(original)
    assert expected
    assert_equal(what_it_does(twin), expected)


@pytest.mark.parametrize("name", TABLE)
def test_a_shallow_copy_is_of_the_same_kind(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    original = TABLE[name][0]()
    twin = copy.copy(original)
    assert type(twin) is type(original)
    assert repr(twin).partition(" at 0x")[0] == repr(original).partition(" at 0x")[0]
