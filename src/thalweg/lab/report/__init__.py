"""The answer as a dict, a table and a page."""
