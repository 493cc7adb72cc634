"""Adam and what grew from it: an average of gradients over the root of one of their squares."""
