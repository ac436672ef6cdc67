"""From a file to its report."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from pynlvc.codec import DecoderSettings
from pynlvc.errors import NlvcError, UsageError
from pynlvc.media.info import info
from pynlvc.media.output_file import check_target, written_beside
from pynlvc.media.reports import ProgressCallback
from pynlvc.media.tally import Tally
from pynlvc.report.album import AlbumMaker
from pynlvc.report.costs import read_costs
from pynlvc.report.page import Findings, render
from pynlvc.report.peers import choose_peers, measure_peer


def report(
    path: str | os.PathLike[str],
    *,
    peers: Sequence[str] = (),
    settings: DecoderSettings | None = None,
    progress: ProgressCallback | None = None,
) -> str:
    """A page of HTML about the main video track of an NLVC file, complete in itself.

    `peers`: codecs to code the same frames with, see pynlvc.report.peers. Raises NlvcError for a file that is damaged,
    cut off or not NLVC.
    """
    path, chosen = Path(path), choose_peers(peers)
    track = info(path)
    if track.stream is None:
        raise NlvcError(f"{path} holds {track.codec}: a report is made of NLVC files (see pynlvc transcode)")
    album = AlbumMaker(track.width, track.height, track.frames)
    tally = Tally("analysing", track.frames, progress)
    records = []
    for decoded in read_costs(path, settings):
        records.append(decoded.record)
        album.add(decoded)
        tally.add_frame(decoded.picture, decoded.record.packet_bytes)
    tally.finish()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return render(
        Findings(
            track=track,
            records=records,
            album=album.finish(),
            peers=[measure_peer(name, path, interval=track.longest_gop, settings=settings) for name in chosen],
            file_bytes=path.stat().st_size,
            file_sha256=sha256,
        )
    )


def write_report(
    path: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    peers: Sequence[str] = (),
    overwrite: bool = False,
    settings: DecoderSettings | None = None,
    progress: ProgressCallback | None = None,
) -> int:
    """Writes the page to `target`, which appears when it is complete. Returns its size in bytes; see `report`."""
    source, page = Path(path), Path(target)
    if not source.is_file():
        raise UsageError(f"{source} is not a file: a report reads its input more than once")
    check_target(page, source, overwrite=overwrite)
    data = report(source, peers=peers, settings=settings, progress=progress).encode("utf-8")
    with written_beside(page) as part:
        part.write_bytes(data)
    return len(data)
