"""A whole step as a graph, and its readings: program, cost, formula."""
