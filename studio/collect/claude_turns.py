"""The turns of one Claude Code conversation, from the lines of its log.

One API message is split over several lines that share `message.id`, with its usage repeated; the
lines become one assistant message, and the last usage of each id counts, once. Prompt tokens are
input, cache reads and cache writes together, summed over the messages, as completion tokens are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from db.interactions import Message, Record
from studio.collect.anthropic_blocks import add_result
from studio.collect.log import Unusable, digest
from studio.collect.messages import Conversation
from studio.collect.values import count, moment, name

_INTERRUPTED = "[Request interrupted by user"
_SYNTHETIC = "<synthetic>"  # the "model" of messages that the program wrote itself
# What the program adds to the user's side, when a command of its own runs: nobody's turn.
_NO_TURN = re.compile(
    r"\s*(?:<(?:command-(?:name|message|args|contents)|local-command-(?:stdout|stderr|caveat)"
    r"|bash-(?:input|stdout|stderr))>|Caveat: The messages below were generated"
    r"|\[Request interrupted by user)"
)
# What it puts beside a person's words: part of the turn, but not of the task.
_ASIDE = re.compile(r"\s*<(?:system-reminder|ide_\w+|task-notification)>")
_PROMPT_TOKENS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


@dataclass(slots=True)
class _Reply:
    """An API message so far: its blocks in order, its place in the conversation."""

    message: Message
    number: int
    blocks: set[str] = field(default_factory=set)
    usage: dict[str, Any] | None = None


class Turns:
    """Lines in, conversation out. `line` is where it begins."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.conversation = Conversation()
        self.task: str | None = None
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.error: str | None = None
        self.interruptions = 0
        self.rewinds = 0
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self.spawned: dict[str, tuple[str | None, str]] = {}  # call id: subagent type, prompt
        self.subagents: dict[str, str] = {}  # agent id: subagent type
        self._replies: dict[str, _Reply] = {}
        self._asked_after: set[str] = set()
        self._hidden_prompt: str | None = None

    def add(self, row: dict[str, Any]) -> None:
        """The next user or assistant line. Raises Unusable when it holds no message."""
        message = row.get("message")
        if not isinstance(message, dict):
            raise Unusable("its message is not an object")
        content = message.get("content")
        if not isinstance(content, str | list):
            raise Unusable("its message has no content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        blocks = [{"type": "text", "text": b} if isinstance(b, str) else b for b in blocks]
        if not all(isinstance(block, dict) for block in blocks):
            raise Unusable("its content has a block that is not an object")
        when = moment(row.get("timestamp"))
        if when is not None:
            self.first_ms = when if self.first_ms is None else min(when, self.first_ms)
            self.last_ms = when if self.last_ms is None else max(when, self.last_ms)
        if row.get("type") == "assistant":
            self._assistant(row, message, blocks)
        else:
            self._user(row, blocks)

    @property
    def prompt_tokens(self) -> int | None:
        """Everything that was sent, cached or not, over all requests; None when not told."""
        return self._tokens(_PROMPT_TOKENS)

    @property
    def completion_tokens(self) -> int | None:
        """Everything that the model wrote, over all requests; None when not told."""
        return self._tokens(("output_tokens",))

    def record(
        self,
        external_id: str,
        about: dict[str, Any],
        *,
        agent: str | None = None,
        parent: str | None = None,
    ) -> Record:
        """The conversation as an interaction; `about` is what else its log tells."""
        began, ended = self.first_ms, self.last_ms
        return Record(
            external_id=external_id,
            line=self.line,
            messages=self.messages(),
            task=self.task,
            agent=agent,
            provider="anthropic",
            model=self.model,
            success=False if self.error else None,
            error=self.error,
            started_ms=began,
            duration_ms=None if began is None or ended is None else ended - began,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            stop_reason=self.stop_reason,
            parent=parent,
            raw=about | self.conversation.raw(),
            resumable=True,
        )

    def messages(self) -> list[Message]:
        """The conversation, without replies that were broken off before they said anything."""
        said = ("tool_calls", "reasoning_content")
        return [
            message
            for message in self.conversation.messages
            if message["role"] != "assistant"
            or message["content"]
            or any(k in message for k in said)
        ]

    def _tokens(self, keys: tuple[str, ...]) -> int | None:
        told = [
            number
            for reply in self._replies.values()
            for key in keys
            if reply.usage and (number := count(reply.usage.get(key))) is not None
        ]
        return sum(told) if told else None

    def _assistant(self, row: dict[str, Any], message: dict[str, Any], blocks: list[Any]) -> None:
        model = name(message.get("model"))
        if row.get("isApiErrorMessage") is True or model == _SYNTHETIC:
            text = _plain(blocks)
            if row.get("isApiErrorMessage") is True or text.startswith("API Error"):
                self.error = text or "API error"
            return
        self.model = model or self.model
        key = name(message.get("id")) or name(row.get("uuid")) or f"unnamed {len(self._replies)}"
        reply = self._replies.get(key) or self._new_reply(key)
        if isinstance(message.get("usage"), dict):
            reply.usage = message["usage"]
        self.stop_reason = name(message.get("stop_reason")) or self.stop_reason
        for block in blocks:
            identity = digest(block)
            if identity not in reply.blocks:  # some versions repeat the earlier blocks
                reply.blocks.add(identity)
                self._block(reply, block)

    def _new_reply(self, key: str) -> _Reply:
        messages = self.conversation.messages
        if self._hidden_prompt and not any(m["role"] in ("user", "tool") for m in messages):
            # A command began the conversation: what it asked stands for the user.
            self.conversation.say("user", self._hidden_prompt)
        self.stop_reason = self.error = None
        message = self.conversation.say("assistant", "")
        self._replies[key] = _Reply(message, len(messages) - 1)
        return self._replies[key]

    def _block(self, reply: _Reply, block: dict[str, Any]) -> None:
        kind, message = block.get("type"), reply.message
        if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            given = block.get("input")
            call = self.conversation.call(block.get("name"), given, block.get("id"))
            message.setdefault("tool_calls", []).append(call)
            if block.get("name") in ("Task", "Agent") and isinstance(given, dict):
                prompt = str(given.get("prompt") or "")
                self.spawned[call["id"]] = (name(given.get("subagent_type")), prompt)
        elif isinstance(kind, str) and kind.endswith("_tool_result"):  # of a tool that the API runs
            add_result(self.conversation, block)
        elif kind == "thinking":
            _extend(message, "reasoning_content", block.get("thinking"))
        elif kind != "redacted_thinking":
            _extend(message, "content", self.conversation.text(block, reply.number))

    def _user(self, row: dict[str, Any], blocks: list[Any]) -> None:
        others = []
        for block in blocks:
            if block.get("type") == "tool_result":
                self._result(row, block)
            else:
                others.append(block)
        for block in others:
            if _text(block).startswith(_INTERRUPTED):
                self.interruptions += 1
                self.stop_reason, self.error = "interrupted", _text(block)
        kept = [block for block in others if not _NO_TURN.match(_text(block))]
        if row.get("isMeta") is True:
            self._hidden_prompt = _plain(kept) or self._hidden_prompt
        elif kept:
            self._ask(row, kept)

    def _ask(self, row: dict[str, Any], kept: list[Any]) -> None:
        """A turn of a person, or of the agent that called this one."""
        self.stop_reason = self.error = None
        self.conversation.say("user", kept)
        before = name(row.get("parentUuid"))
        if before is not None:
            self.rewinds += before in self._asked_after
            self._asked_after.add(before)
        if self.task is None and row.get("isCompactSummary") is not True:
            self.task = _plain([b for b in kept if not _ASIDE.match(_text(b))]) or None

    def _result(self, row: dict[str, Any], block: dict[str, Any]) -> None:
        call_id = block.get("tool_use_id")
        self.conversation.answer(block.get("content"), call_id, is_error=block.get("is_error"))
        told = row.get("toolUseResult")
        agent = told.get("agentId") if isinstance(told, dict) else None
        kind, _ = self.spawned.get(str(call_id), (None, ""))
        if isinstance(agent, str) and kind:
            self.subagents[agent] = kind


def _plain(blocks: list[Any]) -> str:
    return "\n".join(text for block in blocks if (text := _text(block)))


def _text(block: dict[str, Any]) -> str:
    text = block.get("text")
    return text if isinstance(text, str) else ""


def _extend(message: Message, key: str, text: object) -> None:
    if text and isinstance(text, str):
        message[key] = f"{message[key]}\n{text}" if message.get(key) else text
