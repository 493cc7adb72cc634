"""Imports matplotlib whatever MPLBACKEND says: figures are drawn without pyplot, so its backend does not matter here.

Jupyter hands `MPLBACKEND=module://matplotlib_inline.backend_inline` to programs whose environment may not have that module. The
user's own pyplot, if any, has the backend that the variable names.
"""

from __future__ import annotations

import contextlib
import os
import sys

is_first = "matplotlib" not in sys.modules
asked = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib
finally:
    if asked is not None:
        os.environ["MPLBACKEND"] = asked
if is_first and asked:
    with contextlib.suppress(ValueError):
        matplotlib.rcParams["backend"] = asked
