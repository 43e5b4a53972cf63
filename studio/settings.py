"""What the user can configure: YAML files, the shipped ones unless `$STUDIO_CONFIGS` has its own.

A file of the user's replaces the shipped one of the same name.
"""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from db.errors import BadInput
from studio.yaml_file import read_plain

M = TypeVar("M", bound=BaseModel)


class Settings(BaseModel):
    """A configuration file; keys that it does not know are errors, so that typos are found."""

    model_config = ConfigDict(extra="forbid")


class AgentSettings(Settings):
    """One agent: its planned share (0..1), names in logs, and the words of its tasks.

    `key` labels interactions with it in the app; `coding` says that its tasks are writing code,
    `base` which base of `bases.yaml` suits them.
    """

    planned: float = Field(ge=0, le=1)
    key: str = ""
    coding: bool = False
    base: str | None = None
    roles: list[str] = []
    leads: list[str] = []
    words: list[str] = []


class SingleBases(Settings):
    """The bases for one adapter for all agents: where tasks are mostly code, and where not."""

    code: str | None = None
    general: str | None = None


class Agents(Settings):
    """`agents.yaml`: the team's agents in their order, and verbs that tell nothing of them."""

    generic: list[str] = []
    single: SingleBases = SingleBases()
    agents: dict[str, AgentSettings]


class AgentExamples(RootModel[dict[str, list[str]]]):
    """`agent_examples.yaml`: tasks by agent."""


def config_path(name: str) -> Path:
    """Where the configuration file of that name lies."""
    own = os.environ.get("STUDIO_CONFIGS")
    if own and (Path(own) / name).is_file():
        return Path(own) / name
    return Path(str(files("configs"))) / name


def config_names(folder: str) -> list[str]:
    """The names (without `.yaml`) of the files in a folder of the configuration."""
    places = [Path(str(files("configs"))) / folder]
    if own := os.environ.get("STUDIO_CONFIGS"):
        places.append(Path(own) / folder)
    return sorted({path.stem for place in places for path in place.glob("*.yaml")})


def read_yaml(path: Path, model: type[M]) -> M:
    """A YAML file as its model. Raises BadInput with the file, the place and the cause."""
    content = read_plain(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{path}: {place}: {first['msg']}") from error


@lru_cache
def agents_file() -> Agents:
    """`agents.yaml` as it is."""
    return read_yaml(config_path("agents.yaml"), Agents)


def agents() -> dict[str, AgentSettings]:
    """The team's agents, in the order of `agents.yaml`."""
    return agents_file().agents


@lru_cache
def agent_examples() -> dict[str, list[str]]:
    """`agent_examples.yaml`: tasks of the team's agents, for the default classifier to learn from.

    Examples of agents that are not in the team are left out.
    """
    found = read_yaml(config_path("agent_examples.yaml"), AgentExamples).root
    return {name: found[name] for name in agents() if found.get(name)}


def agent_named(role: str | None) -> str | None:
    """The agent that a log's role name means, by its whole name, which may end in "agent"; None
    when it is nobody of ours.
    """
    wanted = " ".join((role or "").replace("-", " ").replace("_", " ").split()).casefold()
    return _roles().get(wanted) or _roles().get(wanted.removesuffix(" agent"))


@lru_cache
def _roles() -> dict[str, str]:
    return {role: name for name, agent in agents().items() for role in (name, *agent.roles)}
