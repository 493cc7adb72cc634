"""What the trials say, with its uncertainty."""
