"""Which places a held command may read and write: lists, and what is there of them.

Looks at the file system, changes nothing. The lists are those of the specification's
sandbox table, and what common tools do not work without.
"""

from __future__ import annotations

import os
import sys

from pi.base.typing import NamedTuple
from pi.tools.guarded import links_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PROGRAMS = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix"),
    *("/run/current-system", "/run/opengl-driver"),  # where NixOS keeps its programs
)
# Of /etc/ssl and /etc/pki only what is public: private keys lie beside it.
SETTINGS = (
    *("/etc/alternatives", "/etc/ca-certificates", "/etc/ca-certificates.conf"),
    *("/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/etc/pki/ca-trust"),
    *("/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ld.so.cache", "/etc/localtime"),
    *("/etc/hosts", "/etc/resolv.conf"),
)
# For presets that are not strict.
MORE_SETTINGS = (
    *("/etc/bash.bashrc", "/etc/profile", "/etc/profile.d", "/etc/inputrc", "/etc/terminfo"),
    *("/etc/gitconfig", "/etc/gitattributes", "/etc/host.conf", "/etc/gai.conf", "/etc/fonts"),
    *("/etc/hostname", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/lsb-release"),
    *("/etc/locale.alias", "/etc/locale.conf", "/etc/mime.types", "/etc/os-release"),
    *("/etc/debian_version", "/etc/magic", "/etc/perl", "/etc/protocols", "/etc/services"),
    *("/etc/python3", "/etc/shells", "/etc/timezone", "/etc/xml"),
)
# The file tree's view of the kernel. What it shows of a process (variables, memory, open
# files) is kept from commands by Landlock.
KERNEL = ("/proc", "/sys")


class Plan(NamedTuple):
    """Absolute places, resolved except where ``links`` says.

    readable:      may be read and executed
    writable:      the roots and the private folder
    read_only:     inside a root, and not to be written (``.git/hooks``, ``.pi``, pi itself,
                   the interpreter that holds the next command)
    held_in_place: inside a root, must not be renamed, so that ``read_only`` stays true
    covered:       files inside a root that must not be read (the credential store)
    covered_folders: the same, folders
    links:         (place, target) of symbolic links among the readable places
    unguarded:     places that would be read-only, but cannot be held: links, or missing
    """

    readable: tuple[str, ...]
    writable: tuple[str, ...]
    read_only: tuple[str, ...] = ()
    held_in_place: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()
    covered_folders: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    unguarded: tuple[str, ...] = ()


def below(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or below it; both resolved."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def resolve(places: Iterable[str]) -> tuple[str, ...]:
    """The places without symbolic links; to be called once, before any command runs.

    Later a command may have put links where it may write, to make its own what they point
    to. The launcher goes through no link.
    """
    return tuple(dict.fromkeys(os.path.realpath(place) for place in places if place))


def make_plan(
    roots: Sequence[str],
    *,
    strict: bool,
    readable: Sequence[str] = (),
    private_files: Sequence[str] = (),
    own_code: str = "",
) -> Plan:
    """What a command held in ``roots`` may touch now; all that is given is resolved, but
    ``own_code``, which is where pi was started from.

    Made for each command, since a command may have made a repository. Places that do not
    exist are left out.
    """
    writable = _outermost(roots)
    shown, links = _shown((PROGRAMS, SETTINGS, () if strict else MORE_SETTINGS, KERNEL))
    prefix = os.path.realpath(sys.base_prefix)
    shown = _outermost((*shown, prefix, *readable))
    shown = [place for place in shown if not any(below(place, root) for root in writable)]
    read_only: list[str] = []
    unguarded: list[str] = []
    hidden: list[str] = []
    held: set[str] = set()
    private = _outermost(private_files)
    fixed = (prefix, os.path.realpath(own_code)) if own_code else (prefix,)
    unguarded += links_within(own_code, writable)
    for root in writable:
        guarded: list[str] = []
        for folder in (each for each in roots if below(each, root)):  # those within others too
            found, missed = _guard(folder)
            guarded += found
            unguarded += missed
        inner = [place for place in fixed if below(place, root)]
        guarded += [place for place in inner if place != root]
        unguarded += [place for place in inner if place == root]
        inside = [file for file in private if below(file, root)]
        read_only += dict.fromkeys(guarded)
        hidden += inside
        held |= {folder for place in (*guarded, *inside) for folder in _between(place, root)}
    return Plan(
        readable=tuple(shown),
        writable=tuple(writable),
        read_only=tuple(read_only),
        held_in_place=tuple(sorted(held.difference(read_only))),
        covered=tuple(path for path in hidden if not os.path.isdir(path)),
        covered_folders=tuple(path for path in hidden if os.path.isdir(path)),
        links=tuple(
            (place, target)
            for place, target in links.items()
            if not any(below(place, other) for other in (*shown, *writable))
        ),
        unguarded=tuple(unguarded),
    )


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without what lies below another one, and what is not there."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if os.path.lexists(path) and not any(below(path, other) for other in kept):
            kept.append(path)
    return kept


def _shown(lists: Iterable[Iterable[str]]) -> tuple[list[str], dict[str, str]]:
    """Of the lists what is there, resolved; and the symbolic links that led to it."""
    places: list[str] = []
    links: dict[str, str] = {}
    for place in (place for each in lists for place in each):
        resolved = os.path.realpath(place)
        if os.path.exists(resolved):
            places.append(resolved)
            if os.path.islink(place):
                folder = os.path.realpath(os.path.dirname(place))
                links[os.path.join(folder, os.path.basename(place))] = resolved
    return places, links


def _guard(root: str) -> tuple[list[str], list[str]]:
    """What of ``root`` commands must not change, as it is run, or tells pi what to do, later.

    Second, what of it cannot be guarded: only a folder that is there can be.
    """
    guarded: list[str] = []
    missed: list[str] = []
    git, own = os.path.join(root, ".git"), os.path.join(root, ".pi")
    places = [os.path.join(git, "hooks")] if os.path.lexists(git) else []
    for place in (*places, own):
        is_real = os.path.realpath(place) == place and os.path.isdir(place)
        (guarded if is_real else missed).append(place)
    return guarded, missed


def _between(place: str, root: str) -> Iterator[str]:
    """The folders above ``place``, up to and without ``root``."""
    above = os.path.dirname(place)
    while above != root and below(above, root):
        yield above
        above = os.path.dirname(above)
