"""Compiles modules to byte code. Run by build_zipapp.py in each Python that gets a tree.

stdin:  marshal of {file name: source}
stdout: marshal of (magic number, {file name: marshalled code})

The same sources give the same bytes: marshal version 2 writes no reference flags, which
depend on what else the process holds. 3.14 cannot write constant slices in that version
and gets its newest one; it repeats because each run is a fresh process with a fixed hash
seed. Docstrings, asserts, what is there for type checkers, and the annotations of functions
are left out, because nothing reads them at run time; those of classes stay, named tuples
are made of them.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import sys


class Strip(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return (node.orelse or ast.copy_location(ast.Pass(), node)) if for_types else node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


def byte_code(name: str, source: bytes) -> bytes:
    tree = Strip().visit(ast.parse(source, name))
    code = compile(tree, name, "exec", dont_inherit=True, optimize=2)
    try:
        return marshal.dumps(code, 2)
    except ValueError:
        return marshal.dumps(code)


def main() -> None:
    sources = marshal.loads(sys.stdin.buffer.read())
    done = {name: byte_code(name, source) for name, source in sorted(sources.items())}
    sys.stdout.buffer.write(marshal.dumps((importlib.util.MAGIC_NUMBER, done), 2))


if __name__ == "__main__":
    main()
