"""What sound costs before a model hears it."""
