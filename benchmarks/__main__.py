"""`python -m benchmarks` lists the measurements, `python -m benchmarks NAME` runs one.

A measurement is a module of this package with a click command `main`; its docstring says what it
measures.
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

from studio.cli.frame import note, table


def measurements() -> dict[str, str]:
    """The modules that have a `main`, with the first line of their docstring. Imports none."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        if "main" in defined and path.stem != "__main__":
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run the measurement of that name with the other arguments, or list them all."""
    known = measurements()
    if not arguments:
        table(("python -m benchmarks …", "measures"), list(known.items()))
        return 0
    name, *rest = arguments
    if name not in known:
        note(f"no benchmark {name!r}; there are {', '.join(known)}")
        return 2
    importlib.import_module(f"benchmarks.{name}").main(rest, prog_name=f"benchmarks {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
