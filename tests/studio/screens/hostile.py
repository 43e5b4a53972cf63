"""Texts that no terminal should be given as they are, and that none of it was."""

from __future__ import annotations

from typing import Any

from textual.app import App

HOSTILE = (
    "[/] [bold]markup[/bold] [@click=app.bell]x[/]",
    "\x1b[2J\x1b]0;owned\x07\x1b]52;c;eA==\x07\x9b31m",
    "\x00\x01\x7f\r\x0b zero\u202eright to left\u2066 \ufeff",
    "שלום עולם مرحبا 你好 👩‍👩‍👧 e\u0301\u0301\u0301",
    "x" * 300_000,
    "tab\tand\r\nlines\n\n\n```python\nif [/]: \x1b\n",
)


def drawn(app: App[Any]) -> str:
    """All that the screen on top draws."""
    return "\n".join(
        "".join(segment.text for segment in line).rstrip()
        for line in app.screen._compositor.render_strips()
    )


def harmless(text: str) -> None:
    """No control character and no mark of direction reaches the terminal."""
    for line in text.split("\n"):
        assert not {c for c in line if ord(c) < 32 or 0x7F <= ord(c) < 0xA0}, line
        assert not set(line) & set("\u202e\u2066\ufeff"), line
