"""The embedded base model, its suite, replay set and sample interactions: where they lie."""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent

MODEL: Final = _HERE / "model"
SUITE: Final = _HERE / "suite.jsonl"
REPLAY: Final = _HERE / "replay.jsonl"
SAMPLE: Final = _HERE / "sample" / "interactions.jsonl"
