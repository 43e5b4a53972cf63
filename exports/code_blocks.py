"""Python code in an answer: where it stands, and what it does once names and layout are gone."""

from __future__ import annotations

import ast
import re

_FENCE = re.compile(r"```([^\n`]*)\n(.*?)(?:```|\Z)", re.DOTALL)
_PYTHON = frozenset({"", "python", "py", "python3", "py3"})
_LOOKS_LIKE_CODE = re.compile(r"^\s*(?:def|class|import|from|async def|@)\s*\w", re.MULTILINE)


def python_blocks(text: str) -> list[str]:
    """What stands in the Python fences (and those that name no language), one after the other."""
    return [
        body.strip("\n")
        for language, body in _FENCE.findall(text)
        if language.strip().lower() in _PYTHON
    ]


def python_code(answer: str) -> str | None:
    """The Python code of an answer: its Python fences joined, or the whole text when it is code.

    None when there is none. An unclosed last fence counts up to the end.
    """
    if blocks := python_blocks(answer):
        return "\n\n".join(blocks)
    if "```" not in answer and _LOOKS_LIKE_CODE.search(answer):
        return answer.strip("\n")
    return None


def normalised_tree(code: str) -> str | None:
    """The syntax tree as text without the names that the code itself binds, docstrings and types.

    Two solutions with the same text do the same in the same way. None when it does not parse.
    """
    try:
        tree = ast.parse(code)
        return ast.dump(_Normaliser(_bound_names(tree)).visit(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound_names(tree: ast.AST) -> dict[str, str]:
    """Names that the code binds, numbered in the order in which they first stand there."""
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names = [node.id]
        elif isinstance(node, ast.alias):
            names = [node.asname] if node.asname else []
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names = [node.name]
        for name in names:
            bound.setdefault(name, f"v{len(bound)}")
    return bound


class _Normaliser(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.names.get(node.arg, node.arg)
        node.annotation = None
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if node.arg is not None:
            node.arg = self.names.get(node.arg, node.arg)
        return self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        if node.asname:
            node.asname = self.names[node.asname]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name:
            node.name = self.names[node.name]
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._definition(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        plain = ast.Assign(targets=[node.target], value=node.value)
        return self.generic_visit(plain)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        node.name = self.names[node.name]
        if not isinstance(node, ast.ClassDef):
            node.returns = None
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)
