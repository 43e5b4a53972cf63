"""What TRL's SFTTrainer reads as it is: `messages` with arguments as objects, `tools` as JSON text.

`tools` are text because Arrow would give every schema the keys of all others; TRL decodes them.
"""

from __future__ import annotations

import json
from typing import Any

from exports.frozen import StoredExample

DESCRIPTION = "TRL SFTTrainer: `messages` and `tools` (JSON text); train with assistant_only_loss"


def row(example: StoredExample) -> dict[str, Any]:
    """One line of the file."""
    return {
        "messages": example.messages,
        "tools": json.dumps(example.tools, ensure_ascii=False) if example.tools else None,
    }
