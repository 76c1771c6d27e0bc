"""Which names need more than a look at the list of allowed commands, and who judges them.

What judges is named here as ``module:function`` and imported when such a command first
appears: all of it together costs more than everything else that a plain command needs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Builtins of the shell. Those in ``FREE`` and ``BUILTINS`` need not be on the list; those
# in ``FORBIDDEN`` may not be used even if an entry of the list matches, since they run
# text, or change what a name means. All others have to be on the list. Source: bash(1),
# SHELL BUILTIN COMMANDS.
FORBIDDEN = _listed("""
    eval source . trap alias unalias enable hash complete compgen compopt bind let fc
    mapfile readarray getopts history shopt disown suspend caller coproc
    """)
FREE = _listed("true false : pwd echo cd exit return break continue shift umask times")
BUILTINS = {
    "test": "builtins:judge_test",
    "[": "builtins:judge_test",
    "[[": "builtins:judge_test",
    "export": "builtins:judge_declare",
    "readonly": "builtins:judge_declare",
    "declare": "builtins:judge_declare",
    "typeset": "builtins:judge_declare",
    "local": "builtins:judge_declare",
    "read": "builtins:judge_read",
    "printf": "builtins:judge_printf",
    "set": "builtins:judge_set",
    "unset": "builtins:judge_unset",
    "wait": "builtins:judge_wait",
}
# What runs another program: the keys of the table in ``wrappers``. Those that are builtins
# or keywords of the shell need not be on the list themselves.
SHELL_WRAPPERS = _listed("command builtin exec")
WRAPPERS = _listed("""
    env nice nohup time timeout xargs stdbuf setsid ionice chrt taskset flock doas sudo
    chroot busybox toybox
    """)
# They take shell text, change who or where one is, or write what they see: not judged.
OPAQUE = _listed("""
    parallel watch su script unshare nsenter strace ltrace gdb runuser pkexec setpriv chpst
    systemd-run dbus-run-session xterm screen tmux at batch crontab ssh rsh expect unbuffer
    entr socat ncat rlwrap proot fakeroot ld.so ld-linux.so.2 ld-linux-x86-64.so.2 run-parts
    start-stop-daemon daemonize cgexec capsh firejail bwrap
    """)
# Programs whose arguments the strict profile judges; those of ``judge_danger`` are the keys
# of the table beside it.
ARGUMENTS = {
    "sed": "runners:judge_sed",
    "gsed": "runners:judge_sed",
    "awk": "runners:judge_awk",
    "gawk": "runners:judge_awk",
    "mawk": "runners:judge_awk",
    "nawk": "runners:judge_awk",
    "original-awk": "runners:judge_awk",
    "git": "git:judge_git",
    "cargo": "runners:judge_subcommand",
    "rustc": "runners:judge_subcommand",
    "rustup": "runners:judge_subcommand",
    "go": "runners:judge_subcommand",
    "npm": "runners:judge_subcommand",
    "find": "runners:judge_danger",
    "gfind": "runners:judge_danger",
    "fd": "runners:judge_danger",
    "fdfind": "runners:judge_danger",
    "rg": "runners:judge_danger",
    "sort": "runners:judge_danger",
    "gsort": "runners:judge_danger",
    "uniq": "runners:judge_danger",
    "tree": "runners:judge_danger",
    "file": "runners:judge_danger",
    "date": "runners:judge_danger",
    "split": "runners:judge_danger",
    "tar": "runners:judge_danger",
    "bsdtar": "runners:judge_danger",
    "rsync": "runners:judge_danger",
    "zip": "runners:judge_danger",
    "diff3": "runners:judge_danger",
    "sdiff": "runners:judge_danger",
    "man": "runners:judge_danger",
}
# Programs that run others if an argument asks for it; the strict profile does not let them.
RUNNING = {
    "find": "running:run_by_find",
    "gfind": "running:run_by_find",
    "fd": "running:run_by_fd",
    "fdfind": "running:run_by_fd",
}
_loaded: dict[str, Any] = {}


def load(place: str) -> Any:
    """The function that ``module:function`` names; it raises Refused for what may not be."""
    found = _loaded.get(place)
    if found is None:
        module, _, name = place.partition(":")
        found = getattr(__import__(f"pi.tools.commands.{module}", fromlist=(name,)), name)
        _loaded[place] = found
    return found
