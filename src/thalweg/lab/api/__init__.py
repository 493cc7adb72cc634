"""The Python interface: `lab.compare`, which the command line calls too."""
