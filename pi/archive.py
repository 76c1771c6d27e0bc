"""Imports pi's modules out of compressed members of the archive, one per package.

zipimport opens the file, looks up and inflates once per module, and reads the whole
directory of the zip at every start, at 5 us a name. With five trees of byte code that was
2 ms for ``--version`` and 10 ms for a prompt, and a fifth more bytes than modules that are
compressed together. So a tree ``cpXY/`` holds, as files, only what ``--version`` needs;
``cpXY/pi.base.modules`` holds the modules directly in ``pi.base``, and so on, each read
when the first module of it is imported; ``cpXY/pi.base-later.modules`` those of them that a
plain prompt does not need, which is most of them.

The build calls ``install`` at the end of the tree's ``pi/__init__``. A checkout, or a
Python without a tree, never imports this module.
"""

from __future__ import annotations

import marshal
import sys
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.abc import Loader
    from types import ModuleType
    from typing import Any
else:
    Loader = object  # the real base would import importlib.abc at every start

LATER = "-later"
SUFFIX = ".modules"  # marshal: {"pi.base.x": (is_package, file in the archive, code)}


class Tree(Loader):
    """Finder and loader of the packed modules; the last on ``sys.meta_path``."""

    def __init__(self, loader: Any) -> None:
        self.archive: str = loader.archive
        self.get_data = loader.get_data
        self._folder = f"{loader.archive}/{loader.prefix}"
        self._members: dict[str, dict[str, tuple[bool, str, bytes]]] = {}
        self._modules: dict[str, tuple[bool, str, bytes]] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("pi."):
            return None
        # A module is in the members of its package, a package in those of its own.
        above = name.rpartition(".")[0]
        for member in (above, name, above + LATER, name + LATER):
            if name in self._member(member):
                break
        else:
            return None
        is_package, file, _ = self._modules[name]
        origin = f"{self.archive}/{file}"
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)
        spec.has_location = True
        return spec

    def _member(self, member: str) -> dict[str, tuple[bool, str, bytes]]:
        if member not in self._members:
            try:
                packed = marshal.loads(self.get_data(self._folder + member + SUFFIX))
            except OSError:
                packed = {}
            self._members[member] = packed
            self._modules.update(packed)
        return self._members[member]

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave making the module to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        code = marshal.loads(self._modules[module.__name__][2])
        exec(code, module.__dict__)


def install(loader: object) -> None:
    """Serve what the zipimporter ``loader``, which loaded ``pi``, has no file for."""
    sys.meta_path.append(Tree(loader))
