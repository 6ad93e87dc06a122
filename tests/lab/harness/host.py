"""One host: its disks, its configuration and, while it is up, its kernel.

uml.py and qemu.py say how to start a kernel; all else is the same for both.
"""

import asyncio
import os
import pathlib
import subprocess
from shlex import quote as shell_quote

from .guardian import kill_group
from .relay import ip_address

GUEST = pathlib.Path(__file__).resolve().parent.parent / "guest"
PERSIST_SIZE = "64M"

SESSION_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "USER": "root", "SHELL": "/bin/bash", "LANG": "C.UTF-8",
}
# The key exchange that OpenSSH prefers takes three times the processor time of all else in a connection.
SSHD_CONFIG = """\
HostKey /run/lab/key
KexAlgorithms curve25519-sha256
PermitRootLogin yes
UsePAM no
UseDNS no
PidFile none
PrintMotd no
MaxStartups 100
Subsystem sftp internal-sftp
"""


def quote(value):
    return shell_quote(str(value))


def script(environment, directory, command):
    """A program that becomes SCRIPT."""
    settings = " ".join(quote(f"{k}={v}") for k, v in environment.items())
    words = " ".join(quote(word) for word in command)
    return f"#!/bin/busybox sh\ncd {quote(directory)} && exec env -i {settings} TERM=dumb {words}\n"


class Host:
    # A kind of host defines kind, interface, port_name, terminal_name, default_memory, has_udevd,
    # disk_name(index), prepare(kernel), which sets modules, and command(port, network, terminal): two
    # descriptors, and whether its stdin and stdout are a terminal that the guest shall have.

    def __init__(self, job, number):
        self.job = job
        self.number = number
        self.directory = job.directory / f"host{number}"
        self.console = self.directory / "console.log"
        self.boots = 0
        self.process = None
        self.port = None
        self.up = None          # a future of this boot
        self.dead = None        # the same
        self.files = self.directory / "files"
        self.files.mkdir(parents=True)
        self.disks = self.make_disks()

    def make_disks(self):
        """The data disks, and as the last one a file system for what must survive a restart."""
        disks = [self.directory / f"disk{n}" for n in range(1, len(self.job.disk_sizes) + 1)]
        for disk, size in zip(disks, self.job.disk_sizes):
            subprocess.run(["truncate", "-s", size, disk], check=True)
        persist = self.directory / "persist"
        subprocess.run(["truncate", "-s", PERSIST_SIZE, persist], check=True)
        subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", persist], check=True)
        return disks + [persist]

    def write_files(self):
        """What guest/init and guest/host find in LAB_FILES."""
        environment = {**SESSION_ENVIRONMENT, **self.job.environment(self)}
        addresses = {f"host{n}": ip_address(n) for n in range(1, self.job.host_count + 1)}
        self.write("config", "".join(f"{k}={quote(v)}\n" for k, v in self.config().items()))
        self.write("token", self.job.token + "\n")
        self.write("environment", "".join(f"{k}={v}\n" for k, v in environment.items()))
        self.write("hosts", "127.0.0.1 localhost\n"
                   + "".join(f"{address} {name}\n" for name, address in addresses.items()))
        if self.job.key:
            self.write_ssh_files(environment, [*addresses, *addresses.values()])
        if self.number == 1:
            self.write("script", script(environment, self.job.repository, self.job.command))

    def write_ssh_files(self, environment, names):
        public_key = self.job.key.with_suffix(".pub").read_text()
        settings = " ".join(f'"{k}={v}"' for k, v in environment.items())
        self.write("key", self.job.key.read_text())
        self.write("key.pub", public_key)
        self.write("known_hosts", f"{','.join(names)} {public_key}")
        self.write("sshd_config", f"{SSHD_CONFIG}SetEnv {settings}\n")

    def write(self, name, text):
        (self.files / name).write_text(text)
        (self.files / name).chmod(0o755)

    def config(self):
        return {
            "lab_kind": self.kind,
            "lab_systemd": "yes" if self.job.systemd else "",
            "lab_number": self.number,
            "lab_hosts": self.job.host_count,
            "lab_address": ip_address(self.number),
            "lab_interface": self.interface,
            "lab_port": self.port_name,
            "lab_modules": self.modules,
            "lab_persist": self.disk_name(len(self.disks) - 1),
            "lab_guest": GUEST,
            "lab_install": self.job.install,
            "lab_shared": self.job.shared,
            "lab_show": " ".join(str(path) for path in self.job.show),
        }

    def boot(self, port, network):
        """Starts a kernel with these connections; self.dead is done when it has ended."""
        loop = asyncio.get_running_loop()
        self.boots += 1
        self.port = port
        self.up = loop.create_future()
        self.dead = loop.create_future()
        self.write_files()
        ends = [end for end in (port.theirs, network) if end]
        terminal = self.job.terminal and self.number == 1
        command = self.command(port.theirs.fileno(), network.fileno() if network else None, terminal)
        with open(self.console, "ab") as console:
            self.process = subprocess.Popen(
                command, stdin=None if terminal else subprocess.DEVNULL,
                stdout=None if terminal else console, stderr=console,
                pass_fds=[end.fileno() for end in ends], preexec_fn=self.job.guardian.enter_group)
        for end in ends:
            end.close()
        self.pidfd = os.pidfd_open(self.process.pid)
        loop.add_reader(self.pidfd, self.bury)

    def bury(self):
        asyncio.get_running_loop().remove_reader(self.pidfd)
        os.close(self.pidfd)
        kill_group(self.process.pid)    # the leader is not yet reaped, so the number is still ours
        self.process.wait()
        reap_group(self.process.pid)
        self.job.guardian.forget(self.process.pid)
        self.process = None
        self.port.drain()
        self.port.close()
        self.dead.set_result(None)

    async def kill(self):
        """Returns when nothing of the kernel is left."""
        if self.process:
            kill_group(self.process.pid)
            await self.dead


def reap_group(group):
    """Waits for what a dead kernel has left behind, see reap_all in job.py."""
    try:
        while True:
            os.waitpid(-group, 0)
    except ChildProcessError:
        pass
