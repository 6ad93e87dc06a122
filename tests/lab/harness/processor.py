"""Which processor a User-Mode Linux kernel has.

It and its programs never run at once, and hand over to each other all the time: on one processor that costs less, and
starting a program takes two thirds of the time.
"""

import os
import socket


class Processors:
    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.lock = socket.socket(socket.AF_UNIX)
        self.first = self.claim()

    def claim(self):
        """The place of one that no other lab has claimed, or of any; it is ours while we live."""
        for place, number in enumerate(self.all):
            try:
                self.lock.bind(f"\0zumastor-lab-processor-{number}")    # abstract: nothing is left of it
                return place
            except OSError:
                continue
        return os.getpid()

    def of_host(self, number):
        """The hosts of a lab have different ones, as far as there are enough."""
        return self.all[(self.first + number - 1) % len(self.all)]
