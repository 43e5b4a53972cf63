"""Copying, the one skill under all others of the base: set by hand, then exercised.

Everything the base does copies: a value out of a request, a function's name, a number. The
heads that do so ("find where this token stood before, take what followed") do not form in the
few million tokens there are, so the starting weights hold them already. Layer 0 looks one token
back and writes what it saw beside the token; layer 1 looks for tokens whose forerunner equals the
present token and passes them on (an induction circuit: Olsson et al. 2022, arXiv:2209.11895).
"""

import random
from typing import Any, Final

import torch

# Scores in which one distance (one content) wins clearly, found by trying on random tokens.
_DISTANCE_BIAS: Final = 7.0
_WRITE: Final = 0.3
_MATCH: Final = 3.0
_PASS_ON: Final = 0.8
_REST: Final = 0.1


def install(model: Any) -> None:
    """Set the circuit into heads 0-2 of layer 0 and heads 0-1 of layer 1 of a new Qwen2 model."""
    first, second = (layer.self_attn for layer in model.model.layers[:2])
    size, hidden = first.head_dim, model.config.hidden_size
    both = slice(0, 2 * size)
    seen, written = _orthogonal(2 * size, hidden), _orthogonal(2 * size, hidden)
    passed = _orthogonal(2 * size, hidden)
    theta = model.config.rope_parameters["rope_theta"]
    # RoPE turns component i of a head by position times frequency: where that is slow, a match
    # between two tokens counts nearly the same at every distance.
    frequencies = theta ** (-torch.arange(size // 2) / (size // 2))
    slow = (frequencies < 0.01).repeat(4).unsqueeze(1)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight *= _REST
            layer.mlp.down_proj.weight *= _REST
        for head, distance in enumerate((1, 1, 2)):
            _look_back(first, head, distance * frequencies)
        first.v_proj.weight[both] = _WRITE * seen
        first.o_proj.weight[:, both] = _WRITE * written.T
        second.q_proj.weight[both] = torch.where(slow, _MATCH * seen, second.q_proj.weight[both])
        second.k_proj.weight[both] = torch.where(slow, _MATCH * written, second.k_proj.weight[both])
        second.v_proj.weight[both] = _PASS_ON * passed
        second.o_proj.weight[:, both] = _PASS_ON * passed.T


def _look_back(attention: Any, head: int, angles: torch.Tensor) -> None:
    """Bias a head towards one distance, given as the angles by which RoPE turns over it.

    With constant query and key the score depends on the distance alone; the query turned back by
    `angles` puts its maximum there.
    """
    size = attention.head_dim
    start, half = head * size, size // 2
    for weight in (attention.q_proj.weight, attention.k_proj.weight):
        weight[start : start + size] *= _REST
    attention.k_proj.bias[start : start + half] = _DISTANCE_BIAS
    attention.q_proj.bias[start : start + half] = _DISTANCE_BIAS * torch.cos(angles)
    attention.q_proj.bias[start + half : start + size] = -_DISTANCE_BIAS * torch.sin(angles)


def _orthogonal(rows: int, columns: int) -> torch.Tensor:
    """`rows` random directions at right angles; rows must not exceed columns."""
    directions: torch.Tensor = torch.linalg.qr(torch.randn(columns, rows)).Q
    return directions.T


def exercise(rng: random.Random, vocabulary: int, length: int = 48) -> tuple[list[int], range]:
    """Random tokens in which one stretch comes twice; and where its second time can be foretold."""
    ids = [rng.randrange(vocabulary) for _ in range(length)]
    count = rng.randrange(4, length // 4)
    first = rng.randrange(0, length - 2 * count + 1)
    second = rng.randrange(first + count, length - count + 1)
    ids[second : second + count] = ids[first : first + count]
    return ids, range(second + 1, second + count)
