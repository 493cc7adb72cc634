"""Execution of trials as lanes of arrays."""
