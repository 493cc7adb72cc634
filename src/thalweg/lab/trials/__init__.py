"""Trials as they run, many as lanes of one array."""
