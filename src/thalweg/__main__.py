"""`python -m thalweg`: the command line, for when its script is not on the path."""

import os
import sys

try:
    here = os.getcwd()
except OSError:  # the folder has been deleted
    here = ""
if sys.path[:1] == [here] and not os.path.isdir("thalweg"):
    del sys.path[0]  # so that a user's types.py in this folder does not shadow Python's

from thalweg.commands.cli import main

main(prog_name="thalweg")
