"""A running lab: boots the hosts and does what they ask for until SCRIPT has ended."""

import asyncio
import os
import sys

from .control import Port
from .messages import LabError, say
from .relay import Relay


class Lab:
    def __init__(self, job):
        self.job = job
        self.hosts = job.hosts
        self.relay = Relay()
        self.result = asyncio.get_running_loop().create_future()
        self.expected_deaths = set()
        self.rebooting = set()  # hosts that are about to switch themselves off, to be booted again
        self.tasks = set()

    async def run(self):
        """Returns the exit status of SCRIPT."""
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.fail(context.get("exception") or LabError(context["message"])))
        for host in self.hosts.values():
            self.boot(host)
        return await self.result

    def boot(self, host):
        port = Port(self.job.token, host_output(host),
                    lambda port, ident, words: self.start(self.serve(host, port, ident, words)))
        host.boot(port, self.relay.attach(host.number) if len(self.hosts) > 1 else None)
        host.dead.add_done_callback(lambda _: self.died(host))

    def start(self, work):
        """Runs WORK beside everything else; its failure is the lab's."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.ended)

    def ended(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.fail(task.exception())

    def fail(self, error):
        if not self.result.done():
            self.result.set_exception(error)

    def died(self, host):
        if host.number in self.rebooting:
            self.rebooting.discard(host.number)
            self.start(self.restart(host))
        elif host.number not in self.expected_deaths:
            self.fail(LabError(f"the kernel of host {host.number} died\n{console_tail(host)}"))

    # Requests of the hosts

    async def serve(self, host, port, ident, words):
        try:
            verb = getattr(self, "do_" + words[0].replace("-", "_"), None)
            if verb is None:
                raise LabError(f"unknown request '{words[0]}'")
            await verb(host, *words[1:])
        except LabError as error:
            port.answer(ident, f"error {error}")
        except (TypeError, ValueError):
            port.answer(ident, "error wrong arguments; see lab --help")
        else:
            port.answer(ident, "ok")

    async def do_up(self, host):
        """A host is ready.  The first one starts SCRIPT when we answer: not before all are up."""
        host.up.set_result(None)
        if host.number == 1 and host.boots == 1:
            await asyncio.gather(*(other.up for other in self.hosts.values()))

    async def do_exit(self, _host, status):
        if not self.result.done():
            self.result.set_result(int(status))

    async def do_log(self, _host, *words):
        say(" ".join(words))

    async def do_cut(self, _host, a, b):
        self.relay.cut(*self.link(a, b))

    async def do_restore(self, _host, a, b):
        self.relay.restore(*self.link(a, b))

    async def do_delay(self, _host, a, b, milliseconds):
        self.relay.delay(*self.link(a, b), float(milliseconds))

    async def do_kill(self, host, number):
        target = self.find(number)
        if target is host:
            raise LabError("a host that kills itself needs restart-self")
        await self.kill(target)

    async def do_restart(self, host, number):
        target = self.find(number)
        if target is host:
            raise LabError("a host that restarts itself needs restart-self")
        await self.restart(target)

    async def do_restart_self(self, host):
        await self.restart(host)

    async def do_expect_off(self, host):
        self.rebooting.add(host.number)

    async def do_killafter(self, _host, milliseconds):
        self.start(self.restart(self.hosts[1], float(milliseconds) / 1000))

    def find(self, number):
        host = self.hosts.get(int(number))
        if host is None:
            raise LabError(f"there is no host {number}")
        return host

    def link(self, a, b):
        if a == b:
            raise LabError("a link has two ends")
        return self.find(a).number, self.find(b).number

    async def kill(self, host):
        self.expected_deaths.add(host.number)
        await host.kill()
        self.relay.detach(host.number)

    async def restart(self, host, after=0):
        await asyncio.sleep(after)
        await self.kill(host)
        self.expected_deaths.discard(host.number)
        self.boot(host)
        await host.up


def host_output(host):
    """SCRIPT runs on the first host; what others say there is for whoever looks for a mistake."""
    return write_output if host.number == 1 else lambda data: sys.stderr.buffer.write(data)


def write_output(data):
    while data:
        data = data[os.write(1, data):]


def console_tail(host, lines=40):
    """The last of what a kernel said, less the guesses in its backtraces."""
    with open(host.console, errors="replace") as console:
        told = [line.rstrip() for line in console if "] ? " not in line]
    return f"host {host.number}, console:\n" + "".join(f"  | {line}\n" for line in told[-lines:])
