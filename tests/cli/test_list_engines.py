"""The table of who takes what: it is what the engines answer, on devices that this machine need not have."""

from rich.console import Console

from headway.cli._engines import abilities, print_abilities
from headway.kernels.attention import ENGINES


def test_every_engine_is_asked_and_the_table_says_what_it_answers():
    found = {one.engine: one for one in abilities()}
    assert list(found) == ENGINES.names()
    assert found["definition"].takes == {
        "devices": "all",
        "scores": "all",
        "normalizers": "all",
        "bias": "all",
        "dropout": "all",
    }
    assert found["additive"].takes["scores"] == "additive" and found["additive"].takes["normalizers"] == "all"
    assert found["fused"].takes["normalizers"] == "softmax, softmax_plus_one"
    assert found["flex"].takes["devices"] == "cuda" and found["flex"].takes["dropout"] == "no"
    assert found["flex"].refused["devices", "it has no backward on a CPU"] == ["cpu"]


def test_it_is_printed_with_the_reasons():
    console = Console(width=120, soft_wrap=True)
    with console.capture() as printed:
        print_abilities(console)
    assert "flex refuses devices cpu: it has no backward on a CPU" in printed.get()
    assert all(name in printed.get() for name in ENGINES.names())
