"""Layers, one idea a file, each with its gradient."""
