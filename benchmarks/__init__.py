"""Whole optimizer steps beside their rivals, in one process. `python -m benchmarks --help`."""
