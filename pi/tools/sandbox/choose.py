"""Which sandbox a policy asks for. Cheap: nothing of a sandbox is loaded where none is used."""

from __future__ import annotations

from pi.tools.toolkit import Unconfined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pi.tools.policy import Policy
    from pi.tools.sandbox.confined import Launcher
    from pi.tools.toolkit import Sandbox


def choose_sandbox(
    policy: Policy,
    *,
    roots: Sequence[str],
    environ: Mapping[str, str],
    temp_dir: str = "",
    prefer: str = "",
    readable: Iterable[str] = (),
    private_files: Iterable[str] = (),
) -> Sandbox:
    """What holds the commands of a run; whether it works is tried when it is first needed.

    ``temp_dir`` (else TMPDIR, else /tmp) is where commands get a private folder;
    ``prefer`` is "landlock", "bubblewrap" or "" for the strongest that works; ``readable``
    are more places that commands may read, ``private_files`` places in the roots that they
    must not see. Raises ConfigError if the program of a given launcher is not there.
    """
    if policy.os_sandbox_command:
        from pi.tools.sandbox.template import Template, check_program  # only if one was given

        check_program(policy.os_sandbox_command, environ)
        return Template(policy.os_sandbox_mode, policy.os_sandbox_command)
    if policy.os_sandbox_mode == "off":
        return Unconfined()
    # All below costs 3 ms, and is of no use to runs without a sandbox.
    from pi.tools.sandbox.confined import Confined

    temp_dir = temp_dir or environ.get("TMPDIR", "") or "/tmp"
    launchers = _launchers(policy, roots, environ, temp_dir, prefer, readable, private_files)
    return Confined(policy.os_sandbox_mode, launchers)


def _launchers(
    policy: Policy,
    roots: Sequence[str],
    environ: Mapping[str, str],
    temp_dir: str,
    prefer: str,
    readable: Iterable[str],
    private_files: Iterable[str],
) -> list[Launcher]:
    """The ways of this system, in the order in which they are to be tried."""
    import sys  # loaded since the interpreter's start

    from pi.tools.guarded import own_code
    from pi.tools.sandbox.plan import Plan, make_plan, resolve

    closed = not policy.sandbox_net
    strict = policy.preset in ("strict", "hardened")

    places, shown, hidden = resolve(roots), resolve(readable), resolve(private_files)
    own = own_code()

    def plan() -> Plan:
        return make_plan(places, strict=strict, readable=shown, private_files=hidden, own_code=own)

    if sys.platform == "darwin":
        from pi.tools.sandbox.seatbelt import SeatbeltLauncher

        return [SeatbeltLauncher(plan, temp_dir, close_network=closed)]
    from pi.tools.sandbox.bubblewrap import BubblewrapLauncher
    from pi.tools.sandbox.landlock import LandlockLauncher

    forced = policy.os_sandbox_mode == "force"
    bubblewrap = BubblewrapLauncher(plan, environ, close_network=closed)
    landlock = LandlockLauncher(plan, temp_dir, close_network=closed, must_close=forced)
    if prefer == "bubblewrap":
        return [bubblewrap, landlock]
    if prefer == "landlock":
        return [landlock, bubblewrap]
    # Without a file tree of its own, Landlock leaves more open than bubblewrap does.
    best = LandlockLauncher(
        plan, temp_dir, close_network=closed, must_close=forced, needs_view=True
    )
    return [best, bubblewrap, landlock]
