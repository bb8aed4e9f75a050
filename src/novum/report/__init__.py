"""What we say: summaries, progress, findings and the study report."""
