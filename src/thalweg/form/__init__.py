"""Signatures of rules, and what one run on symbols reveals."""
