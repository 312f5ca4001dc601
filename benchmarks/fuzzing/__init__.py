"""Fuzzing of what reads files of users."""
