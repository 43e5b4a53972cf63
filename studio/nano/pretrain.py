"""Train the embedded base from scratch (`rebuild` and `make nano` call it).

A Qwen2 of 0.7M parameters on one thread: a minute of copying exercises (`copying`), then the
corpus.
"""

import json
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from studio.nano import card, copying, tokenizer
from studio.nano.corpus import conversations

_LOG_EVERY: Final = 50

Progress = Callable[[float, float, str], None]


@dataclass(frozen=True)
class Plan:
    """How the base is trained; steps and seeds are fixed, so is the outcome on one machine."""

    seed: int = 1
    copy_steps: int = 200
    copy_learning_rate: float = 1e-3
    rows: int = 40_000
    batch_rows: int = 16
    hidden: int = 128
    layers: int = 3
    heads: int = 4
    feed_forward: int = 320
    rope_theta: float = 1e7
    init_std: float = 0.04
    learning_rate: float = 3e-3
    warmup_steps: int = 100
    decay_from: float = 0.5
    decay_to: float = 0.2
    weight_decay: float = 0.05
    prompt_weight: float = 0.05


@dataclass(frozen=True)
class Row:
    """Token ids of a conversation and the weight of each in the loss."""

    ids: list[int]
    weights: list[float]


def build_model(plan: Plan, vocabulary: int, end: int, pad: int) -> Any:
    """A Qwen2ForCausalLM at its starting weights."""
    import torch
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(plan.seed)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=vocabulary,
            hidden_size=plan.hidden,
            num_hidden_layers=plan.layers,
            num_attention_heads=plan.heads,
            num_key_value_heads=plan.heads,
            intermediate_size=plan.feed_forward,
            max_position_embeddings=2048,
            rope_parameters={"rope_type": "default", "rope_theta": plan.rope_theta},
            initializer_range=plan.init_std,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=end,
            pad_token_id=pad,
        )
    )
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=[end, pad], pad_token_id=pad, max_new_tokens=256
    )
    copying.install(model)
    return model


def encode(words: Any, drawn: dict[str, Any], training_template: str, prompt_weight: float) -> Row:
    """Render and tokenise a conversation; tokens outside the answers weigh little in the loss."""
    encoded = words.apply_chat_template(
        drawn["messages"],
        tools=drawn.get("tools"),
        chat_template=training_template,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    weights = [1.0 if inside else prompt_weight for inside in encoded["assistant_masks"]]
    return Row(encoded["input_ids"], weights)


def batches(rows: list[Row], size: int, rng: random.Random) -> Iterator[list[Row]]:
    """Batches of rows of similar length, in random order."""
    pool = 64 * size
    for start in range(0, len(rows), pool):
        chunk = sorted(rows[start : start + pool], key=lambda row: len(row.ids))
        found = [chunk[at : at + size] for at in range(0, len(chunk), size)]
        rng.shuffle(found)
        yield from found


def exercises(plan: Plan, vocabulary: int, rng: random.Random) -> Iterator[list[Row]]:
    """Batches of copying exercises, in which little but the copies counts."""
    for _ in range(plan.copy_steps):
        batch = []
        for _ in range(2 * plan.batch_rows):
            ids, copied = copying.exercise(rng, vocabulary)
            weights = [1.0 if place in copied else 0.02 for place in range(len(ids))]
            batch.append(Row(ids, weights))
        yield batch


def schedule(plan: Plan, step: int, steps: int) -> float:
    """Share of the peak learning rate: linear warm-up, flat, then a cosine down to `decay_to`.

    It ends above nothing, since weights that were cooled down altogether lose what they know as
    soon as an adapter moves them, whatever it replays.
    """
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    done = (step / steps - plan.decay_from) / (1 - plan.decay_from)
    cosine = 0.5 + 0.5 * math.cos(math.pi * max(0.0, done))
    return plan.decay_to + (1 - plan.decay_to) * cosine


def loss_of(model: Any, batch: list[Row], pad: int) -> Any:
    """Weighted mean cross-entropy of the next token over a batch."""
    import torch

    width = max(len(row.ids) for row in batch)
    ids = torch.tensor([row.ids + [pad] * (width - len(row.ids)) for row in batch])
    weights = torch.tensor([row.weights + [0.0] * (width - len(row.weights)) for row in batch])
    logits = model(input_ids=ids[:, :-1]).logits
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
    )
    kept = weights[:, 1:].flatten()
    return (losses * kept).sum() / kept.sum()


def pretrain(plan: Plan, folder: Path, progress: Progress) -> None:
    """Train by the plan; write tokenizer, model, `training_log.jsonl` and the card into `folder`.

    The card holds no accuracy yet: that is for the evaluation to measure (`rebuild.measure`).
    """
    import torch

    torch.set_num_threads(1)
    words = tokenizer.train(plan.seed, 8_000)
    end, pad = words.eos_token_id, words.pad_token_id
    template = tokenizer.template_file("qwen2_5_training").read_text(encoding="utf-8")
    rows = [
        encode(words, drawn, template, plan.prompt_weight)
        for drawn in conversations(plan.seed, plan.rows)
    ]
    model = build_model(plan, len(words), end, pad)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(plan.seed)
    steps = math.ceil(len(rows) / plan.batch_rows)
    with (folder / "training_log.jsonl").open("w", encoding="utf-8") as file:
        log = _Log(file, "copying", plan.copy_steps, progress)
        _fit(model, plan, exercises(plan, len(words), rng), log)
        log = _Log(file, "corpus", steps, progress)
        _fit(model, plan, batches(rows, plan.batch_rows, rng), log)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    card.write(
        folder,
        {
            "recipe": "studio/nano/corpus.py, drawn with the plan's seed; copying exercises first",
            "plan": asdict(plan),
            "steps": plan.copy_steps + steps,
            "tokens": log.tokens,
            "parameters": model.num_parameters(),
            "vocabulary": len(words),
        },
    )


def _fit(model: Any, plan: Plan, found: Iterable[list[Row]], log: "_Log") -> None:
    """One phase: AdamW over the batches, the schedule stretched over its steps."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=plan.weight_decay, fused=True
    )
    peak = plan.copy_learning_rate if log.phase == "copying" else plan.learning_rate
    for step, batch in enumerate(found):
        for group in optimizer.param_groups:
            group["lr"] = peak * schedule(plan, step, log.steps)
        loss = loss_of(model, batch, model.config.pad_token_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        log.add(step, loss.item(), sum(len(row.ids) for row in batch))


class _Log:
    """Writes a line of means every fifty steps of a phase."""

    def __init__(self, file: TextIO, phase: str, steps: int, progress: Progress) -> None:
        self.file, self.phase, self.steps, self.progress = file, phase, steps, progress
        self.losses: list[float] = []
        self.tokens, self.started = 0, time.monotonic()

    def add(self, step: int, loss: float, tokens: int) -> None:
        """Count a step's loss and tokens; every fifty steps, and at the end, write their line."""
        self.losses.append(loss)
        self.tokens += tokens
        if len(self.losses) < _LOG_EVERY and step + 1 < self.steps:
            return
        mean = round(sum(self.losses) / len(self.losses), 4)
        seconds = round(time.monotonic() - self.started, 1)
        line = {"phase": self.phase, "step": step + 1, "loss": mean, "tokens": self.tokens}
        self.file.write(json.dumps(line | {"seconds": seconds}) + "\n")
        self.file.flush()
        self.progress(step + 1, self.steps, f"{self.phase}: loss {mean:.2f}")
        self.losses.clear()
