"""The store of trials, and the identity of a trial."""
