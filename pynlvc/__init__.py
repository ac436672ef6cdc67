"""NLVC: lossless video coding with a neural probability model, on PyAV's objects.

    import pynlvc

    pynlvc.transcode("in.mkv", "out.mkv")            # to NLVC, everything else copied, verified by decoding
    for frame in pynlvc.open("out.mkv"):             # av.VideoFrame, the very samples
        ...
    assert pynlvc.verify("out.mkv", against="in.mkv").ok

`Encoder` and `Decoder` turn frames into packets and back without a file.
"""

from pynlvc.codec import Decoder, DecoderSettings, Encoder, EncoderSettings
from pynlvc.codec.planes import frame_planes
from pynlvc.errors import (
    BitstreamError,
    MissingModelError,
    ModelError,
    NlvcError,
    UnsupportedFormatError,
    UsageError,
)
from pynlvc.media.compare import CompareReport, TrackComparison, compare
from pynlvc.media.descriptions import Difference
from pynlvc.media.fitting import fit_model
from pynlvc.media.framemd5 import framemd5
from pynlvc.media.info import TrackInfo, info
from pynlvc.media.reader import Reader
from pynlvc.media.reader import open_video as open
from pynlvc.media.reports import Progress, TranscodeReport, VerifyReport
from pynlvc.media.transcode import transcode
from pynlvc.media.verify import verify
from pynlvc.version import __version__

__all__ = [
    "BitstreamError",
    "CompareReport",
    "Decoder",
    "DecoderSettings",
    "Difference",
    "Encoder",
    "EncoderSettings",
    "MissingModelError",
    "ModelError",
    "NlvcError",
    "Progress",
    "Reader",
    "TrackComparison",
    "TrackInfo",
    "TranscodeReport",
    "UnsupportedFormatError",
    "UsageError",
    "VerifyReport",
    "__version__",
    "compare",
    "fit_model",
    "frame_planes",
    "framemd5",
    "info",
    "open",
    "transcode",
    "verify",
]
