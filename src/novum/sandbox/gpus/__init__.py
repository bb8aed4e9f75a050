"""GPUs: which there are, who holds them, and what a job that holds some is shown."""
