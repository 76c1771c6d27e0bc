"""Where a command would write, and which file a command given by its path is."""

from __future__ import annotations

import os
import stat

from pi.tools.commands.refusal import refuse, shown
from pi.tools.commands.words import literal
from pi.tools.paths import holds_process_secrets, parts_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.tools.shell.syntax import Redirect, Word

_DEVICES = frozenset(("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"))
_NETWORK = ("/dev/tcp", "/dev/udp")
_OWN_STATE = frozenset((".git", ".pi"))
_MOST_FOLDERS = 8
_POSIX = os.name == "posix"


class Places:
    """The directories in which a part of one command may run, as far as is known.

    A ``cd`` adds one: it may fail, or stand in a subshell or a condition. ``folders`` is
    None once it cannot be known any more.
    """

    def __init__(
        self,
        cwd: str,
        roots: Sequence[str],
        strict: bool,
        realpath: Callable[[str], str],
        network_named: bool,
        home: str,
    ) -> None:
        self.folders: list[str] | None = [cwd]
        self._roots = roots
        self._strict = strict
        self._realpath = realpath
        self._network_named = network_named
        self._home = home
        self._known = {root: root for root in roots}  # they were resolved

    def change(self, words: Sequence[Word], in_loop: bool, again: bool) -> None:
        """Take a ``cd`` into account; ``words`` are those behind it.

        ``again``: it is reached once more, and goes on where there is a directory to go to.
        """
        targets = [word for word in words if word.value not in ("-P", "-L", "-e", "--", "-")]
        if not targets and any(word.value == "-" for word in words):
            return  # back to where it was
        target = literal(targets[0]) if targets else self._home
        if self.folders is None or not target or len(targets) > 1:
            self.folders = None
            return
        if in_loop and ".." in target.split("/"):
            self.folders = None
            return
        more = [os.path.join(folder, target) for folder in self.folders]
        if ".." in target.split("/"):
            # The shell takes names away first; only if that leads nowhere it follows links.
            logical = [(path, os.path.normpath(path)) for path in more]
            more += [bare for path, bare in logical if self._realpath(path) != self._realpath(bare)]
        if again:
            more = [path for path in more if os.path.isdir(path)]
        self.folders = list(dict.fromkeys(self.folders + more))
        if len(self.folders) > _MOST_FOLDERS:
            self.folders = None

    def lose(self) -> None:
        """From here on the directory is known only when the command runs."""
        self.folders = None

    def judge_redirect(self, name: str, redirect: Redirect) -> None:
        target, operator = redirect.target, redirect.operator
        if target is None or operator == "<<<":
            return
        text = literal(target)
        if operator in (">&", "<&") and text is not None and _is_descriptor(text):
            return
        if operator in ("<", "<&"):
            self._judge_input(name, target)
        elif text is None:
            refuse(name, f"where it writes ('{shown(target.raw)}') is known only when it runs")
        elif text.startswith(_NETWORK):
            refuse(name, f"'{shown(text)}' is a network connection")
        elif text not in _DEVICES:
            self._judge_output(name, text)

    def _judge_input(self, name: str, target: Word) -> None:
        start = target.prefix if target.value is None else target.value
        if start.startswith(_NETWORK):
            refuse(name, f"'{shown(target.raw)}' is a network connection")
        if target.value is None or target.glob:
            hidden = target.glob or any(each.startswith(start) for each in _NETWORK)
            if hidden and (self._strict or self._network_named):
                refuse(name, f"what it reads ('{shown(target.raw)}') is known only when it runs")
            return
        if self.folders is None and not os.path.isabs(start):
            return
        if any(holds_process_secrets(each) for each in self._resolved(name, start)):
            refuse(name, f"'{shown(start)}' shows a process's secrets")

    def _judge_output(self, name: str, path: str) -> None:
        for resolved in self._resolved(name, path):
            for root in self._roots:
                parts = parts_below(root, resolved)
                if parts is not None:
                    break
            else:
                refuse(name, f"it writes outside the allowed roots, to '{shown(path)}'")
            if holds_process_secrets(resolved):
                refuse(name, f"'{shown(path)}' shows a process's secrets")
            if self._strict and not _OWN_STATE.isdisjoint(part.lower() for part in parts):
                refuse(name, f"'{shown(path)}' decides what later commands do")

    def judge_executable(self, path: str, found: str | None, moved: bool) -> None:
        """``path`` has a slash; ``found`` is what its last part is on PATH."""
        name = shown(path)
        if moved and not os.path.isabs(path):
            refuse(name, "which file that is cannot be told")
        for joined in self._joined(name, path):
            folder, base = os.path.split(joined)
            if found is not None:
                on_path, found_base = os.path.split(found)
                if base == found_base and self._realpath(folder) == self._realpath(on_path):
                    continue
            if self._strict:
                refuse(name, "it is not the program of that name on PATH")
            resolved = self._realpath(joined)
            if all(parts_below(root, resolved) is None for root in self._roots):
                refuse(name, "it is neither on PATH nor inside the allowed roots")

    def _resolved(self, name: str, path: str) -> list[str]:
        return [self._resolve(each) for each in self._joined(name, path)]

    def _resolve(self, path: str) -> str:
        """``realpath``, but what several paths of one command have in common is done once."""
        known = self._known.get(path)
        if known is not None:
            return known
        folder, _, name = path.rpartition("/")
        if self._realpath is os.path.realpath and folder and name not in ("", ".", "..") and _POSIX:
            # A link, or what cannot be looked at, is left to realpath.
            resolved = self._resolve(folder).rstrip("/") + "/" + name
            try:
                if stat.S_ISLNK(os.lstat(resolved).st_mode):
                    resolved = self._realpath(path)
            except FileNotFoundError:
                pass  # to be made
            except (OSError, ValueError):
                resolved = self._realpath(path)
        else:
            resolved = self._realpath(path)
        self._known[path] = resolved
        return resolved

    def _joined(self, name: str, path: str) -> list[str]:
        if "\0" in path or not path:
            refuse(name, "there is no such path")
        if os.path.isabs(path):
            return [path]
        if self.folders is None:
            refuse(name, f"which directory '{shown(path)}' is in is known only when it runs")
        return [os.path.join(folder, path) for folder in self.folders]


def _is_descriptor(text: str) -> bool:
    number = text[:-1] if text.endswith("-") else text
    return text == "-" or (number.isascii() and number.isdigit())
