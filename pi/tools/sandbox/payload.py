"""The launcher as one argument for a bare interpreter.

Its code goes along in the argument, taken from pi's own files once, when the first command
is to be held: a command may be able to change those files (pi run from a checkout, or a
copy of pi.pyz in the folder it works on), and must not thereby change how the next command
is held. It also spares the child from finding, reading and unpacking the archive.

Byte code and marshal are safe here: the same interpreter, and our own process's argument.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# In the order in which they import each other.
MODULES = ("kernel", "view", "launcher")
_PACKAGES = ("pi", "pi.tools", "pi.tools.sandbox")
# Loads the modules in memory and runs the last one with the place and the command.
_START = """\
import binascii,marshal,sys
a=sys.argv
m,s=marshal.loads(binascii.a2b_base64(a[1]))
for n,c in m:
 t=sys.modules[n]=type(sys)(n)
 p,_,l=n.rpartition('.')
 if p:setattr(sys.modules[p],l,t)
 exec(c,t.__dict__)
import os
t.run(s,list(map(os.fsencode,a[2:])))
"""

_compiled: list[tuple[str, Any]] = []


def interpreter() -> str:
    """The interpreter's own binary: a virtual environment's link may lie where commands write."""
    return os.path.realpath(sys.executable) if sys.executable else ""


def launcher_argv(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The program and its arguments; to be followed by the directory and the command.

    Raises OSError if the launcher's source is not in this build.
    """
    import binascii  # with marshal 0.2 ms, and only when commands are held
    import marshal

    if not _compiled:
        _compiled.extend(_compile())
    packed = marshal.dumps((_compiled, dict(spec)))
    blob = binascii.b2a_base64(packed, newline=False).decode("ascii")
    return (interpreter(), "-I", "-S", "-B", "-c", _START, blob)


def _compile() -> Sequence[tuple[str, Any]]:
    from pi.base.files import resource  # with its imports 1 ms, and only when commands are held

    nothing = compile("", "package", "exec")
    done: list[tuple[str, Any]] = [(package, nothing) for package in _PACKAGES]
    for name in MODULES:
        source = resource(f"tools/sandbox/{name}.py")
        if source is None:
            raise OSError(f"this build of pi lacks the source of its launcher: {name}")
        code = compile(source, f"{name}.py", "exec", dont_inherit=True, optimize=2)
        done.append((f"{_PACKAGES[-1]}.{name}", code))
    return done
