"""`python -m thalweg`: the command line, where its script is not on the path."""

import os
import sys

if sys.path[:1] == [os.getcwd()] and not os.path.isdir("thalweg"):
    del sys.path[0]  # a user's types.py there is none of Python's

from thalweg.commands.cli import main

main(prog_name="thalweg")
