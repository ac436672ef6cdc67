"""The harness measures what it says: exact codecs pass, inexact ones are caught, unsupported formats are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks import ablation, blind_model, compare, demo, diffusion, performance_tables, results
from benchmarks.harness import Codec, Coded, Source, hash_in_process, load_source, measure
from benchmarks.nlvc import NLVC_CODECS
from benchmarks.peers import PEERS
from benchmarks.readme_table import render
from benchmarks.results import Row
from benchmarks.stages import stage_of
from pynlvc.model.diffusion.modelfile import DiffusionModel
from pynlvc.model.store import load_model
from tests.clip_files import write_clip
from tests.clips import make_clip

ROW = Row(
    clip="akiyo_cif",
    width=352,
    height=288,
    frames=21,
    pix_fmt="yuv420p",
    codec="x265-veryslow",
    status="ok",
    raw_bytes=3193344,
    coded_bytes=1000,
    encode_fps=1.5,
    decode_fps=20.25,
    coded_as="yuv420p",
    settings="-preset x",
    version="1",
    machine="m",
    load=0.5,
)


class Lossy:
    """A codec that changes one sample of the last frame."""

    name = "lossy"

    def carrier(self, pix_fmt: str) -> str | None:
        return pix_fmt if pix_fmt == "yuv420p" else None

    def settings(self, source: Source) -> str:
        return ""

    def version(self) -> str:
        return ""

    def encode(self, source: Source) -> Coded:
        return Coded(packets=[bytes(frame.planes[0]) for frame in source.frames], header=b"head")

    def decode(self, coded: Coded, source: Source) -> list[av.VideoFrame]:
        last = source.frames[-1].reformat(format="gray").reformat(format="yuv420p")
        return [*source.frames[:-1], last]


def source_of(folder: Path, pix_fmt: str) -> Source:
    codec = "rawvideo" if pix_fmt == "gbrp" else "ffv1"
    return load_source(write_clip(folder / "clip.nut", make_clip(64, 48, 3, pix_fmt=pix_fmt), codec=codec))


@pytest.mark.parametrize("codec", [*NLVC_CODECS, *PEERS], ids=lambda codec: codec.name)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "gbrp"])
def test_all_codecs_are_exact(codec: Codec, pix_fmt: str, tmp_path: Path) -> None:
    source = source_of(tmp_path, pix_fmt)
    row = compare.run(codec, source)
    assert row.status == "ok"
    assert 0 < row.coded_bytes < row.raw_bytes == 3 * 64 * 48 * (3 if pix_fmt == "gbrp" else 1.5)
    assert row.encode_fps > 0 < row.decode_fps
    assert row.settings


def test_a_changed_sample_is_found(tmp_path: Path) -> None:
    source = source_of(tmp_path, "yuv420p")
    assert compare.run(Lossy(), source).status == "DECODES WRONG"
    result = measure(Lossy(), source, hash_source=hash_in_process, hash_decoded=hash_in_process)
    assert result.status == "DECODES WRONG"
    assert result.coded_bytes == 4 + sum(len(bytes(frame.planes[0])) for frame in source.frames)


def test_a_format_that_a_codec_lacks_is_named_and_never_converted(tmp_path: Path) -> None:
    source = source_of(tmp_path, "yuv422p10le")
    row = compare.run(Lossy(), source)
    assert (row.status, row.coded_bytes) == ("unsupported format", 0)
    with pytest.raises(ValueError, match="yuv422p10le cannot become yuv420p"):
        source.in_format("yuv420p")


def test_rows_survive_the_table_and_replace_their_predecessors(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    results.add_row(ROW, path)
    results.add_row(replace(ROW, codec="nlvc", coded_bytes=800), path)
    results.add_row(replace(ROW, codec="nlvc", coded_bytes=750), path)
    rows = results.read_rows(path)
    assert rows == [replace(ROW, codec="nlvc", coded_bytes=750), ROW]
    assert results.ratio_to(rows, ROW.clip, "nlvc") == 0.75
    assert results.mean_ratio(rows, [ROW.clip], "nlvc") == 0.75
    assert results.mean_ratio(rows, [ROW.clip, "another"], "nlvc") is None


def test_inexact_rows_count_for_nothing() -> None:
    rows = [ROW, replace(ROW, codec="nlvc", coded_bytes=1, status="DECODES WRONG")]
    assert results.ratio_to(rows, ROW.clip, "nlvc") is None
    assert "DECODES WRONG" in render(rows)


def test_compare_writes_table_and_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "clip.mkv", make_clip(64, 48, 2))
    table, chart = tmp_path / "table.tsv", tmp_path / "chart.png"
    arguments = [str(clip), "--codecs", "x265-veryslow,ffv1-gop1", "--output", str(table), "--chart", str(chart)]
    assert compare.main(arguments) == 0
    assert {row.codec for row in results.read_rows(table)} == {"x265-veryslow", "ffv1-gop1"}
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert "bytes" in capsys.readouterr().out


def test_compare_names_unknown_codecs_and_missing_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, named in (["--codecs", "h999"], "h999"), ([str(tmp_path / "none.mkv")], "none.mkv"):
        with pytest.raises(SystemExit) as caught:
            compare.main(arguments)
        assert caught.value.code == 2
        assert named in capsys.readouterr().err


def test_demo_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    clip = write_clip(tmp_path / "clip.mkv", make_clip(64, 48, 3), audio=True)
    assert demo.main(["--input", str(clip)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("every sample equals the source") == 2
    assert printed.count(" exact\n") == len(demo.SHOWN)
    assert (tmp_path / "demo" / "out.mkv").exists()


def test_demo_names_a_missing_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--input", str(tmp_path / "none.mkv"), "--output", str(tmp_path / "out.mkv")]) == 1
    assert "none.mkv" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_ablation_changes_one_setting_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "clip.mkv", make_clip(64, 48, 3, seed=2))
    assert ablation.main([str(clip), "--output", str(tmp_path / "table.tsv")]) == 0
    rows = [line.split("\t") for line in (tmp_path / "table.tsv").read_text().splitlines()]
    assert rows[0] == ["setting", "clip", "clip ratio", "mean ratio"]
    assert [row[0] for row in rows[1:]] == list(ablation.VARIANTS)
    assert rows[1][2:] == ["1.0000", "1.0000"]
    sizes = {row[0]: int(row[1]) for row in rows[1:]}
    assert sizes["keyframes only"] != sizes["defaults"] != sizes["model fast"]


def test_the_transformer_is_measured_with_and_without_its_reference(tmp_path: Path) -> None:
    clips, pictures = tmp_path / "clips", tmp_path / "pictures"
    for folder in (clips, pictures):
        folder.mkdir()
    for seed in range(2):
        write_clip(clips / f"{seed}.mkv", make_clip(112, 96, 3, seed=seed))
    blind, table = tmp_path / "blind.nlvm", tmp_path / "table.tsv"
    assert blind_model.main([str(clips), str(pictures), str(blind), "--steps", "2"]) == 0
    shipped = DiffusionModel.from_bytes(load_model("diffusion").data)
    made = DiffusionModel.from_bytes(blind.read_bytes())
    assert made.networks[0].out.weight.tobytes() == shipped.networks[0].out.weight.tobytes()
    inter, former = made.networks[1], shipped.networks[1]
    assert not inter.embed.weight[:, -24:].any() and not inter.linear[:, :, -24:].any()
    assert inter.after.inner.weight.tobytes() == former.after.inner.weight.tobytes()
    unseen = np.abs(inter.embed.weight[:, :-24].astype(int) - former.embed.weight[:, :-24])
    assert np.median(unseen) == 0, "the other weights stay what they are"
    clip = write_clip(tmp_path / "clip.mkv", make_clip(40, 24, 2, seed=2))
    common = [str(clip), "--output", str(table)]
    assert diffusion.main([*common, "--slopes", "0,2", "--blind", str(blind)]) == 0
    assert diffusion.main([*common, "--slopes", "2"]) == 0
    assert diffusion.main([*common, "--slopes", "2", "--blind", str(blind), "--one-keyframe"]) == 0
    rows = diffusion.read_table(table)
    names = ["delta 0", "delta 2", "delta 2, no reference embedding"]
    assert [key[2] for key in rows] == [
        *names,
        "delta 2, one keyframe",
        "delta 2, one keyframe, no reference embedding",
    ]
    assert all(row["status"] == "ok" and int(row["x265_bytes"]) > 0 for row in rows.values())


def test_performance_document_has_the_figures_of_the_tables() -> None:
    text = performance_tables.DOCUMENT.read_text(encoding="utf-8")
    figures = performance_tables.render(performance_tables.read("speed.tsv"), performance_tables.read("stages.tsv"))
    assert performance_tables.with_figures(text, figures) == text, "run: python -m benchmarks.performance_tables"


@pytest.mark.parametrize(
    ("function", "stage"),
    [
        ("nlvc::(anonymous namespace)::half::dense_rows<16, nlvc::(anonymous namespace)::Beside>", "network"),
        ("nlvc::(anonymous namespace)::open_half", "mixture and first bounds"),
        ("nlvc::(anonymous namespace)::search", "range coder and search"),
        ("nlvc::Encoder::search(nlvc::Grid<unsigned short> const&)", "motion"),
        ("nlvc::(anonymous namespace)::around_rows<16>", "motion"),
        ("nlvc::(anonymous namespace)::half::gather_bytes", "taps, means, errors"),
        ("nlvc::skew<unsigned short, signed char>", "skewed context planes"),
        ("_PyEval_EvalFrameDefault", "everything else"),
    ],
)
def test_functions_belong_to_their_stages(function: str, stage: str) -> None:
    assert stage_of(function) == stage
