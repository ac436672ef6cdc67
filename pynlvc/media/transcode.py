"""A whole file from one video codec to another: NLVC in either direction, everything else copied."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from pynlvc.codec import DecoderSettings, EncoderSettings
from pynlvc.errors import UsageError
from pynlvc.fitting.video import fits_model
from pynlvc.media.containers import PICTURE_CODECS, STANDARD_STREAM
from pynlvc.media.fitting import fit_model
from pynlvc.media.job import Job
from pynlvc.media.output_file import check_target, written, written_beside
from pynlvc.media.reports import ProgressCallback, TranscodeReport
from pynlvc.media.resume import interruption
from pynlvc.media.source import VideoSource


def transcode(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    codec: str | None = None,
    settings: EncoderSettings | None = None,
    decoder_settings: DecoderSettings | None = None,
    video_tracks: str | None = None,
    frame_rate: Fraction | None = None,
    container: str | None = None,
    verify: bool = True,
    overwrite: bool = False,
    resume: bool = False,
    framemd5: str | os.PathLike[str] | None = None,
    progress: ProgressCallback | None = None,
) -> TranscodeReport:
    """Codes the video of `source` anew into `target` and copies everything else.

    `source` and `target` may be files, numbered sequences of pictures (`shot_%04d.dpx`) or "-" for standard input and
    output; `container` (".mkv" or ".nut") is what standard output gets, `frame_rate` the pictures per second.
    `codec`: "nlvc" or one of FFmpeg's lossless encoders; None turns NLVC into FFV1 (or, where FFV1 lacks the pixel
    format, the next encoder that has it), into pictures where the target's name says so, and all else into NLVC.
    `video_tracks`: "main" (the others are copied), "all", or numbers such as "0,2"; None: the main one, of NLVC files
    all that are NLVC. `target` appears under its name only when it is complete and, with `verify`, when every frame was
    decoded from it again and found equal to the source's (to standard output: as it was coded).

    `resume`: go on with what an interrupted run of the same transcode left beside `target`, from its last complete GOP;
    the packets of NLVC come out as without the interruption. An interruption then leaves its part again. `framemd5`:
    write the MD5 of the main track's frames there, as they are read. Where `settings.embed_model` is None the model is
    embedded if it costs less than 0.1 % even if the video should shrink to a tenth. An effort of 4 to 9 reads the file
    twice: first the model is fitted to the main track (see `pynlvc.fit_model`).

    Raises NlvcError (UsageError where the request itself is wrong); without `resume` nothing is left behind then.
    """
    source_path, target_path = Path(source), Path(target)
    settings = settings or EncoderSettings()
    decoder_settings = decoder_settings or DecoderSettings()
    check_target(target_path, source_path, overwrite=overwrite)
    if framemd5 is not None:
        check_target(Path(framemd5), source_path, overwrite=overwrite)
    with VideoSource(
        source_path, settings=decoder_settings, video_tracks=video_tracks, frame_rate=frame_rate
    ) as opened:
        codec = codec or PICTURE_CODECS.get(target_path.suffix.lower()) or (None if opened.is_nlvc else "nlvc")
        choices = f"{codec} {video_tracks} {frame_rate}"
        with ExitStack() as stack:
            former = None
            if codec == "nlvc" and source_path.is_file() and str(target_path) != STANDARD_STREAM:
                former = stack.enter_context(interruption(source_path, target_path, settings, choices, resume=resume))
            elif resume:
                raise UsageError("only files that are coded as NLVC from files can be resumed")
            hashes = None if framemd5 is None else stack.enter_context(written_beside(Path(framemd5)))
            output = stack.enter_context(
                written(target_path, for_nlvc=codec == "nlvc", container=container, keep_part=resume)
            )
            fitted, fit_seconds = None, 0.0
            if codec == "nlvc" and fits_model(settings):
                started = time.monotonic()
                fitted = fit_model(
                    source,
                    settings=settings,
                    decoder_settings=decoder_settings,
                    video_tracks=video_tracks,
                    frame_rate=frame_rate,
                    progress=progress,
                )
                fit_seconds = time.monotonic() - started
            job = Job(opened, codec, settings, decoder_settings, output, verify, progress, former, hashes, fitted)
            try:
                job.run(target_path)
            finally:
                job.close()
    return replace(job.report(source_path, target_path), fit_seconds=fit_seconds)
