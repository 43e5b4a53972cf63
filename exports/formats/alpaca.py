"""Alpaca as LLaMA-Factory reads it: `instruction`, `input`, `output`, with `system` and `history`.

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
"""

from __future__ import annotations

from typing import Any

from exports.formats.exchanges import Exchange, exchanges, text_with_calls, tools_text
from exports.frozen import StoredExample

DESCRIPTION = (
    "Alpaca: `instruction`, `input` (empty), `output`, earlier turns in `history`, `system`, and "
    "`tools` as JSON text. Calls and their results are text in the tool-call template, as bases of "
    "the Qwen family write them; reasoning is left out. `dataset_info.json` describes the columns "
    "to LLaMA-Factory"
)
DATASET_INFO = {
    "formatting": "alpaca",
    "columns": {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "system": "system",
        "tools": "tools",
        "history": "history",
    },
}


def row(example: StoredExample) -> dict[str, Any]:
    """One line of the file. Raises Untold where the turns do not alternate."""
    system, found = exchanges(example.messages)
    pairs = [[_asked(exchange), text_with_calls(exchange.said)] for exchange in found]
    *history, (instruction, output) = pairs
    return {
        "instruction": instruction,
        "input": "",
        "output": output,
        "system": system,
        "tools": tools_text(example.tools),
        "history": history,
    }


def _asked(exchange: Exchange) -> str:
    if exchange.asked[0]["role"] == "user":
        return str(exchange.asked[0]["content"])
    return "\n".join(
        f"<tool_response>\n{turn['content']}\n</tool_response>" for turn in exchange.asked
    )
