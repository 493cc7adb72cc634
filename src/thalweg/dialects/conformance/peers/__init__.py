"""A file for each library: how a walk with one of its optimizers is made. Each imports its library only when it walks."""
