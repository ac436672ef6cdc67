"""Training end to end on small generated clips: it learns, resumes, and what it exports codes losslessly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from pynlvc import _core
from pynlvc.cli import main
from pynlvc.errors import NlvcError
from pynlvc.model.denoiser import Denoiser
from pynlvc.model.export import export_model
from pynlvc.model.modelfile import IntegerModel
from pynlvc.training.clips import Augmentation, augmented_cut, read_clips
from pynlvc.training.context import median_edge
from pynlvc.training.pictures import restored_rgb
from pynlvc.training.step import Reveal, code_frame, code_plane, draw_reveal
from pynlvc.training.streams import Stream
from pynlvc.training.train import TrainingSettings, make_networks, train
from tests.clip_files import write_clip
from tests.clips import make_clip

SETTINGS = TrainingSettings(
    model="fast",
    steps=60,
    batch=2,
    streams=6,
    warmup=5,
    learning_rate=5e-3,
    checkpoint_every=30,
    validation_share=0.3,
    augmentation=Augmentation(crop=64),
)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three generated clips of 6 frames."""
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(3):
        write_clip(folder / f"{seed}.mkv", make_clip(96, 80, 6, seed=seed))
    return folder


@pytest.fixture(scope="module")
def trained(clip_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.ModuleDict]:
    """A run of 60 steps and its networks."""
    folder = tmp_path_factory.mktemp("run")
    return folder, train(clip_folder, folder, SETTINGS, report=lambda line: None)


def test_training_lowers_the_code_length(trained: tuple[Path, torch.nn.ModuleDict]) -> None:
    rows = [line.split("\t") for line in (trained[0] / "log.tsv").read_text().splitlines()]
    assert rows[0][:3] == ["step", "seconds", "rate"]
    scores = [sum(map(float, row[3:])) for row in rows[1:]]
    assert len(scores) == 2
    assert scores[1] < scores[0]


def test_a_run_resumes_from_its_checkpoint(trained: tuple[Path, torch.nn.ModuleDict], clip_folder: Path) -> None:
    lines: list[str] = []
    again = train(clip_folder, trained[0], SETTINGS, report=lines.append)
    assert "resumed at step 60" in lines
    for name, value in trained[1].state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=0)


def test_the_exported_model_codes_losslessly(trained: tuple[Path, torch.nn.ModuleDict]) -> None:
    file = export_model("fast", trained[1]).to_bytes()
    assert IntegerModel.from_bytes(file).to_bytes() == file
    noise = np.random.default_rng(0).integers(0, 256, (3, 33, 47), dtype=np.uint8)
    layout = _core.Format(width=47, height=33, layout="yuv", sx=0, sy=0, time_base=(1, 25), format_name="yuv444p")
    packet = _core.Encoder(layout, file).encode(list(noise), pts=0, duration=1)
    decoded = _core.Decoder(lambda _: file).decode(packet.data)
    np.testing.assert_array_equal(np.stack(decoded.planes), noise)


def test_integers_follow_the_trained_network(trained: tuple[Path, torch.nn.ModuleDict], clip_folder: Path) -> None:
    """Real coded size is within 2 % of the code length that training computed for the same cut."""
    nets = trained[1]
    clip = next(iter(read_clips(clip_folder, 64).values()))
    planes = augmented_cut(clip, np.random.default_rng(0), Augmentation(crop=64, noise=0, still=0), 5)
    stream = Stream(planes)
    rng = np.random.default_rng(0)
    reveal = draw_reveal(rng, (0.0, 0.0, 1.0, 0.0), "cosine")
    layout = _core.Format(width=64, height=64, layout="yuv", sx=1, sy=1, time_base=(1, 25), format_name="yuv420p")
    encoder = _core.Encoder(layout, export_model("fast", nets).to_bytes(), slices=1, scene_cuts=False)
    expected = measured = 0.0
    with torch.no_grad():
        while not stream.finished:
            frame = [p[stream.position].astype(np.uint8) for p in planes]
            measured += sum(encoder.encode(frame, pts=stream.position, duration=1).plane_bits)
            for coded, samples in zip(code_frame(nets, [stream], reveal, rng), frame, strict=True):
                expected += coded.bits_per_sample.item() * samples.size
    assert measured == pytest.approx(expected, rel=0.02)


def test_rgb_begins_as_chroma_and_learns_alone(
    trained: tuple[Path, torch.nn.ModuleDict], clip_folder: Path, tmp_path: Path
) -> None:
    y, x = np.mgrid[:90, :80]
    picture = np.stack([128 + 90 * np.sin(x / 9) * np.cos(y / 7), 2 * x, 255 - 2 * y], 2).clip(0, 255).astype(np.uint8)
    for name, values in (("a", picture), ("b", 255 - picture)):
        av.VideoFrame.from_ndarray(values, format="rgb24").save(tmp_path / f"{name}.png")
    settings = replace(SETTINGS, steps=60, checkpoint_every=10, rgb_share=1.0, rgb_crop=48, networks=("03", "13"))
    state = torch.load(trained[0] / "checkpoint.pt", weights_only=True)
    state["nets"] = {name: v for name, v in state["nets"].items() if name[1] < "3"}  # as a run without RGB has it
    start = tmp_path / "start.pt"
    torch.save(state, start)
    nets = train(
        clip_folder, tmp_path / "run", settings, report=lambda line: None, pictures=tmp_path, start=start
    ).state_dict()
    before = trained[1].state_dict()
    for name in ("00", "12"):
        torch.testing.assert_close(nets[f"{name}.layer1.weight"], before[f"{name}.layer1.weight"], rtol=0, atol=0)
    assert not torch.equal(nets["13.layer1.weight"], before["11.layer1.weight"])
    chroma = before["12.layer1.weight"]
    torch.testing.assert_close(nets["14.layer1.weight"][:, : chroma.shape[1]], chroma, rtol=0, atol=0)
    assert not nets["14.layer1.weight"][:, chroma.shape[1] :].any()
    rows = [line.split("\t") for line in (tmp_path / "run" / "log.tsv").read_text().splitlines()]
    assert rows[0][3:] == ["0B", "0G", "0R", "1B", "1G", "1R"]
    learned = [rows[0].index(name) for name in ("0B", "1B")]
    assert sum(float(rows[-1][i]) for i in learned) < sum(float(rows[1][i]) for i in learned)


def test_a_network_that_is_not_there_is_named(clip_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NlvcError, match="no network 19"):
        train(clip_folder, tmp_path, replace(SETTINGS, networks=("19",)), report=lambda line: None)


@pytest.mark.parametrize("content", [None, b"", b"not a clip"])
def test_a_folder_without_clips_is_one_clear_error(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "clip.mkv").write_bytes(content)
    assert main(["train", str(tmp_path), str(tmp_path / "run")]) == 1
    complaint = capsys.readouterr().err
    assert str(tmp_path) in complaint
    assert len(complaint.splitlines()) == 1


@pytest.mark.parametrize("delta", [0, 1, 2])
def test_training_sees_nothing_that_is_not_decoded(delta: int) -> None:
    """Changing one sample changes no prediction of its own or of earlier groups."""
    net = make_networks("fast")["00"]
    assert isinstance(net, Denoiser)
    generator = torch.Generator().manual_seed(delta)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_((torch.rand(parameter.shape, generator=generator) - 0.5) / 8)
    sample = torch.randint(0, 256, (1, 20, 24), generator=generator).float()
    y, x = torch.meshgrid(torch.arange(20), torch.arange(24), indexing="ij")
    group = x + delta * y
    reveal = Reveal(delta=delta, random=False)

    def errors() -> torch.Tensor:
        anchors = median_edge(sample, delta, [])
        return code_plane(net, sample, {}, anchors, reveal, np.random.default_rng(0)).errors[0]

    before = errors()
    anything_changed = False
    for cy, cx in ((0, 0), (7, 9), (19, 23), (10, 0)):
        sample[0, cy, cx] = 255 - sample[0, cy, cx]
        after = errors()
        sample[0, cy, cx] = 255 - sample[0, cy, cx]
        others = (group <= group[cy, cx]) & ((y != cy) | (x != cx))
        torch.testing.assert_close(before[others], after[others], rtol=0, atol=0)
        anything_changed |= bool((before != after)[group > group[cy, cx]].any())
    assert anything_changed


@pytest.mark.parametrize("seed", range(12))
def test_restored_rgb_is_what_a_player_makes_of_420(seed: int) -> None:
    """Luma of the result is the luma that went in; where chroma is flat, so are the colour differences."""
    rng = np.random.default_rng(seed)
    y = rng.integers(16, 236, (2, 32, 48)).astype(np.uint16)
    u, v = (np.full((2, 16, 24), value, np.uint16) for value in (90, 170))
    g, b, r = restored_rgb([y, u, v], rng).transpose(1, 0, 2, 3).astype(np.float64)
    lumas = [kr * r + (1 - kr - kb) * g + kb * b for kr, kb in ((0.299, 0.114), (0.2126, 0.0722))]
    ranges = [y, (y - 16.0) * 255 / 219]
    assert min(np.abs(luma - wanted).max() for luma in lumas for wanted in ranges) < 0.01
    assert (b - g).std() < 1e-3 and (r - g).std() < 1e-3
    assert (r - g).mean() > 0 > (b - g).mean()


def test_interpolated_chroma_follows_a_slope() -> None:
    """All kernels keep a ramp a ramp (nearest: in steps of two samples)."""
    ramp = np.tile(np.arange(100, 148, 2, dtype=np.uint16), (1, 16, 1))
    y = np.full((1, 32, 48), 120, np.uint16)
    steps = set()
    for seed in range(30):
        red = restored_rgb([y, np.full_like(ramp, 128), ramp], np.random.default_rng(seed))[0, 2, 16]
        difference = np.diff(red[8:41])
        assert (difference > -1e-3).all()
        smooth = difference.std() < 1e-3
        steps.add(smooth)
        assert smooth or (difference[::2] * difference[1::2] == 0).all()
    assert steps == {True, False}
