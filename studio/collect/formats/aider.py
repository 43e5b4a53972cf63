"""aider's chat history in Markdown: `# aider chat started at …`, `#### ` a person, `> ` aider.

One interaction a session in which anybody asked anything; commands to aider are no turns, but for
those that ask (`/ask`, `/code`, `/architect`). Lines that aider writes end in two spaces, which
tells them from headings and quotes that the model wrote. Start times are local and are taken as
UTC; there are no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from db.interactions import Record
from studio.collect.log import Head, Log, Rejected, digest
from studio.collect.messages import Conversation
from studio.collect.values import moment

NAME = "aider"
_HEADER = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*$")
_START = re.compile(rb"^# aider chat started at \d{4}-", re.MULTILINE)
_ASKS = re.compile(r"/(?:ask|code|architect)\s+")
_TOKENS = re.compile(r"Tokens: ([\d.,]+)([kM]?) sent,.*? ([\d.,]+)([kM]?) received")
_MODEL = re.compile(r"(?:Main model|Models?): (\S+)")
_ERROR = re.compile(r"Unexpected error|litellm\.\w*Error|.*\bAPI ?Error\b")
_UNITS = {"": 1, "k": 1_000, "M": 1_000_000}


def sniff(head: Head) -> bool:
    """A session begins in the first bytes."""
    return _START.search(head.start) is not None


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a session, when the next begins."""
    session: _Session | None = None
    for number, line, ended in log.text_lines():
        if not ended and line.startswith(("#", ">")):
            continue  # aider is still writing: whose line it is shows at its end
        header = _HEADER.match(line)
        if header:
            if session and session.asked:
                yield session.record()
            session = _Session(number, header.group(1))
        elif session:
            session.add(line)
    if session and session.asked:
        yield session.record()


class _Session:
    def __init__(self, number: int, started: str) -> None:
        self.number = number
        self.started = started
        self.conversation = Conversation()
        self.asked: list[str] = []  # the lines of the first question
        self.model: str | None = None
        self.error: str | None = None
        self.sent: list[int] = []
        self.received: list[int] = []
        self._question: list[str] = []
        self._answer: list[str] = []
        self._by_aider = False  # the line before was aider's, or a person's

    def add(self, line: str) -> None:
        """The next line of the session."""
        ended = line.endswith("  ")
        if line.startswith("#### ") and ended:
            self._close_answer()
            self._question.append(line.removeprefix("#### ").rstrip())
            self._by_aider = True
        elif line.startswith("> ") and (ended or self._by_aider):
            self._close_question()
            self._close_answer()
            self._told(line.removeprefix("> ").strip())
            self._by_aider = True
        else:
            self._close_question()
            if line.strip() or self._answer:
                self._answer.append(line)
            self._by_aider = False

    def _told(self, text: str) -> None:
        tokens, model = _TOKENS.match(text), _MODEL.match(text)
        if tokens:
            self.sent.append(_number(tokens.group(1), tokens.group(2)))
            self.received.append(_number(tokens.group(3), tokens.group(4)))
        elif model and self.model is None:
            self.model = model.group(1)
        elif _ERROR.match(text):
            self.error = text

    def _close_question(self) -> None:
        text = "\n".join(self._question).strip()
        self._question.clear()
        ask = _ASKS.match(text)
        if text.startswith("/"):
            text = text[ask.end() :] if ask else ""
        if text:
            self.asked = self.asked or [text]
            self.error = None
            self.conversation.say("user", text)

    def _close_answer(self) -> None:
        text = "\n".join(self._answer).strip()
        self._answer.clear()
        if text and self.asked:
            self.error = None
            self.conversation.say("assistant", text)

    def record(self) -> Record:
        """The session so far, its last question and answer closed. Nothing tells of success."""
        self._close_question()
        self._close_answer()
        provider, _, model = (self.model or "").rpartition("/")
        return Record(
            external_id=f"{NAME}:{self.started}:{digest(self.asked)}",
            line=self.number,
            messages=self.conversation.messages,
            provider=provider.partition("/")[0] or None,
            model=model or None,
            success=False if self.error else None,
            error=self.error,
            started_ms=moment(self.started),
            prompt_tokens=sum(self.sent) if self.sent else None,
            completion_tokens=sum(self.received) if self.received else None,
            raw=self.conversation.raw(),
        )


def _number(digits: str, unit: str) -> int:
    try:
        return round(float(digits.replace(",", "")) * _UNITS[unit])
    except ValueError:
        return 0
