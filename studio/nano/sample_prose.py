"""The long answers of the sample: reports, plans, test plans and reviews from `prose.yaml`."""

import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from studio.nano import words

_GRAMMAR: Final = Path(__file__).with_name("prose.yaml")
_KEEP_LOWER: Final = ("tus ",)


@cache
def _grammar() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_GRAMMAR.read_text(encoding="utf-8"))
    return loaded


def document(rng: random.Random, kind: str) -> tuple[str, str]:
    """A task of that kind (a key of `kinds` in the grammar) and the long answer to it."""
    subject = rng.choice(_grammar()["subjects"])
    options = rng.sample(subject["options"], 4)
    rules = _grammar()["kinds"][kind]
    task = rng.choice(rules["tasks"]).format_map(_slots(rng, subject, options))
    sections = [_section(rng, rule, subject, options) for rule in rules["sections"]]
    return _sentence(task), f"# {_sentence(subject['name'])}\n\n" + "\n\n".join(sections)


def _section(
    rng: random.Random, rule: Mapping[str, Any], subject: Mapping[str, Any], options: list[str]
) -> str:
    """A heading and some of the rule's lines, drawn without repetition."""

    def lines(option: str) -> list[str]:
        count = min(rng.randint(*rule["pick"]), len(rule["lines"]))
        slots = (_slots(rng, subject, options) | {"this": option} for _ in range(count))
        drawn = rng.sample(rule["lines"], count)
        return [line.format_map(filled) for line, filled in zip(drawn, slots, strict=True)]

    style = rule.get("style", "prose")
    if style in ("options", "parts"):
        named = options if style == "options" else rng.sample(subject["parts"], 5)
        body = "\n\n".join(f"### {_sentence(n)}\n\n{_paragraph(lines(n))}" for n in named)
    elif style == "code":
        body = "\n\n".join(f"```python\n{line}\n```" for line in lines(options[0]))
    elif style == "prose":
        body = _paragraph(lines(options[0]))
    else:
        numbered = enumerate(lines(options[0]), start=1)
        mark = "{}. " if style == "numbered" else "- "
        body = "\n".join(mark.format(number) + _sentence(line) for number, line in numbered)
    return f"## {rule['heading']}\n\n{body}"


def _paragraph(lines: list[str]) -> str:
    return " ".join(_sentence(line) for line in lines)


def _sentence(text: str) -> str:
    return text if text.startswith(_KEEP_LOWER) else text[0].upper() + text[1:]


def _slots(
    rng: random.Random, subject: Mapping[str, Any], options: list[str]
) -> dict[str, str | int]:
    """Values for every slot, drawn anew for each line."""
    part, part2 = rng.sample(subject["parts"], 2)
    risk, risk2 = rng.sample(subject["risks"], 2)
    measure, measure2 = rng.sample(subject["measures"], 2)
    person, person2 = rng.sample(words.PEOPLE, 2)
    named = {"part": part, "part2": part2, "risk": risk, "risk2": risk2, "measure": measure}
    return {
        **named,
        **{f"{name}_up": _sentence(value) for name, value in named.items()},
        **dict(zip("abcd", options, strict=True)),
        "subject": subject["name"],
        "goal": subject["goal"],
        "measure2": measure2,
        "person": person,
        "person2": person2,
        "path": words.file_path(rng, "py"),
        "class_": rng.choice(words.MODULES).title(),
        "n": rng.randint(6, 48),
        "m": rng.randint(2, 9),
        "big": f"{rng.randint(2, 90)},{rng.choice(('000', '200', '500'))}",
        "percent": rng.choice((5, 10, 15, 20, 30, 40, 60, 80, 90)),
        "weeks": rng.randint(2, 8),
    }
