"""A step for each coordinate, from the size of the gradients it has seen."""
