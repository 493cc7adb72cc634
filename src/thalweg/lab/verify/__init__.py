"""`thalweg lab verify`: check the lab against a published leaderboard, closed forms and its own guarantees."""
