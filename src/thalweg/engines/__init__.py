"""Engines: run a rule's trace as one compiled loop."""
