"""A PyTorch data set of short clips out of an NLVC file, read at random by time: python torch_dataset.py in.mkv"""

import sys
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import pynlvc

CLIP_FRAMES = 3


class NlvcClips(Dataset[tuple[float, torch.Tensor]]):
    """Clips of `CLIP_FRAMES` frames that begin at given times: (seconds, luma [frames, rows, columns] uint8)."""

    def __init__(self, path: Path, starts_seconds: list[float]) -> None:
        self._path = path
        self._starts = starts_seconds
        self._video: pynlvc.Reader | None = None  # opened in the process that reads

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> tuple[float, torch.Tensor]:
        if self._video is None:
            self._video = pynlvc.open(self._path, settings=pynlvc.DecoderSettings(threads=1))
        seconds = self._starts[index]
        # Gives the frame that is shown then, decoded from the keyframe before it. A float may lie just before the
        # frame's exact time: a millisecond later is safe.
        self._video.seek(seconds + 0.001)
        frames = [np.array(pynlvc.frame_planes(frame)[0]) for frame in islice(self._video, CLIP_FRAMES)]
        return seconds, torch.from_numpy(np.stack(frames))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mkv"
        settings = pynlvc.EncoderSettings(model="fast", gop=4)  # short distances between keyframes: fast seeking
        pynlvc.transcode(sys.argv[1], path, settings=settings)
        with pynlvc.open(path) as video:
            frames = [(float(frame.time or 0), np.array(pynlvc.frame_planes(frame)[0])) for frame in video]
        starts = [seconds for seconds, _ in frames[: len(frames) - CLIP_FRAMES + 1]]
        loader = DataLoader(NlvcClips(path, starts), batch_size=2, shuffle=True, num_workers=2)
        clips = 0
        for seconds, batch in loader:
            for start, clip in zip(seconds.tolist(), batch, strict=True):
                first = starts.index(start)
                expected = np.stack([plane for _, plane in frames[first : first + CLIP_FRAMES]])
                assert np.array_equal(clip.numpy(), expected)
                clips += 1
        print(f"{clips} clips of {tuple(batch.shape[1:])}, in any order, exactly those of the file")


if __name__ == "__main__":
    main()
