"""`headway list`, `config`, `data`, `--help`, `--version`; and what none lets through: tracebacks, torch."""

import importlib
import json
import os
import subprocess
import sys

import pytest

from headway import cli
from headway.cli.list import ROOMS
from headway.errors import HeadwayError
from headway.run import Run
from headway.settings import leaves
from headway.version import __version__
from little import options, tiny


def python(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    """A Python process of its own."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]


# ---------------------------------------------------------------------------------------------------------------- help


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "command", [["--help"], ["--version"], [], *[[name, "--help"] for name in cli.COMMANDS if name != "get"]]
)
def test_help_imports_no_torch(command):
    code = (
        "import sys; from headway import cli; code = cli.run(sys.argv[1:]);"
        "assert not {'torch', 'numpy', 'tokenizers'} & sys.modules.keys(), 'imported'; sys.exit(code)"
    )
    done = python("-c", code, *command)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.strip() == f"headway {__version__}" if command == ["--version"] else "Usage" in done.stdout


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "list", "config"])
def test_every_parameter_is_explained(name, headway):
    done = headway(name, "--help")
    module = importlib.import_module(f"headway.cli.{name}")
    function = getattr(module, "list_" if name == "list" else name)
    assert done.code == 0 and function.__doc__.splitlines()[0] in " ".join(done.out.split())
    for parameter, annotation in function.__annotations__.items():
        if parameter not in ("return", "settings", "json", "skip_bad"):  # these say it where they are declared
            assert f"\n    {parameter}\n        " in function.__doc__, (parameter, annotation)


def test_the_commands_are_those_of_the_first_help(headway):
    shown = headway("--help").out
    for name in ("train", "evaluate", "predict", "data", "list", "config"):
        assert f" {name} " in shown


def test_a_command_that_is_not_there(headway):
    done = headway("trian", "news")
    assert done.code == 2 and 'Unknown command "trian". Did you mean "train"?' in done.err
    assert "`headway --help` shows what there is." in done.err


@pytest.mark.long
def test_python_m_headway_is_the_command():
    done = python("-m", "headway", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"headway {__version__}")
    assert python("-m", "headway", "predict", "none", "--text", "a").returncode == 1


# ---------------------------------------------------------------------------------------------------------------- list


def test_list_shows_every_room(headway):
    done = headway("list")
    assert done.code == 0 and [line.split()[0] for line in done.lines] == list(ROOMS)
    assert all(len(line.split()) > 4 for line in done.lines)


@pytest.mark.parametrize("room", ROOMS)
def test_list_shows_every_file_of_a_room_with_what_it_is(room, headway):
    package = importlib.import_module(ROOMS[room].partition(":")[0])
    folder = os.path.dirname(str(package.__file__))
    files = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and name[0] != "_")
    entries = [line.split() for line in headway("list", room).lines if not line.startswith("    .")]
    assert room == "engines" or len(entries) == len(files)  # behind the engines stands what each takes
    entries = entries[: len(files)]
    assert [entry[0] for entry in entries] == files and all(len(entry) > 3 for entry in entries)


def test_list_of_no_room(headway):
    done = headway("list", "positoins")
    assert done.code == 2 and "no room called 'positoins'" in done.err and "Did you mean 'positions'?" in done.err


# -------------------------------------------------------------------------------------------------------------- config


def test_config_shows_every_setting_with_what_it_does(headway):
    told = json.loads(headway("config", "--json").out)
    shown = headway("config").out
    paths = {path for path, _ in leaves(Run())}
    assert paths <= {one["path"] for one in told} and all(one["about"] for one in told)
    assert all(f"--{one['path']}  ({one['type']}; " in shown for one in told)


def test_config_of_data_is_a_settings_file_for_the_same_run(headway, runs, tmp_path):
    shown = headway("config", runs.data("tag"), *options(tiny("tag")))
    assert shown.code == 0 and "# tag: 40 rows with a list of one label for every word" in shown.out
    (tmp_path / "recipe.yaml").write_text(shown.out)
    again = json.loads(headway("config", runs.data("tag"), "--config", tmp_path / "recipe.yaml", "--json").out)
    first = json.loads(headway("config", runs.data("tag"), "--json", *options(tiny("tag"))).out)
    assert again["settings"] == first["settings"]
    assert first["origins"]["model.encoder.width"] == "--model.encoder.width"
    assert first["origins"]["training.learning_rate"] == "recipe tag"


def test_config_names_what_is_wrong(headway, runs, tmp_path):
    done = headway("config", runs.data("tag"), "--model.encoder.layer", 3)
    assert done.code == 2 and "Did you mean model.encoder.layers?" in done.err
    assert headway("config", tmp_path / "none.tsv").code == 3


# ---------------------------------------------------------------------------------------------------------------- data


def test_data_list_has_every_data_set_with_its_licence(headway):
    from headway.data import corpora

    folder = os.path.dirname(str(corpora.__file__))
    names = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and name[0] != "_")
    told = json.loads(headway("data", "list", "--json").out)
    assert sorted(one["name"] for one in told) == names and all(one["licence"] and one["package"] for one in told)
    shown = headway("data", "list").out
    assert all(name in shown for name in names)


def test_data_get_says_what_it_would_fetch_and_fetches_nothing(headway, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be run"))
    done = headway("data", "get", "cmudict", tmp_path / "out")
    assert done.code == 0 and f"headway data get cmudict {tmp_path / 'out'} --fetch" in done.out
    assert not (tmp_path / "out").exists()
    done = headway("data", "get", "cmudcit", tmp_path / "out")
    assert done.code == 2 and "no data set called 'cmudcit'" in done.err and "Did you mean 'cmudict'?" in done.err
    done = headway("data", "get", "cmudict")
    assert done.code == 2 and "OUT" in done.err


# ----------------------------------------------------------------------------------------- what no command lets through


@pytest.mark.parametrize(
    "error, code, words",
    [
        (MemoryError(), 1, "out of memory; a smaller training.tokens or machine.micro_tokens needs less"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 1, "out of memory"),
        (OSError(28, "No space left on device", "here"), 1, "No space left on device: here"),
        (HeadwayError("as it is"), 1, "headway: as it is"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_goes_wrong_outside_is_said_in_a_line(error, code, words, headway, monkeypatch):
    monkeypatch.setattr("headway.experiment.load", lambda *_: _raise(error))
    done = headway("predict", "run", "--text", "a")
    assert done.code == code and words in done.err and len(done.err.splitlines()) <= 1


def _raise(error: BaseException) -> None:
    raise error


def test_a_mistake_of_headway_says_so_and_shows_where_only_when_asked(capsys, monkeypatch):
    monkeypatch.setattr("headway.experiment.load", lambda *_: _raise(ZeroDivisionError("by zero")))
    assert cli.run(["predict", "run", "--text", "a"]) == 1
    told = capsys.readouterr().err
    assert "ZeroDivisionError: by zero\nThis is a mistake in headway" in told and "Traceback" not in told
    monkeypatch.setenv("HEADWAY_DEBUG", "1")
    assert cli.run(["predict", "run", "--text", "a"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.long
def test_a_reader_who_has_gone_is_no_mistake(runs, tmp_path):
    (tmp_path / "in.txt").write_text("ant bee\n" * 20_000)
    shell = (
        f"{sys.executable} -m headway predict {runs('tag')} {tmp_path / 'in.txt'} | head -n 2; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 3 and done.stdout.endswith("\n0\n")
