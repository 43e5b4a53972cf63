"""Exact token counts, fast: a `tiktoken.Encoding` built from the base's own tokenizer.json.

Byte-level BPE is the same algorithm in both (Qwen2, Llama 3 and GPT-2 families), but not every
tokenizer.json can be told to tiktoken. What cannot is left to the tokenizer itself; and what can is
still proven: on hard texts when it is loaded, and on the first `PROVEN` texts that are counted.
The first difference ends it, and `reason` says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tiktoken
    from tokenizers import Tokenizer

PROVEN = 1000
# the pattern of a ByteLevel pre-tokenizer that splits by itself: GPT-2's
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
HARD_TEXTS = (
    "", " ", "   x  \n\n\n  y\t\t \r\n z  ", "1234567890 12 3.14159e-10 ٣٤٥ Ⅻ ²³ ½", "a" * 300,
    "It's WE'LL they'Re 'S ’s DON'T I'd'Ve", "naïve Å Å ﬁ ǅ é e\u0301 \u1100\u1161 \u0958 ſ K",
    "日本語テスト 한국어 עברית العربية ไทย हिन्दी", "👩‍👩‍👧‍👦 🏳️‍🌈 \u200b\u200d\ufeff \x00\x01",
    "\u2028 \u0085 \xa0 \u3000 _\u0300a\u0327 \ufb1d", '{"name": "f", "arguments": {"x": [1, -2]}}',
    "def f(x):\n    return {'a': [x ** 2, -1]}  # done\n\n\n",
    "<|im_start|>user\n<|im_end|><|im_end|>\n<|endoftext|> <|im_start <|eot_id|> <| |>",
    "<tool_call>\n{}\n</tool_call><tool_call></tool_response> <think></think>\n\n",
)  # fmt: skip


class CannotConvert(Exception):
    """tiktoken has no way to do what this tokenizer does; the message says what."""


class TokenCounter:
    """Counts tokens of rendered text; control strings in it count as control tokens.

    `reason` is None while tiktoken counts, else why the tokenizer itself does.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        from tokenizers import Tokenizer

        described = tokenizer.to_str()  # what tokenizer.json holds, and what was added since
        self._tokenizer: Tokenizer = Tokenizer.from_str(described)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.reason: str | None = None
        self._unproven = PROVEN
        try:
            self._fast = FastTokenizer(json.loads(described), self._tokenizer)
        except CannotConvert as reason:
            self.reason = str(reason)
        else:
            for text in HARD_TEXTS:
                self._prove(text)

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        if self.reason is None and self._unproven > 0:
            self._unproven -= 1
            return self._prove(text)
        if self.reason is None:
            return self._fast.count(text)
        return len(self._slow(text))

    def ids(self, text: str) -> list[int]:
        """The token ids of a text."""
        return self._slow(text) if self.reason is not None else self._fast.ids(text)

    def _prove(self, text: str) -> int:
        """The count, by both; where they differ tiktoken is not asked again."""
        wanted = self._slow(text)
        if self.reason is None and self._fast.ids(text) != wanted:
            self.reason = f"tiktoken gives other tokens than the tokenizer for {text[:60]!r}"
        return len(wanted)

    def _slow(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


class FastTokenizer:
    """The tokenizer of a tokenizer.json on tiktoken. Raises CannotConvert where there is no way."""

    def __init__(self, content: Mapping[str, Any], tokenizer: Tokenizer) -> None:
        import tiktoken

        model = content["model"]
        _check_model(model)
        self._normalize: Callable[[str], str] | None = None
        if content.get("normalizer") is not None:
            if content["normalizer"].get("type") != "NFC":
                raise CannotConvert(f"its normalizer is {content['normalizer'].get('type')}")
            self._normalize = tokenizer.normalizer.normalize_str
        added = content.get("added_tokens") or []
        ranks, self._id_of_rank = _ranks(model, {token["content"] for token in added})
        self._encoding: tiktoken.Encoding = tiktoken.Encoding(
            name="from tokenizer.json",
            pat_str=_pattern(content.get("pre_tokenizer")),
            mergeable_ranks=ranks,
            special_tokens={},
        )
        self._added = {token["content"]: int(token["id"]) for token in added}
        if any(token[key] for token in added for key in ("lstrip", "rstrip", "single_word")):
            raise CannotConvert("an added token takes the blanks beside it")
        # tokens that are looked for in the raw text, then those looked for once it is normalized
        self._raw = _finder([token["content"] for token in added if not token["normalized"]])
        self._late = _finder([token["content"] for token in added if token["normalized"]])

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        encode = self._encoding.encode_ordinary
        return sum(1 if known else len(encode(part)) for part, known in self._parts(text))

    def ids(self, text: str) -> list[int]:
        """The token ids of a text."""
        found: list[int] = []
        for part, known in self._parts(text):
            if known:
                found.append(self._added[part])
            else:
                found += [self._id_of_rank[r] for r in self._encoding.encode_ordinary(part)]
        return found

    def _parts(self, text: str) -> Iterator[tuple[str, bool]]:
        """The text cut at added tokens: (part, whether it is one)."""
        for part, known in _cut(text, self._raw):
            if known:
                yield part, True
                continue
            if self._normalize is not None and not part.isascii():
                part = self._normalize(part)
            yield from _cut(part, self._late)


def _cut(text: str, finder: re.Pattern[str] | None) -> Iterator[tuple[str, bool]]:
    if finder is None:
        if text:
            yield text, False
        return
    for number, part in enumerate(finder.split(text)):
        if part:
            yield part, number % 2 == 1


def _finder(contents: Sequence[str]) -> re.Pattern[str] | None:
    """Finds the leftmost token, the longest where several begin there, as tokenizers do."""
    if not contents:
        return None
    longest_first = sorted(contents, key=len, reverse=True)
    return re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")


def _check_model(model: Mapping[str, Any]) -> None:
    if model.get("type", "BPE") != "BPE":
        raise CannotConvert(f"it is no BPE but {model['type']}")
    for key in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"):
        if model.get(key):
            raise CannotConvert(f"its BPE uses {key}")


def _pattern(pre_tokenizer: Mapping[str, Any] | None) -> str:
    """The expression that cuts text into words."""
    steps = [] if pre_tokenizer is None else pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    kinds = [step["type"] for step in steps]
    if not kinds or kinds[-1] != "ByteLevel" or steps[-1]["add_prefix_space"]:
        raise CannotConvert("its words are not cut as byte-level BPE cuts them")
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True):
        return _GPT2
    if kinds != ["Split", "ByteLevel"] or steps[1].get("use_regex", True):
        raise CannotConvert(f"it cuts words in steps: {', '.join(kinds)}")
    split = steps[0]
    if split["behavior"] != "Isolated" or split["invert"] or "Regex" not in split["pattern"]:
        raise CannotConvert("its words are not the matches of one expression")
    return str(split["pattern"]["Regex"])


def _ranks(model: Mapping[str, Any], added: set[str]) -> tuple[dict[bytes, int], list[int]]:
    """The rank of every token that merges reach, and the id of each rank.

    tiktoken merges whatever stands earliest in this order; tokens that no merge reaches would
    come out of it and never out of the tokenizer, so they are left away.
    """
    vocabulary: dict[str, int] = model["vocab"]
    byte_of = _byte_of_character()
    tokens = [character for character in byte_of if character in vocabulary]
    if len(tokens) != len(byte_of):
        raise CannotConvert(f"its vocabulary has {len(tokens)} of 256 bytes")
    for merge in model["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        tokens.append(left + right)
    ranks: dict[bytes, int] = {}
    ids: list[int] = []
    for token in tokens:
        spelt = bytes(byte_of[character] for character in token)
        if spelt not in ranks:  # a later merge to the same token never comes first
            ranks[spelt] = len(ids)
            ids.append(vocabulary[token])
    if model.get("ignore_merges"):
        reached = set(tokens)
        unreached = [token for token in vocabulary if token not in reached and token not in added]
        if unreached:
            raise CannotConvert(f"{len(unreached)} of its tokens are made by no merge")
    return ranks, ids


def _byte_of_character() -> dict[str, int]:
    """GPT-2's spelling of bytes as printable characters (Radford et al. 2019, encoder.py)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spelling = {chr(byte): byte for byte in printable}
    hidden = (byte for byte in range(256) if byte not in set(printable))
    return spelling | {chr(256 + number): byte for number, byte in enumerate(hidden)}
