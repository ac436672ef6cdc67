"""The README tells the truth: its commands and examples run, its figures are those of the table, its links exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.nlvc import NLVC_CODECS
from benchmarks.readme_table import README, with_results
from benchmarks.results import read_rows
from tests.clip_files import write_clip
from tests.clips import make_clip

PROJECT = README.parent
TEXT = README.read_text(encoding="utf-8")
MAKE_TARGETS = ("demo", "test", "lib", "install-lib")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def shell_commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines()]


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"


def test_results_are_those_of_the_table() -> None:
    rows = read_rows()
    assert rows, "the table of results is empty"
    assert with_results(TEXT, rows) == TEXT, "run: python -m benchmarks.readme_table"


def test_results_are_of_this_model() -> None:
    for codec in NLVC_CODECS:
        versions = {row.version for row in read_rows() if row.codec == codec.name}
        assert versions <= {codec.version()}, (
            f"measure again: python -m benchmarks.compare --codecs {codec.name} CLIP..."
        )


def test_commands_run_in_the_order_in_which_they_stand(tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mkv", make_clip(64, 48, 3), audio=True)
    commands = [shlex.split(line) for line in shell_commands() if line.startswith("python ")]
    assert len(commands) >= 5
    for command in commands:
        run([sys.executable, *command[1:]], tmp_path)
    assert (tmp_path / "back.mkv").exists()


def test_make_has_the_targets_that_are_named() -> None:
    named = [line.split()[1] for line in shell_commands() if line.startswith("make ")]
    assert named == list(MAKE_TARGETS)
    for target in named:
        run(["make", "--dry-run", target], PROJECT)


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    assert all(line.startswith(("python -m pynlvc ", "make ")) for line in shell_commands())


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_examples_run(number: int, tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mkv", make_clip(64, 48, 3), audio=True)
    (tmp_path / "example.py").write_text(blocks("python")[number], encoding="utf-8")
    run([sys.executable, "-W", "error", "example.py"], tmp_path)


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith("https://")]
    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []
