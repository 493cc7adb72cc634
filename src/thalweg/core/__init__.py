"""What passes through a step: stages of every kind, how they are joined, and the optimizer that moves the parameters."""
