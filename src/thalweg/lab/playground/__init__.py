"""The playground: optimizers in a web page, whose steps are printed from the rules."""
