"""Every input that the fuzzers keep goes through their targets under AddressSanitizer and UBSan."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.media_files import PROJECT

FUZZ = PROJECT / "fuzz"
TARGETS = ("packet", "header", "model", "difference", "decode", "abi")


def test_the_corpus_finds_nothing(tmp_path: Path) -> None:
    command = ["make", "-s", "-C", str(FUZZ), f"-j{os.cpu_count()}", "replay", "CXX=g++", f"BUILD={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = [int(line.split()[0]) for line in done.stdout.splitlines() if line.endswith(" inputs")]
    assert counts == [len(list((FUZZ / "corpus" / target).iterdir())) for target in TARGETS]
    assert min(counts) > 0
