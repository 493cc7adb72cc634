"""`python -m thalweg`: the command line, where its script is not on the path."""

from thalweg.cli import main

main(prog_name="thalweg")
