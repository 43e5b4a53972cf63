"""ShareGPT as LLaMA-Factory and Axolotl read it: `conversations` of `from` and `value`.

`human` and `observation` stand in odd places, `gpt` and `function_call` in even ones; a call is
JSON `{"name", "arguments"}`, several are a list; `tools` is JSON text and `system` a column.
https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
https://docs.axolotl.ai/docs/dataset-formats/conversation.html
"""

from __future__ import annotations

import json
from typing import Any

from exports.conversation import calls_of
from exports.formats.exchanges import Exchange, exchanges, text_with_calls, tools_text
from exports.frozen import StoredExample

DESCRIPTION = (
    "ShareGPT for LLaMA-Factory and Axolotl: `conversations` of `from` and `value`, `tools` as "
    "JSON text, `system`. Where the assistant wrote text beside its calls, the turn is `gpt` and "
    "holds them in the tool-call template, as bases of the Qwen family write them; reasoning is "
    "left out. `dataset_info.json` describes the columns to LLaMA-Factory; Axolotl wants `type: "
    "chat_template`, `field_messages: conversations`, `message_property_mappings: {role: from, "
    "content: value}`"
)
DATASET_INFO = {
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
}
# how LLaMA-Factory itself joins the results of parallel calls into one turn
_NEXT_RESULT = "\n</tool_response>\n<tool_response>\n"


def row(example: StoredExample) -> dict[str, Any]:
    """One line of the file. Raises Untold where the turns do not alternate."""
    system, found = exchanges(example.messages)
    return {
        "conversations": [turn for exchange in found for turn in _turns(exchange)],
        "system": system,
        "tools": tools_text(example.tools),
    }


def _turns(exchange: Exchange) -> list[dict[str, str]]:
    asked = "observation" if exchange.asked[0]["role"] == "tool" else "human"
    calls = [{"name": c.name, "arguments": c.arguments} for c in calls_of(exchange.said)]
    only_calls = bool(calls) and not exchange.said["content"]
    said = (
        json.dumps(calls if len(calls) > 1 else calls[0], ensure_ascii=False)
        if only_calls
        else text_with_calls(exchange.said)
    )
    return [
        {"from": asked, "value": _NEXT_RESULT.join(turn["content"] for turn in exchange.asked)},
        {"from": "function_call" if only_calls else "gpt", "value": said},
    ]
