"""No public class is forgotten: each stands in a table of lives, or here with the test that has it live."""

from pathlib import Path

import ne_torch as nt
from ne_torch import datasets, receipt, sklearn
from ne_torch.clipping import Clipping

from public_classes import LAYERS, LOSSES, OPTIMIZERS, SCHEDULERS
from public_names import public_classes

BASES = {nt.Layer, nt.losses.Loss, nt.Optimizer, nt.lr_scheduler.LRScheduler, nt.callbacks.Callback}
TABLES = {
    "test_life_layers.py": {*LAYERS},
    "test_life_losses.py": {*LOSSES},
    "test_life_optimizers.py": {*OPTIMIZERS, nt.LBFGS, nt.Parameter},
    "test_life_schedulers.py": {*SCHEDULERS},
    "test_life_data.py": {nt.data.Scaled, nt.data.Batches, nt.data.ArrayBatches, nt.Generator},
    "test_life_trainer.py": {nt.Trainer, nt.History},
    "test_life_callbacks.py": {
        nt.callbacks.CSVLogger,
        nt.callbacks.EarlyStopping,
        nt.callbacks.ModelCheckpoint,
    },
    "test_life_estimators.py": {sklearn.MLPClassifier, sklearn.MLPRegressor},
    "test_layer_life.py": {nt.Sequential, nt.Predictor},
    # not by hypothesis: a record that random mutations hit, tuples of values
    "test_file_safety.py": {receipt.Receipt},
    "test_datasets.py": {datasets.Dataset},
    "test_clipping.py": {Clipping},
}


def test_every_public_class_has_a_life():
    assert set().union(BASES, *TABLES.values()) == public_classes()


def test_the_files_of_lives_are_there():
    here = Path(__file__).parent
    assert (
        {path.name for path in here.glob("test_life_*.py")}
        <= set(TABLES)
        <= {path.name for path in here.glob("test_*.py")}
    )
