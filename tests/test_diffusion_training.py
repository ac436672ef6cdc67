"""Training of the transformer end to end on small generated clips, and what the reference embedding costs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pynlvc.cli import main
from pynlvc.errors import NlvcError
from pynlvc.model.diffusion.export import export_diffusion
from pynlvc.model.diffusion.modelfile import DiffusionModel, IntegerNetwork
from pynlvc.model.diffusion.shape import COLOUR
from pynlvc.model.store import load_model, model_names
from pynlvc.training.calibration import CANDIDATES, calibrate
from pynlvc.training.clips import read_clips
from pynlvc.training.diffusion_patches import PatchSource
from pynlvc.training.diffusion_step import code_patches, draw_reveal, schedule_weight, slope_reveal
from pynlvc.training.diffusion_train import (
    DiffusionSettings,
    make_diffusion_networks,
    network_of,
    read_sources,
    train_diffusion,
)
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.diffusion_models import SMALL, lively_networks

SETTINGS = DiffusionSettings(
    steps=24,
    batch=2,
    learning_rate=5e-3,
    warmup=2,
    attention_from=0.5,
    checkpoint_every=12,
    validation_share=0.3,
    validation_patches=4,
    shape=SMALL,
)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three generated clips of 4 frames."""
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(3):
        write_clip(folder / f"{seed}.mkv", make_clip(112, 112, 4, seed=seed))
    return folder


@pytest.fixture(scope="module")
def trained(clip_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.ModuleDict]:
    """A short run and its networks."""
    folder = tmp_path_factory.mktemp("run")
    return folder, train_diffusion(clip_folder, folder, SETTINGS, report=lambda line: None)


def test_training_lowers_the_code_length_and_is_recorded(trained: tuple[Path, torch.nn.ModuleDict]) -> None:
    rows = [line.split("\t") for line in (trained[0] / "log.tsv").read_text().splitlines()]
    assert rows[0] == ["step", "seconds", "rate", "IY", "IC", "PY", "PC"]
    assert len(rows) == 3
    assert float(rows[2][5]) < float(rows[1][5])
    record = json.loads((trained[0] / "settings.json").read_text())
    assert record["seed"] == 1 and record["data"] and record["steps"] == 24


def test_a_run_resumes_from_its_checkpoint(trained: tuple[Path, torch.nn.ModuleDict], clip_folder: Path) -> None:
    lines: list[str] = []
    again = train_diffusion(clip_folder, trained[0], SETTINGS, report=lines.append)
    assert lines == ["resumed at step 24"]
    for name, value in trained[1].state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=0)


def test_calibration_finds_the_temperature(trained: tuple[Path, torch.nn.ModuleDict], clip_folder: Path) -> None:
    """Scales that are too wide are narrowed, and the other way round; kinds without material stay."""
    source, _ = read_sources(clip_folder, None, SETTINGS)
    for change, found in ((2.0, min(CANDIDATES)), (-2.0, max(CANDIDATES))):
        nets = make_diffusion_networks(SMALL)
        nets.load_state_dict(trained[1].state_dict())
        for frame_type in (0, 1):
            with torch.no_grad():
                network_of(nets, frame_type).out_bias[:, 6:] += change
        temperature = calibrate(nets, source, 2, 1)
        for steps in (temperature.intra, temperature.inter):
            assert (steps[:, :COLOUR] == found).all()
            assert not steps[:, COLOUR].any()


@pytest.mark.parametrize("schedule", ["cosine", "uniform"])
def test_the_mask_schedule_weighs_ranks(schedule: str) -> None:
    weight = schedule_weight(schedule)
    assert weight.mean().item() == pytest.approx(1.0, rel=1e-5)
    assert (weight[0] > weight[-1]).item() == (schedule == "cosine")


def test_random_masks_and_hidden_references_are_learned_from(clip_folder: Path) -> None:
    """Each kind of order gives gradients to its own linear weights, and only a hidden reference to `blind`."""
    source = PatchSource(list(read_clips(clip_folder, 96).values()), [], SETTINGS.augmentation)
    rng = np.random.default_rng(0)
    patches = source.batch(rng, 1, 0, 2)
    for choice in range(5):
        nets = lively_networks(0)
        net = network_of(nets, 1)
        weights = tuple(float(i == choice) for i in range(5))
        code_patches(net, patches, draw_reveal(rng, weights, "cosine")).loss.backward()
        assert net.linear.grad is not None
        touched = net.linear.grad.abs().sum((1, 2)) > 0
        assert touched.tolist() == [i == choice for i in range(5)]
        assert (net.blind.grad is not None) == (choice == 4)


def test_colour_is_trained_with_pictures(clip_folder: Path) -> None:
    rng = np.random.default_rng(0)
    picture = rng.uniform(0, 255, (3, 80, 80)).astype(np.float32)
    source = PatchSource(list(read_clips(clip_folder, 96).values()), [picture], SETTINGS.augmentation)
    assert COLOUR in source.kinds
    for kind in source.kinds:
        for frame_type in (0, 1):
            patches = source.batch(rng, frame_type, kind, 4)
            assert patches.samples.shape == (4, 32, 32)
            assert (patches.reference is not None) == (frame_type == 1)


def test_the_blind_model_ignores_the_reference(clip_folder: Path) -> None:
    nets = lively_networks(1)
    net = network_of(nets, 1)
    source = PatchSource(list(read_clips(clip_folder, 96).values()), [], SETTINGS.augmentation)
    patches = source.batch(np.random.default_rng(0), 1, 0, 2)
    assert patches.reference is not None
    wide = patches.reference.copy()
    wide[:, :2] = wide[:, -2:] = 0  # what surrounds the patch is seen through the reference embedding alone
    lengths = [
        code_patches(net, replace(patches, reference=r), slope_reveal(2, blind=True)).lengths()
        for r in (patches.reference, wide)
    ]
    assert torch.equal(*lengths)
    blind = export_diffusion(nets, blind=True).networks[1]
    assert not blind.embed.weight[:, -24:].any() and not blind.linear[:, :, -24:].any()


def reference_share(net: IntegerNetwork) -> float:
    """Share of the weights that see the reference's neighbourhood."""
    layers = [net.embed, net.gate, net.errors, net.out]
    for block in (net.before, net.between, net.after):
        layers += [block.inner, block.outer]
    for attention in (net.attention1, net.attention2):
        layers += [attention.query, attention.key, attention.values, attention.out]
    all_weights = sum(layer.weight.size for layer in layers) + net.linear.size + net.hidden_mean.size
    taps = net.shape.references
    return taps * (len(net.embed.weight) + net.linear[:, :, 0].size) / all_weights


def test_the_reference_embedding_is_light() -> None:
    shares = [
        reference_share(model.networks[1])
        for model in (
            export_diffusion(make_diffusion_networks({})),
            DiffusionModel.from_bytes(load_model("diffusion").data),
        )
    ]
    assert max(shares) <= 0.03
    text = (Path(__file__).parents[1] / "docs" / "diffusion.md").read_text(encoding="utf-8")
    assert f"The reference embedding has {100 * shares[-1]:.1f} % of the weights of the P-network." in text


def test_the_shipped_model_is_small_and_whole() -> None:
    assert "diffusion" in model_names()
    file = load_model("diffusion").data
    assert len(file) < 1_000_000
    model = DiffusionModel.from_bytes(file)
    assert model.name == "diffusion"
    assert reference_share(model.networks[1]) <= 0.03


def test_the_command_trains_and_resumes(clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pynlvc.cli.train.CALIBRATION_PATCHES", 2)
    command = ["train", str(clip_folder), str(tmp_path / "run"), "--model", "diffusion", "--batch", "2"]
    command += ["--schedule", "uniform", "--checkpoint-every", "1"]
    assert main([*command, "--steps", "1", "--attention-from", "0"]) == 0
    first = (tmp_path / "run" / "diffusion.nlvm").read_bytes()
    DiffusionModel.from_bytes(first)
    assert main([*command, "--steps", "2", "--attention-from", "0"]) == 0
    assert (tmp_path / "run" / "diffusion.nlvm").read_bytes() != first
    assert len((tmp_path / "run" / "log.tsv").read_text().splitlines()) == 3
    assert main([*command, "--attention-from", "1.5"]) == 2
    assert main([*command, "--networks", "03"]) == 2


def test_too_few_clips_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NlvcError, match="two clips"):
        train_diffusion(tmp_path, tmp_path / "run", SETTINGS, report=lambda line: None)
