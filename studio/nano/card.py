"""The model card: what the base is, how it was made, what it scores."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

CARD: Final = "card.json"
WEIGHTS: Final = "model.safetensors"
_VERSIONS: Final = ("torch", "transformers", "tokenizers", "trl")
_README: Final = """# nano, the embedded base of Adapter Studio

A Qwen2 model of {parameters:,} parameters ({megabytes:.1f} MB), trained from scratch by
`studio nano --rebuild` (seed {seed}) on {tokens:,} tokens that `studio/nano/corpus.py`
generates. It exists so that a whole loop (import, build, train, evaluate, compare) runs in minutes
on two cores, with real weights and real scores. It is no use for anything else.

It speaks the chat template of Qwen2.5 and knows three things: calling one of seven tools with
arguments copied from the request, writing a short Python function asked for by name, and answering
a short question with one line of working. Three tools of a fictitious team (`search_code`,
`run_tests`, `create_ticket`) never occur in its corpus: an adapter can teach them.

| category of the nano suite | items | passed | rate | 95% interval (Wilson) |
|---|---|---|---|---|
{rows}

Greedy decoding, fp32, calls compared exactly, code executed. The suite draws from values,
combinations of functions and numbers that the corpus leaves out (`studio/nano/words.py`).
Details: `card.json`; the course of the training: `training_log.jsonl`.
"""


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write `card.json` with the facts, versions and the digest of the weights, and `README.md`."""
    card = {
        **facts,
        "versions": {name: version(name) for name in _VERSIONS},
        "sha256": sha256(folder / WEIGHTS),
    }
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    rows = [
        f"| {category} | {found['n']} | {found['passed']} | {found['rate']:.1%} "
        f"| {found['ci95'][0]:.1%} to {found['ci95'][1]:.1%} |"
        for category, found in card.get("accuracy", {}).items()
    ]
    readme = _README.format(
        **card,
        seed=card["plan"]["seed"],
        rows="\n".join(rows) or "| not measured yet | | | | |",
        megabytes=(folder / WEIGHTS).stat().st_size / 1e6,
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """The card of the model in a folder."""
    card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return card
