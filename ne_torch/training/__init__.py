"""The machinery of Trainer.fit: its arguments, its epochs and steps, the place where it stands."""
