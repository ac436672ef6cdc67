"""Sums up the logs of libFuzzer, named after their targets (decode.log, decode.2.log): python -m fuzz.summarise LOG...

Writes benchmarks/results/fuzz.tsv. A finding is an input that ended a run: a crash, a leak, a timeout, too much memory.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import FOLDER

TABLE = FOLDER / "fuzz.tsv"


@dataclass
class Sum:
    """All runs of a target."""

    executions: int = 0
    edges: int = 0  # of the code, reached
    inputs: int = 0  # that reached something new and were kept
    findings: int = 0


def main(logs: list[Path]) -> None:
    """Reads the logs and writes the table."""
    sums: dict[str, Sum] = defaultdict(Sum)
    for log in logs:
        text = log.read_text(encoding="utf-8", errors="replace")
        total = sums[log.name.partition(".")[0]]
        total.executions += sum(map(int, re.findall(r"stat::number_of_executed_units: (\d+)", text)))
        total.inputs += sum(map(int, re.findall(r"stat::new_units_added: +(\d+)", text)))
        total.edges = max([total.edges, *map(int, re.findall(r"cov: (\d+)", text))])
        total.findings += len(re.findall(r"Test unit written to", text))
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["target", "executions", "edges", "inputs_kept", "findings"])
        for target, s in sorted(sums.items()):
            writer.writerow([target, s.executions, s.edges, s.inputs, s.findings])
        every = sums.values()
        writer.writerow(["all", sum(s.executions for s in every), "", "", sum(s.findings for s in every)])
    print(TABLE.read_text(), end="")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
