"""Basic data types: arrays of three frameworks, numbers, symbols, and trees of them."""
