"""What is done between the epochs of ``Trainer.fit``: stopping early, files, tables, anything of your own."""

from ne_torch.callbacks.callback import Callback
from ne_torch.callbacks.csv_logger import CSVLogger
from ne_torch.callbacks.early_stopping import EarlyStopping
from ne_torch.callbacks.model_checkpoint import ModelCheckpoint

__all__ = ["CSVLogger", "Callback", "EarlyStopping", "ModelCheckpoint"]
