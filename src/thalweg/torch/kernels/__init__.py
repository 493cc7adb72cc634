"""torch's parameters and state bound to kernels: checked and looked up at each step, never copied."""
