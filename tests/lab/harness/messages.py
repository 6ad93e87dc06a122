"""What the user is told, always on standard error."""

import sys


class LabError(Exception):
    """Something that ends the lab, and that the user is told in a line."""


def say(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)
