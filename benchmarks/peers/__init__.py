"""One peer a file. trainer(net) returns (run, loss): run(n) trains n steps, loss() is the loss right now.

All compute the same, what the net says, in float32, from the same parameters.
"""

LEARNING_RATE = 1e-3
