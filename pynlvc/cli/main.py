"""Parsing, signals and exit codes for all commands.

Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from pynlvc.cli.commands import COMMANDS
from pynlvc.errors import NlvcError, UsageError

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM


class _Terminated(BaseException):
    """SIGTERM, as an exception: partial files are removed on the way out."""


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def _list_commands() -> str:
    width = max(map(len, COMMANDS))
    return "\n".join(f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items())


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line, like all others."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pynlvc",
        description="Lossless video codec with a neural probability model.",
        epilog=f"commands:\n{_list_commands()}\n\npynlvc COMMAND --help tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="what to do, see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments of the command")
    return parser


def _dispatch(arguments: Sequence[str]) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        from pynlvc.version import __version__

        print(f"pynlvc {__version__}")
        return 0
    if options.command is None:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    if options.command not in COMMANDS:
        raise UsageError(f"unknown command {options.command!r}: choose one of {', '.join(COMMANDS)}")
    module = importlib.import_module(f"pynlvc.cli.{options.command}")
    command_parser = _Parser(
        prog=f"pynlvc {options.command}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(command_parser)
    return int(module.run(command_parser.parse_args(options.arguments)))


def _complain(text: str) -> None:
    """One line on stderr, whatever the text."""
    print(f"pynlvc: {' '.join(text.split())}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code; never raises for what a user or a file did wrong."""
    former = signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        code = _dispatch(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code
    except UsageError as error:
        _complain(str(error))
        return EXIT_USAGE
    except NlvcError as error:
        _complain(str(error))
        return EXIT_FAILURE
    except BrokenPipeError:
        # The reader of our output went away (`pynlvc framemd5 x.mkv | head`): stop quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except MemoryError:
        _complain("there is not enough memory")
        return EXIT_FAILURE
    except KeyboardInterrupt:
        _complain("interrupted")
        return EXIT_INTERRUPTED
    except _Terminated:
        _complain("terminated")
        return EXIT_TERMINATED
    finally:
        signal.signal(signal.SIGTERM, former)
