"""What every frame of a file costs as NLVC, as a small bar chart in text: python frame_statistics.py in.mkv"""

import sys

import pynlvc

BAR = 50  # characters for the largest packet

encoder: pynlvc.Encoder | None = None
sizes: list[tuple[bool, int]] = []

with pynlvc.open(sys.argv[1]) as video:
    for frame in video:
        if encoder is None:
            encoder = pynlvc.Encoder(frame.width, frame.height, frame.format.name, time_base=frame.time_base)
        sizes += [(packet.is_keyframe, packet.size) for packet in encoder.encode(frame)]

largest = max(size for _, size in sizes)
for number, (is_keyframe, size) in enumerate(sizes):
    print(f"{number:5} {'I' if is_keyframe else 'P'} {size:9} {'#' * round(BAR * size / largest)}")
