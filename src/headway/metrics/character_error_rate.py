"""Character error rate: how many characters must be changed, as a share of the characters that should be there."""

from headway.metrics._error_rate import ErrorRate


class CharacterErrorRate(ErrorRate):
    """(substitutions + deletions + insertions) / characters of the reference; blanks inside count too."""

    process = "process_characters"
