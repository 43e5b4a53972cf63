"""The tool conversations of the sample: the team's three tools, called, answered, summed up."""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from studio.nano import toolbox, words
from studio.nano.toolbox import BY_NAME, TOOLS, Arguments, Tool

Message = dict[str, Any]
Call = tuple[Tool, Arguments]
Flow = Callable[[random.Random], tuple[str, list[list[Call]]]]

_SEARCH, _TESTS, _TICKET = (BY_NAME[n] for n in ("search_code", "run_tests", "create_ticket"))
_REASONS: Final = (
    "AssertionError: expected {n} rows, got {m}",
    "TimeoutError after {n} s",
    "KeyError: '{name}'",
    "assert {m} == {n}",
    "connection refused on port 80{n}",
    "TypeError: {name} is None",
)
_SNIPPETS: Final = (
    "{name} = {n}",
    "return self.{name}",
    "if {name} > {n}:",
    'config["{name}"]',
    "def {name}(self, value):",
    "log.info({name})",
    "{name}: int = {n}",
)
_LEADS: Final = (
    "I will look that up.",
    "Let me do that first.",
    "One moment, I start with this call.",
    "Sure.",
    "I use a tool for that.",
)


def conversation(
    rng: random.Random, agent: str, legacy: bool
) -> tuple[list[Message], list[Message]]:
    """Messages and offered tools; `legacy` writes calls the old way, as JSON in a fence."""
    flows = _FLOWS[agent] + (() if legacy else (_two_at_once,))
    first = flows[:2] if rng.random() < 0.6 else flows
    messages: list[Message] = []
    used: list[Tool] = []
    for turn in range(rng.choice((1, 2) if legacy else (1, 2, 2, 3, 3))):
        request, rounds = rng.choice(flows if turn else first)(rng)
        messages.append({"role": "user", "content": request})
        facts: list[str] = []
        for calls in rounds:
            results = [_result(rng, tool, arguments) for tool, arguments in calls]
            messages += _round(rng, calls, [text for text, _ in results], legacy)
            facts += [fact for _, fact in results]
            used += [tool for tool, _ in calls if tool not in used]
        messages.append({"role": "assistant", "content": " ".join(facts)})
    offered = toolbox.offer(rng, used, TOOLS, 4)
    return messages, [tool.schema() for tool in offered]


def _single(tool: Tool) -> Flow:
    """One request, one call."""

    def flow(rng: random.Random) -> tuple[str, list[list[Call]]]:
        arguments = tool.draw(rng)
        return tool.request(rng, arguments), [[(tool, arguments)]]

    return flow


def _two_at_once(rng: random.Random) -> tuple[str, list[list[Call]]]:
    """Two requests in one message, two calls in one answer."""
    first, second = (_single(rng.choice((_SEARCH, _TESTS, _TICKET)))(rng) for _ in range(2))
    joint = rng.choice((" Also: ", " Then: ", " And: "))
    return first[0] + joint + second[0], [first[1][0] + second[1][0]]


def _tests_then_ticket(rng: random.Random) -> tuple[str, list[list[Call]]]:
    """Run tests and file what fails: two rounds."""
    tests, ticket = _TESTS.draw(rng), _TICKET.draw(rng)
    request = rng.choice(
        (
            "{ask} If they fail, open a {priority} priority ticket for {assignee}: {title}.",
            '{ask} {assignee} gets a {priority} ticket "{title}" when something breaks.',
            '{ask} File "{title}" with {priority} priority for {assignee} afterwards.',
        )
    ).format(ask=_TESTS.request(rng, tests), **ticket)
    return request, [[(_TESTS, tests)], [(_TICKET, ticket)]]


def _search_then_tests(rng: random.Random) -> tuple[str, list[list[Call]]]:
    """Look for a name, then run the tests: two rounds."""
    search, tests = _SEARCH.draw(rng), _TESTS.draw(rng)
    joint = rng.choice((" Then: ", " After that: ", " When you know: "))
    request = _SEARCH.request(rng, search) + joint + _TESTS.request(rng, tests)
    return request, [[(_SEARCH, search)], [(_TESTS, tests)]]


_FLOWS: Final[dict[str, tuple[Flow, ...]]] = {
    "coder": (_single(_SEARCH), _single(_TESTS), _single(_SEARCH), _search_then_tests),
    "tester": (_single(_TESTS), _single(_TICKET), _single(_TESTS), _tests_then_ticket),
    "coordinator": (_single(_TICKET), _single(_TICKET)),
    "researcher": (_single(_SEARCH), _single(_SEARCH)),
}


def _round(
    rng: random.Random, calls: list[Call], results: list[str], legacy: bool
) -> list[Message]:
    """The assistant's calls and the tools' answers."""
    ids = [f"call_{rng.randrange(16**8):08x}" for _ in calls]
    if legacy:
        ((tool, arguments),) = calls
        key = "args" if rng.random() < 0.15 else "arguments"
        written = json.dumps({"tool": tool.name, key: arguments}, indent=rng.choice((None, 2)))
        lead = rng.choice(_LEADS) + "\n\n" if rng.random() < 0.7 else ""
        asked: Message = {"role": "assistant", "content": f"{lead}```json\n{written}\n```"}
    else:
        asked = toolbox.call_message(calls)
        for identifier, call in zip(ids, asked["tool_calls"], strict=True):
            call["id"] = identifier
    answers = zip(ids, results, strict=True)
    return [asked, *({"role": "tool", "tool_call_id": i, "content": r} for i, r in answers)]


def _result(rng: random.Random, tool: Tool, arguments: Arguments) -> tuple[str, str]:
    """What a tool returned, and the sentence in which the final answer reports it."""
    return {_SEARCH.name: _found, _TESTS.name: _tested, _TICKET.name: _filed}[tool.name](
        rng, arguments
    )


def _found(rng: random.Random, arguments: Arguments) -> tuple[str, str]:
    query, path, count = arguments["query"], arguments["path"], rng.randrange(4)
    if count == 0:
        none = (f"Nothing in {path} uses {query}.", f"I found no {query} in {path}.")
        return "no matches", rng.choice(none)
    lines, places = [], []
    for _ in range(count):
        place = f"{path}/{rng.choice(words.MODULES)}.py:{rng.randrange(4, 400)}"
        code = rng.choice(_SNIPPETS).format(name=query, n=rng.randrange(2, 90))
        lines.append(f"{place}: {code}")
        places.append(place)
    report = rng.choice(
        (
            f"{query} is used {count} times in {path}.",
            f"I found {query} in {places[-1]}.",
            f"{count} places in {path} use {query}, first {places[0]}.",
        )
    )
    return "\n".join(lines), report


def _tested(rng: random.Random, arguments: Arguments) -> tuple[str, str]:
    path, marker = arguments["path"], arguments["marker"]
    passed, seconds = rng.randrange(3, 60), f"{rng.randrange(1, 90)}.{rng.randrange(10)}"
    if rng.random() < 0.55:
        fine = rng.choice(
            (
                f"All {passed} {marker} tests in {path} passed.",
                f"{path} is green, {passed} tests passed.",
                f"The {marker} tests are green, {passed} in all.",
            )
        )
        return f"{passed} passed in {seconds} s", fine
    name = words.identifier(rng)
    reason = rng.choice(_REASONS).format(
        name=rng.choice(words.MODULES), n=rng.randrange(10, 90), m=rng.randrange(2, 10)
    )
    failed = rng.randrange(1, 4)
    report = rng.choice(
        (
            f"{failed} of the {marker} tests failed, first test_{name}.",
            f"test_{name} failed, {passed} tests passed.",
            f"Not green: test_{name} failed in {path}.",
        )
    )
    return f"{failed} failed, {passed} passed\nFAILED {path}::test_{name} - {reason}", report


def _filed(rng: random.Random, arguments: Arguments) -> tuple[str, str]:
    number = f"TEAM-{rng.randrange(100, 9900)}"
    person, title, priority = arguments["assignee"], arguments["title"], arguments["priority"]
    report = rng.choice(
        (
            f"{number} is open for {person}.",
            f"Done: {number} for {person}, priority {priority}.",
            f'I created {number}: "{title}".',
            f"{person} has a new ticket, {number}, because the {title}.",
        )
    )
    return f"created {number}", report
