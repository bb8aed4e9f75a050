"""On what it is measured: one folder per arena, the same files in each."""
