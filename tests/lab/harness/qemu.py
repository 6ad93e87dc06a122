"""A host as a virtual machine with one of Debian's stock kernels and two CPUs."""

import functools
import lzma
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import kernels
from .messages import LabError
from .host import GUEST, Host
from .relay import mac_address

UDEVD = pathlib.Path("/lib/systemd/systemd-udevd")
# What it takes to see the machine's root, and what every host needs: here they are unpacked by the machine,
# which takes an emulated CPU seconds.  The kernel finds all others by itself.
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "9p", "9pnet_virtio", "overlay",
           "ext4", "dm_mod", "loop")


class QemuHost(Host):
    kind = "qemu"
    interface = "eth0"
    port_name = "/dev/vport0p1"
    terminal_name = "/dev/hvc0"
    default_memory = "1G"
    # With a real udevd in the guest, the product must get along with it.
    has_udevd = UDEVD.exists()

    @classmethod
    def prepare(cls, kernel):
        if not shutil.which("qemu-system-x86_64"):
            raise LabError("there is no qemu-system-x86_64; run tests/lab/packages")
        cls.image, cls.modules = kernels.get(kernel)
        cls.kvm = kvm_works()

    @staticmethod
    def disk_name(index):
        return f"/dev/vd{'abcdefghijklmno'[index]}"

    @functools.cached_property
    def initramfs(self):
        """Once per host, for it is made of nothing that changes from boot to boot."""
        tree = self.directory / "initramfs"
        for name in ("bin", "dev", "proc", "machine", "modules"):
            (tree / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", tree / "bin")
        shutil.copy(GUEST / "initramfs", tree / "init")
        copy_modules(self.modules, tree / "modules")
        image = self.directory / "initramfs.cpio"
        with open(image, "wb") as output:
            names = "".join(f"{path.relative_to(tree)}\n" for path in sorted(tree.rglob("*")))
            subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=tree, input=names.encode(),
                           stdout=output, stderr=subprocess.DEVNULL, check=True)
        return image

    def command(self, port, network, terminal):
        words = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            *accelerator(self.kvm), "-smp", "2", "-m", self.job.memory,
            "-kernel", self.image, "-initrd", self.initramfs, "-append",
            "console=ttyS0 loglevel=5 panic=-1 oops=panic net.ifnames=0 mitigations=off "
            f"LAB_FILES={self.files} LAB_INIT={GUEST / 'init'}",
            "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
            # First among the virtio devices, which makes it vport0 in the guest.
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=port,fd={port}", "-device", "virtserialport,chardev=port,nr=1",
            "-device", "virtio-rng-pci",
            *shared_directory("machine", "/", "readonly=on"), *shared_directory("lab", self.job.shared),
        ]
        for n, disk in enumerate(self.disks):
            # Unsafe is about the machine's crash; killing QEMU loses nothing that it was given.
            words += ["-drive", f"if=none,id=disk{n},file={disk},format=raw,cache=unsafe,discard=unmap",
                      "-device", f"virtio-blk-pci,drive=disk{n}"]
        if network:
            words += ["-netdev", f"dgram,id=network,local.type=fd,local.str={network}",
                      "-device", f"virtio-net-pci,netdev=network,mac={mac_address(self.number)}"]
        if terminal:
            words += ["-chardev", "stdio,id=terminal,signal=off",
                      "-device", "virtconsole,chardev=terminal,nr=0"]
        return words


def shared_directory(tag, path, *options):
    words = ["local", f"id={tag}", f"path={path}", f"mount_tag={tag}", "security_model=none",
             "multidevs=remap", *options]
    return ["-virtfs", ",".join(words)]


def accelerator(works):
    if works:
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]


def kvm_works():
    """Whether a machine under KVM gets as far as its boot sector.

    Having a /dev/kvm is not enough: nested ones may accept everything and then stand still.  The answer
    is remembered until the machine boots, since a no may take the whole time.
    """
    answer = kernels.cache() / f"kvm.{pathlib.Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    if not answer.exists():
        works = os.access("/dev/kvm", os.R_OK | os.W_OK) and boots_sector()
        answer.write_text("yes" if works else "no")
    return answer.read_text() == "yes"


def boots_sector():
    # mov al, 0x10; out 0xf4, al; jmp .  QEMU's debug-exit device makes an exit status of what it is given.
    code, status = b"\xb0\x10\xe6\xf4\xeb\xfe", 0x10 << 1 | 1
    with tempfile.NamedTemporaryFile() as sector:
        sector.write(code.ljust(510, b"\0") + b"\x55\xaa")
        sector.flush()
        command = ["qemu-system-x86_64", "-nodefaults", "-display", "none", *accelerator(True),
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
                   "-drive", f"file={sector.name},format=raw,readonly=on"]
        try:
            return subprocess.run(command, timeout=5, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == status
        except subprocess.TimeoutExpired:
            return False


def copy_modules(modules, target):
    """Copies MODULES and what they need, and a list of all in the order of loading."""
    order = []
    for name in MODULES:
        for path in needed_modules(modules, name):
            file = target / path.name.removesuffix(".xz")
            if file.name in order:
                continue
            order.append(file.name)
            data = path.read_bytes()
            file.write_bytes(lzma.decompress(data) if path.suffix == ".xz" else data)
    (target / "order").write_text("\n".join(order) + "\n")


def needed_modules(modules, name):
    root = modules.parents[2]
    told = subprocess.run(["/sbin/modprobe", "-d", root, "-S", modules.name, "--show-depends", name],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return [pathlib.Path(line.split()[1]) for line in told.splitlines() if line.startswith("insmod ")]
