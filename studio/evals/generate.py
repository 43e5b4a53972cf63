"""Answers of a base and its adapters, in one process: one base in memory, adapters toggled.

Greedy decoding in batches of prompts of like length. Imports torch: only for child processes and
commands, never for the terminal.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import peft
import torch
import transformers

from db.errors import BadInput
from exports.rendering import Template, load_template
from studio.training.bases import Base, weights_digest

ENGINE = (
    f"transformers {transformers.__version__}, torch {torch.__version__}, peft {peft.__version__}"
)
BATCH_TOKENS = 24_576  # prompt and answer tokens of one batch
FIRST_STAGE = 64  # tokens after which the unfinished answers go on in batches of their own


@dataclass(frozen=True, slots=True)
class Decoding:
    """How answers are decoded. Only greedy decoding is repeatable, so it is all there is."""

    max_new_tokens: int = 256
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One generated answer: its text up to the end token, and what it cost.

    `finish_reason` is `stop` or `length`; `seconds` is the batch's time shared among its answers.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Request:
    """A rendered prompt and how much may be answered."""

    prompt: str
    decoding: Decoding


class Model:
    """A base in memory with the adapters that were loaded onto it.

    `network` is given when the model is in memory already, as in a training run.
    """

    def __init__(self, base: Base, network: Any = None) -> None:
        started = time.monotonic()
        self.base = base
        self.template: Template = load_template(base.folder)
        self.network: Any = load_network(base) if network is None else network
        self.device, self.dtype = self.network.device, self.network.dtype
        self.stop_ids = _stop_ids(self.network, self.template)
        self.digest = weights_digest(base.folder)
        self.adapters: dict[str, str] = {}  # digest -> name inside of peft
        self.load_seconds = time.monotonic() - started

    def load_adapter(self, folder: Path) -> str:
        """Load an adapter once; returns its digest, by which it is used.

        Raises BadInput when the folder holds no adapter or it does not fit the base.
        """
        if not (folder / "adapter_config.json").is_file():
            raise BadInput(f"{folder} holds no adapter: it has no adapter_config.json")
        digest = weights_digest(folder)
        if digest in self.adapters:
            return digest
        name = f"a{len(self.adapters)}"
        try:
            with warnings.catch_warnings():  # peft 0.21 reads what transformers 5 has renamed
                warnings.simplefilter("ignore", FutureWarning)
                self._attach(folder, name)
        except (RuntimeError, ValueError, KeyError) as error:
            raise BadInput(
                f"the adapter in {folder} does not fit {self.base.name}: {error}"
            ) from error
        self.network.eval()
        self.adapters[digest] = name
        return digest

    def _attach(self, folder: Path, name: str) -> None:
        if self.adapters:
            self.network.load_adapter(str(folder), adapter_name=name)
        else:
            self.network = peft.PeftModel.from_pretrained(
                self.network, str(folder), adapter_name=name
            )

    def key(self, adapter: str | None, request: Request, ids: Sequence[int]) -> str:
        """The cache key of an answer: everything that it depends on."""
        parts = {
            "weights": self.digest,
            "adapter": adapter,
            "tokenizer": self.template.tokenizer_digest,
            "template": self.template.template_digest,
            "prompt": list(ids),
            "decoding": asdict(request.decoding),
            "stop_ids": self.stop_ids,
            "dtype": str(self.dtype),
            "engine": ENGINE,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def generate(
        self,
        requests: Sequence[Request],
        adapter: str | None,
        *,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[list[tuple[int, Answer]]]:
        """(request number, answer) as they are finished, prompts of like length together.

        Answers that are long go on in batches of their own, so that the short ones of a batch do
        not wait for them.
        """
        waiting = [
            _Work(number, self.template.encode(request.prompt), request.decoding)
            for number, request in enumerate(requests)
        ]
        stage = FIRST_STAGE
        with torch.inference_mode(), self._using(adapter):
            while waiting:
                unfinished: list[_Work] = []
                for batch in _batches(waiting, stage):
                    if cancelled():
                        return
                    self._extend(batch, stage)
                    done = [work for work in batch if self._is_finished(work)]
                    unfinished += [work for work in batch if not self._is_finished(work)]
                    if done:
                        yield [(work.number, self._answer(work)) for work in done]
                waiting, stage = unfinished, stage * 4

    def _using(self, adapter: str | None) -> Any:
        if not self.adapters:
            return torch.inference_mode()  # nothing to toggle
        if adapter is None:
            return self.network.disable_adapter()
        self.network.set_adapter(self.adapters[adapter])
        return torch.inference_mode()

    def _extend(self, batch: Sequence[_Work], tokens: int) -> None:
        """Generate up to `tokens` more tokens for each of a batch, left-padded to one width."""
        started = time.monotonic()
        rows = [work.prompt + work.generated for work in batch]
        width = max(map(len, rows))
        pad = self.template.tokenizer.pad_token_id or 0
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=self.device)
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        mask = (torch.arange(width, device=self.device) >= (width - lengths)[:, None]).long()
        output = self.network.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=min(tokens, max(work.left for work in batch)),
            do_sample=False,
            num_beams=1,
            pad_token_id=pad,
            eos_token_id=self.stop_ids,
            temperature=None,
            top_p=None,
            top_k=None,
        )
        seconds = (time.monotonic() - started) / len(batch)
        for work, row in zip(batch, output[:, width:].tolist(), strict=True):
            end = next((at + 1 for at, i in enumerate(row) if i in self.stop_ids), len(row))
            work.generated += row[: min(end, work.left)]
            work.seconds += seconds

    def _is_finished(self, work: _Work) -> bool:
        return work.left <= 0 or (bool(work.generated) and work.generated[-1] in self.stop_ids)

    def _answer(self, work: _Work) -> Answer:
        finished = bool(work.generated) and work.generated[-1] in self.stop_ids
        kept = work.generated[:-1] if finished else work.generated
        text = str(self.template.tokenizer.decode(kept, skip_special_tokens=False))
        for stop in work.decoding.stop:
            if stop in text:
                text, finished = text.split(stop, 1)[0], True
        reason = "stop" if finished else "length"
        return Answer(text, len(work.prompt), len(work.generated), reason, work.seconds)


@dataclass(slots=True)
class _Work:
    """A request on its way: what was generated so far, and the seconds that it took."""

    number: int
    prompt: list[int]
    decoding: Decoding
    generated: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def left(self) -> int:
        """How many tokens it may still generate."""
        return self.decoding.max_new_tokens - len(self.generated)


def _stop_ids(network: Any, template: Template) -> list[int]:
    """The ids on which generation stops: the base's own."""
    configured = network.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({i for i in (*ids, template.tokenizer.eos_token_id) if i is not None})


def load_network(base: Base) -> Any:
    """The base's weights for inference: bfloat16 on a GPU, float32 on the CPU."""
    transformers.utils.logging.disable_progress_bar()  # progress is ours to show
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = transformers.AutoModelForCausalLM.from_pretrained(
        str(base.folder), dtype=torch.bfloat16 if device == "cuda" else torch.float32
    )
    return network.to(device).eval()


def _batches(waiting: Sequence[_Work], tokens: int) -> Iterator[list[_Work]]:
    """Batches of like length: the longest first, so that what is too large fails at once."""
    batch: list[_Work] = []
    for work in sorted(waiting, key=lambda w: (-len(w.prompt) - len(w.generated), w.number)):
        longest = (batch or [work])[0]
        cost = len(longest.prompt) + len(longest.generated) + tokens
        if batch and (len(batch) + 1) * cost > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(work)
    if batch:
        yield batch
