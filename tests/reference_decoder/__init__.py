"""A second decoder, in plain Python and NumPy, written from docs/bitstream.md alone.

It imports nothing of pynlvc, is slow, and proves the text: what it and the C++ decoder make of the golden streams must
be the same.

    decoder = Decoder(models)          # model files by SHA-256
    frame = decoder.decode(packet)     # Frame: planes, pts, duration
"""

from tests.reference_decoder.decoder import Decoder, Frame
from tests.reference_decoder.fields import StreamError

__all__ = ["Decoder", "Frame", "StreamError"]
