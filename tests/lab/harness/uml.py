"""A host as a User-Mode Linux kernel: one ordinary process of the machine."""

import pathlib
import shutil

from . import kernels
from .messages import LabError, say
from .host import GUEST, Host
from .processor import Processors
from .relay import mac_address

MODULES = pathlib.Path("/usr/lib/uml/modules")


def installed():
    """UML and its modules are one package, so there is one version."""
    kernel = shutil.which("linux.uml")
    if not kernel:
        raise LabError("there is no linux.uml; run tests/lab/packages")
    return kernel, next(MODULES.iterdir())


class UmlHost(Host):
    kind = "uml"
    interface = "vec0"
    port_name = "/dev/ttyS0"
    default_memory = "512M"
    terminal_name = "/dev/ttyS1"
    environment = {"DM_DISABLE_UDEV": "1"}     # there is no udev daemon in these guests

    @classmethod
    def prepare(cls, kernel):
        try:
            cls.kernel, cls.modules = installed() if kernel == "uml-6.1" else kernels.get_uml()
        except LabError as error:
            if kernel == "uml-6.1":
                raise
            say(f"{error}\nusing what is installed, which takes twice as long")
            cls.kernel, cls.modules = installed()
        cls.processors = Processors()

    @staticmethod
    def disk_name(index):
        return f"/dev/ubd{'bcdefghijklmnop'[index]}"

    def command(self, port, network, terminal):
        words = [
            "taskset", "--cpu-list", str(self.processors.of_host(self.number)),
            str(self.kernel), f"mem={self.job.memory}",
            "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={GUEST / 'init'}",
            "con=null", "con0=null,fd:2", "loglevel=5", "panic=-1", "oops=panic",
            f"ssl0=fd:{port}", f"umid=host{self.number}", f"uml_dir={self.directory}/",
            f"LAB_FILES={self.files}",
        ]
        words += [f"ubd{'bcdefghijklmnop'[n]}={disk}" for n, disk in enumerate(self.disks)]
        if network:
            words.append(f"vec0:transport=fd,fd={network},depth=128,mac={mac_address(self.number)}")
        if terminal:
            words.append("ssl1=fd:0,fd:1")
        return words
