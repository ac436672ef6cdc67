"""Encode and decode without any file in between, as PyAV's codecs do: python packets_without_files.py in.mkv"""

import sys

import av

import pynlvc

encoder: pynlvc.Encoder | None = None
decoder = pynlvc.Decoder()
size = count = 0

with av.open(sys.argv[1]) as container:
    for frame in container.decode(video=0):
        if encoder is None:
            settings = pynlvc.EncoderSettings(gop=12)
            encoder = pynlvc.Encoder(
                frame.width, frame.height, frame.format.name, time_base=frame.time_base, settings=settings
            )
        for packet in encoder.encode(frame):
            size += packet.size
            for decoded in decoder.decode(packet):
                assert decoded.pts == frame.pts
                count += 1

print(f"{count} frames in {size} bytes of packets")
