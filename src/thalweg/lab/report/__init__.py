"""The results of a comparison as a dict, a table and an HTML page."""
