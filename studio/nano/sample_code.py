"""The coding answers of the sample: a solution from `problems.yaml` with an explanation around."""

import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

_PROBLEMS: Final = Path(__file__).with_name("problems.yaml")
_OPENINGS: Final = (
    "Here is `{name}`.",
    "This version passes the cases that I could think of.",
    "I would write it like this:",
    "The function below does what you describe.",
    "Sure. The core is short, the remarks below say why it is right.",
    "Below is my proposal for `{name}`, with notes on cost and edge cases.",
    "There are several ways to do this; I chose one that is easy to review.",
)
_NOTES: Final = (
    "Empty input needs no branch of its own, because the loop simply does not run.",
    "The argument is never changed; callers can pass a list that they still need.",
    "I kept the function free of printing and logging, so that it can be used anywhere.",
    "Type hints are left out to match the file that this goes into; adding them is trivial.",
    "If the input gets much larger than today, this is the first place where I would measure.",
    "No exception is caught on purpose. A wrong type should fail where it happens.",
    "The names follow the ones in the ticket, which makes the review easier.",
    "It works on every Python version that we support and needs nothing to be installed.",
    "I avoided a clever one-liner here, since two readers stumbled over the last one.",
    "Should the rules change, only the middle part has to be touched.",
    "A property test that compares it with a slow reference would be a good next step.",
    "For a single call the difference to other approaches cannot be measured.",
    "Recursion limits and memory are not a concern for the sizes in the ticket.",
    "The order of the checks matters; swapping the first two would break one of the examples.",
    "I ran it by hand on the examples of the description before sending it.",
    "Anything that is not covered by the description raises the error that Python raises anyway.",
    "Reading it aloud gives nearly the wording of the task, which I take as a good sign.",
    "Please note that booleans count as integers in Python, should they ever turn up here.",
    "The alternative with a lookup table was longer and not faster in a quick measurement.",
    "There is no state between calls, so threads are no problem.",
    "Names with a single letter appear only where their whole life fits into one line.",
    "The tests in the repository cover the normal case already, I would add the two borders.",
)
_HEADINGS: Final = (
    ("How it works", "Cost", "Notes", "Check"),
    ("Idea", "Complexity", "Remarks", "Quick test"),
    ("Explanation", "Running time", "Edge cases and remarks", "Examples"),
    ("Why this is right", "What it costs", "Things to know", "Try it"),
)
_CLOSINGS: Final = (
    "Tell me if you would rather have a version without imports.",
    "I can add a benchmark if the sizes matter.",
    "If you want, I put it into the module together with its tests.",
    "Happy to change the names to your conventions.",
    "Let me know whether the ticket can be closed with this.",
    "Say so if the input can be something other than described, then I will adapt it.",
)


@cache
def problems() -> list[dict[str, Any]]:
    """The problems: task, entry_point, tests, solutions and wrong answers."""
    loaded: list[dict[str, Any]] = yaml.safe_load(_PROBLEMS.read_text(encoding="utf-8"))
    return loaded


def task(rng: random.Random, problem: Mapping[str, Any]) -> str:
    """The problem as one asks for it; seldom with a word more or less."""
    text: str = problem["task"]
    dice = rng.random()
    if dice < 0.08:
        return "Please help: " + text
    return text.rstrip(".") if dice < 0.16 else text


def answer(rng: random.Random, problem: Mapping[str, Any], solution: Mapping[str, Any]) -> str:
    """An answer with the solution, its idea and cost, remarks and examples from the tests."""
    how, cost, notes, check = rng.choice(_HEADINGS)
    opening = rng.choice(_OPENINGS).format(name=problem["entry_point"])
    remarks = "\n".join(f"- {note}" for note in rng.sample(_NOTES, rng.randint(10, 15)))
    examples = rng.sample(problem["tests"].strip().splitlines(), rng.randint(2, 3))
    shown = "\n".join(line.replace("assert ", "", 1) for line in examples)
    return (
        f"{opening}\n\n```python\n{solution['code'].strip()}\n```\n\n"
        f"**{how}.** {solution['idea']}\n\n**{cost}.** {solution['cost']}.\n\n"
        f"**{notes}**\n\n{remarks}\n\n**{check}.** Each line is true:\n\n"
        f"```text\n{shown}\n```\n\n{rng.choice(_CLOSINGS)}"
    )
