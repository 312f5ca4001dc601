"""Modules that hold weights: what an encoder and a decoder are made of."""
