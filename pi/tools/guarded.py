"""Places inside the roots that nothing a model does may change while commands are held.

What is there is run, or tells pi what to do, outside of the sandbox: hooks of git, pi's own
settings, and pi's own code, which is read from its file bit by bit, as it is needed.
"""

from __future__ import annotations

import os

import pi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.tools.policy import Policy


def own_code() -> str:
    """Where this pi was started from: its archive, or the folder of the package in a checkout.

    Absolute, links in it not followed.
    """
    package = os.path.abspath(next(iter(pi.__path__)))
    place = package
    while not os.path.exists(place):  # inside an archive
        place = os.path.dirname(place)
    return place


def links_within(path: str, roots: Iterable[str]) -> tuple[str, ...]:
    """The symbolic links on the way along ``path`` (absolute) that lie in ``roots`` (resolved).

    Whoever may write in the roots can let them lead elsewhere.
    """
    found: list[str] = []
    names = path.split(os.sep)
    for count in range(2, len(names) + 1):
        here = os.sep.join(names[:count])
        if os.path.islink(here):
            folder, name = os.path.split(here)
            link = os.path.join(os.path.realpath(folder), name)
            if any(_below(link, root) for root in roots):
                found.append(link)
    return tuple(found)


def guarded_in(policy: Policy, roots: Iterable[str]) -> tuple[str, ...]:
    """What tools must not write to in ``roots``, resolved, whether it is there or not."""
    if policy.os_sandbox_mode == "off":
        return ()
    tops = [os.path.realpath(root) for root in roots]
    places = [os.path.join(top, *names) for top in tops for names in ((".git", "hooks"), (".pi",))]
    own = own_code()
    return (*places, os.path.realpath(own), *links_within(own, tops))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
