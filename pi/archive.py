"""Imports pi's modules out of one compressed member of the archive.

zipimport opens the file, looks up and inflates once per module, and reads the whole
directory of the zip at every start, at 5 us a name. With five trees of byte code that was
2 ms for ``--version`` and 10 ms for a prompt, and a fifth more bytes than modules that are
compressed together. So a tree ``cpXY/`` holds, as files, only what ``--version`` needs;
``cpXY/modules`` holds all the rest, read when the first of them is imported.

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

MEMBER = "modules"  # marshal: {"pi.base": (is_package, file in the archive, marshalled code)}


class Tree(Loader):
    """Finder and loader of the modules in one member; the last on ``sys.meta_path``."""

    def __init__(self, loader: Any) -> None:
        self.archive: str = loader.archive
        self.get_data = loader.get_data
        self._member = f"{loader.archive}/{loader.prefix}{MEMBER}"
        self._modules: dict[str, tuple[bool, str, bytes]] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("pi."):
            return None
        if not self._modules:
            self._modules = marshal.loads(self.get_data(self._member))
        if name not in self._modules:
            return None
        is_package, file, _ = self._modules[name]
        origin = f"{self.archive}/{file}"
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave making the module to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        code = marshal.loads(self._modules[module.__name__][2])
        exec(code, module.__dict__)


def install(loader: object) -> None:
    """Serve what the zipimporter ``loader``, which loaded ``pi``, has no file for."""
    sys.meta_path.append(Tree(loader))
