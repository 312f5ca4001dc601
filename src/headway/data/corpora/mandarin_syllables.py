"""Mandarin sound to symbols: spoken syllables, written in zhuyin."""

from headway.data.corpora._gcin_voice import GcinVoice, Syllable


class MandarinSyllables(GcinVoice):
    title = "Mandarin syllables (sound to zhuyin)"
    question = "transduce"
    about = "2,358 recordings of 414 syllables by two voices, 14 minutes; the symbols of each, without the tone."
    recipe = (
        "A folder's name is the syllable in zhuyin with its tone. The tone is cut off, and the symbols are parted by "
        "blanks."
    )

    def target(self, syllable: Syllable) -> str:
        return " ".join(syllable.base)
