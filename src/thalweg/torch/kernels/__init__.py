"""Torch's parameters and state bound to kernels: looked at and looked up at each step, and nothing copied."""
