"""The loop, and what belongs to it: optimizer, schedule, averaging, checkpoints, progress, report."""
