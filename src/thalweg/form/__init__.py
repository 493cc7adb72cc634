"""What a rule's signature says, and what one run of it on symbols tells."""
