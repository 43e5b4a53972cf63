"""The tokenizer: byte-level BPE in which a value looks the same wherever it stands.

No merge crosses a space or a mark, digits are single, and the boilerplate of the chat template and
of JSON schemas are added tokens: the text stays that of Qwen2.5, at a third of the tokens.
"""

import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from studio.nano.corpus import conversations

END, PAD = "<|im_end|>", "<|endoftext|>"
CONTROL: Final = (
    PAD,
    "<|im_start|>",
    END,
    "<tool_call>",
    "</tool_call>",
    "<tools>",
    "</tools>",
    "<tool_response>",
    "</tool_response>",
)
_BOILERPLATE: Final = (
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
    "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n",
    "\n\nFor each function call, return a json object with function name and arguments within "
    "<tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>',
    "system",
    "assistant",
    '{"type": "function", "function": {"name": "',
    '", "description": "',
    '", "parameters": {"type": "object", "properties": {"',
    '": {"type": "string"',
    '": {"type": "integer"',
    '": {"type": "number"',
    '": {"type": "boolean"',
    ', "enum": ["',
    '}, "',
    '}}, "required": ["',
    '"]}}}',
    '{"name": "',
    '", "arguments": {"',
    '": "',
    '", "',
    '": ',
    ', "',
    '"}}',
    "}}",
    "```python",
    "```json",
    "```",
)
# Within a piece of the Qwen2 tokenizer, what may still be merged: letters, or blanks.
_PIECES: Final = r"\p{N}|\p{L}+| +|\s|[^\s\p{L}\p{N}]"
_MERGED_SIZE: Final = 1024


def template_file(name: str) -> Path:
    """A chat template that ships with TRL, found without the slow import of TRL."""
    spec = importlib.util.find_spec("trl")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the chat template comes with trl: pip install '.[train]'")
    return Path(spec.submodule_search_locations[0]) / "chat_templates" / f"{name}.jinja"


def train(seed: int, count: int) -> Any:
    """Train on `count` conversations; returns a `Qwen2Tokenizer`.

    AutoTokenizer loads any Qwen2 model with that class, which brings NFC and its own way of
    cutting text into pieces. Merges are learnt inside finer pieces, so both cuts give one result.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    settings = {
        "eos_token": END,
        "pad_token": PAD,
        "unk_token": None,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
        "padding_side": "left",
    }
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated"),
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=_MERGED_SIZE,
        min_frequency=20,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_texts(seed, count), trainer)
    learnt = json.loads(backend.to_str())["model"]
    words = Qwen2Tokenizer(
        vocab=learnt["vocab"],
        merges=[tuple(pair) for pair in learnt["merges"]],
        chat_template=template_file("qwen2_5").read_text(encoding="utf-8"),
        **settings,
    )
    words.add_tokens([AddedToken(text, normalized=False, special=True) for text in CONTROL[:3]])
    plain = (*CONTROL[3:], *_BOILERPLATE)
    words.add_tokens([AddedToken(text, normalized=False, special=False) for text in plain])
    return words


def _texts(seed: int, count: int) -> Iterable[str]:
    """The words of the conversations: contents, arguments, and what the tools say of themselves."""
    for drawn in conversations(seed, count):
        for message in drawn["messages"]:
            yield message["content"]
        for tool in drawn.get("tools", ()):
            yield f"{tool['function']['name']} {tool['function']['description']}"
            yield " ".join(tool["function"]["parameters"]["properties"])
