"""A program as a Triton kernel, for CUDA."""
