"""`python -m thalweg`: the command line, for when its script is not on the path."""

import os
import sys

if sys.path[:1] == [os.getcwd()] and not os.path.isdir("thalweg"):
    del sys.path[0]  # so that a user's types.py in this folder does not shadow Python's

from thalweg.commands.cli import main

main(prog_name="thalweg")
