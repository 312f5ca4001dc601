"""torch.compile: the same learning, one program for the blocks of a stack and all lengths, and no way back to Python.

Inductor's own work is left out, for it takes minutes: programs are traced, and in a whole training differentiated, too.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from little import quick, tiny, weights

SCRIPT = Path(__file__).parents[1] / "compiling.py"


def decoder(name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "transduce", "decoder": name, **more}


def attention(**changed: str) -> dict[str, Any]:
    return {"mixer": {"kind": "attention", "heads": 3, **changed}}


CASES: list[tuple[dict[str, Any], Any, int]] = [
    ({}, decoder("autoregressive", draft="ctc"), 2),
    ({}, "tag", 1),
    (attention(normalizer="relu"), "tag", 1),
    *(({}, decoder(name), 2) for name in ("length", "bound", "dag", "mask_predict")),
    ({}, decoder("ctc"), 1),
    ({"mixer": "convolution"}, "tag", 1),
    *((attention(normalizer=name), "tag", 1) for name in ("sigmoid", "softmax_plus_one", "sparsemax", "entmax15")),
    *((attention(score=name), "tag", 1) for name in ("additive", "cosine", "bilinear")),
    *(({"position": name}, "tag", 1) for name in ("sinusoidal", "learned", "none")),
    *(({"position": name}, "tag", 2) for name in ("alibi", "relative")),  # of a bias one that is spread, and one whole
    ({**attention(window=2, gate="head"), "norm": "rms", "feedforward": "swiglu"}, "tag", 1),
]
"""Of an encoder and a task, how many programs."""


@pytest.mark.parametrize("cases", [CASES[:1], pytest.param(CASES[1:], marks=pytest.mark.long)], ids=["joint", "others"])
def test_the_blocks_of_a_stack_are_one_program_for_every_length(cases):
    asked = json.dumps([[encoder, task] for encoder, task, _ in cases])
    done = subprocess.run([sys.executable, SCRIPT, asked], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    assert json.loads(done.stdout) == [programs for _, _, programs in cases]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_model_learns_what_the_model_learns(runs, tmp_path, monkeypatch):
    """Nothing dropped: a compiler draws from torch's generator. Traced and differentiated as by inductor."""
    usual = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model, **how: usual(model, backend="aot_eager", **how))
    changed = {"training.steps": 3, "training.evaluate_every": 3, "model.input.word_dropout": 0.0}
    for compile in (True, False):
        settings = tiny("tag", {**changed, "machine.compile": compile, "machine.parts": 1})
        quick(runs.data("tag"), tmp_path / str(compile), settings=settings)
    one, other = weights(tmp_path / "True"), weights(tmp_path / "False")
    for name in one:
        if not name.endswith("key.bias"):  # a softmax does not see it: its gradient is rounding
            torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=2e-4, msg=name)
