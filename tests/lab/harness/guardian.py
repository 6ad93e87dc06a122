"""The one place that ends a lab: kills its kernels and removes its files.

The guardian is a process of its own that waits for the end of a pipe from the harness.  However the
harness ends (done, error, signal, kill -9), the pipe closes, so there is a single way out to get right.
"""

import os
import shutil
import signal


class Guardian:
    def __init__(self, directory, keep):
        """Guards DIRECTORY from now on; at the end it is removed, or moved to KEEP if that is not None."""
        reader, self.pipe = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            leave_terminal(reader)
            try:
                clean_up(watch(reader), directory, keep)
            finally:
                os._exit(0)
        os.close(reader)

    def enter_group(self):
        """Run in a new child before exec: it must be known before it can do anything."""
        os.setsid()
        os.write(self.pipe, b"+%d\n" % os.getpid())

    def forget(self, group):
        os.write(self.pipe, b"-%d\n" % group)

    def finish(self):
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def leave_terminal(reader):
    """Signals meant for the harness, and its standard streams, are none of the guardian's business."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    # Descriptors of the caller (a lock, a pipe that somebody waits on) must not live on here.
    os.closerange(3, reader)
    os.closerange(reader + 1, 256)


def watch(reader):
    """Returns the process groups that are alive when the harness ends."""
    groups = set()
    with os.fdopen(reader) as lines:
        for line in lines:
            if line[0] == "+":
                groups.add(int(line[1:]))
            else:
                groups.discard(int(line[1:]))
    return groups


def kill_group(group):
    """Kills a kernel at once.

    The whole group in one call: User-Mode Linux traces its guest's processes, and if only the tracer
    died they could go on as processes of the machine.
    """
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def clean_up(groups, directory, keep):
    for group in groups:
        kill_group(group)
    if keep:
        shutil.move(directory, keep)
    for _ in range(10):
        shutil.rmtree(directory, ignore_errors=True)
        if not os.path.exists(directory):
            return
