"""What CTranslate2 writes with an exported run is what the run writes; what it has no place for is refused."""

import json
import sys

import numpy as np
import pytest
import torch
from untrained import pairs, untrained

from headway.batch import END
from headway.decoders import DECODERS
from headway.errors import MissingPackage, RunError, UsageError
from headway.export import ABOUT, export
from headway.export import _transformer as transformer_module
from headway.export._agreement import encoded, gap
from headway.export.ctranslate2 import CTranslate2Engine, names_of, translator
from headway.predictor import Predictor
from headway.search import Hypothesis, Search

pytest.importorskip("ctranslate2")

ENCODER, DECODER = "model.encoder", "model.task.decoder"
KINDS = {
    "as it comes": {},
    "post": {f"{ENCODER}.norm_place": "post"},
    "rms": {f"{ENCODER}.norm": "rms"},
    "rms, post": {f"{ENCODER}.norm": "rms", f"{ENCODER}.norm_place": "post"},
    "gelu": {f"{ENCODER}.feedforward": "gelu"},
    "swiglu": {f"{ENCODER}.feedforward": "swiglu"},
    "none": {f"{ENCODER}.position": "none"},
    "sinusoidal, post": {f"{ENCODER}.position": "sinusoidal", f"{ENCODER}.norm_place": "post"},
    "learned": {f"{ENCODER}.position": "learned"},
    "few learned": {f"{ENCODER}.position": "learned", f"{ENCODER}.position.positions": 20},
    "rotary, base": {f"{ENCODER}.position": "rotary", f"{ENCODER}.position.base": 50.0},
    "relative": {f"{ENCODER}.position": "relative"},
    "near relative": {
        f"{ENCODER}.position": "relative",
        f"{ENCODER}.position.buckets": 8,
        f"{ENCODER}.position.longest": 9,
    },
    "rotary, then sinusoidal": {f"{DECODER}.position": "sinusoidal"},
    "learned, then relative": {f"{ENCODER}.position": "learned", f"{DECODER}.position": "relative"},
    "none, then rotary": {f"{ENCODER}.position": "none", f"{DECODER}.position": "rotary"},
    "dot": {f"{ENCODER}.mixer.score": "dot"},
    "bilinear": {f"{ENCODER}.mixer.score": "bilinear"},
    "one-hot": {"model.input.embedding": "one_hot"},
    "no table shared": {f"{DECODER}.tie": "none"},
    "all tables shared": {f"{DECODER}.tie": "all", "data.joint": True},
    "fewer layers": {f"{DECODER}.layers": 1},
    "beside a draft": {"model.task.draft": "ctc"},
    "other heads": {f"{DECODER}.mixer": "attention", f"{DECODER}.cross": "attention"},
}


@pytest.fixture(autouse=True)
def _few_sentences(monkeypatch):
    monkeypatch.setattr("headway.export.SENTENCES", 30)


@pytest.mark.sampled(10)
@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_what_the_run_writes(kind, tmp_path):
    """Greedy token for token, the probability of each token, and a beam; on random sources and on real ones."""
    predictor = Predictor(untrained(tmp_path / "run", KINDS[kind], end=2.0))
    for name, examples in (("random", None), ("given", pairs(10, seed=4))):
        found = export(predictor, "ctranslate2", tmp_path / name, examples).agreement
        assert (found.rows, found.same) == ((30, 30) if examples is None else (10, 10)), found
        assert found.off < 5e-5
    _a_beam_writes_the_same(predictor, tmp_path / "random")


def _a_beam_writes_the_same(predictor, folder):
    """Where both end: of what the limit cut headway takes none that has a rival which ended."""
    decoder, rows = predictor.model.task.decoder, [np.arange(4, 4 + n, dtype=np.int32) for n in (3, 5, 5, 7)]
    limit = min(60, (decoder.stack.position.positions or 61) - 1)
    theirs = CTranslate2Engine(folder, names_of(predictor.codecs)).write(rows, [limit] * 4, beam=3, batch=2)
    for row, other in zip(rows, theirs):
        with torch.inference_mode():
            how = Search("beam", beam=3, length_penalty=0.0, limit=limit)
            ((own,),) = decoder.generate(encoded(predictor, [row]), how)
        assert own.tokens == other.tokens or not (own.finished and other.finished)


REFUSED = {
    "alibi": ({f"{ENCODER}.position": "alibi"}, "no place for model.encoder.position alibi: train with rotary"),
    "alibi of the decoder": ({f"{DECODER}.position": "alibi"}, "no place for model.task.decoder.position alibi"),
    "convolution": (
        {f"{ENCODER}.mixer": "convolution", f"{ENCODER}.mixer.heads": None},
        "model.encoder.mixer is convolution",
    ),
    "recurrent": (
        {f"{DECODER}.mixer": "recurrent"},
        "knows attention only, and model.task.decoder.mixer is recurrent: train with model.task.decoder.mixer",
    ),
    "additive": ({f"{ENCODER}.mixer.score": "additive"}, "no place for model.encoder.mixer.score additive"),
    "cosine": (
        {f"{DECODER}.cross": "attention", f"{DECODER}.cross.score": "cosine"},
        "no place for model.task.decoder.cross.score cosine: train with scaled_dot, dot or bilinear",
    ),
    "sparsemax": ({f"{ENCODER}.mixer.normalizer": "sparsemax"}, "normalizer sparsemax: train with softmax"),
    "gate": ({f"{ENCODER}.mixer.gate": "head"}, "the gate of an attention: train with model.encoder.mixer.gate none"),
    "window": ({f"{ENCODER}.mixer.window": 3}, "no window to both sides of a position"),
    "heads": (
        {f"{DECODER}.mixer": "attention", f"{DECODER}.cross": "attention", f"{DECODER}.cross.heads": 2},
        "model.task.decoder.mixer has 4 and model.task.decoder.cross 2: train with as many in both",
    ),
    "letters": (
        {"model.input.characters": 8, "data.tokenizer": "word", "data.target_tokenizer": "character"},
        "this run's input reads more",
    ),
    "another question": ({"model.task": "regress"}, "and this one answers regress: it is asked by headway predict"),
} | {
    f"decoder {name}": ({DECODER: name}, f"the decoder {name} writes all at once: ask it by headway predict")
    for name in DECODERS.names()
    if "nat" in DECODERS.part(name).modes
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_it_has_no_place_for_is_refused_with_what_to_do(kind, tmp_path):
    changed, words = REFUSED[kind]
    examples = [type(pairs()[0])("ant bee", 1.0)] * 3 if kind == "another question" else None
    run = untrained(tmp_path / "run", changed, examples=examples)
    with pytest.raises(UsageError) as complaint:
        export(run, "ctranslate2", tmp_path / "out")
    assert f"{run} cannot be exported to ctranslate2: CTranslate2" in str(complaint.value)
    assert words in str(complaint.value) and not (tmp_path / "out").exists()


def test_a_run_that_reads_no_text_is_refused(tmp_path):
    model = Predictor(untrained(tmp_path / "run")).model
    model.input = torch.nn.Identity()
    assert transformer_module.refuses(model) == "CTranslate2 reads elements of a vocabulary, and this run reads linear"


def _other_queries(monkeypatch):
    """A mistake in the export: queries turned upside down."""
    right = transformer_module._asking

    def wrong(mixer):
        layer = right(mixer)
        return -layer.weight, layer.bias

    monkeypatch.setattr(transformer_module, "_asking", wrong)


def test_an_export_that_writes_something_else_is_not_written(tmp_path, monkeypatch):
    run = untrained(tmp_path / "run", end=2.0)
    _other_queries(monkeypatch)
    with pytest.raises(RunError, match=r"out was not written: \d+ of 30 sequences are others than the run's own"):
        export(run, "ctranslate2", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_quantized_weights_are_told_and_not_enforced(tmp_path, monkeypatch):
    run = Predictor(untrained(tmp_path / "run", {f"{ENCODER}.width": 64, f"{ENCODER}.hidden": 256}, end=2.0))
    whole, small = (
        export(run, "ctranslate2", tmp_path / kind, quantization=kind, examples=pairs(40))
        for kind in ("float32", "int8")
    )
    assert small.size < 0.5 * whole.size
    assert whole.agreement.off < 1e-4 < small.agreement.off
    assert small.agreement.same > 20
    _other_queries(monkeypatch)
    wrong = export(run, "ctranslate2", tmp_path / "wrong", quantization="int8").agreement
    assert wrong.different > 0 and wrong.off > 1


def test_exporting_leaves_the_run_as_it_is(tmp_path):
    run = Predictor(untrained(tmp_path / "run"))
    before = {name: weight.clone() for name, weight in run.model.state_dict().items()}
    export(run, "ctranslate2", tmp_path / "out", quantization="int8", examples=pairs(3))
    assert all(torch.equal(weight, before[name]) for name, weight in run.model.state_dict().items())


class _Scripted:
    """Writes what it was told, and scores as the run does."""

    def __init__(self, predictor, written):
        self.predictor, self.written = predictor, written

    def write(self, rows, limits):
        return self.written

    def score(self, rows, targets):
        decoder = self.predictor.model.task.decoder
        with torch.inference_mode():
            target = decoder.collate([np.array(tokens, np.int32) for tokens in targets])
            log_p, real = decoder.score(encoded(self.predictor, rows), target)
        return [row[counted].tolist() for row, counted in zip(log_p, real)]


def test_two_tokens_as_probable_as_each_other_are_a_tie_and_any_other_is_not(tmp_path):
    from headway.export._agreement import agreement

    predictor = Predictor(untrained(tmp_path / "run", {f"{DECODER}.tie": "none"}, end=2.0))
    decoder, rows = predictor.model.task.decoder, [np.array([5, 6, 7], np.int32)]
    with torch.inference_mode():
        ((own,),) = decoder.generate(encoded(predictor, rows), Search("greedy"))
    first, twin = own.tokens[0], next(token for token in range(END + 1, 12) if token not in own.tokens)
    with torch.no_grad():
        decoder.output[twin] = decoder.output[first]
        decoder.output_bias[twin] = decoder.output_bias[first]
    with torch.inference_mode():
        ((own,),) = decoder.generate(encoded(predictor, rows), Search("greedy"))
    other = {first: twin, twin: first}[own.tokens[0]]
    parted, worse = (
        Hypothesis((other, *own.tokens[1:])),
        Hypothesis((next(token for token in range(END + 1, 12) if token not in (first, twin)),)),
    )
    for written, ties in ((own, 0), (parted, 1), (worse, 0)):
        found = agreement(predictor, rows, _Scripted(predictor, [written]))
        assert (found.same, found.ties, found.different) == (int(written is own), ties, int(written is worse))
        assert found.off == 0.0


def test_the_gap_is_the_difference_of_log_probabilities_where_two_sequences_part(tmp_path):
    predictor = Predictor(untrained(tmp_path / "run", end=2.0))
    decoder, row = predictor.model.task.decoder, [np.array([5, 6, 7, 8], np.int32)]
    with torch.inference_mode():
        memory = encoded(predictor, row)
        ((own,),) = decoder.generate(memory, Search("greedy", limit=4))
        log_p = {}
        for token in (*range(END + 1, 12), END):
            end = (own.tokens[:2], *(() if token == END else ((token,),)))
            target = decoder.collate([np.array(sum(end, ()), np.int32)])
            log_p[token] = float(decoder.score(memory, target)[0][0, 2])
        best = log_p[own.tokens[2]]
        for token, value in log_p.items():
            other = Hypothesis((*own.tokens[:2], token)) if token != END else Hypothesis(own.tokens[:2])
            if token != own.tokens[2]:
                assert gap(decoder, memory, own, other) == pytest.approx(best - value, abs=1e-5)
        cut = Hypothesis(own.tokens[:2], finished=False)
        second = sorted(log_p.values())[-2]
        assert gap(decoder, memory, own, cut) == pytest.approx(best - second, abs=1e-5)


# ------------------------------------------------------------------------------------------------------------ answering


def test_a_translator_answers_texts_as_the_run_does(tmp_path):
    run = Predictor(untrained(tmp_path / "run", end=2.0))
    export(run, "ctranslate2", tmp_path / "out")
    texts = [example.source for example in pairs(30, seed=9)] + ["zzz?", "ab" * 30]
    expected = [answer.text for answer in run.predict(texts)]
    assert len(set(expected)) > 5
    for made in (translator(tmp_path / "out"), translator(tmp_path / "out", threads=1, replicas=2)):
        assert made.translate(texts) == made.translate(texts, batch=1) == expected
    beam = made.translate(texts, beam=4, length_penalty=0.0)
    ours = run.predict(texts, mode="beam", beam=4, length_penalty=0.0)
    assert [one for one, own in zip(beam, ours)] == [own.text for own in ours]
    assert made.translate([]) == [] and made.translate(["", texts[0], ""]) == ["", expected[0], ""]


def test_an_exported_folder_says_what_it_is(tmp_path):
    run = untrained(tmp_path / "run")
    made = export(run, "ctranslate2", tmp_path / "out", quantization="int8")
    about = json.loads((tmp_path / "out" / ABOUT).read_text())
    assert about["export"] == "ctranslate2" and about["run"] == "run" and about["settings"]["quantization"] == "int8"
    assert about["agreement"]["rows"] == made.agreement.rows == 30
    assert about["codecs"] == json.loads(json.dumps(Predictor(run).codecs.state()))
    assert made.folder == tmp_path / "out" and made.size > 1000 and made.package.startswith("ctranslate2 4.")


def test_folders_that_are_no_whole_export_are_named(tmp_path):
    run = untrained(tmp_path / "run")
    with pytest.raises(RunError, match=r"run is no exported folder: it has no headway\.json; headway export makes one"):
        translator(run)
    export(run, "ctranslate2", tmp_path / "out")
    about = json.loads((tmp_path / "out" / ABOUT).read_text())
    (tmp_path / "out" / "model.bin").write_bytes(b"short")
    with pytest.raises(RunError, match=r"model\.bin is damaged: its checksum is not the one in manifest\.json"):
        translator(tmp_path / "out")
    from headway.storage import seal, write_json

    for changed, words in (({"export": "other"}, "is no export to ctranslate2"), ({"format": 9}, "has the format 9")):
        write_json(tmp_path / "out" / ABOUT, about | changed)
        seal(tmp_path / "out")
        with pytest.raises(RunError, match=words):
            translator(tmp_path / "out")
    write_json(tmp_path / "out" / ABOUT, {key: value for key, value in about.items() if key != "codecs"})
    seal(tmp_path / "out")
    with pytest.raises(RunError, match=r"headway\.json is damaged: 'codecs'"):
        translator(tmp_path / "out")


# ------------------------------------------------------------------------------------------------------------- mistakes


def test_a_package_that_is_not_there_is_named_with_the_line_that_installs_it(tmp_path, monkeypatch):
    run = untrained(tmp_path / "run")
    export(run, "ctranslate2", tmp_path / "out")
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(MissingPackage, match=r"the export ctranslate2 needs the package ctranslate2") as complaint:
        export(run, "ctranslate2", tmp_path / "other")
    assert "pip install 'headway[export]'" in str(complaint.value)
    with pytest.raises(MissingPackage, match=r"a folder of the export ctranslate2 needs the package"):
        translator(tmp_path / "out")


def test_wrong_names_and_settings_are_told_with_what_there_is(tmp_path):
    run = untrained(tmp_path / "run")
    for to, settings, words in (
        ("ctranslate", {}, "no export called 'ctranslate'; there are: ctranslate2. Did you mean 'ctranslate2'?"),
        ("ctranslate2", {"quantisation": "int8"}, "has no setting quantisation; it has quantization"),
        ("ctranslate2", {"quantization": "int3"}, "quantization of the export ctranslate2: 'int3'"),
    ):
        with pytest.raises(UsageError) as complaint:
            export(run, to, tmp_path / "out", **settings)
        assert words in str(complaint.value)
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="out exists; choose another --out"):
        export(run, "ctranslate2", tmp_path / "out")
    with pytest.raises(UsageError, match="no source with an element"):
        export(run, "ctranslate2", tmp_path / "new", [type(pairs()[0])("")])
