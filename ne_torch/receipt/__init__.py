"""Receipts: a training that anybody can repeat, and check epoch by epoch, on any machine.

``trainer.fit(..., receipt="run.json")`` keeps a chain of SHA-256 hashes::

    hash[0] = SHA-256(header)                                  what determines the training
    hash[e] = SHA-256(hash[e - 1], options of epoch e, loss, state after epoch e)

The state is what is learned, kept in buffers, and remembered by the optimizer. The header names the version
of the arithmetic (docs/reproducibility.md), the layers, the loss, the optimizer, the options of ``fit``, the
stream of orders, and the hashes of the data and of the initial state, which is in the file as well, so that::

    python -m ne_torch.receipt verify run.json [--data arrays.npz]

trains again and confirms every epoch, or names the first that differs. Data are found by the name that
``Receipt(path, source="mnist")`` gave, or in an .npz file with the arrays ``x`` and ``target``.
"""

from ne_torch.receipt.chain import ARITHMETIC, state_hash
from ne_torch.receipt.record import Receipt
from ne_torch.receipt.repeat import verify

__all__ = ["ARITHMETIC", "Receipt", "state_hash", "verify"]
