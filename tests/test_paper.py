"""docs/paper.md tells what was measured, and the benchmark behind it measures what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import paper_codecs as codecs_module
from benchmarks import paper_figures, paper_table, reproduce_neurallvc
from benchmarks.diffusion import read_table
from benchmarks.diffusion_table import worth_of_reference
from benchmarks.frame_sizes import PEER, FrameSize, add_sizes, peer_sizes, read_sizes
from benchmarks.harness import hash_in_process, load_source, measure
from benchmarks.paper_codecs import PngPlanes, paper_codecs
from benchmarks.paper_figures import draw_all
from benchmarks.paper_table import (
    DOCUMENT,
    TABLE,
    TRANSFORMER_TABLE,
    mean,
    percent,
    read_short_rows,
    training_cost,
    transformer_rows,
    with_tables,
)
from benchmarks.results import FOLDER, Row, mean_ratio, read_rows
from pynlvc.model.store import model_names
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.test_benchmarks import ROW, source_of

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_tables_are_those_of_the_measurements() -> None:
    rows, short = read_rows(TABLE), read_short_rows()
    assert rows and short and all(row.ok for row in [*rows, *short])
    assert with_tables(TEXT, rows, short) == TEXT, "run: python -m benchmarks.paper_table"


def test_the_transformer_beside_x265_is_as_measured() -> None:
    rows = read_rows(TABLE)
    ratio = mean_ratio(rows, ("foreman_cif", "silent_cif", "akiyo_cif", "tennis_sif"), "diffusion-d2")
    assert ratio is not None and f"it needs {ratio:.3f} of the bytes of x265-veryslow in the mean" in TEXT
    size = {(row.clip, row.frames, row.codec): row.coded_bytes for row in [*rows, *read_short_rows()]}
    steps = [(key, (*key[:2], f"diffusion-d{delta}")) for key in size for delta in (0, 1)]
    steps = [(steep, flat) for steep, flat in steps if steep[2] == "diffusion-d2" and flat in size]
    assert len(steps) >= 8 and all(size[steep] <= size[flat] for steep, flat in steps)


def test_figures_and_links_exist() -> None:
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", TEXT)]
    assert sum(link.endswith((".png", ".svg")) for link in links) == 6
    assert [link for link in links if not (DOCUMENT.parent / link).exists()] == []
    assert sum(path.stat().st_size for path in (DOCUMENT.parent / "paper").iterdir()) < 500_000


def test_figures_of_the_text_are_those_of_other_tables() -> None:
    model = (DOCUMENT.parent / "model.md").read_text(encoding="utf-8")
    found = re.search(r"\| ([\d,]+) or ([\d,]+) multiply", TEXT)
    assert found
    assert f"| fast | P, class 0 | 81 | {found[1]} |" in model
    assert f"| standard | P, class 0 | 81 | {found[2]} |" in model


def test_worth_is_that_of_the_ablation() -> None:
    table = (FOLDER / "ablation.tsv").read_text(encoding="utf-8").splitlines()
    ratio = {line.split("\t")[0]: float(line.split("\t")[-1]) for line in table[1:]}
    assert f"| {100 * (ratio['no corrections (effort 0)'] - 1):.1f} % of the bytes in the mean" in TEXT
    assert f"scene cuts save {100 * (ratio['no scene cuts'] - 1):.1f} % in the mean" in TEXT
    assert f"two instead of one cost {100 * (1 / ratio['one slice'] - 1):.1f} % |" in TEXT


def test_worth_of_the_reference_embedding_is_measured() -> None:
    worth = worth_of_reference(read_table(TRANSFORMER_TABLE))
    screen = [100 * (1 - ratio) for (clip, _), ratio in worth.items() if clip == "screen_rgb"]
    more = sorted(100 * (ratio - 1) for (clip, _), ratio in worth.items() if clip != "screen_rgb")
    said = f"{more[0]:.1f} to {more[-1]:.1f} % more bytes on {len(more)} clips, and {screen[0]:.0f} % fewer on a screen"
    assert said in TEXT and len(more) >= 10


def test_png_holds_every_plane(tmp_path: Path) -> None:
    source = source_of(tmp_path, "yuv420p")
    found = measure(PngPlanes(), source, hash_source=hash_in_process, hash_decoded=hash_in_process)
    assert found.status == "ok" and 0 < found.coded_bytes < source.raw_bytes
    assert PngPlanes().carrier("yuv422p10le") is None and PngPlanes().carrier("gbrp") is None


def test_codecs_are_the_papers_and_all_installed_models() -> None:
    names = [codec.name for codec in paper_codecs()]
    assert names[:5] == ["png", "x265-intra", "ffv1-gop300", "x264-veryslow", "x265-veryslow"]
    assert {name.rsplit("-d", 1)[0] for name in names[5:]} == set(model_names())
    assert {"standard-d0", "standard-d1", "standard-d2"} < set(names)


def test_a_model_that_is_installed_later_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`large` has a column, a row of its training and a curve as soon as it is there."""
    monkeypatch.setattr(codecs_module, "model_names", lambda: ("diffusion", "fast", "large", "other", "standard"))
    names = [codec.name for codec in paper_codecs()]
    assert names[-3:] == ["standard-d2", "large-d2", "other-d2"]
    for log in FOLDER.glob("training_*.tsv"):
        (tmp_path / log.name).write_bytes(log.read_bytes())
    (tmp_path / "training_large.tsv").write_bytes((FOLDER / "training_standard.tsv").read_bytes())
    for module in (paper_table, paper_figures):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    assert "| large | 76,000 | 3.7 |  |" in paper_table.training(read_rows(TABLE))
    drawn = paper_figures.training(tmp_path).read_text(encoding="utf-8")
    assert "large, P-frames" in drawn and "standard, P-frames" in drawn


def test_all_keyframes_are_larger(tmp_path: Path) -> None:
    source = source_of(tmp_path, "yuv420p")
    codecs = {codec.name: codec for codec in paper_codecs()}
    assert "keyint=1:" in codecs["x265-intra"].settings(source)
    intra, inter = (codecs[name].encode(source).size_bytes for name in ("x265-intra", "x265-veryslow"))
    assert intra > inter


def test_benchmark_writes_tables_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "akiyo_cif.mkv", make_clip(64, 48, 4))
    table, frames, figures = tmp_path / "table.tsv", tmp_path / "frames.tsv", tmp_path / "figures"
    arguments = [str(clip), "--codecs", "png,standard-d1,standard-d2", "--frames", "3", "--plot", str(clip)]
    arguments += ["--output", str(table), "--frame-table", str(frames), "--figures", str(figures)]
    assert reproduce_neurallvc.main(arguments) == 0
    assert {row.codec: row.frames for row in read_rows(table)} == {"png": 3, "standard-d1": 3, "standard-d2": 3}
    sizes = read_sizes(frames)
    assert {size.codec for size in sizes} == {"standard-d1", "standard-d2", PEER}
    own = [size for size in sizes if size.codec == "standard-d2"]
    assert [size.kind for size in own] == ["I", "P", "P"]
    row = next(row for row in read_rows(table) if row.codec == "standard-d2")
    assert sum(size.bytes for size in own) == row.coded_bytes
    names = {"groups.png", "patches.png", "training.svg", "slopes.svg", "rate_per_frame.svg", "composition.svg"}
    assert {path.name for path in figures.iterdir()} == names
    assert capsys.readouterr().out.count(" ok\n") == 3
    with pytest.raises(SystemExit):
        reproduce_neurallvc.main([str(clip), "--codecs", "nothing"])
    assert "unknown codec nothing" in capsys.readouterr().err


def test_peer_frames_are_in_display_order_and_add_up(tmp_path: Path) -> None:
    source = load_source(write_clip(tmp_path / "clip.mkv", make_clip(64, 48, 9)))
    sizes = peer_sizes(source)
    assert [size.frame for size in sizes] == list(range(9)) and sizes[0].kind == "I"
    peer = next(codec for codec in paper_codecs() if codec.name == PEER)
    assert sum(size.bytes for size in sizes) == pytest.approx(peer.encode(source).size_bytes, abs=400)


def test_tables_count_what_they_should(tmp_path: Path) -> None:
    rows: list[Row] = [replace(ROW, codec="a", raw_bytes=1000, coded_bytes=200), replace(ROW, clip="b", codec="a")]
    assert percent(rows, ROW.clip, "a") == 20
    assert percent([replace(rows[0], status="DECODES WRONG")], ROW.clip, "a") is None
    assert mean(rows, [ROW.clip, "missing"], "a") is None
    log = tmp_path / "log.tsv"
    log.write_text("step\tseconds\n1\t1800\n2\t3600\n3\t1800\n4\t7200\n")  # resumed after step 2
    assert training_cost(log) == ("4", "3.0")
    add_sizes([FrameSize("c", "x", 0, "I", 5)], tmp_path / "frames.tsv")
    add_sizes([FrameSize("c", "x", 0, "I", 7), FrameSize("c", "y", 0, "I", 9)], tmp_path / "frames.tsv")
    assert [size.bytes for size in read_sizes(tmp_path / "frames.tsv")] == [7, 9]


def test_rows_of_the_transformer_are_read(tmp_path: Path) -> None:
    table = tmp_path / "diffusion.tsv"
    head = (
        "clip width height pix_fmt frames variant status raw_bytes coded_bytes x265_bytes ratio encode_fps decode_fps"
    )
    cells = ["a", "352", "288", "yuv420p", "3", "delta 1", "ok", "1000", "300", "310", "0.97", "0.1", "0.2"]
    lines = ["\t".join([*head.split(), "model", "machine", "load"])]
    lines += ["\t".join([*cells, "hash", "m", "1.5"]), "\t".join([*cells[:5], "blind", *cells[6:], "hash", "m", "1.5"])]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (row,) = transformer_rows(table)
    assert (row.codec, row.frames, row.coded_bytes, row.version, row.ok) == ("diffusion-d1", 3, 300, "hash", True)
    assert transformer_rows(tmp_path / "none.tsv") == []


def test_figures_are_drawn_without_measurements(tmp_path: Path) -> None:
    assert [path.name for path in draw_all([], [], tmp_path)] == ["groups.png", "patches.png", "training.svg"]


def test_check_tells_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "paper.md"
    other.write_text(TEXT.replace("| png |", "| pgn |"), encoding="utf-8")
    monkeypatch.setattr(paper_table, "DOCUMENT", other)
    assert paper_table.main(["--check"]) == 1
    assert paper_table.main([]) == 0
    assert paper_table.main(["--check"]) == 0
