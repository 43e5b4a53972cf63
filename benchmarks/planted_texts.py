"""Documents such as agents leave behind, made from a seed, with perturbed copies planted.

Prose is a stream of phrases whose popularity follows Zipf's law, so that unrelated documents share
wordings as real ones do; code is a stream of statement shapes over a shared pool of identifiers.
Nothing is read from disk.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

FUNCTION_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "it",
    "as",
    "was",
    "with",
    "be",
    "by",
    "on",
    "not",
    "he",
    "this",
    "are",
    "or",
    "his",
    "from",
    "at",
    "which",
    "but",
    "have",
    "an",
    "had",
    "they",
    "you",
    "were",
    "their",
    "one",
    "all",
    "we",
    "can",
    "has",
    "there",
    "been",
    "if",
    "more",
    "when",
    "will",
    "would",
    "who",
    "so",
    "no",
    "out",
    "up",
    "into",
    "do",
    "any",
    "your",
    "what",
    "said",
    "them",
    "than",
    "its",
    "only",
    "other",
    "new",
    "some",
    "could",
    "time",
    "these",
    "two",
    "may",
    "then",
    "about",
    "my",
    "over",
    "such",
    "our",
    "after",
    "first",
    "also",
    "most",
    "use",
    "should",
    "each",
    "how",
    "must",
    "where",
    "through",
]
SYLLABLES = [
    "an",
    "ar",
    "ba",
    "be",
    "ca",
    "ce",
    "co",
    "da",
    "de",
    "di",
    "do",
    "el",
    "en",
    "er",
    "fa",
    "fi",
    "ga",
    "ge",
    "ha",
    "he",
    "in",
    "is",
    "ka",
    "la",
    "le",
    "li",
    "lo",
    "ma",
    "me",
    "mi",
    "mo",
    "na",
    "ne",
    "ni",
    "no",
    "on",
    "or",
    "pa",
    "pe",
    "po",
    "ra",
    "re",
    "ri",
    "ro",
    "sa",
    "se",
    "si",
    "so",
    "sta",
    "ta",
    "te",
    "ti",
    "to",
    "tra",
    "tu",
    "un",
    "va",
    "ve",
    "vi",
    "wa",
    "we",
    "ter",
    "con",
    "ment",
    "tion",
    "ing",
    "est",
    "ver",
    "per",
    "com",
    "pro",
    "ly",
]
STATEMENTS = (
    "{i}if {x} is None:\n{i}    return {y}\n",
    "{i}if {x} > {y} and not {z}:\n{i}    {a} = {y}\n",
    "{i}for {a} in {x}:\n{i}    {b}.append({y})\n",
    "{i}for {a}, {b} in enumerate({x}):\n{i}    {c}[{a}] = {y}\n",
    "{i}while {x} < {y}:\n{i}    {a} += {z}\n",
    "{i}{a} = {x}\n",
    "{i}{a}, {b} = {x}, {y}\n",
    "{i}{a}.{b} = {x}\n",
    "{i}{a} = [{x} for {b} in {y} if {z}]\n",
    "{i}{a} = dict(({b}, {x}) for {b}, {c} in {y}.items())\n",
    "{i}{x}\n",
    "{i}self.{a} = {x}\n",
    "{i}raise ValueError({x})\n",
    "{i}with open({x}) as {a}:\n{i}    {b} = {y}\n",
    "{i}# {w}\n",
    "{i}return {x}\n",
    "{i}return {x} if {y} else {z}\n",
    "{i}try:\n{i}    {a} = {x}\n{i}except KeyError:\n{i}    {a} = {y}\n",
    "{i}assert {x} == {y}, {z}\n",
    "{i}yield {x}\n",
    "{i}del {a}[{x}]\n",
)
EXPRESSIONS = (
    "{a}", "{a}.{b}", "{a}({b})", "{a}.{b}({c})", "{a}[{n}]", "{n}", "'{w}'", "{a} + {n}",
    "len({a})", "{a}({b}, {c}={n})", "self.{a}", "self.{a}.{b}({c})", "'{w} %s' % {a}",
    "{a} or {b}", "not {a}", "{a}.get('{b}', {n})",
)  # fmt: skip
LICENCE = (
    "# Licensed under the Example Licence, Version 2.0; you may not use this file except in\n"
    "# compliance with it. Unless required by applicable law or agreed to in writing, software is\n"
    '# distributed on an "AS IS" BASIS, without warranties or conditions of any kind.\n'
)
LETTERS = "abcdefghijklmnopqrstuvwxyz     \n.,_()"
KINDS = (
    "edited 1%",
    "edited 5%",
    "edited 10%",
    "reordered",
    "renamed",
    "reindented",
    "padded",
    "exact",
)


@dataclass
class Planted:
    """`texts`, and `copies`: (source, copy, kind) by position."""

    texts: list[str]
    copies: list[tuple[int, int, str]] = field(default_factory=list)


class Writer:
    """Writes prose and code; the same seed writes the same."""

    def __init__(self, seed: int, phrases: int = 200_000, statements: int = 30_000) -> None:
        self.random = random.Random(seed)
        choices = self.random.choices
        words = FUNCTION_WORDS + [
            "".join(choices(SYLLABLES, k=self.random.randint(1, 4))) for _ in range(20_000)
        ]
        by_rank = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
        lengths = choices((1, 2, 3, 4, 5), (2, 4, 4, 2, 1), k=phrases)
        self.phrases = [" ".join(choices(words, cum_weights=by_rank, k=n)) for n in lengths]
        self.phrase_weights = list(accumulate(1 / (rank + 50) ** 0.9 for rank in range(phrases)))
        names = words[len(FUNCTION_WORDS) : 8_000]
        self.names = [
            "_".join(choices(names, k=self.random.choice((1, 2, 2, 3)))) for _ in range(20_000)
        ]
        self.name_weights = list(accumulate(1 / (rank + 20) for rank in range(len(self.names))))
        self.statements = [self._statement() for _ in range(statements)]

    def prose(self, length: int) -> str:
        """About `length` characters in sentences and paragraphs."""
        phrases = self.random.choices(
            self.phrases, cum_weights=self.phrase_weights, k=max(2, length // 14)
        )
        parts, at = [], 0
        while at < len(phrases):
            step = self.random.randint(2, 7)
            parts.append(" ".join(phrases[at : at + step]).capitalize() + ".")
            parts.append("\n\n" if self.random.random() < 0.12 else " ")
            at += step
        return "".join(parts[:-1])

    def code(self, length: int) -> str:
        """About `length` characters of functions; now and then under a licence header."""
        draw = self.random
        names = draw.choices(
            self.names, cum_weights=self.name_weights, k=10 + min(length, 20_000) // 60
        )
        parts = [LICENCE] if draw.random() < 0.15 else []
        size = sum(map(len, parts))
        while size < length:
            start = draw.randrange(len(names))
            near = (names[start:] + names)[:10]  # a function keeps to a few names
            parts.append(f"\ndef {near[0]}({near[1]}, {near[2]}=None):\n")
            for statement in draw.choices(self.statements, k=draw.randint(3, 14)):
                a, b, c = draw.sample(near, 3)
                parts.append(statement.format(a=a, b=b, c=c))
            size += sum(map(len, parts[-15:]))
        return "".join(parts)

    def _statement(self) -> str:
        """A statement whose names are still open."""
        draw = self.random

        def words() -> str:
            return draw.choices(self.phrases, cum_weights=self.phrase_weights)[0]

        x, y, z = (
            shape.replace("{n}", str(draw.randrange(100))).replace("{w}", words())
            for shape in draw.choices(EXPRESSIONS, k=3)
        )
        shape = draw.choice(STATEMENTS).replace("{i}", "    " * draw.randint(1, 3))
        for mark, text in (("{x}", x), ("{y}", y), ("{z}", z), ("{w}", words())):
            shape = shape.replace(mark, text)
        return shape

    def document(self, mean: float) -> str:
        """Prose or code, its length drawn from a log-normal around `mean` characters."""
        length = int(min(max(self.random.lognormvariate(0, 0.9) * mean / 1.6, 20), 100_000))
        return self.prose(length) if self.random.random() < 0.5 else self.code(length)


def edited(text: str, share: float, rng: random.Random) -> str:
    """A copy with `share` of its characters replaced, removed or followed by a new one."""
    places = sorted(rng.sample(range(len(text)), max(1, round(len(text) * share))))
    parts, at = [], 0
    for place in places:
        parts.append(text[at:place])
        act = rng.random()
        if act < 1 / 3:
            parts.append(rng.choice(LETTERS))
        elif act < 2 / 3:
            parts.append(text[place] + rng.choice(LETTERS))
        at = place + 1
    return "".join(parts) + text[at:]


def reordered(text: str, rng: random.Random) -> str:
    """A copy in which one block of lines (of sentences, where there are none) has moved."""
    mark = "\n" if text.count("\n") > 3 else ". "
    parts = text.split(mark)
    size = max(1, len(parts) // 12)
    start = rng.randrange(max(1, len(parts) - size))
    block = parts[start : start + size]
    rest = parts[:start] + parts[start + size :]
    place = rng.randint(0, len(rest))
    return mark.join(rest[:place] + block + rest[place:])


def renamed(text: str, rng: random.Random) -> str:
    """A copy in which two of its words have another name throughout."""
    words = [word for word in set(text.replace("(", " ").split()) if word.isalpha()]
    for word in rng.sample(sorted(words), min(2, len(words))):
        text = text.replace(word, rng.choice(SYLLABLES) + word[1:])
    return text


def reindented(text: str, rng: random.Random) -> str:
    """A copy whose lines are indented deeper, or whose indents are tabs."""
    if rng.random() < 0.5:
        return text.replace("    ", "\t")
    return "\n".join("  " + line for line in text.split("\n"))


def padded(text: str, rng: random.Random) -> str:
    """A copy under a header or over a footer that many others carry too."""
    return LICENCE + text if rng.random() < 0.5 else f"{text}\n\nGenerated by the agent.\n"


PERTURB: dict[str, Callable[[str, random.Random], str]] = {
    "edited 1%": lambda text, rng: edited(text, 0.01, rng),
    "edited 5%": lambda text, rng: edited(text, 0.05, rng),
    "edited 10%": lambda text, rng: edited(text, 0.10, rng),
    "reordered": reordered,
    "renamed": renamed,
    "reindented": reindented,
    "padded": padded,
    "exact": lambda text, _: text,
}


def planted_texts(count: int, seed: int, *, mean: float = 1650, copies: float = 0.2) -> Planted:
    """`count` documents of about `mean` characters; `copies` of them perturb an earlier one."""
    writer = Writer(seed)
    rng = writer.random
    planted = Planted([])
    for number in range(count):
        if planted.texts and rng.random() < copies:
            kind = KINDS[len(planted.copies) % len(KINDS)]
            source = rng.randrange(number)
            planted.texts.append(PERTURB[kind](planted.texts[source], rng))
            planted.copies.append((source, number, kind))
        else:
            planted.texts.append(writer.document(mean))
    return planted
