"""The network between the hosts: a switch that can cut and delay links.

Each host holds one end of a datagram socket pair, one Ethernet frame per datagram.  That needs no
privilege, no tap device and no bridge on the machine.
"""

import asyncio
import errno
import socket

BUFFER_BYTES = 1 << 20
FRAMES_PER_TURN = 64        # so that one busy host cannot keep the others from being served
# Of a full queue, and of a kernel that has died; Python has no class of its own for the last.
DROPPED = (errno.EAGAIN, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)


def mac_address(number):
    return f"02:00:00:00:00:{number:02x}"


def ip_address(number):
    return f"10.77.0.{number}"


class Relay:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.ends = {}          # host number -> our end of its socket pair
        self.cuts = set()       # frozenset of two host numbers
        self.delays = {}        # the same -> seconds

    def attach(self, number):
        """Gives the end for a new kernel; frames meant for the one before it are gone."""
        self.detach(number)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (ours, theirs):
            set_buffers(end)
            end.setblocking(False)
        self.ends[number] = ours
        self.loop.add_reader(ours, self.receive, number, ours)
        return theirs

    def detach(self, number):
        end = self.ends.pop(number, None)
        if end:
            self.loop.remove_reader(end)
            end.close()

    def receive(self, number, end):
        for _ in range(FRAMES_PER_TURN):
            try:
                frame = end.recv(65536)
            except BlockingIOError:
                return
            except ConnectionError:     # the kernel at the other end has died
                return
            for target in self.targets(number, frame):
                self.pass_on(frozenset((number, target)), target, frame)

    def targets(self, source, frame):
        """The addressee, or everybody else for broadcast and multicast."""
        if frame[:5] == b"\x02\0\0\0\0":
            return [frame[5]]
        return [number for number in self.ends if number != source]

    def pass_on(self, link, target, frame):
        if link in self.cuts:
            return
        if link in self.delays:
            self.loop.call_later(self.delays[link], self.deliver, link, target, frame)
        else:
            self.deliver(link, target, frame)

    def deliver(self, link, target, frame):
        if link in self.cuts or target not in self.ends:
            return
        try:
            self.ends[target].send(frame)
        except OSError as error:
            if error.errno not in DROPPED:      # like any switch, drop the frame
                raise

    def cut(self, a, b):
        self.cuts.add(frozenset((a, b)))

    def restore(self, a, b):
        """Undoes cut and delay."""
        self.cuts.discard(frozenset((a, b)))
        self.delays.pop(frozenset((a, b)), None)

    def delay(self, a, b, milliseconds):
        self.delays[frozenset((a, b))] = milliseconds / 1000


def set_buffers(end):
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        end.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
