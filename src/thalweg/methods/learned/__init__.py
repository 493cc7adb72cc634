"""Rules that were trained rather than thought of."""
