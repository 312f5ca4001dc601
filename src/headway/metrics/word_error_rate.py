"""Word error rate: how many words must be changed, as a share of the words that should be there."""

from headway.metrics._error_rate import ErrorRate


class WordErrorRate(ErrorRate):
    """(substitutions + deletions + insertions) / words of the reference; words are what blanks part."""

    process = "process_words"
