"""Text: canonical JSON, cleaning, secrets, formatting."""
