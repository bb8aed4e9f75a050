"""What a job may use: limits of the kernel, sums that are looked at, and the words for a limit that was met."""
