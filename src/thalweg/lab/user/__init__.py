"""Rules, problems and data files of the user's."""
