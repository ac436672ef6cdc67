"""The report as one HTML page that needs nothing but a browser: no other file, no network, no library."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

from pynlvc.media.info import TrackInfo
from pynlvc.report.album import SHEET_COLUMNS, Album, palette
from pynlvc.report.chart import Bar, bars, ceiling, draw, quantity
from pynlvc.report.costs import CORRECTED, EMBEDDED, HEADERS, MOTION, FrameRecord, part_names
from pynlvc.report.peers import PeerResult
from pynlvc.version import __version__

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
TABLE_FRAMES = 2000  # the table at the end has so many rows at most
COLOURS = 8  # --p0 .. --p7 in page.css


@dataclass(frozen=True)
class Findings:
    """Everything that a report tells."""

    track: TrackInfo
    records: list[FrameRecord]
    album: Album
    peers: list[PeerResult]
    file_bytes: int
    file_sha256: str


def render(found: Findings) -> str:
    """The whole page."""
    chart = bars(found.records)
    sections = [
        _tiles(found),
        _bits(found, chart),
        _pictures(found.album),
        _parts(found.records),
        _peers(found) if found.peers else "",
        _facts("Settings", _settings(found)),
        _facts("Checksums", _checksums(found)),
        _frames(found.records),
    ]
    name = escape(found.track.path.name)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: NLVC report</title><style>\n{_resource('page.css')}</style></head>\n"
        f'<body><header><h1>{name}</h1><p class="faint">{escape(_headline(found.track))}</p></header>\n<main>'
        f"{''.join(sections)}</main>\n"
        f'<footer class="faint"><p>Made by pynlvc {__version__}. Every frame was decoded and its checksum proven.</p>'
        f'</footer>\n<script id="data" type="application/json">{_data(found, chart)}</script>\n'
        f"<script>\n{_resource('page.js')}</script></body></html>\n"
    )


def _resource(name: str) -> str:
    return (resources.files("pynlvc.report") / name).read_text(encoding="utf-8")


def _headline(track: TrackInfo) -> str:
    rate = f", {float(track.frame_rate):.6g} frames/s" if track.frame_rate else ""
    return f"{track.width}×{track.height} {track.pix_fmt}{rate}, {track.duration_seconds:.3f} s, {track.container}"


def _tiles(found: Findings) -> str:
    track = found.track
    cuts = sum(record.scene_cut for record in found.records)
    tiles = (
        ("Frames", f"{track.frames:,}"),
        ("Video bytes", f"{track.coded_bytes:,}"),
        ("Bits per pixel", f"{track.bits_per_pixel:.3f}"),
        ("Smaller than raw", f"{track.ratio:.2f}×"),
        ("Keyframes", f"{track.keyframes:,}"),
        ("Scene cuts", f"{cuts:,}"),
    )
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in tiles)
    return f'<dl class="tiles">{cells}</dl>'


def _bits(found: Findings, chart: Sequence[Bar]) -> str:
    top = ceiling(max(bar.bits for bar in chart))
    largest = max(found.records, key=lambda record: record.packet_bytes)
    label = (
        f"Bars of bits per frame over {len(found.records)} frames. The largest is frame {largest.number} with "
        f"{quantity(8 * largest.packet_bytes)}; keyframes and scene cuts are marked below."
    )
    marks = "".join(
        f'<span class="{"cut" if bar.scene_cut else "key"}" style="left:{100 * (index + 0.43) / len(chart):.3f}%" '
        f'title="frame {bar.first}">{"◆" if bar.scene_cut else "▲"}</span>'
        for index, bar in enumerate(chart)
        if bar.keyframe
    )
    last = found.records[-1]
    shared = f" Each bar is the mean of {chart[0].frames} frames." if chart[0].frames > 1 else ""
    return (
        f'<section aria-labelledby="bits"><h2 id="bits">Bits per frame</h2>'
        f'<div class="chart"><div class="axis up"><span>{quantity(top)}</span><span>{quantity(top / 2)}</span>'
        f"<span>0</span></div>{draw(chart, escape(label))}"
        f'<div class="marks" aria-hidden="true">{marks}</div>'
        f'<div class="axis along"><span>frame 0</span><span>frame {last.number}, {last.seconds:.2f} s</span></div>'
        "</div>"
        '<ul class="keys"><li><span class="swatch" style="background:var(--inter)"></span>predicted frame</li>'
        '<li><span class="swatch" style="background:var(--key)"></span><span class="key">▲</span> keyframe</li>'
        '<li><span class="swatch" style="background:var(--cut)"></span><span class="cut">◆</span> keyframe at a scene '
        f'cut</li></ul><p class="faint">Click a bar to see its picture.{shared}</p></section>'
    )


def _pictures(album: Album) -> str:
    wide = 100 * album.map_columns * album.cell / album.picture_width
    high = 100 * album.map_rows * album.cell / album.picture_height
    colours = ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in palette())
    first = f"data:image/jpeg;base64,{_text(album.pictures[0])}"
    size = f'width="{album.width}" height="{album.height}"'
    return (
        '<section aria-labelledby="where"><h2 id="where">Where in the picture the bits go</h2>'
        "<noscript><p>Moving through the frames needs JavaScript; everything else does not.</p></noscript>"
        '<div class="controls"><label for="frame">Frame</label>'
        f'<input id="frame" type="range" min="0" max="{len(album.frames) - 1}" value="0">'
        '<label for="strength">Strength of the map</label>'
        '<input id="strength" type="range" min="0" max="100" value="65"><output id="said" for="frame"></output>'
        '</div><div class="views"><figure><div class="stage">'
        f'<img id="picture" src="{first}" alt="the decoded picture" {size}></div>'
        "<figcaption>decoded picture (reduced, for viewing)</figcaption></figure>"
        f'<figure><div class="stage"><img id="under" class="under" src="{first}" alt="" {size}>'
        f'<canvas id="map" role="img" aria-label="cost map" width="{album.map_columns}" height="{album.map_rows}" '
        f'style="width:{wide:.3f}%;height:{high:.3f}%"></canvas></div>'
        f"<figcaption>bits per pixel in blocks of {album.cell}×{album.cell}, all planes together"
        f'<div class="scale" style="background:linear-gradient(90deg, {colours})"></div>'
        f'<div class="ends"><span>{album.bottom:.2f} and less</span><span>{(album.bottom + album.top) / 2:.2f}</span>'
        f"<span>{album.top:.2f} and more</span></div>"
        "</figcaption></figure></div></section>"
    )


def _parts(records: list[FrameRecord]) -> str:
    """Bytes by part, of keyframes, of the other frames and together; whole bytes that add up."""
    names = part_names(records)
    kinds = ([record for record in records if record.keyframe], [record for record in records if not record.keyframe])
    columns = [whole_bytes(kind, names) for kind in kinds]
    totals = [sum(column) for column in columns]
    total = sum(totals)
    rows, stack = "", ""
    for index, (name, key, inter) in enumerate(zip(names, *columns, strict=True)):
        colour = f"var(--p{index % COLOURS})"
        stack += f'<i style="flex:{max(0, key + inter)};background:{colour}" title="{name}"></i>'
        rows += (
            f'<tr><th scope="row"><span class="swatch" style="background:{colour}"></span>{name}</th>'
            f"<td>{key + inter:,}</td><td>{(key + inter) / total:.2%}</td><td>{key:,}</td><td>{inter:,}</td></tr>"
        )
    return (
        '<section aria-labelledby="parts"><h2 id="parts">What the bits are for</h2>'
        f'<div class="stack" aria-hidden="true">{stack}</div><div class="scroll"><table id="shares"><thead><tr>'
        '<th scope="col">part</th><th scope="col">bytes</th><th scope="col">share</th><th scope="col">keyframes</th>'
        f'<th scope="col">predicted</th></tr></thead><tbody>{rows}</tbody><tfoot><tr><th scope="row">all</th>'
        f"<td>{total:,}</td><td>100.00%</td><td>{totals[0]:,}</td><td>{totals[1]:,}</td></tr>"
        '</tfoot></table></div><p class="faint">Planes and motion as the range coder counts them; which correction a '
        f"block takes counts with its plane. {HEADERS.capitalize()}: all else, rounding to whole bytes included.</p>"
        "</section>"
    )


def whole_bytes(records: Sequence[FrameRecord], names: Sequence[str]) -> list[int]:
    """Bytes of each part over the frames, rounded so that their sum is that of the packets."""
    sums = {name: round(sum(record.parts.get(name, 0.0) for record in records)) for name in names}
    sums[HEADERS] += sum(record.packet_bytes for record in records) - sum(sums.values())
    return [sums[name] for name in names]


def _peers(found: Findings) -> str:
    own = found.track.coded_bytes
    rows = f'<tr><th scope="row">this file</th><td>{own:,}</td><td>1.000</td><td></td><td class="long">NLVC</td></tr>'
    for peer in found.peers:
        name, settings = escape(peer.name), escape(peer.settings)
        if peer.coded_bytes:
            numbers = f"<td>{peer.coded_bytes:,}</td><td>{peer.coded_bytes / own:.3f}</td>"
            numbers += f"<td>{found.track.frames / max(peer.seconds, 1e-9):.1f}</td>"
        else:
            numbers = "<td></td><td></td><td></td>"
        rows += f'<tr><th scope="row">{name}</th>{numbers}<td class="long">{settings}</td></tr>'
    return (
        '<section aria-labelledby="peers"><h2 id="peers">The same frames in other codecs</h2><div class="scroll">'
        '<table id="others"><thead><tr><th scope="col">codec</th><th scope="col">bytes</th>'
        '<th scope="col">to this file</th><th scope="col">frames/s</th>'
        '<th scope="col" class="long">settings</th></tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="faint">Packets and headers without container; each was decoded '
        "and gave back every sample. frames/s: of encoding, here and now.</p></section>"
    )


def _settings(found: Findings) -> list[tuple[str, str]]:
    track, stream = found.track, found.track.stream
    assert stream is not None, "the file is NLVC"
    fewest, most = stream.slices
    modes = Counter(mode for record in found.records for mode in record.slice_modes)
    corrected = sum(CORRECTED in record.parts for record in found.records)
    embedded = "embedded in the file" if stream.model_embedded else "installed here, not in the file"
    if stream.model_difference is not None:
        embedded = f"fitted to the video: {stream.model_difference[1]:,} bytes of differences to an installed one"
    return [
        ("model", f"{stream.model or 'unknown'} ({embedded})"),
        ("slope δ of the groups", f"{stream.delta}"),
        ("GOP", f"at most {track.longest_gop} frames from keyframe to keyframe"),
        ("slices", f"{fewest} in a frame" if fewest == most else f"{fewest} to {most} in a frame"),
        ("slices are coded as", ", ".join(f"{mode} ({count:,})" for mode, count in sorted(modes.items()))),
        ("effort", f"new corrections in {corrected} of {track.frames} frames (the stream does not name the effort)"),
        ("time base", f"{stream.time_base} s"),
    ]


def _checksums(found: Findings) -> list[tuple[str, str]]:
    assert found.track.stream is not None, "the file is NLVC"
    return [
        ("frames", f"{len(found.records)} of {len(found.records)} have the CRC-32C that their packets name"),
        ("file", f"SHA-256 {found.file_sha256}, {found.file_bytes:,} bytes"),
        ("model", f"SHA-256 {found.track.stream.model_hash}"),
    ]


def _facts(title: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f'<section><h2>{title}</h2><table class="facts"><tbody>{cells}</tbody></table></section>'


def _frames(records: Sequence[FrameRecord]) -> str:
    rows = "".join(
        f"<tr><td>{record.number}</td><td>{record.seconds:.3f}</td><td>{_kind(record)}</td>"
        f"<td>{record.packet_bytes:,}</td><td>{record.parts.get(MOTION, 0):,.0f}</td>"
        f"<td>{record.parts.get(CORRECTED, 0) + record.parts.get(EMBEDDED, 0):,.0f}</td>"
        f"<td>{record.checksum:08x}</td></tr>"
        for record in records[:TABLE_FRAMES]
    )
    more = f"<p>{len(records) - TABLE_FRAMES:,} more frames are left out.</p>" if len(records) > TABLE_FRAMES else ""
    return (
        '<details><summary>All frames as a table</summary><div class="scroll"><table id="frames"><thead><tr>'
        '<th scope="col">frame</th><th scope="col">s</th><th scope="col">kind</th><th scope="col">bytes</th>'
        '<th scope="col">motion</th><th scope="col">model</th><th scope="col">CRC-32C</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{more}</details>"
    )


def _kind(record: FrameRecord) -> str:
    return "scene cut" if record.scene_cut else "keyframe" if record.keyframe else "predicted"


def _data(found: Findings, chart: Sequence[Bar]) -> str:
    """What the script reads, as JSON that no tag can end."""
    album = found.album
    frames = [
        {
            "bar": number // chart[0].frames,
            "text": f"frame {number}, {found.records[number].seconds:.2f} s, {_kind(found.records[number])}, "
            f"{quantity(8 * found.records[number].packet_bytes)}",
        }
        for number in album.frames
    ]
    data = {
        "bars": len(chart),
        "across": min(len(album.frames), SHEET_COLUMNS),
        "frames": frames,
        "pictures": [_text(picture) for picture in album.pictures],
        "sheet": _text(album.sheet),
    }
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
