"""Which trials a comparison needs, what they will take, and the run itself."""
