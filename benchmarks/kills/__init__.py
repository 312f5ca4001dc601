"""Trainings that are killed at random moments and resumed, against the same trainings left alone, byte for byte."""
