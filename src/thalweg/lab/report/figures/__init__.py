"""The report's figures, one file each: from the results to inline SVG."""
