"""The passes before the one that writes: what they sum up, what they reduce to rows and columns, and what is made of these."""
