"""Activations that are one node of ONNX, there and back: its operator, its options with their defaults."""

from __future__ import annotations

from ne_torch.activations import ELU, GELU, Identity, LeakyReLU, ReLU, Sigmoid, Tanh

__all__ = ["ACTIVATIONS"]

ACTIVATIONS: dict[type, tuple[str, dict[str, tuple[str, float | str]]]] = {
    ELU: ("Elu", {"alpha": ("alpha", 1.0)}),
    GELU: ("Gelu", {"approximate": ("approximate", "none")}),
    Identity: ("Identity", {}),
    LeakyReLU: ("LeakyRelu", {"negative_slope": ("alpha", 0.01)}),
    ReLU: ("Relu", {}),
    Sigmoid: ("Sigmoid", {}),
    Tanh: ("Tanh", {}),
}
