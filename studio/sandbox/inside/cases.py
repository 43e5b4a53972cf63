"""What a test source consists of: which statements are cases, which names come from the code.

A case is a top-level statement that decides something: it holds an `assert` (or raises), calls a
function of the tests that does, or calls an `assert…` function. The rest is set-up. Test classes
of unittest and functions named `test…` that nothing calls are run as cases too.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator
from typing import NamedTuple

TESTS_FILE = "<tests>"
COMPARE = "__compare__"  # what an assert's comparison becomes a call of, to show both sides

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_DATA = (ast.Constant, ast.UnaryOp, ast.List, ast.Tuple, ast.Dict, ast.Set)
_NAMED = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs,
    ast.MatchStar,
)  # fmt: skip
_Scope = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Statement(NamedTuple):
    """One top-level statement."""

    node: ast.stmt
    is_case: bool
    rebinds: bool  # an import or a definition, which may hide the entry point


class Plan(NamedTuple):
    """A test source, read and not yet run."""

    statements: list[Statement]
    borrowed: set[str]  # names that neither the tests nor Python define
    modules: set[str]  # imports that mean the code itself
    functions: list[str]  # `test…` functions to call at the end
    asserts: dict[int, ast.expr]  # line -> what is asserted there
    has_objects: bool  # the entry point is a class: what it returns is an object and no data

    def cases(self) -> int:
        """How many cases there are, without test classes, which only show when they are run."""
        return sum(statement.is_case for statement in self.statements) + len(self.functions)


def plan(source: str, entry_point: str) -> Plan:
    """Read a test source. Raises SyntaxError (or ValueError for a null byte) when it is broken."""
    tree = ast.parse(source, TESTS_FILE)
    nodes = list(ast.walk(tree))
    deciding = _deciding_functions(tree)
    root = entry_point.split(".")[0]
    rebinding = (ast.Import, ast.ImportFrom, *_Scope)
    statements = [
        Statement(node, _decides(node, deciding), isinstance(node, rebinding)) for node in tree.body
    ]
    if not any(statement.is_case for statement in statements):
        statements = [_by_mention(statement, root) for statement in statements]
    used, bound = _names(nodes)
    functions = _uncalled_tests(tree, used, deciding)
    borrowed = {name for name in used - bound - {root} if not hasattr(builtins, name)}
    is_class = root[:1].isupper() and not any(_compares_with_data(node, root) for node in nodes)
    asserts = [node for node in nodes if type(node) is ast.Assert]
    lines = {node.lineno: node.test for node in asserts}
    for node in asserts:
        _show_both_sides(node)
    return Plan(statements, borrowed, _code_modules(nodes, root), functions, lines, is_class)


def _deciding_functions(tree: ast.Module) -> set[str]:
    """Functions of the tests that assert something, themselves or through one another."""
    functions = {node.name: node for node in tree.body if isinstance(node, _Function)}
    deciding: set[str] = set()
    while True:
        more = {
            name
            for name, node in functions.items()
            if name not in deciding and any(_decides(inner, deciding) for inner in node.body)
        }
        if not more:
            return deciding
        deciding |= more


def _decides(node: ast.AST, deciding: set[str]) -> bool:
    return any(_is_decision(inner, deciding) for inner in _same_scope(node))


def _is_decision(node: ast.AST, deciding: set[str]) -> bool:
    if isinstance(node, (ast.Assert, ast.Raise)):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in deciding or name.startswith("assert")


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, without the bodies of functions and classes."""
    if isinstance(node, _Scope):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _same_scope(child)


def _by_mention(statement: Statement, root: str) -> Statement:
    """For tests that hide their asserts: an expression that names the entry point is a case."""
    names = {node.id for node in _same_scope(statement.node) if isinstance(node, ast.Name)}
    is_case = isinstance(statement.node, ast.Expr) and root in names
    return Statement(statement.node, is_case, statement.rebinds)


def _uncalled_tests(tree: ast.Module, used: set[str], deciding: set[str]) -> list[str]:
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test")
        and node.name in deciding
        and node.name not in used
        and not node.args.args
    ]


def _code_modules(nodes: list[ast.AST], root: str) -> set[str]:
    """Modules that can only be the code: the entry point is imported from them or taken of them."""
    imported: dict[str, str] = {}
    modules = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and root in {alias.name for alias in node.names}:
            node.module, node.level = node.module or "solution", 0  # from .acronym, from .
            modules.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and node.attr == root:
            modules.add(imported.get(getattr(node.value, "id", ""), ""))
    # `from math import gcd as expected` means Python's own, whatever the entry point is called.
    return {name for name in modules - {""} if name.split(".")[0] not in sys.stdlib_module_names}


def _compares_with_data(node: ast.AST, root: str) -> bool:
    """`Root(…) == [1]`, `assertEqual(Root(…), 3)`: in spite of its capital it is a function."""
    sides: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("assert"):
        sides = node.args[:2]
    calls = [side for side in sides if isinstance(side, ast.Call)]
    called = any(isinstance(call.func, ast.Name) and call.func.id == root for call in calls)
    return called and any(isinstance(side, _DATA) for side in sides)


def _names(nodes: list[ast.AST]) -> tuple[set[str], set[str]]:
    """Names that are used, and names that are bound somewhere, in whichever scope."""
    used: set[str] = set()
    bound = {"__name__"}
    for node in nodes:
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, _NAMED) and node.name:
            bound.add(node.name)
    return used, bound


def _show_both_sides(node: ast.Assert) -> None:
    """`assert a == b` becomes `assert __compare__("Eq", a, b)`, which remembers a and b."""
    test = node.test
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        name = ast.Name(COMPARE, ast.Load())
        sides = [ast.Constant(type(test.ops[0]).__name__), test.left, *test.comparators]
        node.test = ast.Call(name, sides, [])
        for new in (name, sides[0], node.test):
            ast.copy_location(new, test)
