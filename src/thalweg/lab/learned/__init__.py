"""How the learned optimizer was trained."""
