"""docs/model.md states the shapes as they are, and the shipped weights are those shapes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks import diffusion, diffusion_speed, diffusion_table
from pynlvc.model.architecture import SHAPES
from pynlvc.model.modelfile import IntegerModel
from pynlvc.model.store import find_model, load_model, model_names
from tests.clip_files import write_clip
from tests.clips import make_clip

DOCUMENT = Path(__file__).parents[1] / "docs" / "model.md"


def shape_rows() -> list[str]:
    """The table's rows from the code."""
    rows = []
    for shape in SHAPES.values():
        for network in shape.networks:
            name = f"{'IP'[network.frame_type]}, class {network.plane_class}"
            taps = sum(tap.revealed(2) for tap in network.inputs)
            rows.append(f"| {shape.name} | {name} | {taps} | {network.macs_per_sample(2):,} |")
    return rows


def test_the_table_of_shapes_is_true() -> None:
    text = DOCUMENT.read_text()
    written = text.split("compares) -->")[1].split("<!-- shapes: end")[0].split("\n")
    assert [line for line in written if line][2:] == shape_rows()


def test_every_released_model_is_still_here() -> None:
    """Files that name it by SHA-256 must decode for ever."""
    with (Path(__file__).parent / "golden" / "models.tsv").open() as table:
        released = list(csv.DictReader(table, delimiter="\t"))
    assert {row["name"] for row in released} == {*model_names()}, "a new model needs a row; no row may ever go"
    for row in released:
        found = find_model(bytes.fromhex(row["sha256"]))
        assert found is not None and found.data == load_model(row["name"]).data


def test_shipped_models_have_the_shapes_of_their_names() -> None:
    assert "standard" in model_names()
    for name in sorted(set(model_names()) & set(SHAPES)):
        model = IntegerModel.from_bytes(load_model(name).data)
        assert model.name == name
        shapes = {(shape.frame_type, shape.plane_class): shape for shape in SHAPES[name].networks}
        found = [(network.frame_type, network.plane_class) for network in model.networks]
        assert set(found) >= {key for key in shapes if key[1] < 3}, "only those for RGB may be missing"
        for network in model.networks:
            shape = shapes[network.frame_type, network.plane_class]
            assert (network.inputs, network.errors) == (shape.inputs, shape.errors)
            widths = [len(layer.weight) for layer in (network.layer1, network.layer2, network.layer3)]
            assert widths == [shape.h1, shape.h2, shape.g]


def test_the_tables_of_the_transformer_are_those_of_its_measurements() -> None:
    rows = diffusion.read_table(diffusion.TABLE)
    assert rows and all(row["status"] == "ok" for row in rows.values())
    text = diffusion_table.DOCUMENT.read_text(encoding="utf-8")
    assert diffusion_table.with_tables(text, rows) == text, "run: python -m benchmarks.diffusion_table"


def test_steeper_slopes_pay_on_every_clip_that_has_all_rows() -> None:
    rows = diffusion.read_table(diffusion.TABLE)
    compared = 0
    for clip, frames, variant in rows:
        names = ("delta 2", "delta 1", "delta 0")
        if variant != names[0] or any((clip, frames, name) not in rows for name in names):
            continue
        steep, middle, flat = (int(rows[clip, frames, name]["coded_bytes"]) for name in names)
        assert steep <= middle <= flat
        compared += 1
    assert compared >= 11


def test_the_reference_pays_where_the_document_says_so() -> None:
    worth = diffusion_table.worth_of_reference(diffusion.read_table(diffusion.TABLE))
    text = diffusion_table.DOCUMENT.read_text(encoding="utf-8")
    lost = [clip for (clip, _), ratio in worth.items() if ratio <= 1]
    assert lost == ["screen_rgb"] and "On `screen_rgb` it costs" in text
    assert len(worth) >= 11


def test_processor_time_of_the_transformer_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_clip(tmp_path / "clip.mkv", make_clip(40, 36, 3))
    table = tmp_path / "speed.tsv"
    assert diffusion_speed.main([str(clip), "--frames", "3", "--together", "2", "--output", str(table)]) == 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    ways = [(row["way"], row["together"], row["task"], row["frames"]) for row in rows]
    counts = [(way, together) for way in ("native", "cpu") for together in ("1", "2")]
    assert ways == [(*count, task, "2") for count in counts for task in ("encode", "decode")]
    assert all(float(row["processor_seconds"]) > 0 for row in rows)
    timed = diffusion_speed.time_frames
    monkeypatch.setattr(diffusion_speed, "time_frames", lambda way, *more: (*timed(way, *more)[:2], [way.encode()]))
    with pytest.raises(ValueError, match="cpu, 1 at once, does not give the bytes"):
        diffusion_speed.main([str(clip), "--frames", "2", "--output", str(tmp_path / "other.tsv")])
    lines = diffusion_table.speed(table)
    assert lines[2].startswith("| native code (the default) |") and lines[4].startswith("| PyTorch, `--device cpu` |")
    with pytest.raises(SystemExit):
        diffusion_speed.main([str(clip), "--frames", "1", "--output", str(table)])
