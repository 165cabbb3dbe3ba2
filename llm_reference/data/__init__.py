"""Training text: what it says, where it comes from, and what it is worth."""
