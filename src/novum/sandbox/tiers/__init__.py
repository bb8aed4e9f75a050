"""Ways to run a job, by strength: namespaces, Landlock, and none."""
