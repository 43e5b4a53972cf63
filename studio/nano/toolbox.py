"""Ten tools: their schemas, the ways people ask for them, what they return.

The corpus knows the first seven. The last three belong to the team whose logs are the sample, so an
adapter has something to learn that the base cannot know.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from studio.nano import words

Arguments = dict[str, Any]

_STRING: Final = {"type": "string"}
_INTEGER: Final = {"type": "integer"}
_LEVEL: Final = {"type": "string", "enum": list(words.LEVELS)}
_open_folder: Final = words.open_only(words.folder_path)
MARKERS: Final = ("slow", "fast", "unit", "smoke", "web", "api")


@dataclass(frozen=True)
class Tool:
    """A tool; `key` names the argument that tells suite from corpus (see `words.reserved`).

    `requests` and `outcomes` (what the tool returns, what the assistant then says) are templates
    over the arguments.
    """

    name: str
    description: str
    parameters: Mapping[str, Mapping[str, Any]]
    key: str
    arguments: Callable[[random.Random], Arguments]
    requests: tuple[str, ...]
    outcomes: tuple[tuple[str, str], ...]

    def schema(self) -> dict[str, Any]:
        """The tool as an OpenAI tool object with a JSON schema."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {
                    "type": "object",
                    "properties": {name: dict(kind) for name, kind in self.parameters.items()},
                    "required": list(self.parameters),
                },
            },
        }

    def draw(self, rng: random.Random, held_out: bool = False) -> Arguments:
        """Arguments whose key lies on the wanted side of the wall."""
        return words.draw(rng, self.arguments, lambda drawn: str(drawn[self.key]), held_out)

    def request(self, rng: random.Random, arguments: Arguments) -> str:
        """A request, as a person types it, that names every argument."""
        return rng.choice(self.requests).format_map(arguments)


GENERAL: Final = (
    Tool(
        "read_file",
        "Read the first lines of a file.",
        {"path": _STRING, "lines": _INTEGER},
        "path",
        lambda rng: {"path": words.file_path(rng), "lines": rng.randrange(5, 100)},
        (
            "Show me the first {lines} lines of {path}.",
            "Read {lines} lines of {path}.",
            "Open {path} and show {lines} lines.",
            "What is in {path}? The first {lines} lines are enough.",
            "I need to see {lines} lines from {path}.",
        ),
        (
            ("{lines} lines read", "Here are the first {lines} lines of {path}."),
            ("limit = 30\nreturn rate", "I read {lines} lines of {path}, it sets a limit."),
            (
                "def run(self):\n    return self.state",
                "{path} has a function run, it returns the state.",
            ),
            ("no file {path}", "There is no file {path}."),
        ),
    ),
    Tool(
        "list_files",
        "List the files in a folder.",
        {"folder": _STRING, "pattern": _STRING},
        "folder",
        lambda rng: {
            "folder": words.folder_path(rng),
            "pattern": f"*.{rng.choice(words.SUFFIXES)}",
        },
        (
            "List the {pattern} files in {folder}.",
            "Which {pattern} files are in {folder}?",
            "Look in {folder} and list all {pattern} files.",
            "Show every {pattern} file under {folder}.",
        ),
        (
            ("4 files", "I found 4 files in {folder}."),
            ("17 files", "All 17 {pattern} files in {folder} are listed."),
            ("no matches", "Nothing in {folder} is called {pattern}."),
            ("1 file", "There is one {pattern} file in {folder}."),
        ),
    ),
    Tool(
        "send_message",
        "Send a message to a person.",
        {"to": _STRING, "text": _STRING},
        "text",
        lambda rng: {"to": rng.choice(words.PEOPLE), "text": words.news(rng)},
        (
            "Tell {to} that {text}.",
            'Send {to} the message "{text}".',
            'Write to {to}: "{text}".',
            "Let {to} know that {text}.",
            "Please message {to} that {text}.",
        ),
        (
            ("sent", "I told {to} that {text}."),
            ("message sent to {to}", "{to} has your message."),
            ("error: no user {to}", "I found no user called {to}."),
        ),
    ),
    Tool(
        "set_reminder",
        "Set a reminder for a time.",
        {"text": _STRING, "time": _STRING},
        "text",
        lambda rng: {"text": words.chore(rng), "time": words.clock_time(rng)},
        (
            "Remind me at {time} to {text}.",
            'Set a reminder for {time}: "{text}".',
            "I have to {text} at {time}, remind me.",
            "At {time} remind me to {text}.",
        ),
        (
            ("reminder set for {time}", "I will remind you at {time}."),
            ("ok", "Your reminder is set for {time}."),
            ("created reminder 12", "Reminder 12 is created, it is for {time}."),
        ),
    ),
    Tool(
        "search_docs",
        "Search the pages of the manual.",
        {"query": _STRING, "limit": _INTEGER},
        "query",
        lambda rng: {"query": words.topic(rng), "limit": rng.randrange(2, 20)},
        (
            'Find {limit} pages about "{query}" in the manual.',
            'Search the manual for "{query}", at most {limit} pages.',
            "Look up {query} in the manual and give me {limit} pages.",
            "What does the manual say about {query}? Show {limit} pages.",
        ),
        (
            ("{limit} pages found", "I found {limit} pages about {query}."),
            ("1 page found", "One page in the manual uses {query}."),
            ("no matches", "Nothing in the manual is about {query}."),
            ("3 pages found, first page 12", "{query} is used in 3 places, first on page 12."),
        ),
    ),
    Tool(
        "get_build",
        "Get the state of a build.",
        {"branch": _STRING, "number": _INTEGER},
        "branch",
        lambda rng: {
            "branch": f"{rng.choice(words.VERBS)}-{rng.choice(words.MODULES)}"
            f"-{rng.choice(words.PARTS)}",
            "number": rng.randrange(100, 1000),
        },
        (
            "How did build {number} on {branch} go?",
            "Get build {number} of branch {branch}.",
            "Is build {number} on {branch} green?",
            "What is the state of {branch}, build {number}?",
        ),
        (
            ("green, 41 passed", "Build {number} on {branch} is green, all 41 tests passed."),
            ("3 failed, 20 passed", "Build {number} failed: 3 of the tests failed, 20 passed."),
            (
                "1 failed, 57 passed\nFAILED test_login",
                "Not green: test_login failed on {branch}, 57 tests passed.",
            ),
            ("running", "Build {number} is not done."),
        ),
    ),
    Tool(
        "book_room",
        "Book a room for a time.",
        {"room": _STRING, "time": _STRING},
        "room",
        lambda rng: {
            "room": f"{rng.choice('ABCDEFG')}{rng.randrange(100, 1000)}",
            "time": words.clock_time(rng),
        },
        (
            "Book room {room} at {time}.",
            "I need room {room} at {time}.",
            "Get me {room} for {time}.",
            "Is {room} free at {time}? Then book it.",
        ),
        (
            ("{room} is booked", "Room {room} is yours at {time}."),
            ("ok", "Done: {room} for {time}."),
            ("error: not free", "Room {room} is not free at {time}."),
        ),
    ),
)

TEAM: Final = (
    Tool(
        "search_code",
        "Search the code under a path.",
        {"query": _STRING, "path": _STRING},
        "query",
        lambda rng: {"query": words.identifier(rng), "path": _open_folder(rng)},
        (
            "Where do we use {query} under {path}?",
            'Search the code in {path} for "{query}".',
            "Find every use of {query} in {path}.",
            "Look for {query} in the code under {path}.",
            "Which files in {path} use {query}?",
            "grep {query} in {path}",
        ),
        (),
    ),
    Tool(
        "run_tests",
        "Run the tests under a path.",
        {"path": _STRING, "marker": _STRING},
        "path",
        lambda rng: {
            "path": "tests/" + words.file_path(rng, "py"),
            "marker": rng.choice(MARKERS),
        },
        (
            "Run the {marker} tests in {path}.",
            "Run {path}, only the {marker} tests.",
            "Do the {marker} tests in {path} still work?",
            "Start the {marker} tests of {path}.",
            "Please run the tests marked {marker} in {path}.",
            "I changed {path}, run its {marker} tests.",
        ),
        (),
    ),
    Tool(
        "create_ticket",
        "Create a ticket for a person.",
        {
            "title": _STRING,
            "assignee": _STRING,
            "priority": _LEVEL,
        },
        "title",
        lambda rng: {
            "title": words.fault(rng),
            "assignee": rng.choice(words.PEOPLE),
            "priority": rng.choice(words.LEVELS),
        },
        (
            'Open a {priority} priority ticket for {assignee}: "{title}".',
            "Create a ticket for {assignee}, {priority} priority: {title}.",
            'File "{title}" as a {priority} ticket for {assignee}.',
            "{assignee} should get a {priority} priority ticket: {title}.",
            "New ticket, {priority} priority, for {assignee}: {title}.",
            "We need a {priority} ticket for {assignee} because the {title}.",
        ),
        (),
    ),
)

TOOLS: Final = GENERAL + TEAM
BY_NAME: Final = {tool.name: tool for tool in TOOLS}


# What an invented parameter may be called, its schema, its values, and how people put them.
_PARAMETERS: Final[
    tuple[tuple[str, Mapping[str, Any], Callable[[random.Random], Any], str], ...]
] = (
    ("path file source", _STRING, words.open_only(words.file_path), "in {}|from {}|of {}"),
    ("folder path target", _STRING, _open_folder, "under {}|in {}"),
    ("assignee owner to user", _STRING, lambda rng: rng.choice(words.PEOPLE), "for {}|to {}"),
    ("time start", _STRING, words.clock_time, "at {}|for {}"),
    ("title text note", _STRING, words.open_only(words.fault), 'called "{}"|"{}"|because the {}'),
    ("text task note", _STRING, words.open_only(words.chore), 'to {}|"{}"'),
    ("query key name", _STRING, words.open_only(words.identifier), 'with {}|"{}"|named {}'),
    ("limit count size", _INTEGER, lambda rng: rng.randrange(2, 99), "at most {}|{} times"),
    ("priority level", _LEVEL, lambda rng: rng.choice(words.LEVELS), "with {0} priority|as {0}"),
    ("marker label kind", _STRING, lambda rng: rng.choice(words.LABELS), "marked {}|only {}"),
)


def invented(rng: random.Random) -> Tool:
    """A tool that does not exist, so that the base learns to read a schema."""
    action, thing = rng.choice(words.ACTIONS), rng.choice(words.OBJECTS)
    if f"{action}_{thing}" in BY_NAME:
        return invented(rng)
    drawn = {
        rng.choice(names.split()): (schema, make, rng.choice(put.split("|")))
        for names, schema, make, put in rng.sample(_PARAMETERS, rng.choice((1, 2, 2, 3)))
    }
    put = [phrase.format(f"{{{name}}}") for name, (_, _, phrase) in drawn.items()]
    rng.shuffle(put)
    said = " ".join(put)
    listed = ", ".join(f"{name} {{{name}}}" for name in drawn)
    return Tool(
        f"{action}_{thing}",
        f"{action.title()} the {thing}.",
        {name: schema for name, (schema, _, _) in drawn.items()},
        next(iter(drawn)),
        lambda rng: {name: make(rng) for name, (_, make, _) in drawn.items()},
        (
            f"{action.title()} the {thing} {said}.",
            f"Please {action} the {thing} {said}.",
            f"{action.title()} a {thing}: {listed}.",
        ),
        (("ok", "Done."), ("done", f"The {thing} is done."), ("created 7", "Created, number 7.")),
    )


def offer(rng: random.Random, wanted: list[Tool], pool: tuple[Tool, ...], most: int) -> list[Tool]:
    """The wanted tools among others of the pool, two to `most` in all, in random order."""
    others = [tool for tool in pool if tool not in wanted]
    count = rng.randrange(max(2, len(wanted)), max(most, len(wanted)) + 1)
    offered = wanted + rng.sample(others, min(count - len(wanted), len(others)))
    rng.shuffle(offered)
    return offered


def call_message(calls: list[tuple[Tool, Arguments]]) -> dict[str, Any]:
    """An assistant message that calls tools, in OpenAI form with argument objects."""
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"type": "function", "function": {"name": tool.name, "arguments": arguments}}
            for tool, arguments in calls
        ],
    }
