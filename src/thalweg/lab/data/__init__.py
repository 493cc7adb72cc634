"""The interface of problems, and the data that they use."""
