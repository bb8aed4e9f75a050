"""Trials on the nodes of a Slurm site: jobs that run `novum worker`, kept running while there is work."""
