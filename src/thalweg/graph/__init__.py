"""A whole step as a graph, and what is derived from it: program, cost, formula."""
