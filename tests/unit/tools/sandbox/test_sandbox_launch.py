"""How a held command starts and ends, and that a promise that cannot be kept ends it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pi.tools.policy import PRESETS
from pi.tools.sandbox.choose import choose_sandbox
from pi.tools.sandbox.payload import launcher_argv
from pi.tools.sandbox.plan import make_plan
from pi.tools.sandbox.probe import probe
from pi.tools.sandbox.spec import launcher_spec, make_private_folders
from pi.tools.toolkit import Launch, Sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock is a part of Linux")


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    for name in ("root", "temp"):
        (tmp_path / name).mkdir()
    if not probe(str(tmp_path / "temp")).files:
        pytest.skip(f"no Landlock here: {probe(str(tmp_path / 'temp')).reason}")
    return choose_sandbox(
        PRESETS["hardened"],
        roots=[str(tmp_path / "root")],
        environ={"PATH": os.defpath},
        temp_dir=str(tmp_path / "temp"),
        prefer="landlock",
    )


def start(launch: Launch, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        launch.argv,
        cwd=cwd,
        env={"PATH": os.defpath, **launch.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def test_the_started_process_becomes_the_shell_and_leads_its_group(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    launch = sandbox.launch(
        ("/bin/bash", "-c"), "echo $$ ; ps -o pgid= -p $$", str(tmp_path / "root")
    )
    assert launch.sandboxed
    assert launch.environ["PI_SANDBOXED"] == "1"
    with start(launch, tmp_path / "root") as process:
        assert process.stdout is not None
        assert process.stdout.read().split()[0] == str(process.pid).encode()


def test_a_signal_to_the_group_ends_the_command_and_its_children(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    launch = sandbox.launch(("/bin/sh", "-c"), "sleep 60 & echo up; wait", str(tmp_path / "root"))
    with start(launch, tmp_path / "root") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        os.killpg(process.pid, signal.SIGTERM)
        assert process.stdout.read() == b""  # the child that held it is gone, too
        assert process.wait(60) == -signal.SIGTERM


def test_the_command_ends_with_the_process_that_started_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """pi killed with SIGKILL cannot clean up; the kernel ends what it had started."""
    reading, writing = os.pipe()
    launch_in_child = """
import json, os, signal, subprocess, sys
from pi.tools.policy import PRESETS
from pi.tools.sandbox.choose import choose_sandbox
root, temp, fd = sys.argv[1:]
sandbox = choose_sandbox(PRESETS["hardened"], roots=[root], environ={"PATH": os.defpath},
                         temp_dir=temp, prefer="landlock")
launch = sandbox.launch(("/bin/sh", "-c"), "echo up >&2; exec sleep 60", root)
subprocess.Popen(launch.argv, cwd=root, env={"PATH": os.defpath, **launch.environ},
                 stderr=int(fd), start_new_session=True)
signal.pause()
"""
    root, temp = str(tmp_path / "root"), str(tmp_path / "temp")
    with (
        subprocess.Popen(
            [sys.executable, "-c", launch_in_child, root, temp, str(writing)],
            pass_fds=[writing],
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[4]), "PATH": os.defpath},
        ) as pi,
        open(reading, "rb") as said,
    ):
        os.close(writing)
        assert said.readline() == b"up\n"
        pi.kill()
        assert said.read() == b""  # end of file: the sleeping command has let go


def test_what_was_promised_and_fails_ends_the_command_unrun(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    make_private_folders(str(tmp_path / "private"))
    plan = make_plan([str(tmp_path)], strict=True)
    spec = launcher_spec(plan, str(tmp_path / "private"), view=False, network="open", landlock=99)
    ran = tmp_path / "ran"
    done = subprocess.run(
        [*launcher_argv(spec), str(tmp_path), "/bin/sh", "-c", f"touch {ran}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 126
    assert done.stderr.startswith("pi: the sandbox cannot be set up (Landlock): ")
    assert done.stderr.count("\n") == 1
    assert not ran.exists()


def test_a_link_that_was_put_in_a_guarded_place_is_not_followed(tmp_path: Path) -> None:
    """Between the plan and the launch another command may have swapped it in."""
    for name in ("root", "private", "outside/hooks"):
        (tmp_path / name).mkdir(parents=True)
    make_private_folders(str(tmp_path / "private"))
    (tmp_path / "root" / ".git").symlink_to(tmp_path / "outside")
    plan = make_plan([str(tmp_path / "root")], strict=True)
    git = str(tmp_path / "root" / ".git")
    for hostile in (
        plan._replace(held_in_place=(git,)),
        plan._replace(read_only=(f"{git}/hooks",)),
        plan._replace(writable=(git,)),
    ):
        for view in (True, False):
            spec = launcher_spec(hostile, str(tmp_path / "private"), view=view, network="open")
            done = subprocess.run(
                [*launcher_argv(spec), "/", "/bin/sh", "-c", f"echo x > {git}/new; ls {git}/"],
                capture_output=True,
                text=True,
            )
            assert done.returncode == 126 or "hooks" not in done.stdout
            assert os.listdir(tmp_path / "outside") == ["hooks"]


def test_links_put_in_the_place_of_the_private_folder_are_not_followed(tmp_path: Path) -> None:
    """If the folder for temporary files lies in a root, commands can put links there."""
    outside = tmp_path / "outside"
    for path in (tmp_path / "root" / "temp", outside):
        path.mkdir(parents=True)
    root = str(tmp_path / "root")
    if not probe(str(tmp_path)).files:
        pytest.skip("no Landlock here")
    sandbox = choose_sandbox(
        PRESETS["hardened"], roots=[root], environ={}, temp_dir=f"{root}/temp", prefer="landlock"
    )
    swap = (
        f"mkdir -p evil/home evil/stage evil/empty; ln -s {outside} evil/tmp; "
        "mv temp/pi-sandbox* gone; mv evil temp/$(basename $(dirname $TMPDIR)); ls temp/*"
    )
    for command in (swap, "echo x > $TMPDIR/new"):
        with start(sandbox.launch(("/bin/sh", "-c"), command, root), tmp_path) as process:
            process.communicate()
    assert process.returncode == 126
    assert os.listdir(outside) == []


def test_links_left_in_the_private_tmp_make_nothing_outside(tmp_path: Path) -> None:
    """A root below /tmp is mounted inside the private /tmp, where commands may write."""
    folder = Path(tempfile.mkdtemp(prefix="pi-lab-", dir="/tmp"))
    try:
        root = folder / "deep" / "root"
        root.mkdir(parents=True)
        (folder / "outside").mkdir()
        if not probe(str(tmp_path)).namespaces:
            pytest.skip("no file tree of its own here")
        sandbox = choose_sandbox(
            PRESETS["hardened"],
            roots=[str(root)],
            environ={},
            temp_dir=str(tmp_path),
            prefer="landlock",
        )
        swap = f"cd /tmp/{folder.name} && mv deep away && ln -s {folder}/outside deep && ls"
        outputs = []
        for command in (swap, "echo ran"):
            launch = sandbox.launch(("/bin/sh", "-c"), command, str(root))
            with start(launch, tmp_path) as process:
                outputs.append(process.communicate()[0])
        assert outputs == [b"away\ndeep\n", b""]
        assert process.returncode == 126
        assert os.listdir(folder / "outside") == []
    finally:
        shutil.rmtree(folder)


def test_a_directory_that_is_not_allowed_is_not_worked_in(sandbox: Sandbox, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    launch = sandbox.launch(("/bin/sh", "-c"), "echo ran", str(outside))
    with start(launch, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b""
        assert process.wait(60) == 126


def test_names_that_are_no_text_work(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path / "root") + b"/\xff \xc3\xa9")
    os.mkdir(folder)
    launch = sandbox.launch(("/bin/sh", "-c"), "echo \udcff > here; ls", folder)
    with start(launch, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"here\n"
    assert Path(folder, "here").read_bytes() == b"\xff\n"


def test_what_a_variable_is_stays_as_it_was_given(sandbox: Sandbox, tmp_path: Path) -> None:
    launch = sandbox.launch(("/bin/sh", "-c"), "env", str(tmp_path / "root"))
    with start(launch, tmp_path) as process:
        assert process.stdout is not None
        names = {line.partition(b"=")[0] for line in process.stdout.read().splitlines()}
    assert names <= {
        b"PATH",
        b"HOME",
        b"TMPDIR",
        b"PI_SANDBOXED",
        b"PWD",
        b"OLDPWD",
        b"_",
        b"SHLVL",
    }


def test_two_commands_of_a_run_share_their_temporary_files(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    root = str(tmp_path / "root")
    for command, expected in (("echo 1 > $TMPDIR/x", b""), ("cat $TMPDIR/x", b"1\n")):
        with start(sandbox.launch(("/bin/sh", "-c"), command, root), tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.read() == expected


def test_everything_that_is_told_is_json(sandbox: Sandbox) -> None:
    facts = sandbox.describe()
    assert json.loads(json.dumps(facts)) == facts


OLD_INTERFACE = """
import os, sys
from pi.tools.sandbox import kernel
kernel.no_new_privileges()
rules = kernel.Ruleset(int(sys.argv[1]), no_tcp=True)
rules.grant(os.fsencode(sys.argv[2]), kernel.WRITE)
rules.enforce()
open(sys.argv[2] + "/new", "w").close()
try:
    open(sys.argv[3])
except PermissionError:
    print("held")
"""


@pytest.mark.parametrize("version", range(1, 8))
def test_every_version_of_the_interface_up_to_this_kernels_is_spoken(
    version: int, tmp_path: Path
) -> None:
    if probe(str(tmp_path)).landlock_abi < version:
        pytest.skip("the kernel's Landlock is older")
    (tmp_path / "in").mkdir()
    secret = tmp_path / "secret"
    secret.write_text("")
    done = subprocess.run(
        [sys.executable, "-c", OLD_INTERFACE, str(version), str(tmp_path / "in"), str(secret)],
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[4])},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("held\n", "")


def test_rights_grow_with_the_version() -> None:
    from pi.tools.sandbox.kernel import file_rights

    assert [bin(file_rights(version)).count("1") for version in range(1, 8)] == [
        *(13, 14, 15, 15, 16, 16, 16)
    ]


def test_both_sides_know_the_same_machines() -> None:
    from pi.tools.sandbox.kernel import knows_calls
    from pi.tools.sandbox.spec import FILTERED_MACHINES

    assert all(knows_calls(machine) for machine in FILTERED_MACHINES)
    assert not knows_calls("mips")
