"""Sound as a source: manifests, folders, rows as long as they have elements, and every complaint."""

import builtins
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.batch import Example
from headway.data.codecs import Sequences
from headway.data.encoding import Codecs, encode
from headway.data.loading import DataSet, open_data
from headway.data.parts import bucket_of
from headway.data.settings import DataSettings
from headway.data.sources._arrays import Arrays, moments
from headway.data.sources.sound import Sound, SourceSound
from headway.data.tokenizers import TOKENIZERS
from headway.errors import DataError, MissingPackage, UsageError, Where
from headway.functional.pitch import pitch
from headway.functional.sound import log_mel, mel_filters, resampled
from headway.inputs.sound import Settings as SoundSettings
from sounds import RATE, glide, glides, raw_wav, save, spoken

SMALL = SoundSettings(rate=RATE, mels=12, subsampling=2)
PLAIN = DataSettings()


def opened(path: Path, name: str | None = None, data: DataSettings = PLAIN) -> Sound:
    """The sound of a file, as a manifest beside it names it on line 3."""
    example = Example(name or path.name, "x", Where(path.parent / "list.tsv", 3))
    return SourceSound.opened(example, data).source


def manifest(folder: Path, *lines: str, name: str = "train.tsv") -> Path:
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder / name


def read(folder: Path, **settings) -> tuple[DataSet, list[Example]]:
    found = open_data(folder, DataSettings(**settings))
    return found, found.examples("train")


# ------------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(("ending", "near"), [("wav", 1e-4), ("flac", 1e-4), ("ogg", 0.1), ("mp3", 0.1)])
def test_four_formats_of_any_rate_give_the_samples_that_were_written(tmp_path, ending, near):
    samples = glide(300, 500, 0.3, 22_050)
    sound = opened(save(tmp_path / f"a.{ending}", samples, 22_050))
    assert sound.rate == 22_050 and abs(sound.seconds - 0.3) < 0.1
    inside = slice(2_000, 4_000)
    assert sound.read().dtype == np.float32
    assert np.abs(sound.read()[inside] - samples[inside]).max() < near or ending in ("ogg", "mp3")
    assert np.abs(sound.read()).max() == pytest.approx(np.abs(samples).max(), abs=0.1)


def test_several_channels_are_mixed_down(tmp_path):
    left, right = glide(300, 300), glide(500, 500)
    sound = opened(save(tmp_path / "two.wav", np.stack([left, right], 1), subtype="FLOAT"))
    assert np.allclose(sound.read(), (left + right) / 2, atol=1e-6)


def test_a_part_of_a_file_is_a_media_fragment(tmp_path):
    samples = glide(300, 600, 1.0)
    save(tmp_path / "a.wav", samples, subtype="FLOAT")
    for written, (start, stop) in {"0.25,0.5": (2000, 4000), ",0.5": (0, 4000), "0.5": (4000, 8000)}.items():
        part = opened(tmp_path / "a.wav", f"a.wav#t={written}")
        assert (part.start, part.stop) == (start, stop) and np.array_equal(part.read(), samples[start:stop])
        assert len(part) == -(-(stop - start) * 100 // RATE)
        assert str(part) == f"a.wav#t={written}"


def test_equal_sounds_are_equal_wherever_they_lie(tmp_path):
    one, same, other = (
        save(tmp_path / name, spoken("up", n)) for name, n in (("a.wav", 1), ("b.wav", 1), ("c.wav", 2))
    )
    found = [opened(path).content() for path in (one, same, other)]
    assert found[0] == found[1] != found[2]
    assert opened(one, "a.wav#t=0,0.05").content() != found[0]
    assert bucket_of(opened(one)) == bucket_of(opened(same))
    array = Sound.of(spoken("up", 1), RATE)
    assert (
        array.content()
        == Sound.of(spoken("up", 1), RATE, "again").content()
        != Sound.of(spoken("up", 2), RATE).content()
    )


def test_parts_of_one_recording_stay_together():
    assert len({bucket_of(f"talks/a.wav#t={start},{start + 2}") for start in range(40)}) == 1
    assert len({bucket_of(f"talks/{number}.wav") for number in range(40)}) > 3
    assert len({bucket_of(f"a text #t={number}") for number in range(40)}) > 3, "a text is a text"


# ----------------------------------------------------------------------------------------------------------- manifests


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["path\ttext", "a.wav\tone two", "b.wav\tthree"], "train.tsv"),
        (["a.wav\tone two", "b.wav\tthree"], "train.tsv"),
        (["text,path", "one two,a.wav", "three,b.wav"], "train.csv"),
        (["audio,text,id", "a.wav,one two,7", "b.wav,three,8"], "train.csv"),
        ([json.dumps({"path": p, "text": t}) for p, t in (("a.wav", "one two"), ("b.wav", "three"))], "train.jsonl"),
        ([json.dumps({"label": t, "path": p}) for p, t in (("a.wav", "one two"), ("b.wav", "three"))], "train.jsonl"),
    ],
)
def test_manifests_name_files_beside_them(tmp_path, lines, name):
    for file in ("a.wav", "b.wav"):
        save(tmp_path / file, spoken("up", ord(file[0])))
    manifest(tmp_path, *lines, name=name)
    # Where the first column is called text, the text is the source, unless something else is said.
    settings = {"source": "path", "target": ("text",)} if lines[0].startswith("text,") else {}
    found, _ = _all(tmp_path, **settings)
    assert found.kind == "sound" and found.recognized.task == "transduce"
    examples = sorted(_all(tmp_path, **settings)[1], key=lambda example: str(example.source))
    assert [(str(e.source), e.target) for e in examples] == [("a.wav", "one two"), ("b.wav", "three")]
    assert all(isinstance(example.source, Sound) for example in examples)


def _all(folder: Path, **settings) -> tuple[DataSet, list[Example]]:
    (file,) = (path for path in folder.iterdir() if path.name.startswith("train"))
    found = open_data(None, DataSettings(train=(str(file),), valid=(str(file),), **settings))
    return found, found.examples("train")


@pytest.mark.parametrize("form", ["tsv", "jsonl"])
def test_columns_start_and_end_choose_a_part(tmp_path, form):
    save(tmp_path / "a.wav", glide(300, 600, 2.0))
    rows = [("a.wav", 0, 0.5, "yes"), ("a.wav", 0.5, 1.25, "no"), ("a.wav", 1.25, 2, "yes")]
    if form == "tsv":
        lines = ["path\tstart\tend\tlabel", *("\t".join(map(str, row)) for row in rows)]
    else:
        lines = [json.dumps(dict(zip(("end", "path", "start", "text"), (e, p, s, w)))) for p, s, e, w in rows]
    manifest(tmp_path, *lines, name=f"train.{form}")
    found, examples = _all(tmp_path, task="classify")
    assert found.kind == "sound"
    assert [(e.source.start, e.source.stop, e.target) for e in examples] == [
        (0, 4000, "yes"), (4000, 10000, "no"), (10000, 16000, "yes"),
    ]  # fmt: skip


def test_symbols_that_come_again_are_written_and_labels_that_come_again_are_labels(tmp_path):
    for number in range(12):
        save(tmp_path / f"{number}.wav", glide(300, 400, 0.02 * (number + 1)))
    manifest(tmp_path, "path\ttext", *(f"{n}.wav\t{('ㄊ ㄢ', 'ㄌ ㄜ', 'ㄚ')[n % 3]}" for n in range(12)))
    assert _all(tmp_path)[0].recognized.task == "transduce"
    manifest(tmp_path, "path\tlabel", *(f"{n}.wav\t{n % 2 + 1}" for n in range(12)))
    assert _all(tmp_path)[0].recognized.task == "classify"
    manifest(tmp_path, "path\tlabel", *(f"{n}.wav\t{n / 7}" for n in range(12)))
    assert _all(tmp_path)[0].recognized.task == "regress"


@pytest.mark.parametrize("parts", [("train", "dev"), ()])
def test_folders_named_by_labels(tmp_path, parts):
    for number in range(30):
        label = ("yes", "no")[number % 2]
        for part in parts or ("",):
            save(tmp_path / part / label / f"{number}.wav", spoken("up", number))
    (tmp_path / "README.txt").write_text("what this is")
    ((tmp_path / parts[0]) if parts else tmp_path).joinpath("no", "notes.txt").write_text("hello")
    found, examples = read(tmp_path)
    assert found.kind == "sound" and found.recognized.task == "classify"
    for example in examples:
        assert example.target == example.source.file.parent.name
        assert str(example.where) == str(example.source.file)
    if parts:
        assert len(examples) == 30 and len(found.examples("valid")) == 30
    else:
        every = [str(e.source) for part in ("train", "valid", "test") for e in found.examples(part)]
        assert len(every) == len(set(every)) == 30
        assert {bucket_of(str(example.source)) for example in examples} <= set(range(8))


def test_two_folders_for_one_part_and_none_at_all(tmp_path):
    for part in ("train", "dev", "valid"):
        save(tmp_path / part / "yes" / "a.wav", spoken("up", 1))
    with pytest.raises(UsageError, match="has several folders for one part: dev, train, valid; move one away"):
        open_data(tmp_path, PLAIN)
    (tmp_path / "empty" / "yes").mkdir(parents=True)
    with pytest.raises(
        UsageError, match=r"or folders of sounds, vectors or molecules \(.mol\), each named by its label"
    ):
        open_data(tmp_path / "empty", PLAIN)


# ---------------------------------------------------------------------------------------------------------------- rows


@given(st.integers(1, 4000), st.sampled_from([1, 2, 4]), st.sampled_from([8_000, 11_025, 16_000]))
def test_a_row_is_as_long_as_was_said_before(samples, each, rate):
    settings = SoundSettings(rate=8_000, mels=4, subsampling=each)
    codec = SourceSound(settings)
    sound = Sound.of(np.zeros(samples, np.float32), rate)
    (row,) = codec.encode_all([sound])
    assert row.shape[1:] == (each, 4) and row.dtype == np.float16
    assert len(row) == codec.lengths([sound])[0] == len(codec.elements(sound)) >= 1
    assert codec.elements(sound)[0] == "0.00"


def test_rows_are_the_features_of_the_sound_made_normal():
    samples = glide(300, 900, 0.3, 16_000)
    settings = SMALL.replace(subsampling=1)
    (row,) = SourceSound(settings).encode_all([Sound.of(samples, 16_000)])
    heard = resampled(torch.from_numpy(samples), 16_000, RATE)
    frames = log_mel(heard, mel_filters(RATE, 256, 12), 200, 80).numpy()
    expected = (frames - frames.mean(0)) / frames.std(0)
    assert np.allclose(row[:, 0], expected, atol=4e-3)


def test_normal_over_the_training_part_is_kept_with_the_model():
    sounds = [Sound.of(spoken("up", number), RATE) for number in range(5)]
    settings = SMALL.replace(normalize="global")
    codec = SourceSound(settings)
    codec.fit(sounds)
    again = SourceSound(settings, json.loads(json.dumps(codec.state())))
    rows = codec.encode_all(sounds)
    assert not codec._fitted, "what was kept from fitting is handed on once"
    part = codec.collate(rows)
    assert part["frames"].equal(again.collate(again.encode_all(sounds))["frames"])
    real = torch.cat([frames[: len(row)] for frames, row in zip(part["frames"], rows)]).flatten(0, 1)
    assert real.mean(0).abs().max() < 5e-2 and (real.std(0) - 1).abs().max() < 5e-2


def test_silence_has_no_spread_to_divide_by():
    (row,) = SourceSound(SMALL).encode_all([Sound.of(np.zeros(800, np.float32), RATE)])
    assert np.isfinite(row).all() and np.abs(row).max() < 1e-3


def test_moments_are_those_of_all_elements_together():
    rows = [np.random.default_rng(n).standard_normal((n, 2, 3)) * 5 + 1e4 for n in (1, 7, 4)]
    flat = np.concatenate([row.reshape(-1, 3) for row in rows])
    mean, spread = moments(rows)
    assert np.allclose(mean, flat.mean(0)) and np.allclose(spread, flat.std(0), rtol=1e-4)
    assert moments([np.ones((4, 2))])[1].tolist() == [1.0, 1.0]
    assert Arrays([np.ones((4, 2)), np.ones((1, 2))]).lengths.tolist() == [4, 1]


def test_lengths_of_targets_are_measured_against_what_the_encoder_sees(tmp_path):
    sounds = [Sound.of(np.zeros(RATE, np.float32), RATE), Sound.of(np.zeros(RATE // 2, np.float32), RATE)]
    examples = [Example(sound, "a b c") for sound in sounds]
    tokenizer = TOKENIZERS.build(TOKENIZERS.choose("word"))
    codecs = Codecs(SourceSound(SMALL), Sequences(tokenizer, False, ("bleu",)))
    codecs.fit(examples)
    encoded = encode(examples, codecs, DataSettings(max_length=40))
    assert encoded.sources.lengths.tolist() == [40, 25], "50 elements are cut to data.max_length"
    assert encoded.costs.tolist() == [40, 25] and len(encoded.cut) == 1


# ------------------------------------------------------------------------------------------------------ bad sound


def refused(path: Path, problem: str, name: str | None = None, data: DataSettings = PLAIN) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        opened(path, name, data)
    assert str(caught.value).startswith(f"{path.parent}/list.tsv:3: ")


def test_files_that_are_not_there_or_empty_or_no_sound(tmp_path):
    refused(tmp_path / "no.wav", r"no\.wav: there is no such file; names are relative to ")
    (tmp_path / "folder.wav").mkdir()
    refused(tmp_path / "folder.wav", r"folder\.wav: this is a folder, and a file is expected")
    (tmp_path / "empty.wav").touch()
    refused(tmp_path / "empty.wav", r"empty\.wav is empty")
    (tmp_path / "text.wav").write_text("this is a text, and none of it is a sound at all" * 20)
    refused(tmp_path / "text.wav", r"text\.wav is no sound that can be read \(.*\); wav, flac, ogg and mp3 are")
    refused(raw_wav(tmp_path / "none.wav", np.zeros(0)), r"none\.wav holds no samples")


def test_a_file_is_what_it_holds_and_not_what_it_is_called(tmp_path):
    save(tmp_path / "a.flac", spoken("up", 1)).rename(tmp_path / "a.wav")
    assert np.allclose(opened(tmp_path / "a.wav").read(), spoken("up", 1), atol=1e-3)


def test_files_that_are_cut_short(tmp_path):
    whole = save(tmp_path / "whole.wav", glide(300, 900, 0.5))
    (tmp_path / "cut.wav").write_bytes(whole.read_bytes()[:3000])
    refused(tmp_path / "cut.wav", r"cut\.wav is cut short: 5,044 bytes that its header promises are missing")
    flac = save(tmp_path / "whole.flac", glide(300, 900, 2.0))
    (tmp_path / "cut.flac").write_bytes(flac.read_bytes()[: flac.stat().st_size // 2])
    refused(tmp_path / "cut.flac", r"cut\.flac (is cut short: its header promises 16,000 samples|is no sound that)")


def test_a_program_that_did_not_know_the_length_yet(tmp_path):
    path = raw_wav(tmp_path / "stream.wav", spoken("up", 1), promised=0xFFFFFFFF)
    assert opened(path).read().any()


@pytest.mark.parametrize("rate", [0, 3, 900_000])
def test_absurd_rates(tmp_path, rate):
    path = raw_wav(tmp_path / "odd.wav", spoken("up", 1), rate)
    refused(
        path, r"odd\.wav (has .* samples a second, and from 1,000 to 768,000 are read|is no sound that can be read)"
    )


def test_samples_that_are_no_numbers(tmp_path):
    samples = spoken("up", 1)
    samples[400] = np.nan
    path = save(tmp_path / "nan.wav", samples, subtype="FLOAT")
    refused(path, r"nan\.wav holds a sample that is no finite number, 0\.050 seconds after its begin")


def test_hours_are_refused_before_they_are_read(tmp_path):
    hours = 3 * 3600 * 1000
    path = tmp_path / "long.flac"
    save(path, np.zeros(hours, np.int16), 1000)
    refused(path, r"long\.flac is 10,800\.0 seconds long, and data\.max_seconds is 300; raise it, or cut the sound")
    part = opened(path, "long.flac#t=9000,9002")
    assert part.seconds == 2 and len(part.read()) == 2000
    refused(path, r"is 2\.0 seconds long, and data\.max_seconds is 1;", "long.flac#t=1,3", DataSettings(max_seconds=1))


@pytest.mark.parametrize(
    ("fragment", "problem"),
    [
        ("one,2", r"start and end are seconds like 1\.5, and not 'one,2'"),
        ("0.1,0.1", r"from 0\.1 to 0\.1 seconds there is nothing"),
        ("-1,0.1", r"from -1 to 0\.1 seconds there is nothing"),
        ("7", r"from 7 to the end seconds there is nothing"),
        ("0.1,9", r"it ends after 0\.200 seconds, before what was asked for"),
    ],
)
def test_parts_that_are_not_there(tmp_path, fragment, problem):
    refused(save(tmp_path / "a.wav", glide(300, 900)), problem, f"a.wav#t={fragment}")


@pytest.mark.parametrize(("told", "bands"), [("beside", 40), ("alone", 0)])
def test_the_pitch_stands_behind_the_bands_or_alone(told, bands):
    random = np.random.default_rng(2)
    sound = Sound.of(random.standard_normal(4_000).astype(np.float32) / 9, 8_000)
    settings = SoundSettings(rate=8_000, subsampling=2, pitch=told)
    codec = SourceSound(settings)
    (row,) = codec.encode_all([sound])
    expected = pitch(torch.from_numpy(sound.read()), 8_000, 80).numpy()
    assert row.shape == (25, 2, bands + 2) and codec.sizes.bands == bands and codec.sizes.pitch
    np.testing.assert_allclose(row[..., bands:].reshape(-1, 2), expected, atol=2e-3)
    assert "the pitch" in codec.told and ("mel" in codec.told) == (bands > 0)
    again = SourceSound(settings, json.loads(json.dumps(codec.state())))
    assert again.collate([row])["frames"].shape == (1, 25, 2, bands + 2)


def test_bad_rows_are_left_out_counted_and_listed(tmp_path):
    glides(tmp_path)
    (tmp_path / "sounds" / "3.wav").write_bytes(b"RIFF")
    (tmp_path / "sounds" / "5.wav").unlink()
    with pytest.raises(DataError, match=r"train\.tsv:5: .*3\.wav is no sound that can be read"):
        read(tmp_path)
    found, examples = read(tmp_path, on_bad="skip")
    assert len(examples) == 22
    assert sorted(error.where.line for error in found.complaints.taken) == [5, 7]


def test_a_bad_file_in_a_labelled_folder_is_left_out(tmp_path):
    for number in range(4):
        save(tmp_path / "train" / ("yes", "no")[number % 2] / f"{number}.wav", spoken("up", number))
    (tmp_path / "train" / "no" / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"train/no/bad\.wav: .*is no sound that can be read"):
        read(tmp_path)
    found, examples = read(tmp_path, on_bad="skip")
    assert len(examples) + len(found.examples("valid")) == 4 and len(found.complaints.taken) == 1


def test_the_package_that_reads_sound_is_missing(tmp_path, monkeypatch):
    path = save(tmp_path / "a.wav", spoken("up", 9))
    usual = builtins.__import__

    def without(name, *rest, **more):
        if name == "soundfile":
            raise ModuleNotFoundError(name)
        return usual(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackage, match=r"reading sound needs the package soundfile.*\n.*'headway\[sound\]'"):
        opened(path)


def test_labels_for_every_frame_are_no_question_for_sounds(tmp_path):
    glides(tmp_path)
    with pytest.raises(UsageError, match="tag gives a label to every element, and those of a sound"):
        read(tmp_path, task="tag")
    assert "cut the sound" in str(SourceSound(SMALL).labelled)


def test_arrays_that_are_no_sound():
    for array in (np.zeros(0), np.zeros((2, 2, 2)), np.zeros(5, np.int16)):
        with pytest.raises(UsageError, match="a sound is an array of numbers from -1 to 1"):
            Sound.of(array, RATE)
    with pytest.raises(UsageError, match="a sample of this sound is no finite number"):
        Sound.of(np.array([0.0, np.inf]), RATE)
    with pytest.raises(UsageError, match="5 samples a second, and from 1,000 to 768,000 are read"):
        Sound.of(np.zeros(5), 5)
    with pytest.raises(DataError, match="a sound is expected: a file's name, and not"):
        SourceSound.opened(Example(("a", "b")), PLAIN)


def test_settings_that_make_no_frames():
    with pytest.raises(UsageError, match=r"model\.input\.mels 200 is more than frames of 200 samples can tell apart"):
        SourceSound(SMALL.replace(mels=200))
    with pytest.raises(UsageError, match=r"hold no sample at this model\.input\.rate"):
        SourceSound(SMALL.replace(hop=0.00001))
