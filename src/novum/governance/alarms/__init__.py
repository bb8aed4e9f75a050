"""What the watchdog looks for: a file for each family of alarms."""
