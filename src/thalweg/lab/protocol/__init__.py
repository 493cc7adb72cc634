"""What a fair comparison is: how many trials at which settings, and how they are looked for."""
