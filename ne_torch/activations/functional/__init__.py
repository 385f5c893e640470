"""Activations of plain arrays, for ``ne_torch.functional``: x is the input of the forward pass throughout."""

from ne_torch.activations.functional import exponential, rectifiers, sigmoidal, softmax
from ne_torch.activations.functional.exponential import *  # noqa: F403 - the families' exports are ours
from ne_torch.activations.functional.rectifiers import *  # noqa: F403
from ne_torch.activations.functional.sigmoidal import *  # noqa: F403
from ne_torch.activations.functional.softmax import *  # noqa: F403

__all__: list[str] = []
__all__ += [*exponential.__all__, *rectifiers.__all__, *sigmoidal.__all__, *softmax.__all__]
