"""The numerics of fits: sums of powers by variable projection and by Huber's loss, their precision and profiles."""
