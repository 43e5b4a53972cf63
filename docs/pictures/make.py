"""Make the pictures of the docs: `python docs/pictures/make.py demo/studio.db`.

The app runs without a terminal on a copy of the store that `studio demo` leaves, is driven by keys,
and draws each screen as an SVG beside this file.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from studio.app import AdapterStudio
from studio.preferences import Preferences

HERE = Path(__file__).parent
SIZE = (120, 34)
# picture: the keys that lead to it from the screen before
STEPS = {
    "browse": ("1",),
    "classes": ("m",),
    "detail": ("escape", "j", "j", "enter"),
    "duplicates": ("escape", "2"),
    "problems": ("P",),
    "datasets": ("escape", "3"),
    "runs": ("4",),
    "compare": ("5",),
    "decide": ("6",),
}


async def draw(store: Path) -> list[Path]:
    """Draw every picture; returns the files."""
    app = AdapterStudio(str(store), Preferences(folder=store.parent))
    drawn = []
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(2.0)
        for name, keys in STEPS.items():
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.3)
            await pilot.pause(3.0)  # workers read, charts are drawn
            path = HERE / f"{name}.svg"
            path.write_text(app.export_screenshot(title="studio"), encoding="utf-8")
            drawn.append(path)
    return drawn


def main() -> None:
    """Draw from the store named on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python docs/pictures/make.py STORE")
    given = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(given.parent, Path(folder) / "demo")
        for path in asyncio.run(draw(Path(folder) / "demo" / given.name)):
            print(path)


if __name__ == "__main__":
    main()
