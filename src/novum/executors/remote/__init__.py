"""Trials on machines that dial in: `novum worker` on their side, leases with fences on the lab's."""
