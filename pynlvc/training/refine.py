"""Refines a model: learns on, from a finished model file, with examples that the codec's own encoder hands out.

Where `train` builds every input in PyTorch from the clips, this lets the encoder code them, with the model as it is by
then. So what is learned from is exactly what the codec sees, and learning runs in native code without PyTorch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from pynlvc.errors import NlvcError, UnsupportedFormatError
from pynlvc.model.adam import Adam
from pynlvc.model.architecture import SHAPES
from pynlvc.model.examples import ExampleArrays, NetworkKey
from pynlvc.model.learnable import LearnableNetwork, grown
from pynlvc.model.modelfile import IntegerModel
from pynlvc.training.chunks import LEAST_FRAMES, Chunk, ChunkSettings, make_chunk
from pynlvc.training.clips import Augmentation, Planes, augmented_cut, read_clip
from pynlvc.training.split import split_clips

CHECKPOINT = "refining.npz"
YUV_CLASSES = 3  # plane classes that 4:2:0 clips train; others stay as they are


@dataclass(frozen=True, kw_only=True)
class RefineSettings:
    """How a model is refined. The schedule is laid out over `chunks`; a run stops and resumes at checkpoints."""

    model: str  # shape that the model is grown to, and its new name
    chunks: int = 600  # rounds of coding cuts and learning from them, > 0
    epochs: int = 2  # times that each example of a chunk is learned from, >= 1
    batch: int = 8192  # examples in one step, >= 1
    rate: float = 0.3  # peak of Adam's rate in steps of weights; falls linearly to 1 % of it
    warmup: int = 4  # chunks of rising rate
    seed: int = 1  # of clips, cuts and new weights
    threads: int = 1  # that learn, >= 1; cuts are coded on one more
    halve: int = 720  # clips of at least so many rows are also used at half their size
    validation_share: float = 0.06  # share of the clips kept out of learning, 0..1
    validate_every: int = 20  # chunks between checkpoints
    material: ChunkSettings = field(default_factory=ChunkSettings)
    augmentation: Augmentation = field(default_factory=Augmentation)


def read_folders(
    folders: list[Path], settings: RefineSettings, report: Callable[[str], None]
) -> dict[str, list[Planes]]:
    """All clips of the folders by name, large ones at half their size as well; those of other formats are named."""
    clips: dict[str, list[Planes]] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.mkv"))):
        try:
            frames = read_clip(path)
        except UnsupportedFormatError as error:
            report(f"left out: {error}")
            continue
        if min(frames[0][0].shape) >= settings.augmentation.crop:
            clips[path.name] = frames
    for name, frames in list(clips.items()):
        if len(frames[0][0]) >= settings.halve:
            clips[f"{name} halved"] = [[_halved(plane) for plane in frame] for frame in frames]
    if not clips:
        raise NlvcError(f"no clip of at least {settings.augmentation.crop} samples (*.mkv, yuv420p) in {folders}")
    return clips


def _halved(plane: np.ndarray) -> np.ndarray:
    """Means of 2x2 samples, for an even number of rows and columns of the result."""
    height, width = (size // 4 * 2 for size in plane.shape)
    cut = plane[: 2 * height, : 2 * width]
    return cut.reshape(height, 2, width, 2).mean((1, 3)).astype(np.float32)


def grow(base: IntegerModel, name: str, rng: np.random.Generator) -> IntegerModel:
    """The model with the widths that the shape `name` gives the networks of 4:2:0."""
    wanted = {(n.frame_type, n.plane_class): n for n in SHAPES[name].networks}
    networks = []
    for network in base.networks:
        shape = wanted[network.frame_type, network.plane_class]
        if network.plane_class < YUV_CLASSES:
            network = grown(network, h1=shape.h1, h2=shape.h2, g=shape.g, rng=rng)
        networks.append(network)
    return replace(base, name=name, networks=tuple(networks))


class _Learning:
    """One network with its optimiser's state."""

    def __init__(self, network: LearnableNetwork, threads: int):
        self.network = network
        self._threads = threads
        self.optimizer = Adam(network.parameters)
        self.training_bits = 0.0  # per sample, of late

    def step(self, delta: int, examples: ExampleArrays, rate: float) -> None:
        """One step of Adam."""
        gradient = np.zeros_like(self.network.parameters)
        bits = self.network.bits(delta, examples, gradient=gradient, threads=self._threads)
        count = len(examples)
        gradient /= count
        self.optimizer.step(gradient, rate)
        recent = 0.98 if self.training_bits else 0.0
        self.training_bits = recent * self.training_bits + (1 - recent) * bits / count

    def learn(self, chunk: Chunk, key: NetworkKey, settings: RefineSettings, rate: float, seed: list[int]) -> None:
        """All that a chunk has for the network, the slopes mixed."""
        rng = np.random.default_rng([*seed, *key])
        material: dict[int, ExampleArrays] = {}
        batches: list[tuple[int, int]] = []
        for delta in range(3):
            examples = chunk.examples(key, delta)
            if examples is None:
                continue
            material[delta] = examples.mixed(rng)
            batches += [(delta, start) for start in range(0, len(examples) - settings.batch + 1, settings.batch)]
        for _ in range(settings.epochs):
            for number in rng.permutation(len(batches)):
                delta, start = batches[number]
                self.step(delta, material[delta].part(start, start + settings.batch), rate)


def refine(
    folders: list[Path],
    base: IntegerModel,
    output: Path,
    settings: RefineSettings,
    report: Callable[[str], None] = print,
) -> IntegerModel:
    """Refines `base` with the clips of `folders`, resuming from the checkpoint in `output` if there is one.

    Writes refining.npz, settings.json, the model so far (NAME.nlvm) and log.tsv (chunk, seconds, examples learned
    from, rate, bits per sample of each network on the validation clips at δ = 2) to `output`.
    """
    output.mkdir(parents=True, exist_ok=True)
    training, validation = split_clips(
        read_folders(folders, settings, report),
        settings.validation_share,
        settings.seed,
        lambda name: name.split(" ")[0],
    )
    report(f"{len(training)} clips to learn from, {len(validation)} to validate with")
    model = grow(base, settings.model, np.random.default_rng(settings.seed))
    learning = {
        (n.frame_type, n.plane_class): _Learning(LearnableNetwork(n), settings.threads)
        for n in model.networks
        if n.plane_class < YUV_CLASSES
    }
    done, seconds = _resume(output / CHECKPOINT, learning)
    if done:
        report(f"resumed at chunk {done}")
    (output / "settings.json").write_text(json.dumps(asdict(settings), indent=1))
    held_out = _fixed_cuts(validation, settings)
    started = time.monotonic() - seconds

    def present() -> IntegerModel:
        rounded = {key: one.network.rounded() for key, one in learning.items()}
        return replace(model, networks=tuple(rounded.get((n.frame_type, n.plane_class), n) for n in model.networks))

    clips = list(training.values())

    with ThreadPoolExecutor(1) as maker:

        def begin(number: int) -> Future[Chunk] | None:
            """Starts to make a chunk with the model as it is now, if anybody will learn from it."""
            if number >= settings.chunks:
                return None
            rng = np.random.default_rng([settings.seed, number])
            data = present().to_bytes()
            return maker.submit(make_chunk, clips, data, settings.material, settings.augmentation, rng)

        following = begin(done)
        while following is not None:
            chunk = following.result()
            following = begin(done + 1)  # beside learning
            rate = settings.rate * min(1.0, (done + 1) / settings.warmup)
            rate *= 0.01 + 0.99 * (1 - done / settings.chunks)
            for key, one in sorted(learning.items()):
                one.learn(chunk, key, settings, rate, [settings.seed, done])
            done += 1
            if done % settings.validate_every and done != settings.chunks:
                continue
            seconds = time.monotonic() - started
            now = present()
            scores = _validate(now, held_out)
            learned = settings.batch * sum(one.optimizer.steps for one in learning.values())
            _save(output, learning, now, done, seconds, learned, rate, scores)
            recent = " ".join(f"{k[0]}{k[1]} {one.training_bits:.3f}" for k, one in sorted(learning.items()))
            held = " ".join(f"{name} {score:.4f}" for name, score in scores.items())
            report(f"chunk {done} {seconds:.0f} s {learned / 1e6:.0f} M  training {recent}  validation {held}")
    return present()


def _fixed_cuts(clips: dict[str, list[Planes]], settings: RefineSettings) -> list[list[np.ndarray]]:
    """Two cuts of each validation clip, always the same ones."""
    rng = np.random.default_rng(0)
    return [augmented_cut(clip, rng, settings.augmentation, LEAST_FRAMES) for clip in clips.values() for _ in range(2)]


def _validate(model: IntegerModel, cuts: list[list[np.ndarray]]) -> dict[str, float]:
    """Bits per sample of each network at δ = 2."""
    chunk = Chunk()
    data = model.to_bytes()
    for cut in cuts:
        chunk.code(cut, data, 2, intra=False)
    scores = {}
    for network in model.networks:
        key = network.frame_type, network.plane_class
        examples = chunk.examples(key, 2)
        if examples is not None:
            scores[f"{key[0]}{key[1]}"] = LearnableNetwork(network).bits(2, examples) / len(examples)
    return scores


def _resume(checkpoint: Path, learning: dict[NetworkKey, _Learning]) -> tuple[int, float]:
    """(chunks done, seconds)"""
    if not checkpoint.exists():
        return 0, 0.0
    with np.load(checkpoint) as state:
        for key, one in learning.items():
            name = f"{key[0]}{key[1]}"
            one.network.parameters[:] = state[f"{name} parameters"]
            one.optimizer.mean[:], one.optimizer.square[:] = state[f"{name} mean"], state[f"{name} square"]
            one.optimizer.steps = int(state[f"{name} steps"])
        return int(state["chunks"]), float(state["seconds"])


def _save(
    output: Path,
    learning: dict[NetworkKey, _Learning],
    model: IntegerModel,
    chunks: int,
    seconds: float,
    learned: int,
    rate: float,
    scores: dict[str, float],
) -> None:
    state: dict[str, np.ndarray] = {"chunks": np.array(chunks), "seconds": np.array(seconds)}
    for key, one in learning.items():
        name = f"{key[0]}{key[1]}"
        state[f"{name} parameters"] = one.network.parameters
        state[f"{name} mean"], state[f"{name} square"] = one.optimizer.mean, one.optimizer.square
        state[f"{name} steps"] = np.array(one.optimizer.steps)
    part = output / "refining.tmp.npz"
    np.savez(part, allow_pickle=False, **state)
    part.replace(output / CHECKPOINT)
    (output / f"{model.name}.nlvm").write_bytes(model.to_bytes())
    log = output / "log.tsv"
    if not log.exists():
        log.write_text("\t".join(["chunk", "seconds", "examples", "rate", *scores]) + "\n")
    row = [str(chunks), f"{seconds:.0f}", str(learned), f"{rate:.5f}", *(f"{score:.4f}" for score in scores.values())]
    with log.open("a") as out:
        out.write("\t".join(row) + "\n")
