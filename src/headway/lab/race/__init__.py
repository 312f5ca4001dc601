"""A race of trained runs and of the ways in which they write: quality, latency and throughput, side by side.

Measured as Helcl et al. (2022) and Kasai et al. (2021) ask for: the same machine, threads and data for all; latency one
sentence after another with everything that belongs to an answer; throughput at the best batch; calls of a decoder,
which no machine changes; quality by the field's scorers beside what goes wrong where everything is written at once.
"""

from headway.lab.race.racing import race
from headway.lab.race.results import Results

__all__ = ["Results", "race"]
