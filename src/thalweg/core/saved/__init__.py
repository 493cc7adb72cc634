"""State files: parameters and state of an optimizer by name, in one file that each face writes and reads."""
