"""Every conversation of the real logs renders and is read back equal, or a build refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from db.interactions import loads
from db.models.interactions import BODIES
from db.store import Store
from exports.conversation import Conversation, calls_of, offered_names, training_conversation
from exports.rendering import Template, load_template
from exports.tool_calls import parse
from studio.collect.importing import import_paths
from tests.exports.bases import make_base, trl_template


def all_offered(conversation: Conversation) -> bool:
    """Whether a build takes it: one that calls what was not offered is left out, and counted."""
    offered = offered_names(conversation.tools)
    called = {call.name for message in conversation.messages for call in calls_of(message)}
    return called <= offered


def lost_turns(template: Template, conversation: Conversation) -> list[tuple[str, str]]:
    """(written, read back) of the assistant's turns that do not come back as they were."""
    rendered = template.render(conversation.messages, conversation.tools)
    turns = [message for message in conversation.messages if message["role"] == "assistant"]
    lost = []
    for message, (start, end) in zip(turns, rendered.spans, strict=True):
        text = rendered.text[start:end].strip("\n").removesuffix("<|im_end|>")
        read = parse(text, conversation.tools or None)
        same: Any = read.calls == calls_of(message) and not read.legacy
        if calls_of(message):
            same = same and read.strict and read.text.strip() == message["content"].strip()
        else:
            same = same and text.strip() == message["content"].strip()
        if not same:
            lost.append((str(message), text))
    return lost


def test_every_imported_conversation_comes_back_equal(
    store: Store, data: Path, tmp_path: Path
) -> None:
    import_paths(store, [data / "logs"])
    template = load_template(make_base(tmp_path / "base", trl_template("qwen2_5")))
    rendered = refused = 0
    with store.read() as connection:
        for row in connection.execute(select(BODIES.c.messages, BODIES.c.tools)):
            tools = loads(row.tools) if row.tools else []
            conversation = training_conversation(loads(row.messages), tools)
            if conversation is None or not all_offered(conversation):
                refused += 1
                continue
            assert lost_turns(template, conversation) == []
            rendered += 1
    assert rendered > 3000
    assert refused < 0.05 * rendered
