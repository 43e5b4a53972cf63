"""The OpenAI-compatible endpoints that the user has named, and the keys that open them.

`endpoints.yaml` ships a few of one's own machine; the user's own file, in the configuration folder
or in `$STUDIO_CONFIGS`, adds to them and replaces what it names anew. No key is ever in a file.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from db.errors import BadInput
from studio.settings import Settings, read_yaml

FILE = "endpoints.yaml"


class EndpointSettings(Settings):
    """One endpoint of `endpoints.yaml`; the file itself says what each key means."""

    url: str
    model: str = Field(min_length=1)
    key_env: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    several: bool = True
    limit: str = "max_tokens"

    @model_validator(mode="before")
    @classmethod
    def _no_key(cls, value: Any) -> Any:
        found = {"api_key", "key", "token"} & set(value) if isinstance(value, dict) else set()
        if found:
            raise ValueError(
                f"{min(found)}: a key is never stored; put it into an environment variable and "
                "name that in key_env"
            )
        return value

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address such as http://localhost:8000/v1 is wanted")
        if parts.username or parts.password:
            raise ValueError("no name or password in the address: name the key in key_env")
        return value.rstrip("/").removesuffix("/chat/completions")


class Endpoints(Settings):
    """`endpoints.yaml`."""

    endpoints: dict[str, EndpointSettings] = Field(default_factory=dict)


def known_endpoints() -> dict[str, EndpointSettings]:
    """Every endpoint by its name. Raises BadInput with file, place and cause."""
    found: dict[str, EndpointSettings] = {}
    for folder in _folders():
        if (folder / FILE).is_file():
            found |= read_yaml(folder / FILE, Endpoints).endpoints
    return found


def find_endpoint(name: str) -> EndpointSettings:
    """The endpoint of that name. Raises BadInput with the names that there are."""
    known = known_endpoints()
    if name not in known:
        raise BadInput(
            f"no endpoint {name!r}; there are {', '.join(known)}: name yours in "
            f"{_folders()[1] / FILE}"
        )
    return known[name]


def key_of(endpoint: EndpointSettings) -> str | None:
    """The key from the environment; None where the endpoint wants none.

    Raises BadInput where the variable that it names is not set.
    """
    if endpoint.key_env is None:
        return None
    key = os.environ.get(endpoint.key_env, "").strip()
    if not key:
        raise BadInput(f"{endpoint.url} wants a key: set ${endpoint.key_env}")
    return key


def _folders() -> list[Path]:
    """Where the file may lie; a later one counts more."""
    from platformdirs import user_config_path

    folders = [Path(str(files("configs"))), user_config_path("adapter-studio")]
    own = os.environ.get("STUDIO_CONFIGS")
    return [*folders, Path(own)] if own else folders
