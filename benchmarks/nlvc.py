"""NLVC in the harness of the peers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import av

from benchmarks.harness import SAME_SAMPLES, Coded, Source
from pynlvc.codec import Decoder, DecoderSettings, Encoder, EncoderSettings
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.errors import UnsupportedFormatError
from pynlvc.fitting.video import fit_to_video, fits_model
from pynlvc.model.store import load_model
from pynlvc.version import __version__


@dataclass(frozen=True, kw_only=True)
class Nlvc:
    """The library's own encoder and decoder (implements harness.Codec)."""

    name: str = "nlvc"
    # One keyframe at the start and at scene cuts, as the peers have it; the rest are the defaults.
    encoder_settings: EncoderSettings = field(default_factory=lambda: EncoderSettings(gop=0))
    model_files: tuple[Path, ...] = ()  # that the decoder needs beside the installed ones

    def carrier(self, pix_fmt: str) -> str | None:
        """See harness.Codec."""
        for candidate in (pix_fmt, *SAME_SAMPLES) if pix_fmt in SAME_SAMPLES else (pix_fmt,):
            try:
                pixel_format(candidate)
            except UnsupportedFormatError:
                continue
            return candidate
        return None

    def settings(self, source: Source) -> str:
        """As keywords of EncoderSettings; what is not named has its default."""
        chosen = self.encoder_settings
        return f"model={chosen.model} effort={chosen.effort} gop={chosen.gop}"

    def version(self) -> str:
        """The package and the model that was used."""
        return f"pynlvc {__version__}, model {load_model(self.encoder_settings.model).hash[:16]}"

    def encode(self, source: Source) -> Coded:
        """All frames to packets, from the fitting of the model on; every keyframe packet holds the sequence header."""
        settings = self.encoder_settings
        fitted = None
        if fits_model(settings):
            fitted = fit_to_video(source.frames, len(source.frames), source.rate, settings)
        encoder = Encoder(
            source.width, source.height, source.pix_fmt, time_base=1 / source.rate, settings=settings, model=fitted
        )
        return Coded(packets=[bytes(packet) for packet in encoder.encode_many(source.frames)], header=b"")

    def decode(self, coded: Coded, source: Source) -> list[av.VideoFrame]:
        """All packets to frames."""
        decoder = Decoder(settings=DecoderSettings(model_files=self.model_files))
        frames = [frame for data in coded.packets for frame in decoder.decode(av.Packet(data))]
        return frames + decoder.decode(None)


NLVC_CODECS = (
    Nlvc(),
    Nlvc(name="nlvc-effort9", encoder_settings=EncoderSettings(gop=0, effort=9)),
    Nlvc(name="nlvc-fast", encoder_settings=EncoderSettings(gop=0, model="fast", effort=0)),
    Nlvc(name="nlvc-fast-effort6", encoder_settings=EncoderSettings(gop=0, model="fast", effort=6)),
    Nlvc(name="nlvc-large", encoder_settings=EncoderSettings(gop=0, model="large")),
    Nlvc(name="nlvc-large-effort6", encoder_settings=EncoderSettings(gop=0, model="large", effort=6)),
    Nlvc(name="nlvc-gop1", encoder_settings=EncoderSettings(gop=1)),
    Nlvc(name="nlvc-large-gop1-effort6", encoder_settings=EncoderSettings(gop=1, model="large", effort=6)),
)
"""NLVC as it is by default, fastest, smallest, and with keyframes alone."""
