"""Who computes what: other libraries' optimizers, as far as they are installed, beside the papers and beside their dialects."""
