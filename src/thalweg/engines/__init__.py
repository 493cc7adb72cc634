"""Engines: what runs a rule's trace as one compiled loop."""
