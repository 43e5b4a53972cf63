"""The model card: what the base is, how it was made, what it scores.

`python -m studio.nano.card OUTCOMES.jsonl` puts measured accuracy into the card. A row is
`{"item": "tool-0001", "category": "tool_call", "passed": true}`, as the evaluation writes it.
"""

import hashlib
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from studio.nano import MODEL

CARD: Final = "card.json"
WEIGHTS: Final = "model.safetensors"
_VERSIONS: Final = ("torch", "transformers", "tokenizers", "trl")
_README: Final = """# nano, the embedded base of Adapter Studio

A Qwen2 model of {parameters:,} parameters ({megabytes:.1f} MB), trained from scratch by
`python -m studio.nano.pretrain` (seed {seed}) on {tokens:,} tokens that `studio/nano/corpus.py`
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


def wilson(passed: int, n: int) -> tuple[float, float]:
    """95% score interval of a rate (Wilson 1927), as fractions of 1."""
    z, rate = 1.959964, passed / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def accuracy(outcomes: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Category to n, passed, rate and ci95, from rows with `category` and `passed`."""
    by_category: dict[str, list[bool]] = defaultdict(list)
    for row in outcomes:
        by_category[row["category"]].append(bool(row["passed"]))
    return {
        category: {
            "n": len(passed),
            "passed": sum(passed),
            "rate": round(sum(passed) / len(passed), 4),
            "ci95": [round(bound, 4) for bound in wilson(sum(passed), len(passed))],
        }
        for category, passed in by_category.items()
    }


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


def record(folder: Path, outcomes: Iterable[Mapping[str, Any]]) -> None:
    """Put measured accuracy into the card of a model that was pretrained."""
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    write(folder, card | {"accuracy": accuracy(outcomes)})


def main() -> None:
    """Read outcomes from the file named and record them for the embedded model."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m studio.nano.card OUTCOMES.jsonl")
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    record(MODEL, [json.loads(line) for line in lines])


if __name__ == "__main__":
    main()
