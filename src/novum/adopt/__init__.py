"""Reading a training script that somebody already has: its settings, its seed, and the score that it prints."""
