"""What a program calls: `lab.compare`, which the command line calls too."""
