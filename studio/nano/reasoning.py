"""Short questions with one line of working: arithmetic, comparison, order, counting."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from studio.nano import words


@dataclass(frozen=True)
class Question:
    """A question; its numbers or names are the key of `words.reserved`."""

    text: str
    working: str
    answer: str
    key: str

    def reply(self) -> str:
        """The working on one line, then the answer."""
        return f"{self.working}\nAnswer: {self.answer}"


def question(rng: random.Random, held_out: bool = False) -> Question:
    """Draw a question on the wanted side of the wall."""
    kind = rng.choice(KINDS)
    return words.draw(rng, kind, lambda drawn: drawn.key, held_out)


def drill(rng: random.Random) -> Question:
    """Some facts of arithmetic in one go; only the corpus holds them."""
    facts = []
    for _ in range(rng.randrange(3, 8)):
        sign = rng.choice("+++--**")
        a = rng.randrange(10, 60) if sign != "*" and rng.random() < 0.4 else rng.randrange(1, 10)
        b = rng.randrange(1, 10 if sign != "-" else min(a, 9) + 1)
        facts.append((f"{a} {sign} {b}", {"+": a + b, "-": a - b, "*": a * b}[sign]))
    asked = ", ".join(text for text, _ in facts)
    working = ", ".join(f"{text} = {value}" for text, value in facts)
    return Question(f"Work out {asked}.", working, str(facts[-1][1]), asked)


def _digits(rng: random.Random, count: int, low: int = 1) -> list[int]:
    return [rng.randrange(low, 10) for _ in range(count)]


def _sum_chain(rng: random.Random) -> Question:
    a, b, c = _digits(rng, 3)
    text = rng.choice(("What is {} + {} + {}?", "Add {}, {} and {}.")).format(a, b, c)
    working = f"{a} + {b} = {a + b}, {a + b} + {c} = {a + b + c}"
    return Question(text, working, str(a + b + c), f"sum {a} {b} {c}")


def _story(rng: random.Random) -> Question:
    a, b = _digits(rng, 2)
    c = rng.randrange(1, a + b)
    who, what = rng.choice(words.PEOPLE), rng.choice(words.THINGS)
    text = rng.choice(
        (
            "{who} has {a} {what}, gets {b} more and gives {c} away. How many {what} are left?",
            "There are {a} {what}. {who} adds {b} and removes {c}. How many {what} are there now?",
        )
    ).format(who=who, what=what, a=a, b=b, c=c)
    working = f"{a} + {b} = {a + b}, {a + b} - {c} = {a + b - c}"
    return Question(text, working, str(a + b - c), f"story {a} {b} {c}")


def _product(rng: random.Random) -> Question:
    a, b, c = *_digits(rng, 2, 2), rng.randrange(1, 10)
    what = rng.choice(words.THINGS)
    text = rng.choice(
        (
            "{a} boxes hold {b} {what} each, {c} more {what} are loose. How many {what} is that?",
            "What is {a} times {b}, plus {c}?",
        )
    ).format(a=a, b=b, c=c, what=what)
    working = f"{a} * {b} = {a * b}, {a * b} + {c} = {a * b + c}"
    return Question(text, working, str(a * b + c), f"product {a} {b} {c}")


def _larger(rng: random.Random) -> Question:
    a, b = rng.sample(range(10, 100), 2)
    word = rng.choice(("larger", "smaller"))
    answer = max(a, b) if word == "larger" else min(a, b)
    sign = ">" if a > b else "<"
    text = rng.choice(("Which is {}, {} or {}?", "Name the {} of {} and {}.")).format(word, a, b)
    return Question(text, f"{a} {sign} {b}", str(answer), f"larger {min(a, b)} {max(a, b)}")


def _extreme(rng: random.Random) -> Question:
    numbers = rng.sample(range(10, 100), 3)
    word = rng.choice(("largest", "smallest"))
    ordered = sorted(numbers)
    answer = ordered[-1] if word == "largest" else ordered[0]
    text = "Which is the {} of {}, {} and {}?".format(word, *numbers)
    working = "{} < {} < {}".format(*ordered)
    return Question(text, working, str(answer), "extreme {} {} {}".format(*ordered))


def _order(rng: random.Random) -> Question:
    first, second, third = rng.sample(words.PEOPLE, 3)
    facts = [f"{first} came before {second}.", f"{second} came before {third}."]
    rng.shuffle(facts)
    word, answer = rng.choice((("first", first), ("last", third), ("in the middle", second)))
    text = f"{facts[0]} {facts[1]} Who came {word}?"
    return Question(text, f"{first}, {second}, {third}", answer, f"order {first} {second} {third}")


def _difference(rng: random.Random) -> Question:
    a, b = rng.randrange(11, 60), rng.randrange(2, 10)
    sign = rng.choice("+-")
    answer = a + b if sign == "+" else a - b
    what = rng.choice(words.THINGS)
    text = {
        "+": f"A list has {a} {what}. {b} are added. How many {what} does it have?",
        "-": f"A list has {a} {what}. {b} are removed. How many {what} does it have?",
    }[sign]
    return Question(text, f"{a} {sign} {b} = {answer}", str(answer), f"difference {a} {b}")


def _count(rng: random.Random) -> Question:
    numbers, limit = rng.sample(range(1, 10), 5), rng.randrange(3, 8)
    above = [number for number in numbers if number > limit]
    text = "How many of {}, {}, {}, {} and {} are above {}?".format(*numbers, limit)
    working = ", ".join(map(str, above)) or "none"
    return Question(text, working, str(len(above)), f"count {numbers} {limit}")


def _sequence(rng: random.Random) -> Question:
    start, step = rng.randrange(1, 20), rng.randrange(2, 8)
    shown = [start + step * place for place in range(4)]
    text = "{}, {}, {}, {}: which number comes next?".format(*shown)
    answer = start + 4 * step
    working = f"{shown[3]} + {step} = {answer}"
    return Question(text, working, str(answer), f"sequence {start} {step}")


def _clock(rng: random.Random) -> Question:
    start, hours = rng.randrange(1, 13), rng.randrange(2, 10)
    what = rng.choice(words.MODULES)
    text = f"The {what} job starts at {start}:00 and takes {hours} hours. When does it end?"
    end, key = start + hours, f"clock {what} {start} {hours}"
    return Question(text, f"{start} + {hours} = {end}", f"{end}:00", key)


def _spare(rng: random.Random) -> Question:
    a, b = rng.sample(range(1, 10), 2)
    who, other = rng.sample(words.PEOPLE, 2)
    what = rng.choice(words.THINGS)
    text = f"{who} closed {a} {what} and {other} closed {b}. Who closed more?"
    sign, answer = (">", who) if a > b else ("<", other)
    return Question(text, f"{a} {sign} {b}", answer, f"spare {who} {other} {a} {b}")


KINDS: Final[tuple[Callable[[random.Random], Question], ...]] = (
    _sum_chain,
    _story,
    _product,
    _larger,
    _extreme,
    _order,
    _difference,
    _count,
    _sequence,
    _clock,
    _spare,
)
