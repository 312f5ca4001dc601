"""Mandarin tones: spoken syllables, none of which training has heard in any tone."""

from headway.data.corpora._gcin_voice import GcinVoice, Syllable


class MandarinTones(GcinVoice):
    title = "Mandarin tones (sound to tone)"
    question = "classify"
    about = "2,358 recordings by two voices, 14 minutes; the tone of each, 1 to 5, where 5 is the neutral tone."
    recipe = "A folder's name is the syllable in zhuyin with its tone; the tone is the label."

    def target(self, syllable: Syllable) -> str:
        return syllable.tone
