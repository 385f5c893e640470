"""Activations: element by element, or over the last axis."""

# By the families' own __all__, so that a new one is exported by its line there.
from ne_torch.activations.activation import Activation as Activation
from ne_torch.activations.exponential import *  # noqa: F403
from ne_torch.activations.rectifiers import *  # noqa: F403
from ne_torch.activations.sigmoidal import *  # noqa: F403
from ne_torch.activations.softmax import *  # noqa: F403
