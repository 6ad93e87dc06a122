"""What one run of the lab consists of: a directory of its own, and what is in it."""

import fcntl
import os
import pathlib
import re
import secrets
import subprocess
import tempfile

from .guardian import Guardian
from .messages import LabError
from .relay import ip_address

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


class Job:
    def __init__(self, options, host_class):
        base = os.environ.get("TMPDIR") or "/var/tmp"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zumastor-lab.", dir=base))
        self.guardian = Guardian(self.directory, options.keep)
        self.repository = REPOSITORY
        self.host_class = host_class
        self.host_count = options.hosts
        self.kernel = options.kernel
        self.disk_sizes = options.disk or ["256M", "256M"]
        self.memory = options.mem or host_class.default_memory
        self.command = options.command
        self.terminal = options.terminal
        self.systemd = options.systemd
        self.install = options.install
        # In the guests /tmp and the like are their own; these stay to be seen under their usual path.
        self.show = [REPOSITORY, pathlib.Path(options.command[0]).parent, host_class.modules]
        self.token = secrets.token_hex(8)
        self.shared = self.directory / "lab"    # /lab of the guests
        self.key = None
        self.hosts = {}         # number -> Host

    def prepare(self):
        """All that has to be there before a kernel starts."""
        self.install = self.install or self.install_product()
        check_install(self.install)
        check_names([self.directory, *self.show])
        self.shared.mkdir()
        if self.host_count > 1:
            self.key = self.make_key()
        self.hosts = {n: self.host_class(self, n) for n in range(1, self.host_count + 1)}

    def finish(self):
        """Returns when no process and no file of the job is left."""
        self.guardian.finish()
        reap_all()

    def install_product(self):
        target = self.directory / "inst"
        target.mkdir()
        # make's own variables would make this a child of a make that knows nothing of it.
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
        command = ["make", "-s", "-C", REPOSITORY, "install", f"DESTDIR={target}", "PREFIX=/usr"]
        with open(REPOSITORY / "Makefile") as lock:     # two labs must not build the same files at once
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise LabError(f"make install failed\n{done.stdout}")
        return target

    def make_key(self):
        """The key that lets every host into every other."""
        key = self.directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", key], check=True)
        return key

    def environment(self, host):
        """For SCRIPT and for every session on a host."""
        names = {f"DEV{n}NAME": host.disk_name(n - 1) for n in range(1, len(self.disk_sizes) + 1)}
        names["IPADDR"] = ip_address(1)
        names |= {f"IPADDR{n}": ip_address(n) for n in range(2, self.host_count + 1)}
        names |= {"LAB_HOSTS": self.host_count, "LAB_KERNEL": self.kernel, "LAB_BOOT": host.boots}
        if self.terminal:
            names["LAB_TERMINAL"] = host.terminal_name
        if not self.systemd and not host.has_udevd:
            names["DM_DISABLE_UDEV"] = "1"
        names |= {k: v for k, v in os.environ.items() if re.fullmatch(r"ZUMASTOR_\w+", k)
                  and not re.search(r'["\\\n]', v)}      # sshd_config cannot hold those
        return names


def reap_all():
    """What a dead kernel leaves behind becomes our child (run asks for that), so we can wait for its end."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def check_names(paths):
    """They become parts of mount options and of lists in the shell."""
    for path in paths:
        if re.search(r"[\s:,\\]", str(path)):
            raise LabError(f"'{path}': no host can mount a name with a space, colon or comma")


def check_install(tree):
    """Such a directory would hide the symbolic link of the same name in the guests' root."""
    for name in ("bin", "sbin", "lib", "lib64"):
        if (pathlib.Path(tree) / name).is_dir():
            raise LabError(f"'{tree}' has a /{name}; install with PREFIX=/usr")
