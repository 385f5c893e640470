"""One peer a file. trainer(net) returns (run, loss): run(n) trains n steps, loss() is the loss right now.

All compute the same: MSE over all elements, ReLU between layers, SGD, float32, from the same parameters.
"""

LEARNING_RATE = 1e-3
