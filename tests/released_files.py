"""What tests/fixtures keeps files of, for each released version: how they are written, and what they give."""

from pathlib import Path

import ne_torch as nt
import numpy as np

from samples import normal
from test_model_file import every_layer, inputs

FIXTURES = Path(__file__).parent / "fixtures"
X, TARGET = normal((30, 4), "float32"), normal((30, 2), "float32", 1)
CODES = np.array([[0, 6, 2], [5, 1, 0]])
ROWS = np.array([[0, 0.5, 4, -1], [6, -2, 0, 0.25]], "float32")


def model():
    made = every_layer()
    made(inputs("float32"))  # running statistics
    return made.eval()


def embedding():
    table = nt.Embedding(7, 3, padding_idx=2, rng=0)
    return nt.Sequential(table, nt.Residual(nt.Linear(3, 3, rng=1), nt.GELU())).eval()


def trainer():
    """Return one that remembers much: groups, states, a schedule, streams and buffers."""
    layers = [
        nt.Linear(4, 6, rng=0),
        nt.BatchNorm1d(6),
        nt.Tanh(),
        nt.Dropout(0.25, rng=1),
        nt.Linear(6, 2, rng=2),
    ]
    made = nt.Sequential(*layers)
    groups = [{"params": made[:2].parameters(), "lr": 0.02}, {"params": made[2:].parameters()}]
    optimizer = nt.AdamW(groups, lr=0.01, amsgrad=True)
    scheduler = nt.lr_scheduler.OneCycleLR(optimizer, max_lr=[0.02, 0.05], total_steps=60)
    return nt.Trainer(made, loss=nt.HuberLoss(), optimizer=optimizer, scheduler=scheduler, clip_grad_norm=1.0)


def train(made, **options):
    """Go through some steps of a training; return what it has come to."""
    stopping = nt.callbacks.EarlyStopping(patience=9, restore_best_weights=False)
    held_out = {"validation_data": (X, TARGET), "metrics": ["r2"], "callbacks": [stopping]}
    history = made.fit(X, TARGET, epochs=6, batch_size=7, **held_out, **options)
    arrays = [np.ravel(array) for array in made.model.state_dict().values()]
    recorded = [history.loss, history.validation_loss, history.validation_r2, [stopping.best]]
    return np.concatenate([*arrays, *recorded]).astype("float64")


def save_trainer(path):
    made = trainer()
    train(made, rng=3, max_steps=12)
    made.save(path)


def resume_trainer(path):
    made = trainer()
    made.load(path)
    return train(made, resume=True)


def predictor(weights):
    layers = [
        nt.Linear(4, 20, rng=0),
        nt.LayerNorm(20),
        nt.GELU(),
        nt.Residual(nt.Linear(20, 20, rng=1), nt.ReLU()),
    ]
    return nt.Sequential(*layers, nt.Linear(20, 3, rng=2), nt.Softmax()).freeze(weights)


def categories():
    table = nt.TabularEmbedding(4, {0: (7, 3), 2: (5, 2)}, rng=0)
    return nt.Sequential(table, nt.Linear(7, 6, rng=1), nt.ReLU(), nt.Linear(6, 3, rng=2)).freeze()


KINDS = {
    "model": (lambda path: model().save(path), lambda path: nt.load(path)(inputs("float32"))),
    "embedding": (lambda path: embedding().save(path), lambda path: nt.load(path)(CODES)),
    "trainer": (save_trainer, resume_trainer),
    **{
        f"predictor-{weights}": (
            lambda path, weights=weights: predictor(weights).save(path),
            lambda path: nt.load_predictor(path, verify=True)(X),
        )
        for weights in ("same", "bfloat16", "int8")
    },
    "predictor-categories": (
        lambda path: categories().save(path),
        lambda path: nt.load_predictor(path, verify=True)(ROWS),
    ),
}
