"""The blind rediscovery battery: known answers are hidden from the lab, and it is told what it found."""
