"""The trials of a comparison, the forecast of their duration, and the run itself."""
