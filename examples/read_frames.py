"""Read frames of an NLVC file, or of any other video, and jump to a time: python read_frames.py in.mkv"""

import sys

import numpy as np

import pynlvc

with pynlvc.open(sys.argv[1]) as video:
    print(f"{video.codec_name}, {video.frame_rate} frames/s")
    for frame in video:  # av.VideoFrame
        luma = pynlvc.frame_planes(frame)[0]  # a NumPy view of the frame's own memory
        print(f"{float(frame.time):8.3f} s  {frame.width}x{frame.height} {frame.format.name}  mean {np.mean(luma):.1f}")

    video.seek(0.1)  # goes on with the frame that is shown 0.1 s after the start
    print("at 0.1 s:", next(video))
