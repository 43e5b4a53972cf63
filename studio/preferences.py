"""What one user prefers: theme, keys, saved views. Light, since the app reads it before it draws.

`settings.yaml` is the user's own and only read; `chosen.yaml` beside it keeps what was chosen
inside the app. Both lie in the user's configuration folder (`~/.config/adapter-studio` on Linux).

    theme: terminal              # or the name of one of Textual's themes
    keys: {browse.accept: "A f2"}
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from db.errors import BadInput
from studio.yaml_file import read_plain

TERMINAL = "terminal"  # the terminal's own colours and background


@dataclass(frozen=True, slots=True)
class View:
    """What a table shows: a filter, a search and an order."""

    filter: str = ""
    search: str = ""
    sort: str = "-id"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The theme (None for the default), keys by command id, and views by name."""

    folder: Path
    theme: str | None = None
    keys: dict[str, str] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    chosen_theme: str | None = None


def load() -> Preferences:
    """The user's preferences. Raises BadInput with the file and the place of what is wrong."""
    from platformdirs import user_config_path

    folder = user_config_path("adapter-studio")
    own, chosen = folder / "settings.yaml", folder / "chosen.yaml"
    settings = _mapping(own, {"theme", "keys"})
    state = _mapping(chosen, {"theme", "views"})
    keys = _texts(settings.get("keys") or {}, own, "keys")
    views = state.get("views") or {}
    if not isinstance(views, dict):
        raise BadInput(f"{chosen}: views: a mapping of names is wanted")
    return Preferences(
        folder,
        _text(settings.get("theme"), own),
        keys,
        {str(name): _view(view, chosen, str(name)) for name, view in views.items()},
        _text(state.get("theme"), chosen),
    )


def choose_theme(preferences: Preferences, theme: str) -> Preferences:
    """Keep the theme that was chosen inside the app."""
    return _save(replace(preferences, chosen_theme=theme))


def keep_views(preferences: Preferences, views: dict[str, View]) -> Preferences:
    """Keep these views instead of those that were saved."""
    return _save(replace(preferences, views=views))


def _save(preferences: Preferences) -> Preferences:
    import yaml

    views = {
        name: {"filter": view.filter, "search": view.search, "sort": view.sort}
        for name, view in preferences.views.items()
    }
    state = {"theme": preferences.chosen_theme, "views": views}
    path = preferences.folder / "chosen.yaml"
    new = path.with_suffix(".new")
    try:
        preferences.folder.mkdir(parents=True, exist_ok=True)
        new.write_text(yaml.safe_dump(state, allow_unicode=True, sort_keys=False), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error
    return preferences


def _mapping(path: Path, known: set[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = read_plain(path)
    if content is None:
        return {}
    if not isinstance(content, dict) or set(content) - known:
        raise BadInput(f"{path}: keys {', '.join(sorted(known))} are known, no others")
    return content


def _text(value: object, path: Path) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{path}: theme: a name is wanted, not {value!r}")
    return value


def _texts(value: object, path: Path, key: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    ):
        raise BadInput(f"{path}: {key}: ids with keys in quotes are wanted, browse.accept: 'A'")
    return dict(value)


def _view(value: object, path: Path, name: str) -> View:
    parts = _texts(value, path, f"views: {name}")
    if set(parts) - {"filter", "search", "sort"}:
        raise BadInput(f"{path}: views: {name}: filter, search and sort are known, no others")
    return View(**parts)
