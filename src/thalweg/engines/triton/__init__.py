"""The printed step as a Triton kernel, for CUDA."""
