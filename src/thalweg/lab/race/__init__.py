"""`thalweg race`: optimizers on one surface from the same start, drawn as a picture, an animation or a page."""
