"""Adam and its descendants: an average of gradients over the root of an average of their squares."""
