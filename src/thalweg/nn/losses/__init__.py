"""Losses and measures, each with its gradient."""
