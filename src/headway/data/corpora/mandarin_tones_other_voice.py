"""Mandarin tones of a voice that training has never heard: one speaker to learn from, another to be tested on."""

from headway.data.corpora import Shares
from headway.data.corpora._gcin_voice import GcinVoice, Syllable

TESTED = "speaker 5"


class MandarinTonesOtherVoice(GcinVoice):
    title = "Mandarin tones of another voice (sound to tone)"
    question = "classify"
    about = "1,200 recordings by one voice to learn from, 1,158 by another as the test; the tone of each, 1 to 5."
    recipe = "A folder's name is the syllable in zhuyin with its tone; the tone is the label, the test is speaker 5."
    split_by = "syllable without its tone, of speaker 3 (speaker 5 is the test)"
    shares = Shares(0.9, 0.1, 0.0)

    def target(self, syllable: Syllable) -> str:
        return syllable.tone

    def group(self, syllable: Syllable) -> str:
        return TESTED if syllable.speaker == "5" else syllable.base

    def part(self, group: str) -> str:
        return "test" if group == TESTED else super().part(group)
