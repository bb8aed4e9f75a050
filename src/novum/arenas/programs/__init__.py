"""Learning algorithms as programs of a few instructions: what predicts, and what learns, on tasks of many kinds."""
