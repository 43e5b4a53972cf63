"""Conversations that the base is trained on, and the replay set: drawn, never written down.

A conversation is `{"messages": […]}` with `"tools"` where tools are offered. Three kinds of
exchange (a tool call, a function, a question) stand alone, follow each other, or go on after a
tool's result, so that the base reads few-shot prompts and conversations of several steps.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

from studio.nano import REPLAY, toolbox
from studio.nano.functions import function
from studio.nano.reasoning import drill, question
from studio.nano.toolbox import GENERAL, Tool

Message = dict[str, Any]
Conversation = dict[str, Any]

REPLAY_SEED = 20_250
REPLAY_SIZE = 600


def conversations(seed: int, count: int) -> Iterator[Conversation]:
    """Draw `count` conversations; the same seed gives the same ones."""
    rng = random.Random(seed)
    for _ in range(count):
        yield conversation(rng)


def conversation(rng: random.Random) -> Conversation:
    """Draw one: about tools, reasoning or code, a quarter of them of several exchanges."""
    share = rng.random()
    if share < 0.22:
        return _with_tools(rng, exchanges=1)
    if share < 0.37:
        return _with_tools(rng, exchanges=rng.randrange(2, 6))
    if share < 0.43:
        return {"messages": code_exchange(rng)}
    if share < 0.70:
        return {"messages": reasoning_exchange(rng)}
    if share < 0.91:
        return {"messages": drill_exchange(rng)}
    return {"messages": [*_earlier(rng), *_plain_exchange(rng)]}


def _plain_exchange(rng: random.Random) -> list[Message]:
    return rng.choice((code_exchange, reasoning_exchange))(rng)


def _earlier(rng: random.Random) -> list[Message]:
    """One to four exchanges of any kind, as few-shot examples are: tools need not be offered."""
    messages: list[Message] = []
    for _ in range(rng.randrange(1, 5)):
        if rng.random() < 0.4:
            messages += tool_exchange(rng, [*GENERAL, toolbox.invented(rng)], finish=False)
        else:
            messages += _plain_exchange(rng)
    return messages


def code_exchange(rng: random.Random) -> list[Message]:
    """A request for a function and the function."""
    asked = function(rng)
    return _exchange(asked.request(rng), asked.answer())


def reasoning_exchange(rng: random.Random) -> list[Message]:
    """A question and its answer."""
    asked = question(rng)
    return _exchange(asked.text, asked.reply())


def drill_exchange(rng: random.Random) -> list[Message]:
    """Some facts of arithmetic and their results."""
    asked = drill(rng)
    return _exchange(asked.text, asked.reply())


def _exchange(request: str, reply: str) -> list[Message]:
    return [{"role": "user", "content": request}, {"role": "assistant", "content": reply}]


def _with_tools(rng: random.Random, exchanges: int) -> Conversation:
    """Calls to offered tools, now and then after exchanges of another kind."""
    pool: tuple[Tool, ...] = GENERAL
    if rng.random() < 0.5:
        pool = (*rng.sample(GENERAL, 2), *(toolbox.invented(rng) for _ in range(3)))
    offered = toolbox.offer(rng, [], pool, 4)
    messages = _earlier(rng) if exchanges > 2 and rng.random() < 0.4 else []
    for _ in range(1 if messages else exchanges):
        messages += tool_exchange(rng, offered, finish=rng.random() < 0.25)
    return {"messages": messages, "tools": [tool.schema() for tool in offered]}


def tool_exchange(rng: random.Random, offered: list[Tool], finish: bool) -> list[Message]:
    """A request, one call (seldom two) and, to finish it, the results and a reply."""
    wanted = rng.sample(offered, 2 if rng.random() < 0.1 else 1)
    calls = [(tool, tool.draw(rng)) for tool in wanted]
    request = rng.choice((" Also: ", " Then: ")).join(
        tool.request(rng, arguments) for tool, arguments in calls
    )
    messages = [{"role": "user", "content": request}, toolbox.call_message(calls)]
    if finish:
        results, replies = [], []
        for tool, arguments in calls:
            result, reply = rng.choice(tool.outcomes)
            results.append({"role": "tool", "content": result.format_map(arguments)})
            replies.append(reply.format_map(arguments))
        messages += [*results, {"role": "assistant", "content": " ".join(replies)}]
    return messages


def replay() -> Iterator[Conversation]:
    """The replay set: what an adapter for tools is likely to forget, several exchanges in a row."""
    rng = random.Random(REPLAY_SEED)
    kinds = (code_exchange, reasoning_exchange, reasoning_exchange)
    for number in range(1, REPLAY_SIZE + 1):
        if rng.random() < 0.25:
            drawn = _with_tools(rng, exchanges=rng.randrange(1, 3))
        else:
            exchanges = [kind(rng) for kind in rng.choices(kinds, k=rng.randrange(2, 6))]
            drawn = {"messages": [message for exchange in exchanges for message in exchange]}
        yield {"id": f"replay-{number:04}", **drawn}


def main() -> None:
    """Write the replay set."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in replay()]
    REPLAY.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
