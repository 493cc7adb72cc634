"""Execution of trials: processes and clusters, and the handling of hangs and crashes."""
