"""Where trials are kept, and what each is known by."""
