"""A host as a User-Mode Linux kernel: one ordinary process of the machine."""

import pathlib
import shutil

from . import kernels
from .messages import LabError, say
from .host import GUEST, Host
from .processor import Processors
from .relay import mac_address

# It measures how it would be fastest for longer than all else in a boot takes, and nothing here does RAID 6.   Its name in 7.2, in 6.1.
NO_RAID6 = "initcall_blacklist=raid6_init,raid6_select_algo"

MODULES = pathlib.Path("/usr/lib/uml/modules")


def installed():
    """The program, its modules, which are of the same package and so of one version, and arguments of its own."""
    kernel = shutil.which("linux.uml")
    if not kernel:
        raise LabError("there is no linux.uml; run tests/lab/packages")
    return kernel, next(MODULES.iterdir()), []


def fastest():
    try:
        return *kernels.get_uml(), ["seccomp=auto"]     # where seccomp will not do: by ptrace, at half the speed
    except LabError as error:
        say(f"{error}\nusing what is installed, which takes three times as long")
        return installed()


class UmlHost(Host):
    kind = "uml"
    interface = "vec0"
    port_name = "/dev/ttyS0"
    default_memory = "512M"
    terminal_name = "/dev/ttyS1"
    has_udevd = False

    @classmethod
    def prepare(cls, kernel):
        cls.kernel, cls.modules, cls.options = installed() if kernel == "uml-6.1" else fastest()
        cls.processors = Processors()

    @staticmethod
    def disk_name(index):
        return f"/dev/ubd{'bcdefghijklmnop'[index]}"

    def command(self, port, network, terminal):
        words = [
            "taskset", "--cpu-list", str(self.processors.of_host(self.number)),
            str(self.kernel), f"mem={self.job.memory}",
            "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={GUEST / 'init'}",
            "con=null", "con0=null,fd:2", "loglevel=5", "panic=-1", "oops=panic", NO_RAID6, *self.options,
            f"ssl0=fd:{port}", f"umid=host{self.number}", f"uml_dir={self.directory}/",
            f"LAB_FILES={self.files}",
        ]
        words += [f"ubd{'bcdefghijklmnop'[n]}={disk}" for n, disk in enumerate(self.disks)]
        if network:
            words.append(f"vec0:transport=fd,fd={network},depth=128,mac={mac_address(self.number)}")
        if terminal:
            words.append("ssl1=fd:0,fd:1")
        return words
