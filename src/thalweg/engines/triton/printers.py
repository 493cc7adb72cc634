"""The printers of CUDA's kernels."""

from __future__ import annotations

from thalweg.engines.drawn import Printers
from thalweg.engines.triton import kernel, reductions, sums

TRITON = Printers(kernel.printed, sums.printed, reductions.printed)
