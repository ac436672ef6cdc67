"""The command line: `python -m pynlvc COMMAND`. Each command is a module, listed in `pynlvc.cli.commands`."""

from pynlvc.cli.main import main

__all__ = ["main"]
