"""Messages of Anthropic's API, whose content is text or a list of blocks.

Tool results are blocks of a user's message; they become messages of their own, in their order.
Tools that the server runs itself answer inside the assistant's message: what follows such a result
is a new assistant message. A text that cites its sources is cut into blocks within a sentence.
"""

from __future__ import annotations

from typing import Any

from db.interactions import Message, dumps
from studio.collect.log import Unusable
from studio.collect.messages import ROLES, Conversation

_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
_HIDDEN = ("redacted_thinking",)


def add_anthropic(conversation: Conversation, message: object) -> None:
    """Append one message `{"role", "content"}`. Raises Unusable."""
    if not isinstance(message, dict):
        raise Unusable(f"message {len(conversation.messages) + 1} is not an object")
    role, content = message.get("role"), message.get("content")
    known = ROLES.get(role) if isinstance(role, str) else None
    if known is None or known == "tool":
        raise Unusable(f"message {len(conversation.messages) + 1} has no role of a speaker")
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    if known == "assistant":
        _Reply(conversation).add(blocks)
    else:
        _ask(conversation, known, blocks)


def _ask(conversation: Conversation, role: str, blocks: list[Any]) -> None:
    said = []
    for block in blocks:
        if isinstance(block, dict) and block.get("type") == "tool_result":
            add_result(conversation, block)
        else:
            said.append(block)
    if said or not blocks:
        conversation.say(role, said)


class _Reply:
    """One message of the assistant, which may become several."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.message: Message | None = None
        self.citing = False  # the last block was a piece of a text that cites

    def add(self, blocks: list[Any]) -> None:
        """All of its blocks. Raises Unusable."""
        for block in blocks:
            if isinstance(block, str):
                block = {"type": "text", "text": block}
            if not isinstance(block, dict):
                raise Unusable("a block of the assistant's is not an object")
            self._block(str(block.get("type")), block)
        if self.message is None and not blocks:
            self._said()

    def _block(self, kind: str, block: dict[str, Any]) -> None:
        cites = kind == "text" and bool(block.get("citations"))
        if kind in _CALLS:
            call = self.conversation.call(block.get("name"), block.get("input"), block.get("id"))
            self._said().setdefault("tool_calls", []).append(call)
        elif kind.endswith("tool_result"):
            add_result(self.conversation, block)
            self.message = None
        elif kind == "thinking":
            self._extend("reasoning_content", block.get("thinking"), "\n")
        elif kind not in _HIDDEN:
            number = len(self.conversation.messages) - (self.message is not None)
            text = self.conversation.text(block, number)
            self._extend("content", text, "" if cites or self.citing else "\n")
        self.citing = cites

    def _said(self) -> Message:
        if self.message is None:
            self.message = self.conversation.say("assistant", "")
        return self.message

    def _extend(self, key: str, text: object, between: str) -> None:
        if not isinstance(text, str) or not text:
            return
        message = self._said()
        message[key] = f"{message[key]}{between}{text}" if message.get(key) else text


def add_result(conversation: Conversation, block: dict[str, Any]) -> None:
    """Append what a block says that a tool answered, whoever ran it."""
    content = block.get("content")
    failed = block.get("is_error") is True
    if isinstance(content, dict):  # of a tool that the server runs
        failed = failed or str(content.get("type")).endswith("_error")
        content = _server_text(content)
    elif isinstance(content, list):
        content = [_found(part) for part in content]
    conversation.answer(content, block.get("tool_use_id"), is_error=failed)


def _server_text(content: dict[str, Any]) -> str:
    """What a tool of the server's printed, fetched or said, else its result as JSON."""
    fetched = content.get("content")
    source = fetched.get("source") if isinstance(fetched, dict) else None
    told = [content.get("text"), content.get("stdout"), content.get("error_message")]
    told.append(source.get("data") if isinstance(source, dict) else None)
    return next((text for text in told if isinstance(text, str) and text), dumps(content))


def _found(part: object) -> object:
    """A page that a search found as its title and address; the text is encrypted."""
    if not isinstance(part, dict) or part.get("type") != "web_search_result":
        return part
    return f"{part.get('title')}\n{part.get('url')}"
