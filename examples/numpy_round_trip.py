"""NumPy arrays to an NLVC stream in memory and back, bit for bit: python numpy_round_trip.py"""

from fractions import Fraction

import av
import numpy as np

import pynlvc

FRAMES, HEIGHT, WIDTH = 8, 90, 160

rng = np.random.default_rng(1)
y, x = np.mgrid[:HEIGHT, :WIDTH]
clips = [  # 12 bits in uint16, a pattern that drifts, with some noise
    (2000 + 600 * np.sin((x + 3 * t) / 9) * np.cos((y - t) / 7) + rng.normal(0, 8, (HEIGHT, WIDTH))).astype(np.uint16)
    for t in range(FRAMES)
]

encoder = pynlvc.Encoder(WIDTH, HEIGHT, "gray12le", time_base=Fraction(1, 25))
stream: list[bytes] = []
for number, samples in enumerate(clips):
    frame = av.VideoFrame(WIDTH, HEIGHT, "gray12le")
    pynlvc.frame_planes(frame)[0][:] = samples  # a view of the frame's memory: no conversion, no scaling
    frame.pts, frame.time_base = number, Fraction(1, 25)
    stream += [bytes(packet) for packet in encoder.encode(frame)]

decoder = pynlvc.Decoder()
back = [pynlvc.frame_planes(frame)[0] for data in stream for frame in decoder.decode(av.Packet(data))]
for samples, decoded in zip(clips, back, strict=True):
    assert decoded.dtype == np.uint16 and np.array_equal(decoded, samples)

size = sum(map(len, stream))
print(f"{FRAMES} arrays {back[0].shape} {back[0].dtype}: {size} bytes, {8 * size / (FRAMES * WIDTH * HEIGHT):.2f} bpp")
