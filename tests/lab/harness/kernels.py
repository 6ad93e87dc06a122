"""Debian's kernels, downloaded and unpacked but never installed."""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from .messages import LabError, say

PACKAGES = {
    "6.1": r"linux-image-6\.1\.0-\d+-amd64-unsigned",
    "6.12": r"linux-image-6\.12[.\d]*\+deb12-amd64-unsigned",
}

# User-Mode Linux of a later Debian, on which a process starts in a third of the time that it takes on 6.1.  This version and
# no other: that of Debian 13, 6.12, dies when a process is killed while it forks.  It wants the C library of its suite, too.
UML_SUITE = "forky"
UML_VERSION = "7.2um1"
ARCHIVE = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian {} main\n"


def cache():
    path = pathlib.Path(os.environ.get("ZUMASTOR_LAB_CACHE") or "/var/cache/zumastor-lab")
    path.mkdir(parents=True, exist_ok=True)
    return path


def get(series):
    """Returns the kernel's image and the directory of its modules, from the cache if they are there."""
    tree = cache() / series
    with open(cache() / "lock", "w") as lock:       # two labs that start together want it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            make_tree(series, tree)
    return next(tree.glob("boot/vmlinuz-*")), next(tree.glob("lib/modules/*"))


def get_uml():
    """Returns the program and the directory of its modules, likewise."""
    tree = cache() / f"uml-{UML_VERSION}"
    with open(cache() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            make_uml_tree(tree)
    return tree / "usr/bin/linux.uml", next(tree.glob("usr/lib/uml/modules/*"))


def make_uml_tree(tree):
    say(f"getting User-Mode Linux {UML_VERSION} into {tree}")
    with tempfile.TemporaryDirectory(dir=tree.parent) as work:
        os.chmod(work, 0o755)
        work = pathlib.Path(work)
        download(UML_SUITE, (f"user-mode-linux={UML_VERSION}", "libc6"), work)
        new = work / "tree"
        for package in work.glob("*.deb"):
            run(["dpkg-deb", "-x", package, new])
        libraries = next(new.glob("usr/lib/*/libc.so.6")).parent.relative_to(new)
        run(["patchelf", "--set-interpreter", tree / "usr/lib64/ld-linux-x86-64.so.2", "--set-rpath", tree / libraries,
             new / "usr/bin/linux.uml"])
        new.rename(tree)


def download(suite, packages, work):
    """With lists of its own, so that nothing of that suite is ever installed."""
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "sources.list").write_text(ARCHIVE.format(suite))
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::SourceList={work / 'sources.list'}", "-o", "Dir::Etc::SourceParts=-",
           "-o", f"Dir::State::Lists={work / 'lists'}", "-o", "Dir::Cache::PkgCache=", "-o", "Dir::Cache::SrcPkgCache="]
    run([*apt, "update"], cwd=work)
    run([*apt, "download", *packages], cwd=work)


def make_tree(series, tree):
    package = newest_package(series)
    say(f"getting {package} into {tree}")
    with tempfile.TemporaryDirectory(dir=tree.parent) as work:
        os.chmod(work, 0o755)       # apt downloads as another user where it can
        run(["apt-get", "-q", "download", package], cwd=work)
        new = pathlib.Path(work) / "tree"
        run(["dpkg-deb", "-x", next(pathlib.Path(work).glob("*.deb")), new])
        if not (new / "lib/modules").is_dir():
            shutil.move(new / "usr/lib", new / "lib")
        run(["/sbin/depmod", "-b", new, next(new.glob("lib/modules/*")).name])
        new.rename(tree)


def newest_package(series):
    found = known_packages(series)
    if not found:
        run(["apt-get", "-q", "update"])
        found = known_packages(series)
    if not found:
        raise LabError(f"apt knows no kernel {series}; is bookworm-backports among its sources?")
    return max(found, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])


def known_packages(series):
    names = run(["apt-cache", "pkgnames", "linux-image-" + series]).split()
    return [name for name in names if re.fullmatch(PACKAGES[series], name)]


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise LabError(f"{command[0]} failed\n{done.stdout}")
    return done.stdout
