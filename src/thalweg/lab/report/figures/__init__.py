"""The report's figures as inline SVG, one file each."""
