"""The version of headway, and the version of the run folder's format that it writes."""

__version__ = "0.1.0"

RUN_FORMAT = 1
"""Written into every run folder; a later headway reads every earlier number."""
INDEX_FORMAT = 1
"""Written into every folder of prepared data, in the same way."""
