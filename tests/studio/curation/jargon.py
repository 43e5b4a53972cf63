"""Tasks as a team with a jargon of its own would write them, which the rules cannot know."""

from __future__ import annotations

import random

PHRASES = {
    "coder": ("knock together the {0} shim", "bolt {0} onto the {1} rig", "graft {0} into {1}"),
    "tester": ("shake the {0} until it rattles", "kick the tyres of {0}", "drop-kick {0} twice"),
    "researcher": ("sniff out what {0} does", "dig under {0} and {1}", "spelunk the {0} cave"),
    "coordinator": ("herd the {0} crowd", "line up {0} behind {1}", "shepherd {0} home"),
    "reviewer": ("cast an eye over {0}", "squint at the {0} and {1} papers", "nitpick {0}"),
}
_THINGS = ("lantern", "gearbox", "harbour", "quilt", "meadow", "anvil", "ferry", "orchard", "kiln")


def jargon(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """`count` distinct (task, agent) pairs; no word of them is one of the rules'."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        agent = rng.choice(list(PHRASES))
        phrase = rng.choice(PHRASES[agent])
        first, second = rng.sample(_THINGS, 2)
        found[f"{phrase.format(first, second)}, number {rng.randrange(1000)}"] = agent
    return list(found.items())
