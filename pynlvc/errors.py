"""What can go wrong, as exceptions whose text says what happened, where, and what to do."""

from __future__ import annotations


class NlvcError(Exception):
    """Base of all errors that pynlvc reports on purpose; the command line prints its text and exits with 1."""


class UsageError(NlvcError, ValueError):
    """The request itself cannot be meant (an existing target, an unknown option value): exit code 2."""


class UnsupportedFormatError(NlvcError, ValueError):
    """A pixel format, codec or container that cannot hold the samples exactly."""


class BitstreamError(NlvcError):
    """A packet or header is damaged, or no NLVC at all."""


class MissingModelError(NlvcError):
    """The stream needs a model that is not installed; the text names its hash."""


class ModelError(NlvcError):
    """A model file is absent, unknown or malformed."""
