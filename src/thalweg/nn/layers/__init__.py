"""Layers with their gradients, a file for each kind."""
