"""Single answers: the worst, some as they come, and for numbers all of them in one picture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from headway.batch import ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.metrics._confusion import label_set
from headway.report.charts import scatter_chart
from headway.report.grades import Grades, distance, sequence_unit, wrong_elements
from headway.report.markup import LIMIT, Html, cut, join, tag
from headway.report.mistakes import Marked, differences, spread, worst
from headway.report.sections import chart_figure, section
from headway.report.units import Unit, language_of, shown, symbols
from headway.report.wording import plural, signed, significant

ELEMENTS = 100
"""Elements of a tagged sequence that are shown."""
DOTS = 2000
"""Answers that the picture of numbers has, at most."""
COMPARED = 600
"""Symbols of a written sequence that are compared with the right one."""

Card = Callable[[Example, Any], tuple[object, Html]]
"""(what is wrong in a few words, the answer in full) of one example."""


def answers(graded: Grades | None, metrics: Sequence[str], part: str | None) -> Html | None:
    """Some answers at even distances, so that the worst are not taken for the usual; and the worst."""
    if graded is None:
        return None
    card = _card(graded, metrics)
    bad, some = worst(graded.badness), spread(len(graded.examples))

    def block(title: str, note: str, rows: list[int]) -> list[Html]:
        items = [_item(graded, row, card) for row in rows]
        return [
            tag("h3", title),
            tag("p", note, class_="note"),
            tag("ol", items, class_="answers") if items else Html(),
        ]

    usual = f"{plural(len(some), 'answer')} at even distances in the {part or 'measured'} part, right or wrong."
    wrong = int((graded.badness > 0).sum())
    note = _about(graded, len(bad), wrong) if wrong else "No answer is wrong."
    return section(
        "answers", "Answers", _scatter(graded), block("As they come", usual, some), block("The worst", note, bad)
    )


def _about(graded: Grades, count: int, wrong: int) -> str:
    """How many there are, and in which order they stand."""
    kind = type(graded.answers[0])
    order = {
        TagAnswer: "those with the most wrong labels first",
        ClassifyAnswer: "those it was surest of first",
        RegressAnswer: "the largest errors first",
        TransduceAnswer: "those that differ most first",
    }[kind]
    of = (
        f"{count:,} of {wrong:,} answers that are not right"
        if kind is not RegressAnswer
        else f"{count:,} of {wrong:,} answers"
    )
    every = f"; one in {graded.every:,} examples was looked at" if graded.every > 1 else ""
    return f"{of}, {order}{every}."


def _item(graded: Grades, row: int, card: Card) -> Html:
    example, answer = graded.examples[row], graded.answers[row]
    words, body = card(example, answer)
    where = f"{Path(example.where.file).name}:{example.where.line}" if example.where.line else None
    head = tag(
        "div",
        tag("span", words, class_="verdict"),
        tag("span", cut(where, 60), class_="where") if where else None,
        class_="head",
    )
    return tag("li", head, body)


def _card(graded: Grades, metrics: Sequence[str]) -> Card:
    kind = type(graded.answers[0])
    if kind is TransduceAnswer:
        unit, name = sequence_unit(graded.examples, metrics)
        return lambda example, answer: _sequence(example, answer, unit, name)
    cards: dict[type, Card] = {TagAnswer: _tags, ClassifyAnswer: _classes, RegressAnswer: _number}
    return cards[kind]


def _text(value: Any) -> Html:
    text = cut(shown(value))
    return tag("p", text, class_="text", dir="auto", lang=language_of([text]) or None)


# ------------------------------------------------------------------------------------------------------------- cards


def _tags(example: Example, answer: TagAnswer) -> tuple[object, Html]:
    wrong = set(wrong_elements(example, answer))
    elements = example.source if isinstance(example.source, (tuple, list)) else answer.elements
    pieces: list[object] = []
    room, last = LIMIT, 0
    for last, element in enumerate(elements[:ELEMENTS]):
        word = cut(str(element), 40)
        room -= len(word) + 1
        if room < 0:
            break
        pieces += [_element(word, last in wrong, example, answer, last), " "]
    else:
        last = min(len(elements), ELEMENTS)
    if last < len(elements):
        hidden = sum(i >= last for i in wrong)
        pieces.append(
            f"… {plural(len(elements) - last, 'more element')}" + (f", {hidden:,} of them wrong" if hidden else "")
        )
    count = f"{len(wrong):,} of {plural(len(example.target), 'label')} wrong" if wrong else "all right"
    lang = language_of([" ".join(map(str, elements[:ELEMENTS]))])
    return count, tag("p", pieces, class_="text tagged", dir="auto", lang=lang or None)


def _element(word: str, wrong: bool, example: Example, answer: TagAnswer, number: int) -> Html:
    if not wrong:
        return tag("span", word)
    given = cut(answer.labels[number], 24) if number < len(answer.labels) else "nothing"
    right = example.target[number]
    labels = tag("small", tag("del", given), " › ", tag("ins", "?" if right is None else cut(str(right), 24)))
    return tag("span", tag("span", word), labels, class_="wrong")


def _classes(example: Example, answer: ClassifyAnswer) -> tuple[object, Html]:
    right = label_set(example.target)
    given, truth = (
        ", ".join(cut(label, 40) for label in side) or "no label" for side in (answer.labels, sorted(right))
    )
    share = f" with {answer.score:.1%}"
    if frozenset(answer.labels) == right:
        return join(["given ", tag("b", given), share, ", which is right"]), _text(example.source)
    return join(["given ", tag("del", given), share, ", right is ", tag("ins", truth)]), _text(example.source)


def _number(example: Example, answer: RegressAnswer) -> tuple[object, Html]:
    right = float(example.target)
    error = answer.value - right
    words = f", {signed(significant(abs(error)))} too {'high' if error > 0 else 'low'}" if error else ""
    given, truth = (tag("b", signed(significant(value))) for value in (answer.value, right))
    return join(["given ", given, ", right is ", truth, words]), _text(example.source)


def _sequence(example: Example, answer: TransduceAnswer, unit: Unit, name: str) -> tuple[object, Html]:
    written = symbols(answer.text, unit)
    sides = [str(right) for right in example.references if right is not None]
    right = min(sides, key=lambda side: distance(written, symbols(side, unit)))
    edits = distance(written, symbols(right, unit))
    ours, theirs = differences(written[:COMPARED], symbols(right, unit)[:COMPARED])
    others = tag("span", f" nearest of {len(sides)}", class_="note") if len(sides) > 1 else None
    rows = [
        _side("source", cut(shown(example.source)), example.source),
        _side("written", _runs(ours, unit, "del") or tag("em", "nothing"), answer.text),
        _side("right", [_runs(theirs, unit, "ins"), others], right),
    ]
    words = f"{plural(edits, f'{name} edit')} from right" if edits else "right"
    return words, tag("dl", rows, class_="pair")


def _side(name: str, content: object, text: Any) -> Html:
    return tag("div", tag("dt", name), tag("dd", content, dir="auto", lang=language_of([text]) or None))


def _runs(runs: Marked, unit: Unit, element: str) -> list[object]:
    """Runs as text of at most LIMIT characters; those that only this side has are marked."""
    between = "" if unit == "characters" else " "
    pieces: list[object] = []
    room = LIMIT
    for same, run in runs:
        text = between.join(map(str, run))
        shorter = cut(text, max(room, 1))
        pieces += [shorter if same else tag(element, shorter), between]
        if len(text) > room:
            break
        room -= len(text) + len(between)
    return pieces


def _scatter(graded: Grades) -> Html | None:
    points = [
        (float(example.target), answer.value)
        for example, answer in zip(graded.examples, graded.answers, strict=True)
        if isinstance(answer, RegressAnswer)
    ]
    if not points:
        return None
    every = max(1, -(-len(points) // DOTS))
    said = f"{plural(len(points[::every]), 'answer')}" + (f", one in {every:,}" if every > 1 else "")
    told = f"Scatter plot of the values given over the right values, {said}; on the diagonal both are equal."
    chart = scatter_chart(points[::every], told, "right", "given")
    return tag("div", chart_figure("given and right values", chart, tag("span", said, class_="key")), class_="charts")
