"""Which processor a User-Mode Linux kernel has.

It and its programs never run at once, and hand over to each other all the time: on one processor that costs less, and
starting a program takes two thirds of the time.
"""

import contextlib
import os
import socket

MOST_LABS = 64     # on one processor


class Processors:
    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.lock = socket.socket(socket.AF_UNIX)
        self.first = self.claim()

    def claim(self):
        """The place of one that no more labs have claimed than any other; it is ours while we live."""
        for labs in range(MOST_LABS):
            for place, number in enumerate(self.all):
                with contextlib.suppress(OSError):
                    self.lock.bind(f"\0zumastor-lab-processor-{number}-{labs}")     # abstract: nothing is left of it
                    return place
        return 0

    def of_host(self, number):
        """The hosts of a lab have different ones, as far as there are enough."""
        return self.all[(self.first + number - 1) % len(self.all)]
