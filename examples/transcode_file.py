"""Code a video file to NLVC, check it, and turn it back into FFV1: python transcode_file.py in.mkv out.mkv"""

import sys
from pathlib import Path

import pynlvc

source, target = map(Path, sys.argv[1:3])

report = pynlvc.transcode(source, target)  # copies sound, subtitles, chapters, ...; verifies what it wrote
print(f"{report.frames} frames, {report.bits_per_pixel:.3f} bits/pixel, {report.ratio:.2f} times smaller than raw")
for warning in report.warnings:
    print("not kept:", warning)

check = pynlvc.verify(target, against=source)
print("every sample is equal" if check.ok else "\n".join(check.problems))

back = pynlvc.transcode(target, target.with_suffix(".ffv1.mkv"))
print(f"{back.target} is {back.codec} again")
