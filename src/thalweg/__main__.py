"""`python -m thalweg`: the command line, for when its script is not on the path."""

import contextlib
import os
import sys

here = None
with contextlib.suppress(OSError):  # the folder may have been deleted
    here = os.getcwd()
if sys.path[:1] == [here] and not os.path.isdir("thalweg"):
    del sys.path[0]  # so that a user's types.py in this folder does not shadow Python's

from thalweg.commands.cli import main

main(prog_name="thalweg")
