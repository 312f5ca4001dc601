"""What writing all at once costs in quality, at equal time: every decoder, raw, glancing and distilled.

    python -m benchmarks.nat.quality                       all of them
    python -m benchmarks.nat.quality cmudict_decoder       one; --jobs 2 trains two cells side by side
    python -m benchmarks.nat.quality --write               docs/nat.md from the tables that are there

Each row is named by its decoder and answers in that decoder's first mode: greedy for the autoregressive one, nat for
the others. Data sets are those of `datasets/`; the distilled ones are made by the commands that stand at their tables.
"""

from benchmarks.comparisons.plans import Comparison
from benchmarks.comparisons.running import main

DECODER = "model.task.decoder"
ALL = ("autoregressive", "ctc", "length", "bound", "dag", "mask_predict")
GLANCING = ("ctc", "length", "dag")
TEACHER = "headway train datasets/{data} --out runs/{data}-teacher{columns} --training.time_limit {minutes}m"
WRITTEN = "headway distill runs/{data}-teacher datasets/{data} --out datasets/{data}_distilled"
PAIRS = {"data.source": "en", "data.target": "de"}


def made(data: str, minutes: int, columns: str = "") -> tuple[str, str]:
    """The commands that write a data set anew by a teacher."""
    told = {"data": data, "minutes": minutes, "columns": columns}
    return TEACHER.format(**told), WRITTEN.format(**told)


COMPARISONS = [
    Comparison(
        "cmudict_decoder",
        "cmudict",
        DECODER,
        ALL,
        "Pronunciation is nearly monotone and each phone hangs on few letters: ctc should be as good as the "
        "autoregressive decoder or better (Gao et al. 2022 on speech), the others behind it in the order dag, "
        "mask_predict, length, bound: without distillation several right pronunciations are blended.",
        minutes=20,
    ),
    Comparison(
        "cmudict_glancing",
        "cmudict",
        DECODER,
        GLANCING,
        "Glancing shows part of the answer in training, so that the rest depends on it: a gain for length and dag, "
        "less for ctc, whose alignments are many already (Qian et al. 2021).",
        minutes=20,
        settings={"model.task.glancing": "true", "model.task.decoder.layers": 2},
    ),
    Comparison(
        "cmudict_distilled",
        "cmudict_distilled",
        DECODER,
        ("ctc", "length", "dag", "mask_predict"),
        "One pronunciation for a word, and the one a model would choose: the largest gains for length and "
        "mask_predict, hardly any for ctc (Zhou et al. 2020).",
        minutes=20,
        made=made("cmudict", 20),
    ),
    Comparison(
        "multi30k_decoder",
        "multi30k",
        DECODER,
        ("autoregressive", "ctc", "length"),
        "Raw translations of one sentence differ in order and words: 5 to 10 BLEU behind the autoregressive decoder.",
        minutes=120,
        seeds=1,
        settings=PAIRS,
    ),
    Comparison(
        "multi30k_glancing",
        "multi30k",
        DECODER,
        ("ctc", "length"),
        "Half of what is missing without.",
        minutes=120,
        seeds=1,
        settings={**PAIRS, "model.task.glancing": "true", "model.task.decoder.layers": 2},
    ),
    Comparison(
        "multi30k_distilled",
        "multi30k_distilled",
        DECODER,
        ("ctc", "length"),
        "Distilled, with glancing, ctc within 1 to 3 BLEU of its teacher (Gu & Kong 2021: 0.5 to 1 on WMT).",
        minutes=120,
        seeds=1,
        settings={**PAIRS, "model.task.glancing": "true", "model.task.decoder.layers": 2},
        made=made("multi30k", 120, " --data.source en --data.target de"),
    ),
    Comparison(
        "libreoffice_help_en_zh_decoder",
        "libreoffice_help_en_zh",
        DECODER,
        ("autoregressive", "ctc"),
        "Short headings are nearly copied from memory, long paragraphs are not: ctc a few chrF behind.",
        minutes=60,
        seeds=1,
    ),
]

HEAD = """# Writing all at once, measured

Each table is one `headway compare` at equal time (of a core of its own), on the test part; what was expected was
written before. `python -m benchmarks.nat.quality` trains them all (finished cells are kept), `--write` makes this page.
Speed at batch 1 is `python -m benchmarks.nat.speed`, drafted and verified is `python -m benchmarks.nat.verified`.
"""

if __name__ == "__main__":
    main(__doc__ or "", COMPARISONS, HEAD, "nat.md")
