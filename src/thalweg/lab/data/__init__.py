"""What a problem is, and the data that problems are made of."""
