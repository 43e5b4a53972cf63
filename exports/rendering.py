"""From a conversation to text, token ids and the mask of what is trained: the only place.

The text is what the base's own chat template writes. What is trained is what TRL trains: where TRL
knows the template it has a twin with `{% generation %}` marks, which renders the same text; a
template with marks of its own is used as it is. Any other template is rendered turn by turn and
the spans are taken only if every shorter rendering is a prefix of the longer one.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.errors import BadInput
from db.secrets import find_secrets
from exports.conversation import Message, Tool

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class CannotMask(BadInput):
    """The template does not let us tell for sure which tokens the assistant wrote."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as the base reads it: `ids[i]` is trained on when `trained[i]`.

    `spans` are the characters that each assistant turn wrote, `offsets` those of each token.
    """

    text: str
    ids: list[int]
    trained: list[bool]
    offsets: list[tuple[int, int]]
    spans: list[tuple[int, int]]


@dataclass(frozen=True)
class Template:
    """A base's tokenizer and chat template, with the digests that name them."""

    folder: Path
    tokenizer: PreTrainedTokenizerFast
    text: str
    training_text: str | None
    tokenizer_digest: str
    template_digest: str

    def render(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Rendered:
        """Text, ids and mask of a whole conversation. Raises CannotMask when not sure."""
        if self.training_text is None:
            text, spans = self._spans_turn_by_turn(messages, tools)
        else:
            text, spans = _with_marks(messages, tools, self.training_text)
        encoding = self.tokenizer(
            text,
            add_special_tokens=False,
            return_offsets_mapping=True,
            verbose=False,  # length is preflight's to judge
        )
        ids = list(encoding["input_ids"])
        trained = [False] * len(ids)
        for start, end in spans:
            first, last = encoding.char_to_token(start), encoding.char_to_token(end - 1)
            if first is None or last is None:
                raise CannotMask("the tokenizer drops text that the template writes")
            trained[first : last + 1] = [True] * (last + 1 - first)
        return Rendered(text, ids, trained, list(encoding["offset_mapping"]), spans)

    def text_of(self, messages: Sequence[Message], tools: Sequence[Tool]) -> str:
        """The text of a whole conversation, without ids and mask."""
        return self._plain(messages, tools, add_generation_prompt=False)

    def prompt(self, messages: Sequence[Message], tools: Sequence[Tool]) -> str:
        """What the base is given when it shall answer these messages."""
        return self._plain(messages, tools, add_generation_prompt=True)

    def encode(self, text: str) -> list[int]:
        """Token ids of rendered text; control strings in it count as control tokens."""
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _plain(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, add_generation_prompt: bool
    ) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                list(messages),
                tools=list(tools) or None,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
            )
        )

    def _spans_turn_by_turn(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> tuple[str, list[tuple[int, int]]]:
        text = self.text_of(messages, tools)
        spans: list[tuple[int, int]] = []
        for number, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            before = self.prompt(messages[:number], tools)
            after = self.text_of(messages[: number + 1], tools)
            if not after.startswith(before) or not text.startswith(after):
                raise CannotMask(
                    f"the template of {self.folder} writes turn {number + 1} differently when more "
                    "turns follow, so the trained tokens cannot be told for sure"
                )
            spans.append((len(before), len(after)))
        return text, spans


def load_template(folder: Path) -> Template:
    """Read the tokenizer and chat template of a local base. Loads no torch.

    Raises BadInput when the folder has no fast tokenizer or no chat template.
    """
    from transformers import PreTrainedTokenizerFast

    path = folder / "tokenizer.json"
    if not path.is_file():
        raise BadInput(f"{folder} has no tokenizer.json; a base needs a fast tokenizer")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder))
    text = tokenizer.chat_template
    if not isinstance(text, str):
        raise BadInput(f"the tokenizer in {folder} has no chat template; take an instruct model")
    return Template(
        folder=folder,
        tokenizer=tokenizer,
        text=text,
        training_text=_training_twin(text),
        tokenizer_digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        template_digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _with_marks(
    messages: Sequence[Message], tools: Sequence[Tool], template: str
) -> tuple[str, list[tuple[int, int]]]:
    from transformers.utils.chat_template_utils import render_jinja_template

    rendered, spans = render_jinja_template(
        conversations=[list(messages)],
        tools=list(tools) or None,
        chat_template=template,
        return_assistant_tokens_mask=True,
    )
    return str(rendered[0]), [(int(start), int(end)) for start, end in spans[0]]


def _training_twin(text: str) -> str | None:
    """The same template with generation marks: its own, or the one that TRL keeps beside it."""
    if "generation" in text and "endgeneration" in text:
        return text
    spec = importlib.util.find_spec("trl")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        for twin in sorted(Path(location, "chat_templates").glob("*_training.jinja")):
            original = twin.with_name(twin.name.replace("_training.jinja", ".jinja"))
            if original.is_file() and original.read_text(encoding="utf-8") == text:
                return twin.read_text(encoding="utf-8")
    return None


def tokens_of(rendered: Rendered) -> list[dict[str, Any]]:
    """Each token as `{id, text, trained}`; a token inside of a character has the text ``""``."""
    tokens = []
    done = 0
    for identity, trained, (start, end) in zip(
        rendered.ids, rendered.trained, rendered.offsets, strict=True
    ):
        text = rendered.text[max(start, done) : end]
        done = max(done, end)
        tokens.append({"id": identity, "text": text, "trained": trained})
    return tokens


def without_secrets(tokens: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tokens (`{text, …}`) as they may be shown: a dot for each character of a secret."""
    text = "".join(token["text"] for token in tokens)
    shown = list(text)
    for secret in find_secrets(text):
        shown[secret.start : secret.end] = "•" * (secret.end - secret.start)
    characters = iter(shown)
    return [{**token, "text": "".join(islice(characters, len(token["text"])))} for token in tokens]
