"""What to do next: decisions over the state, and the loop that acts on them."""
