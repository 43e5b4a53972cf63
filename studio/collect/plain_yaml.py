"""YAML of mappings, lists, texts and bytes, built from its events: no tags, anchors or recursion.

The usual loaders follow a deep document down the stack until the process dies, and let a few
aliases grow into gigabytes; nothing of either kind is in a log.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import yaml

from studio.collect.decoding import DEPTH_LIMIT, Damaged

_NOTHING = ("", "~", "null")
LINE = "_line"  # where each mapping begins, from 1


def parse(text: str) -> Any:
    """The first document. Raises Damaged for what YAML does not allow and for what is not plain.

    A scalar without quotes is a text, but for whole numbers and nothing.
    """
    try:
        return _built(text)
    except (yaml.YAMLError, binascii.Error, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise Damaged(f"not YAML: {getattr(error, 'problem', None) or error}{where}") from error


def _built(text: str) -> Any:
    stack: list[Any] = []
    keys: list[Any] = []  # of each mapping on the stack, the key that waits for its value
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise Damaged("not plain YAML: it has aliases")
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if len(stack) == DEPTH_LIMIT:
                raise Damaged(f"nested deeper than {DEPTH_LIMIT} levels")
            mapping = isinstance(event, yaml.MappingStartEvent)
            mark = event.start_mark
            stack.append({LINE: mark.line + 1 if mark else 1} if mapping else [])
            keys.append(None)
            continue
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            value = stack.pop()
            keys.pop()
        elif isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        else:
            continue
        if not stack:
            return value
        if isinstance(stack[-1], list):
            stack[-1].append(value)
        elif keys[-1] is None:
            keys[-1] = (str(value),)
        else:
            stack[-1][keys[-1][0]] = value
            keys[-1] = None
    return None


def _scalar(event: yaml.ScalarEvent) -> Any:
    if event.tag == "tag:yaml.org,2002:binary":
        return base64.b64decode(event.value)
    if event.style or not event.implicit[0]:  # it is quoted
        return event.value
    if event.value in _NOTHING:
        return None
    return int(event.value) if event.value.isdecimal() and len(event.value) < 16 else event.value
