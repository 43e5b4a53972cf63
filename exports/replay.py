"""General examples beside a dataset's own, against forgetting."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from db.errors import BadInput
from db.interactions import dumps
from exports.conversation import Message, Tool, in_legacy_template, training_conversation
from exports.frozen import ExampleRow
from exports.leakage import Wall, overlaps, requests_of, suite_requests
from exports.requests import same_requests
from exports.splits import draw

if TYPE_CHECKING:
    from exports.dataset import BuildRecipe


def replay_rows(
    recipe: BuildRecipe,
    rows: Sequence[ExampleRow],
    wall: Wall,
    dropped: Counter[str],
) -> list[ExampleRow]:
    """General examples against forgetting, drawn by the seed, for training and validation.

    There are plenty of them, so what a suite shares is left out whatever the choice.
    """
    if not recipe.replay or recipe.replay_from is None:
        return []
    pool = _general_examples(Path(recipe.replay_from))
    pool.sort(key=lambda example: draw(recipe.seed, dumps(example[0])))
    taken = [request for suite in wall.suites for request in suite_requests(suite)]
    taken += [requests_of(row.messages) for row in rows]
    shared = {o.index for o in overlaps([requests_of(m) for m, _ in pool], taken)}
    dropped["replay_leaked"] += len(shared)
    pool = _without_repeats([e for index, e in enumerate(pool) if index not in shared])
    drawn: list[ExampleRow] = []
    for split in ("train", "valid"):
        own = sum(row.split == split for row in rows)
        wanted = round(own * recipe.replay / (1 - recipe.replay))
        if wanted > len(pool):
            raise BadInput(
                f"{recipe.replay_from} has {len(pool)} examples left where {wanted} are wanted; "
                "give more of them or a smaller --replay"
            )
        for messages, tools in pool[:wanted]:
            template = in_legacy_template(messages) if recipe.template == "legacy" else messages
            drawn.append(ExampleRow(split, "replay", template, tools))
        pool = pool[wanted:]
    return drawn


def _without_repeats(
    pool: list[tuple[list[Message], list[Tool]]],
) -> list[tuple[list[Message], list[Tool]]]:
    """Examples of which none asks what an earlier one asks: no request in two splits."""
    requests = [requests_of(messages) for messages, _ in pool]
    heads = iter(same_requests([request for asked in requests for request in asked]))
    seen: set[int] = set()
    kept = []
    for example, asked in zip(pool, requests, strict=True):
        own = {next(heads) for _ in asked}
        if not own & seen:
            kept.append(example)
        seen |= own
    return kept


def _general_examples(path: Path) -> list[tuple[list[Message], list[Tool]]]:
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: the replay examples cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            conversation = training_conversation(row["messages"], row.get("tools"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                f"{path}:{number}: a replay example is an object with messages: {error!r}"
            ) from error
        if conversation is not None:
            examples.append((conversation.messages, conversation.tools))
    return examples
