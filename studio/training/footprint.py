"""What a run takes: memory for weights, adapter and activations, and room on the disk.

Read from the shapes in the base's safetensors files; nothing is loaded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from db.errors import BadInput
from studio.training.recipe import Lora, Recipe

# AdamW in fp32 keeps for each trained parameter the weight, its gradient and two moments
# (Rajbhandari et al. 2020, "ZeRO", section 3.1).
BYTES_TRAINED = 4 + 4 + 8
# Values kept for the backward pass: 34 bytes at 2 bytes a value for each token, hidden unit and
# layer (Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models",
# equation 1; without its attention matrices, which the fused attention of torch does not keep).
VALUES_PER_UNIT = 17
BYTES_PER_LOGIT = 12  # logits, their softmax and its gradient in fp32
RUNTIME = 700 * 2**20  # Python with torch and trl before anything is loaded
_NOT_LINEAR = re.compile(r"embed|wte|wpe|lm_head")
_LAYER = re.compile(r"\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of memory by what they are for, and bytes that the checkpoints take on the disk."""

    weights: int
    adapter: int
    activations: int
    disk: int

    @property
    def memory(self) -> int:
        """Bytes of memory in all."""
        return RUNTIME + self.weights + self.adapter + self.activations


def footprint(
    folder: Path, recipe: Recipe, *, rows: int, longest: int, value_bytes: int
) -> Footprint:
    """The estimate for a base in `folder` and `rows` training rows of up to `longest` tokens.

    `value_bytes` are those of a weight: 4 in float32 (CPU), 2 in bfloat16 (GPU). Raises BadInput
    when the folder holds no safetensors.
    """
    shapes = weight_shapes(folder)
    trained = lora_parameters(shapes, recipe.lora)
    tokens = recipe.batch_size * min(longest, recipe.max_length)
    embedding = next((shape for name, shape in shapes.items() if re.search("embed|wte", name)), [])
    vocabulary, hidden = embedding if len(embedding) == 2 else (0, 0)
    layers = 1 + max((int(n) for name in shapes for n in _LAYER.findall(name)), default=0)
    checkpoints = 1 + recipe.total_steps(rows) // recipe.evaluate_every
    return Footprint(
        weights=value_bytes * sum(map(math.prod, shapes.values())),
        adapter=BYTES_TRAINED * trained,
        activations=tokens
        * (VALUES_PER_UNIT * value_bytes * hidden * layers + BYTES_PER_LOGIT * vocabulary),
        # each keeps the adapter, the optimiser's moments and the tokenizer
        disk=checkpoints * (12 * trained + _bytes(folder / "tokenizer.json")),
    )


def weight_shapes(folder: Path) -> dict[str, list[int]]:
    """Name and shape of every tensor of a base. Raises BadInput when it has no weights."""
    from safetensors import safe_open

    shapes: dict[str, list[int]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            shapes |= {name: list(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    if not shapes:
        raise BadInput(f"{folder} holds no weights (*.safetensors)")
    return shapes


def lora_parameters(shapes: dict[str, list[int]], lora: Lora) -> int:
    """How many parameters LoRA adds: r for each row and each column of a targeted matrix."""
    return lora.r * sum(
        sum(shape)
        for name, shape in shapes.items()
        if len(shape) == 2 and _is_target(name.removesuffix(".weight"), lora)
    )


def _is_target(module: str, lora: Lora) -> bool:
    if lora.targets == "all-linear":
        return not _NOT_LINEAR.search(module)
    return any(module == target or module.endswith(f".{target}") for target in lora.targets)


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
