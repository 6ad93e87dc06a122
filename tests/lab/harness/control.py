"""What a host says to the harness, and the answers.

A host has one serial line.  On it travels the output of SCRIPT, with marks in between:

    \\0lab TOKEN ID VERB ARG...\\n

One stream for both keeps them in order: a request is seen after all that was printed before it.  The
answer goes back on the same line as "ID ok" or "ID error TEXT".  guest/lab is the other side.
"""

import asyncio
import socket


class MarkReader:
    """Tells marks from output."""

    def __init__(self, token):
        self.start = b"\0lab " + token.encode() + b" "
        self.pending = b""

    def feed(self, data):
        """Returns what is now complete, in order: bytes of output, and marks as lists of words."""
        self.pending += data
        found = []
        while True:
            at = self.pending.find(self.start)
            end = self.pending.find(b"\n", at) if at >= 0 else -1
            if end < 0:
                break
            found.append(self.pending[:at])
            found.append(self.pending[at + len(self.start):end].decode(errors="replace").split(" "))
            self.pending = self.pending[end + 1:]
        keep = len(self.pending) - at if at >= 0 else self.unfinished_start()
        output = len(self.pending) - keep
        found.append(self.pending[:output])
        self.pending = self.pending[output:]
        return [item for item in found if item]

    def unfinished_start(self):
        """How many bytes at the end may be the beginning of a mark."""
        for length in range(min(len(self.start) - 1, len(self.pending)), 0, -1):
            if self.pending.endswith(self.start[:length]):
                return length
        return 0


class Port:
    """Our end of one kernel's serial line."""

    def __init__(self, token, on_output, on_request):
        self.loop = asyncio.get_running_loop()
        self.reader = MarkReader(token)
        self.on_output = on_output
        self.on_request = on_request
        self.ours, self.theirs = socket.socketpair()
        self.loop.add_reader(self.ours, self.receive)

    def receive(self):
        try:
            data = self.ours.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.close()
            return
        for item in self.reader.feed(data):
            if isinstance(item, bytes):
                self.on_output(item)
            else:
                self.on_request(self, item[0], item[1:])

    def answer(self, ident, text):
        try:
            self.ours.sendall(f"{ident} {text}\n".encode())
        except OSError:
            pass        # the kernel that asked is gone

    def drain(self):
        """Takes what a kernel that has just died had sent."""
        try:
            while self.ours.fileno() >= 0:
                self.ours.setblocking(False)
                self.receive()
        except BlockingIOError:
            pass

    def close(self):
        if self.ours.fileno() >= 0:
            self.loop.remove_reader(self.ours)
            self.ours.close()
