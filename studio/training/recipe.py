"""A recipe says how to train. Shipped ones lie in `configs/recipes`, the user's anywhere."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from pydantic import Field

from db.errors import BadInput
from studio.settings import Settings, config_names, config_path, read_yaml


class Lora(Settings):
    """LoRA (Hu et al. 2021): rank, alpha (scale is alpha / r), dropout, and which modules."""

    r: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: list[str] | Literal["all-linear"] = "all-linear"


class Recipe(Settings):
    """How to train. Give `steps` or `epochs`; lengths are in tokens.

    Without a `base` it is the one that the dataset was built for.

    `evaluate_every` is in steps: then the validation loss is taken, a checkpoint saved, and
    `score_items` validation turns generated and executed; checkpoints are ranked by that score.
    """

    description: str = ""
    base: str | None = None
    lora: Lora = Lora()
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "linear", "cosine", "constant_with_warmup"] = "cosine"
    warmup_steps: int = Field(default=0, ge=0)
    steps: int | None = Field(default=None, ge=1)
    epochs: float | None = Field(default=None, gt=0)
    batch_size: int = Field(default=8, ge=1)
    accumulate: int = Field(default=1, ge=1)
    max_length: int = Field(default=2048, ge=16)
    evaluate_every: int = Field(default=25, ge=1)
    score_items: int = Field(default=32, ge=0)
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0)
    seed: int = 0
    threads: int | None = Field(default=None, ge=1)
    stop: list[str] = Field(default_factory=list)

    def total_steps(self, rows: int) -> int:
        """The steps of a run over `rows` training rows, as the trainer counts them."""
        if self.steps:
            return self.steps
        per_epoch = math.ceil(rows / (self.batch_size * self.accumulate))
        return math.ceil(per_epoch * (self.epochs or 1.0))


def read_recipe(name: str) -> tuple[str, Recipe]:
    """(name, recipe) from a shipped or configured name, or a path of a YAML file.

    Raises BadInput with what is wrong where, or with the names that there are.
    """
    path = Path(name)
    if not path.is_file():
        path = config_path(f"recipes/{name}.yaml")
    if not path.is_file():
        names = ", ".join(config_names("recipes"))
        raise BadInput(f"no recipe {name!r}: give a YAML file or one of {names}")
    recipe = read_yaml(path, Recipe)
    if (recipe.steps is None) == (recipe.epochs is None):
        raise BadInput(f"{path}: give steps or epochs, one of the two")
    return path.stem, recipe
