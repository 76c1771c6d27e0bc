"""Building what the tools of a run share, once the first of them is called."""

from __future__ import annotations

import os
from threading import Lock

from pi.base.text import longest_first, secret_values
from pi.tools.environment import command_environment
from pi.tools.guarded import guarded_in
from pi.tools.paths import PathRule
from pi.tools.policy import Policy
from pi.tools.seen import Seen
from pi.tools.toolkit import Toolkit, Unconfined, allow_every_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pi.tools.decision import Decision
    from pi.tools.toolkit import Sandbox


def make_toolkit(
    *,
    roots: Sequence[str],
    environ: Mapping[str, str],
    random_bytes: Callable[[int], bytes],
    monotonic: Callable[[], float],
    new_mode: int,
    secrets: Iterable[str] = (),
    policy: Policy = Policy(),  # noqa: B008 - a tuple of numbers, never changed
    check_command: Callable[[str, str], Decision] = allow_every_command,
    sandbox: Sandbox | None = None,
    bash_env: Iterable[str] = (),
    bash_login: bool = False,
    private_files: Iterable[str] = (),
    readable: Iterable[str] = (),
    keeps_output: bool = True,
) -> Toolkit:
    """What ``load_tools`` takes, as the tools want it. Raises UsageError for a bad entry of
    ``bash_env``."""
    hidden = longest_first((*secret_values(environ), *secrets))
    return Toolkit(
        policy=policy,
        paths=PathRule(
            roots,
            enforce_regular_files=policy.enforce_regular_files,
            guards_secrets=policy.preset != "permissive",
            private_files=private_files,
            readable=readable,
            guarded=guarded_in(policy, roots),
        ),
        environ=environ,
        command_environ=command_environment(environ, policy.preset, secrets=hidden, more=bash_env),
        bash_login=bash_login,
        secrets=hidden,
        random_bytes=random_bytes,
        monotonic=monotonic,
        check_command=check_command,
        sandbox=sandbox or Unconfined(),
        temp_dir=temp_dir(environ),
        keeps_output=keeps_output,
        new_mode=new_mode,
        seen=Seen(),
        writing=Lock(),
    )


def temp_dir(environ: Mapping[str, str]) -> str:
    """Where long output goes. A TMPDIR that is no folder must not lose it."""
    named = environ.get("TMPDIR", "")
    return named if named and os.path.isdir(named) else "/tmp"
