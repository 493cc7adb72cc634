"""Momentum and Adam that see a tensor as a whole: its norm, its root mean square, or its angle to the momentum."""
