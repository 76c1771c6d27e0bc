"""Ways out of a sandbox, tried for real. Run inside it: python escape_attempts.py FACTS NAME

Each function returns something true if it got out. What it changes outside, and what it
sends, is looked at by whoever started it.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
MS_REMOUNT, MS_BIND, MS_REC = 32, 4096, 16384
NAMESPACES = ("user", "mnt", "net", "pid", "ipc")
# Would harm the machine if nothing held them: never tried outside a sandbox.
HARMFUL = {"remount", "unmount", "bind_over", "attach_to_it", "set_a_core_handler"}


def read_a_file(facts: dict[str, Any]) -> bool:
    return "secret words" in text(facts["secret"])


def read_by_an_own_link(facts: dict[str, Any]) -> bool:
    os.symlink(facts["secret"], "link-to-read")
    return "secret words" in text("link-to-read")


def read_by_the_root_of_a_process(facts: dict[str, Any]) -> bool:
    found = False
    for pid in ("self", "1", facts["pid"]):
        for path in (f"/proc/{pid}/root{facts['secret']}", f"/proc/{pid}/cwd/../outside/secret"):
            found = found or "secret words" in quiet(text, path)
    return found


def read_by_a_memory_file(facts: dict[str, Any]) -> bool:
    fd = os.memfd_create("cat")
    with open("/bin/cat", "rb") as program:
        os.write(fd, program.read())
    with os.popen(f"exec /proc/{os.getpid()}/fd/{fd} {facts['secret']} 2>&1") as said:
        return "secret words" in said.read()


def link_it_in(facts: dict[str, Any]) -> bool:
    os.link(facts["secret"], "hard")
    return "secret words" in text("hard")


def move_it_in(facts: dict[str, Any]) -> bool:
    os.rename(facts["secret"], "moved")
    return True


def write_a_file(facts: dict[str, Any]) -> None:
    with open(facts["outside"] + "/new", "w") as file:
        file.write("x")


def write_by_an_own_link(facts: dict[str, Any]) -> None:
    os.symlink(facts["secret"], "link")
    with open("link", "w") as file:
        file.write("x")


def move_one_out(facts: dict[str, Any]) -> None:
    with open("mine", "w") as file:
        file.write("x")
    os.rename("mine", facts["outside"] + "/mine")


def cut_it_off(facts: dict[str, Any]) -> None:
    os.truncate(facts["secret"], 0)


def change_its_mode(facts: dict[str, Any]) -> None:
    os.chmod(facts["secret"], 0o777)


def change_its_times(facts: dict[str, Any]) -> None:
    os.utime(facts["secret"], (1, 1))


def write_a_hook(facts: dict[str, Any]) -> None:
    with open(".git/hooks/post-checkout", "w") as file:
        file.write("x")


def write_settings(facts: dict[str, Any]) -> None:
    with open(".pi/settings.json", "w") as file:
        file.write("{}")


def move_the_repository(facts: dict[str, Any]) -> bool:
    os.rename(".git", "git-away")
    return True


def move_the_settings(facts: dict[str, Any]) -> bool:
    os.rename(".pi", "pi-away")
    return True


def read_variables(facts: dict[str, Any]) -> bool:
    return "stand-in-key" in text(f"/proc/{facts['pid']}/environ")


def read_memory(facts: dict[str, Any]) -> bool:
    with open(f"/proc/{facts['pid']}/maps") as maps, open(f"/proc/{facts['pid']}/mem", "rb") as mem:
        mem.seek(int(maps.readline().partition("-")[0], 16))
        return bool(mem.read(16))


def attach_to_it(facts: dict[str, Any]) -> bool:
    return libc.ptrace(16, int(facts["pid"]), None, None) == 0  # PTRACE_ATTACH


def signal_it(facts: dict[str, Any]) -> bool:
    os.kill(int(facts["pid"]), signal.SIGUSR1)
    return True


def limit_it(facts: dict[str, Any]) -> bool:
    pid = int(facts["pid"])
    resource.prlimit(pid, resource.RLIMIT_CPU, resource.prlimit(pid, resource.RLIMIT_CPU))
    return True


def connect_by_tcp(facts: dict[str, Any]) -> bool:
    socket.create_connection(("127.0.0.1", facts["tcp"]), 3).close()
    return True


def send_by_udp(facts: dict[str, Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", facts["udp"]))


def reach_the_host_of_the_machine(facts: dict[str, Any]) -> bool:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM):
        return True


def connect_by_an_abstract_name(facts: dict[str, Any]) -> bool:
    return connected("\0" + facts["abstract"])


def connect_by_a_path(facts: dict[str, Any]) -> bool:
    return connected(facts["socket"])


def enter_namespaces(facts: dict[str, Any]) -> bool:
    entered = False
    for pid in ("1", facts["pid"]):
        for name in NAMESPACES:
            try:
                fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
            except OSError:
                continue
            entered = entered or libc.setns(fd, 0) == 0
    return entered


def mount_in_a_new_namespace(facts: dict[str, Any]) -> bool:
    libc.unshare(0x10000000 | 0x00020000)  # a user and a mount namespace
    return libc.mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0


def remount(facts: dict[str, Any]) -> bool:
    places = (b"/", b"/usr", b"/proc", b".git/hooks", b".pi")
    return any(libc.mount(None, place, None, MS_REMOUNT | MS_BIND, None) == 0 for place in places)


def unmount(facts: dict[str, Any]) -> bool:
    return any(libc.umount2(place, 2) == 0 for place in (b".git/hooks", b".pi", b"/tmp", b"/proc"))


def bind_over(facts: dict[str, Any]) -> bool:
    return libc.mount(b"/proc/1/root", b"/usr", None, MS_BIND | MS_REC, None) == 0


def change_the_root(facts: dict[str, Any]) -> bool:
    os.chroot(".")
    return True


def make_a_device(facts: dict[str, Any]) -> bool:
    disk = os.stat("/work" if os.path.exists("/work") else ".").st_dev
    os.mknod("disk", stat.S_IFBLK | 0o600, disk)
    with open("disk", "rb") as file:
        return bool(file.read(512))


def gain_privileges(facts: dict[str, Any]) -> bool:
    status = text("/proc/self/status")
    bounded = "CapBnd:\t0000000000000000" in status or os.getuid() != 0
    return not bounded or "NoNewPrivs:\t1" not in status


def type_into_a_terminal(facts: dict[str, Any]) -> bool:
    names = ["/dev/tty", "/dev/console", "/dev/tty0"]
    names += [f"/dev/pts/{name}" for name in quiet(os.listdir, "/dev/pts") or () if name.isdigit()]
    for name in names:
        try:
            with open(name, "w") as terminal:
                fcntl.ioctl(terminal, 0x5412, b"x")  # TIOCSTI
                return True
        except OSError:
            continue
    return False


def set_a_core_handler(facts: dict[str, Any]) -> bool:
    path = "/proc/sys/kernel/core_pattern"
    with open(path, "r+") as file:
        return bool(file.write(text(path)))


def use_open_handles(facts: dict[str, Any]) -> bool:
    outside = []
    for name in os.listdir("/proc/self/fd"):
        target = quiet(os.readlink, f"/proc/self/fd/{name}")
        if int(name) > 2 and target and not target.endswith("/fd"):
            outside.append(target)
    return bool(outside)


def text(path: str) -> str:
    with open(path, errors="replace") as file:
        return file.read()


def quiet(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except OSError:
        return ""


def connected(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(3)
        client.connect(address)
    return True


def attempts() -> Iterator[str]:
    helpers = {"text", "quiet", "connected", "attempts", "main"}
    for name, value in globals().items():
        if getattr(value, "__module__", "") == __name__ and name not in helpers:
            yield name


def main() -> None:
    facts = json.loads(text(sys.argv[1]))
    results = {}
    for name in sys.argv[2].split(","):
        assert os.environ.get("PI_SANDBOXED") == "1" or name not in HARMFUL
        pid = os.fork()  # one attempt must not spoil the next
        if not pid:
            try:
                out = bool(globals()[name](facts))
            except Exception as exc:
                print(name, "failed with", repr(exc), file=sys.stderr)
                out = False
            os._exit(7 if out else 0)
        results[name] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    print(json.dumps(results))


if __name__ == "__main__":
    main()
