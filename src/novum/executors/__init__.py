"""Where trials run: one file per variant (inline, local) and what they share. See README.md."""
