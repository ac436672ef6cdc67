"""What a model is fitted to: samples of the video with all that the networks know of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pynlvc import _core
from pynlvc.codec.planes import Plane
from pynlvc.model.examples import ExampleArrays, NetworkKey


@dataclass
class NetworkExamples:
    """Examples of one network, of all frames so far."""

    depth: int  # bits of the samples as they are coded
    q: int  # sample shift
    parts: list[_core.Examples] = field(default_factory=list)
    coded: int = 0  # samples that the network coded in the frames that were looked at
    frames: int = 0  # of these frames, those that it took part in

    @property
    def count(self) -> int:
        """Number of examples."""
        return sum(len(part.samples) for part in self.parts)

    def arrays(self) -> ExampleArrays:
        """All of them."""
        return ExampleArrays.joined(self.parts)


class ExampleSet:
    """Gathers examples from runs of frames."""

    def __init__(self) -> None:
        self.networks: dict[NetworkKey, NetworkExamples] = {}
        self._frames = 0

    def add_frame(self, encoder: _core.Encoder, planes: list[Plane]) -> None:
        """Codes a frame and keeps what the encoder tells of it. What has another depth or shift than the first of its
        network is left out: a model is fitted to one."""
        coded = encoder.encode(planes, pts=self._frames, duration=1)
        self._frames += 1
        seen: set[NetworkKey] = set()
        for examples, plane in zip(coded.examples, planes, strict=True):
            key = examples.frame_type, examples.plane_class
            known = self.networks.setdefault(key, NetworkExamples(examples.depth, examples.q))
            if (known.depth, known.q) == (examples.depth, examples.q):
                known.parts.append(examples)
            known.coded += plane.size
            known.frames += key not in seen
            seen.add(key)
