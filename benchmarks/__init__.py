"""Measures ne_torch beside torch, JAX and NumPy: `python -m benchmarks`."""
