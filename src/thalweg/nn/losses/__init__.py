"""Losses with their gradients, and metrics."""
