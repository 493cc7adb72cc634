"""Rules that were trained instead of designed."""
