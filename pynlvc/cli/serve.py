"""Code for another process over standard input and output: libnlvc starts this where it needs the package."""

from __future__ import annotations

import argparse
import os
import sys

from pynlvc.bridge.messages import ProtocolError
from pynlvc.bridge.server import serve
from pynlvc.errors import NlvcError


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments: it has none."""


def run(arguments: argparse.Namespace) -> int:
    """Serves until standard input ends."""
    # Whatever prints must not get in between the answers.
    with os.fdopen(os.dup(1), "wb") as answers, os.fdopen(0, "rb", closefd=False) as requests:
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        try:
            serve(requests, answers)
        except ProtocolError as error:
            raise NlvcError(f"serve: {error}") from None
    return 0
