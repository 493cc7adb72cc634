"""Momentum and Adam that see a tensor as a whole: its root mean square, or its angle to the momentum."""
