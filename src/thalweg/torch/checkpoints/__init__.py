"""Checkpoints: checks of a `state_dict`, and state files that all faces read."""
