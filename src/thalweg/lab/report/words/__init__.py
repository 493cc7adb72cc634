"""What a report says in whole sentences."""
