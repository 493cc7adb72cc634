"""Rules that go on from an average of their points."""
