"""The user's own rules, problems and data files."""
