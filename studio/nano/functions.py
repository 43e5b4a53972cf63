"""Short Python functions as combinations: what is kept, what is done to it, what comes out.

A function is a *family* (numbers, words or one number), a combination of parts and a constant. The
combination is its key, so the suite asks for combinations that the corpus never shows.
"""

import random
from dataclasses import dataclass
from typing import Any, Final

from studio.nano import words

# A part: its word in the function's name, its words in the request, its Python.
_Part = tuple[str, str, str]

_NUMBER_STEPS: Final = (
    ("", "{what}", "x"),
    ("squares", "the squares of {what}", "x * x"),
    ("doubles", "the doubles of {what}", "x * 2"),
    ("triples", "the triples of {what}", "x * 3"),
    ("halves", "the halves of {what}, rounded down", "x // 2"),
    ("negatives", "the negatives of {what}", "-x"),
    ("sizes", "the absolute values of {what}", "abs(x)"),
    ("raised", "{what}, each plus {k}", "x + {k}"),
)
_NUMBER_CHOICES: Final = (
    ("even", "are even", "x % 2 == 0"),
    ("odd", "are odd", "x % 2 == 1"),
    ("positive", "are positive", "x > 0"),
    ("negative", "are negative", "x < 0"),
    ("above", "are above {k}", "x > {k}"),
    ("below", "are below {k}", "x < {k}"),
    ("divisible", "are divisible by {k}", "x % {k} == 0"),
    ("other", "are not {k}", "x != {k}"),
)
_NUMBER_RESULTS: Final = (
    ("sum", "the sum of {what}", "sum({each})"),
    ("list", "a list of {what}", "[{each}]"),
    ("largest", "the largest of {what}, or 0 without any", "max(({each}), default=0)"),
    ("smallest", "the smallest of {what}, or 0 without any", "min(({each}), default=0)"),
    ("sorted", "a sorted list of {what}", "sorted({each})"),
)
_WORD_STEPS: Final = (
    ("", "{what}", "w"),
    ("upper", "{what}, in upper case", "w.upper()"),
    ("lower", "{what}, in lower case", "w.lower()"),
    ("reversed", "{what}, each reversed", "w[::-1]"),
    ("heads", "the first {i} letters of {what}", "w[:{i}]"),
    ("lengths", "the lengths of {what}", "len(w)"),
    ("marked", "{what}, each followed by a {c}", 'w + "{c}"'),
)
_WORD_CHOICES: Final = (
    ("long", "are longer than {i}", "len(w) > {i}"),
    ("short", "are shorter than {i}", "len(w) < {i}"),
    ("starting", "start with {a}", 'w.startswith("{a}")'),
    ("ending", "end with {a}", 'w.endswith("{a}")'),
    ("with", "contain {a}", '"{a}" in w'),
    ("without", "do not contain {a}", '"{a}" not in w'),
)
_WORD_RESULTS: Final = (
    ("list", "a list of {what}", "[{each}]"),
    ("sorted", "a sorted list of {what}", "sorted({each})"),
    ("joined", "{what} joined by {s}", '"{s}".join({each})'),
    ("first", "the first of {what}, or nothing", 'next(({each}), "")'),
)
_ITEM_FAMILIES: Final = (
    ("numbers", "x", _NUMBER_RESULTS, _NUMBER_STEPS, _NUMBER_CHOICES),
    ("words", "w", _WORD_RESULTS, _WORD_STEPS, _WORD_CHOICES),
)
_ONE_STEPS: Final = (
    ("times", "n times {k}", "n * {k}"),
    ("plus", "n plus {k}", "n + {k}"),
    ("minus", "n minus {k}", "n - {k}"),
    ("square", "n times n", "n * n"),
    ("rest", "the rest of n divided by {k}", "n % {k}"),
    ("share", "n divided by {k}, rounded down", "n // {k}"),
    ("power", "n to the power of 3", "n ** 3"),
)
_ONE_TESTS: Final = (
    ("even", "n is even", "n % 2 == 0"),
    ("odd", "n is odd", "n % 2 == 1"),
    ("above", "n is above {k}", "n > {k}"),
    ("below", "n is below {k}", "n < {k}"),
    ("divisible", "n is divisible by {k}", "n % {k} == 0"),
    ("equal", "n is equal to {k}", "n == {k}"),
)
_LETTERS: Final = "acdefilmnoprstu"
_REQUESTS: Final = (
    "Write a function {name}({argument}) that returns {what}.",
    "Write {name}({argument}). It returns {what}.",
    "I need a Python function {name}({argument}) that returns {what}.",
    "Code a function {name}({argument}) returning {what}.",
)


@dataclass(frozen=True)
class Function:
    """A function to ask for: its combination is the key of `words.reserved`."""

    name: str
    argument: str
    what: str
    body: str

    @property
    def key(self) -> str:
        """Family and parts, without the constants."""
        return f"{self.argument}:{self.name}"

    @property
    def source(self) -> str:
        """The definition."""
        return f"def {self.name}({self.argument}):\n{self.body}"

    def request(self, rng: random.Random) -> str:
        """One sentence that asks for the function by name."""
        template = rng.choice(_REQUESTS)
        return template.format(name=self.name, argument=self.argument, what=self.what)

    def answer(self) -> str:
        """The reply: nothing but the definition in a fence."""
        return f"```python\n{self.source}\n```"

    def tests(self, rng: random.Random, count: int = 5) -> str:
        """Asserts over plain values, results taken from the definition itself."""
        scope: dict[str, Any] = {}
        exec(self.source, scope)
        lines = []
        for _ in range(count):
            value = _argument_value(rng, self.argument)
            lines.append(f"assert {self.name}({value!r}) == {scope[self.name](value)!r}")
        return "\n".join(lines)


def _argument_value(rng: random.Random, argument: str) -> Any:
    if argument == "numbers":
        return [rng.randrange(-9, 16) for _ in range(rng.randrange(4, 9))]
    if argument == "words":
        pool = (*words.MODULES, *words.PARTS, *words.VERBS)
        return [rng.choice((str.lower, str.title))(rng.choice(pool)) for _ in range(7)]
    return rng.randrange(-12, 30)


def function(rng: random.Random, held_out: bool = False) -> Function:
    """Draw a function on the wanted side of the wall."""
    makers = (_over_items, _over_items, _of_one_number, _by_case)
    return words.draw(rng, lambda rng: rng.choice(makers)(rng), lambda f: f.key, held_out)


def _over_items(rng: random.Random) -> Function:
    """One line over a list: what comes out of what is done to those that are kept."""
    argument, variable, results, steps, choices = rng.choice(_ITEM_FAMILIES)
    result, step = _filled(rng, rng.choice(results)), _filled(rng, rng.choice(steps))
    if step[0] == "lengths" and result[0] in ("joined", "first"):
        step = steps[0]
    kept = [_filled(rng, part) for part in rng.sample(choices, rng.choice((0, 1, 2, 2, 3)))]
    which = " and ".join(part[1] for part in kept)
    test = " and ".join(part[2] for part in kept)
    what = f"the {argument} that {which}" if kept else f"the {argument}"
    each = f"{step[2]} for {variable} in {argument}" + (f" if {test}" if kept else "")
    names = (result[0], *(part[0] for part in kept), step[0])
    return Function(
        "_".join(name for name in names if name),
        argument,
        result[1].replace("{what}", step[1]).replace("{what}", what),
        "    return " + result[2].replace("{each}", each),
    )


def _of_one_number(rng: random.Random) -> Function:
    """Two or three steps on one number, added or subtracted."""
    first, *others = (_filled(rng, part) for part in rng.sample(_ONE_STEPS, rng.choice((2, 3))))
    name, what, body = first
    for other in others:
        sign, word = rng.choice((("+", "plus"), ("-", "minus")))
        name += f"_{word}_{other[0]}"
        what += f", {word} {other[1]}"
        body += f" {sign} ({other[2]})"
    return Function(name, "n", what, f"    return {body}")


def _by_case(rng: random.Random) -> Function:
    """One step on a number that passes a test, another on the others."""
    test = _filled(rng, rng.choice(_ONE_TESTS))
    step, other = (_filled(rng, part) for part in rng.sample(_ONE_STEPS, 2))
    return Function(
        f"{step[0]}_if_{test[0]}_else_{other[0]}",
        "n",
        f"{step[1]} if {test[1]}, otherwise {other[1]}",
        f"    if {test[2]}:\n        return {step[2]}\n    return {other[2]}",
    )


def _filled(rng: random.Random, part: _Part) -> _Part:
    """The part with its constants drawn: small and large digit, letter, separator, mark."""
    values = {
        "{i}": str(rng.randrange(2, 7)),
        "{k}": str(rng.randrange(2, 10)),
        "{a}": rng.choice(_LETTERS),
        "{s}": rng.choice("-+/:"),
        "{c}": rng.choice("!?."),
    }
    name, request, code = part
    for place, value in values.items():
        request, code = request.replace(place, value), code.replace(place, value)
    return name, request, code
