"""What mlx-lm's LoRA reads: `messages` and `tools` in train.jsonl, valid.jsonl and test.jsonl.

It hands both to the base's own chat template as they are, so arguments are objects: as text they
would come out encoded twice. https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/LORA.md
"""

from __future__ import annotations

from typing import Any

from exports.frozen import StoredExample

DESCRIPTION = (
    "mlx-lm LoRA: `messages` and `tools`, arguments as objects; give the folder as `--data`. It "
    "needs a validation split, and `--mask-prompt` trains the last turn only"
)


def row(example: StoredExample) -> dict[str, Any]:
    """One line of the file."""
    line: dict[str, Any] = {"messages": example.messages}
    if example.tools:
        line["tools"] = example.tools
    return line
