"""Experiments around a run: what it is compared with, and what is made of several runs."""
