"""Phone error rate: how many symbols must be changed, as a share of the symbols that should be there."""

from headway.metrics._error_rate import ErrorRate


class PhoneErrorRate(ErrorRate):
    """(substitutions + deletions + insertions) / symbols of the nearest reference; symbols are what blanks part.

    With several pronunciations of a word the nearest counts, as is usual in work on spelling to sound (Yao & Zweig
    2015, arXiv 1506.00196). A symbol is to it what a word is to the word error rate, so jiwer aligns both alike.
    """

    process = "process_words"
