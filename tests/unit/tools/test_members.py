"""Who is left in a process group."""

from __future__ import annotations

import os
import subprocess

import pytest

from pi.tools.members import Member, living_members

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")


def test_the_living_are_named_and_the_dead_are_not() -> None:
    argv = ["/bin/sh", "-c", "echo; exec sleep 60"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        members = living_members(child.pid)
        assert members is not None
        assert [member.pid for member in members] == [child.pid]
        assert members[0].name in ("sh", "sleep")  # a moment before or after the exec
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet collected
        assert living_members(child.pid) == []
    assert living_members(child.pid) == []


def test_a_name_may_hold_anything() -> None:
    with open("/proc/thread-self/comm", encoding="utf-8") as file:
        before = file.read()
    try:
        with open("/proc/thread-self/comm", "w", encoding="utf-8") as file:
            file.write("a) R 1 (b")
        found = living_members(os.getpgrp()) or []
        assert Member(os.getpid(), "a) R 1 (b") in found
    finally:
        with open("/proc/thread-self/comm", "w", encoding="utf-8") as file:
            file.write(before)
