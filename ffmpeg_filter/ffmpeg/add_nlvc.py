"""Adds NLVC to an unpacked FFmpeg source tree (5.1 to 7.1): python3 add_nlvc.py SOURCE

Lines are put beside lines that all these versions have. The files of this folder are copied by build.sh.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Insertion:
    """Lines that go before the first line that starts with `anchor`."""

    file: str
    anchor: str
    lines: str


DESCRIPTION = """\
    {
        .id        = AV_CODEC_ID_NLVC,
        .type      = AVMEDIA_TYPE_VIDEO,
        .name      = "nlvc",
        .long_name = NULL_IF_CONFIG_SMALL("NLVC lossless video with a neural probability model"),
        .props     = AV_CODEC_PROP_LOSSLESS,
    },

"""

INSERTIONS = (
    Insertion("libavcodec/codec_id.h", '    /* various PCM "codecs" */', "    AV_CODEC_ID_NLVC,\n\n"),
    Insertion("libavcodec/codec_desc.c", '    /* various PCM "codecs" */', DESCRIPTION),
    Insertion(
        "libavcodec/allcodecs.c",
        "extern const FFCodec ff_libopenh264_encoder;",
        "extern FFCodec ff_libnlvc_encoder;\nextern const FFCodec ff_libnlvc_decoder;\n",
    ),
    Insertion(
        "libavcodec/Makefile",
        "OBJS-$(CONFIG_LIBOPENH264_DECODER)",
        "OBJS-$(CONFIG_LIBNLVC_DECODER) += libnlvcdec.o libnlvc_side.o\n"
        "OBJS-$(CONFIG_LIBNLVC_ENCODER) += libnlvcenc.o libnlvc_side.o\n",
    ),
    Insertion("libavfilter/allfilters.c", "extern const AVFilter ff_vf_noise;", "extern const AVFilter ff_vf_nlvc;\n"),
    Insertion("libavfilter/Makefile", "OBJS-$(CONFIG_NOISE_FILTER)", "OBJS-$(CONFIG_NLVC_FILTER) += vf_nlvc.o\n"),
    Insertion(
        "libavformat/riff.c",
        "    { AV_CODEC_ID_VMNC,",
        "    { AV_CODEC_ID_NLVC,         MKTAG('N', 'L', 'V', 'C') },\n",
    ),
    Insertion(
        "libavformat/isom_tags.c",
        "    { AV_CODEC_ID_RAWVIDEO, MKTAG('r', 'a', 'w', ' ') }",
        "    { AV_CODEC_ID_NLVC, MKTAG('N', 'L', 'V', 'C') },\n",
    ),
    Insertion(
        "configure",
        "  --enable-libopenh264 ",
        "  --enable-libnlvc         enable NLVC encoding and decoding via libnlvc [no]\n",
    ),
    Insertion("configure", "    libopenh264\n", "    libnlvc\n"),
    Insertion(
        "configure",
        "libopenh264_decoder_deps=",
        'libnlvc_decoder_deps="libnlvc"\nlibnlvc_encoder_deps="libnlvc"\nnlvc_filter_deps="libnlvc"\n',
    ),
    Insertion(
        "configure",
        "enabled libopenh264 ",
        "enabled libnlvc           && require_pkg_config libnlvc nlvc nlvc.h nlvc_version\n",
    ),
)


def insert(source: Path, insertion: Insertion) -> None:
    """Raises SystemExit when the file lacks the line or holds the new ones already."""
    path = source / insertion.file
    text = path.read_text(encoding="utf-8")
    if insertion.lines in text:
        raise SystemExit(f"{path} holds NLVC already: start from a fresh source tree")
    at = text.find("\n" + insertion.anchor) + 1
    if at == 0:
        raise SystemExit(f"{path} has no line that starts with {insertion.anchor!r}: is this FFmpeg 5.1 to 7.1?")
    path.write_text(text[:at] + insertion.lines + text[at:], encoding="utf-8")


def main() -> None:
    source = Path(sys.argv[1])
    for insertion in INSERTIONS:
        insert(source, insertion)


if __name__ == "__main__":
    main()
