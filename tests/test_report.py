"""The report is one whole page without anything to load, and its figures are those of the file."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import pynlvc
from benchmarks.harness import frame_md5, load_source
from benchmarks.report_opening import LIMIT_BYTES, LIMIT_SECONDS, SCREENS, TABLE, write_long_clip
from pynlvc.codec import Decoder, EncoderSettings
from pynlvc.codec.decoder import FrameCosts
from pynlvc.codec.pixel_formats import PIXEL_FORMATS
from pynlvc.errors import BitstreamError, NlvcError, UsageError
from pynlvc.report import album
from pynlvc.report.album import Album, AlbumMaker
from pynlvc.report.chart import bars, ceiling
from pynlvc.report.costs import DecodedRecord, FrameRecord, read_costs
from pynlvc.report.report import report, write_report
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import folder_names, run_pynlvc

VOID = {"meta", "input", "img", "rect", "line"}


class Page(HTMLParser):
    """Checks that tags nest, and collects what the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []  # what attributes point to
        self.tables: dict[str, list[list[str]]] = {}
        self.labels: list[str] = []
        self.classes: list[str] = []
        self._table = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids += [values["id"]] if "id" in values else []
        self.labels += [values["for"]] if tag == "label" else []
        self.classes += [values["class"]] if tag == "rect" else []
        self.references += [values[name] for name in ("src", "href", "action", "data") if name in values]
        if tag == "img":
            assert "alt" in values
        if tag == "table":
            self._table = values.get("id", "")
            self.tables[self._table] = []
        if tag == "tr":
            self.tables[self._table].append([])
        if tag in ("td", "th"):
            self.tables[self._table][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and ("td" in self.open or "th" in self.open):
            self.tables[self._table][-1][-1] += data


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with a scene cut as NLVC: keyframes at 0, 3 and 4."""
    folder = tmp_path_factory.mktemp("report")
    source = write_clip(folder / "in.mkv", make_clip(112, 80, 6, seed=5, cuts=(4,)))
    pynlvc.transcode(source, folder / "a&b.mkv", settings=EncoderSettings(gop=3, model="fast", effort=3))
    return folder / "a&b.mkv"


@pytest.fixture(scope="module")
def text(coded: Path) -> str:
    return report(coded)


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def size_of(picture: str) -> tuple[int, int]:
    with av.open(io.BytesIO(base64.b64decode(picture)), "r") as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


def test_page_is_whole_and_accessible(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.labels) == {"frame", "strength"} <= set(page.ids)
    script = text[text.rindex("<script>") :]
    assert set(re.findall(r'element\("(\w+)"\)', script)) <= set(page.ids)
    assert '<html lang="en">' in text and "a&amp;b.mkv" in text and "a&b.mkv" not in text
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text


def test_nothing_is_loaded(text: str) -> None:
    assert all(reference.startswith("data:image/") for reference in Page(text).references)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|fetch\(|XMLHttp|import\(", re.sub(r"//.*", "", text))
    assert "default-src 'none'" in text


def test_parts_add_up_to_the_bytes_of_the_video(coded: Path, text: str) -> None:
    track = pynlvc.info(coded)
    head, *rows, total = Page(text).tables["shares"]
    assert head == ["part", "bytes", "share", "keyframes", "predicted"]
    assert {"plane Y", "plane U", "plane V", "motion vectors", "headers and checksums"} <= {row[0] for row in rows}
    assert number(total[1]) == track.coded_bytes == sum(number(row[1]) for row in rows)
    assert number(total[3]) == track.keyframe_bytes == sum(number(row[3]) for row in rows)
    assert number(total[4]) == track.inter_bytes == sum(number(row[4]) for row in rows)
    assert min(number(row[1]) for row in rows) > 0
    assert sum(float(row[2].rstrip("%")) for row in rows) == pytest.approx(100, abs=0.05)
    frames = Page(text).tables["frames"][1:]
    assert sum(number(row[3]) for row in frames) == track.coded_bytes


def test_keyframes_and_cuts_are_marked(coded: Path, text: str) -> None:
    page = Page(text)
    assert page.classes == ["key", "inter", "inter", "key", "cut", "inter"]
    assert [row[2] for row in page.tables["frames"][1:]] == [
        *("keyframe", "predicted", "predicted", "keyframe", "scene cut", "predicted")
    ]
    assert text.count("▲</span> keyframe") == 1 and text.count("◆</span>") == 2  # one in the chart, one in the legend


def test_every_frame_has_a_picture_and_a_cost_map(text: str) -> None:
    data = data_of(text)
    assert len(data["frames"]) == len(data["pictures"]) == 6
    assert {size_of(picture) for picture in data["pictures"]} == {(112, 80)}
    assert size_of(data["sheet"]) == (6 * 7, 5)
    assert data["frames"][4]["text"].startswith("frame 4, 0.16 s, scene cut, ")


def test_cost_maps_say_what_the_decoder_found(coded: Path) -> None:
    for decoded in read_costs(coded):
        cells = album.pooled(decoded.costs.blocks, 2, (112, 80))
        assert cells.shape == (3, 4)
        assert cells[0, 0] == pytest.approx(decoded.costs.blocks[:2, :2].sum() / 1024)
        assert cells[2, 3] == pytest.approx(decoded.costs.blocks[4:, 6:].sum() / 256)  # of the corner, 16x16 are left
        assert sum(decoded.record.parts.values()) == pytest.approx(decoded.record.packet_bytes)


def noise_album(frames: int, width: int = 320, height: int = 240) -> Album:
    """An album of pictures that nothing compresses."""
    maker = AlbumMaker(width, height, frames)
    rng = np.random.default_rng(1)
    picture = av.VideoFrame.from_ndarray(rng.integers(0, 256, (height, width, 3), np.uint8), format="rgb24")
    for index in range(frames):
        blocks = rng.random((-(-height // 16), -(-width // 16)), np.float32) * 2048
        record = FrameRecord(index, index / 25, index == 0, False, 1, {}, ("model",), 0)
        maker.add(DecodedRecord(record, picture, FrameCosts((1.0,), 0.0, blocks)))
    return maker.finish()


def test_pages_stay_below_five_megabytes_whatever_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    largest_sheet = album.MOST_PICTURES * album.MAP_CELLS * 5 / 8  # 32 levels, without a pattern
    largest_text = 600 * 200 + 2000 * 150 + 40_000  # bars, table, all else
    assert (album.PICTURE_BYTES + largest_sheet) * 4 / 3 + largest_text < 5_000_000
    monkeypatch.setattr(album, "PICTURE_BYTES", 80_000)
    made = noise_album(40, 160, 120)
    assert made.frames[:2] == (0, 2), "every other picture was left out"
    assert 30_000 < sum(map(len, made.pictures)) <= 80_000
    assert len(made.sheet) <= len(made.frames) * 80 * 5 / 8 * 1.1 + 2000


def test_fewer_pictures_are_larger() -> None:
    made = [noise_album(frames, 1280, 720) for frames in (1, 30)]
    assert [(album.width, album.height) for album in made] == [(740, 416), (740, 416)]
    assert noise_album(300, 32, 16).width == 32, "none is enlarged"


def test_long_clips_share_pictures_and_bars() -> None:
    made = noise_album(700, 32, 16)
    assert made.frames == tuple(range(0, 700, 3))
    records = [FrameRecord(n, n / 25, n % 50 == 0, n == 100, 100 + n, {}, ("model",), 0) for n in range(1501)]
    chart = bars(records)
    assert (len(chart), chart[0].frames, chart[-1].frames) == (501, 3, 1)
    assert chart[1].bits == 8 * 104 and not chart[1].keyframe
    assert chart[33].scene_cut and chart[16].keyframe
    assert [ceiling(value) for value in (0.5, 1, 1.1, 2.2, 30, 51)] == [1, 1, 2, 2.5, 50, 100]


def test_pictures_of_other_formats(tmp_path: Path, model_path: Path) -> None:
    for pix_fmt, planes in (("gray16le", ["plane Y"]), ("gbrap10le", ["plane G", "plane B", "plane R", "alpha plane"])):
        source = write_clip(tmp_path / f"{pix_fmt}.mkv", make_clip(40, 24, 2, pix_fmt=pix_fmt))
        settings = EncoderSettings(model=str(model_path), embed_model=True)
        pynlvc.transcode(source, tmp_path / f"{pix_fmt}.nut", settings=settings)
        rows = Page(report(tmp_path / f"{pix_fmt}.nut")).tables["shares"][1:]
        names = [row[0] for row in rows]
        assert names[: len(planes)] == planes
        assert number(rows[names.index("embedded model")][3]) == model_path.stat().st_size


def test_every_pixel_format_has_pictures() -> None:
    for name in PIXEL_FORMATS:
        for width, height in ((1, 1), (21, 17)):
            picture = av.VideoFrame(width, height, name)
            for plane in picture.planes:
                np.ndarray(plane.buffer_size, np.uint8, buffer=memoryview(plane)).fill(0)
            blocks = np.ones((-(-height // 16), -(-width // 16)), np.float32)
            maker = AlbumMaker(width, height, 1)
            maker.add(
                DecodedRecord(FrameRecord(0, 0, True, False, 1, {}, ("model",), 0), picture, FrameCosts((), 0, blocks))
            )
            assert len(maker.finish().pictures) == 1, name


def test_peers_are_measured_and_proven(coded: Path, tmp_path: Path) -> None:
    text = report(coded, peers=["ffv1", "x265"])
    _, own, *rows = Page(text).tables["others"]
    assert number(own[1]) == pynlvc.info(coded).coded_bytes
    assert [row[0] for row in rows] == ["ffv1", "x265"]
    assert all(2000 < number(row[1]) < 6 * 112 * 80 * 1.5 for row in rows)
    assert "-preset veryslow -x265-params lossless=1:info=0:log-level=none:keyint=3" in text
    grey = write_clip(tmp_path / "grey.mkv", make_clip(48, 32, 2, pix_fmt="gray"))
    pynlvc.transcode(grey, tmp_path / "grey.nut")
    assert "-c:v libx264 " in report(tmp_path / "grey.nut", peers=["x264"])
    deep = write_clip(tmp_path / "deep.mkv", make_clip(48, 32, 2, pix_fmt="gray16le"))
    pynlvc.transcode(deep, tmp_path / "deep.nut")
    assert "takes no gray16le" in report(tmp_path / "deep.nut", peers=["x264"])


def test_analysis_changes_nothing_that_is_decoded(coded: Path) -> None:
    with av.open(str(coded)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    plain, analysing = Decoder(), Decoder(analysis=True)
    for packet, decoded in zip(packets, read_costs(coded), strict=True):
        (first,), (second,) = plain.decode(packet), analysing.decode(packet)
        for a, b, c in zip(*map(pynlvc.frame_planes, (first, second, decoded.picture)), strict=True):
            assert (a == b).all() and (a == c).all()
    assert plain.costs is None and analysing.costs is not None


def test_what_cannot_be_reported_is_named(coded: Path, small_clip_path: Path, tmp_path: Path) -> None:
    with pytest.raises(NlvcError, match="holds ffv1: a report is made of NLVC files"):
        report(small_clip_path)
    with pytest.raises(UsageError, match="unknown peer 'h999': choose from ffv1, x264"):
        report(coded, peers=["h999"])
    with pytest.raises(UsageError, match="not a file"):
        write_report("-", tmp_path / "page.html")
    data = bytearray(coded.read_bytes())
    (tmp_path / "cut.mkv").write_bytes(data[:-200])
    with pytest.raises(NlvcError, match="cut off"):
        report(tmp_path / "cut.mkv")
    data[len(data) // 2] ^= 1
    (tmp_path / "damaged.mkv").write_bytes(data)
    with pytest.raises(BitstreamError, match="packet"):
        report(tmp_path / "damaged.mkv")


def test_the_command_writes_a_page_beside_the_file(coded: Path, tmp_path: Path) -> None:
    file = tmp_path / "clip.mkv"
    file.write_bytes(coded.read_bytes())
    done = run_pynlvc("report", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path / 'clip.html'}: {(tmp_path / 'clip.html').stat().st_size} bytes\n"
    again = run_pynlvc("report", file)
    assert again.returncode == 2 and "exists already: use --force" in again.stderr
    assert run_pynlvc("report", file, "--force", "-o", tmp_path / "other.html").returncode == 0
    assert folder_names(tmp_path) == ["clip.html", "clip.mkv", "other.html"]


def test_a_report_of_300_frames_is_small_and_opens_at_once() -> None:
    """As `python -m benchmarks.report_opening` measured it, and as the README says."""
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["screen"] for row in rows} == set(SCREENS)
    for row in rows:
        assert int(row["frames"]) == 300 and float(row["slowest_seconds"]) < 1 < LIMIT_SECONDS
        assert int(row["page_bytes"]) < LIMIT_BYTES and int(row["overflow"]) == 0
        said = f"has {int(row['page_bytes']) / 1e6:.1f} MB and opens in less than a second"
        assert said in (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_clips_are_joined_and_repeated(tmp_path: Path) -> None:
    clips = [write_clip(tmp_path / f"{seed}.mkv", make_clip(32, 16, 2, seed=seed)) for seed in range(2)]
    write_long_clip(clips, 7, tmp_path / "long.mkv")
    hashes = [frame_md5(frame) for frame in load_source(tmp_path / "long.mkv").frames]
    singles = [frame_md5(frame) for clip in clips for frame in load_source(clip).frames]
    assert hashes == (singles * 2)[:7]
    with pytest.raises(ValueError, match="differ"):
        write_long_clip([clips[0], write_clip(tmp_path / "x.mkv", make_clip(16, 16, 2))], 7, tmp_path / "no.mkv")
