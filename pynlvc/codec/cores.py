"""Which codec a model asks for: the native one, or the transformer's in PyTorch, which is imported only then."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pynlvc import _core
from pynlvc.codec.devices import accelerator, torch_device
from pynlvc.codec.gathering import Gathering
from pynlvc.codec.settings import NATIVE, EncoderSettings
from pynlvc.codec.side_information import SideInformation
from pynlvc.errors import ModelError, UsageError
from pynlvc.model.store import Model, is_diffusion

if TYPE_CHECKING:
    from pynlvc.codec.diffusion_decoder import DecodedDiffusionFrame, DiffusionDecoder
    from pynlvc.codec.diffusion_encoder import DiffusionEncoder

KEYFRAME_FLAG = 1  # of the flags, byte 3 of a packet (docs/bitstream.md §9)


def new_encoder(
    layout: _core.Format, model: Model, settings: EncoderSettings, side: SideInformation, *, first_number: int
) -> _core.Encoder | DiffusionEncoder:
    """The encoder of a stream that has `first_number` frames already. Raises ModelError for a malformed model and
    UsageError for what the model cannot code."""
    if is_diffusion(model.data):
        return _new_diffusion_encoder(layout, model, settings, side, first_number)
    try:
        return _core.Encoder(
            layout,
            model.data,
            delta=settings.delta,
            keyframe_interval=settings.gop or 0,
            slices=settings.slices,
            threads=settings.threads,
            embed_model=bool(settings.embed_model),
            scene_cuts=settings.scene_cuts,
            effort=settings.effort,
            side=side,
            first_number=first_number,
            difference=model.difference,
            accelerator=accelerator(settings.device),
        )
    except _core.BitstreamError as error:
        raise ModelError(f"model {settings.model}: {error}") from None


def _new_diffusion_encoder(
    layout: _core.Format, model: Model, settings: EncoderSettings, side: SideInformation, first_number: int
) -> DiffusionEncoder:
    if layout.depth != 8:
        raise UsageError(f"model {model.name} codes 8-bit samples only, {layout.format_name} has {layout.depth} bits")
    if settings.slices > 1:
        raise UsageError(f"slices is {settings.slices}: model {model.name} codes a frame in one slice")
    _require_torch(model.name)
    from pynlvc.codec.diffusion_encoder import DiffusionEncoder

    return DiffusionEncoder(
        layout,
        model.data,
        delta=settings.delta,
        keyframe_interval=settings.gop or 0,
        threads=settings.threads,
        embed_model=bool(settings.embed_model),
        scene_cuts=settings.scene_cuts,
        side=side,
        first_number=first_number,
        device=torch_device(settings.device),
    )


def _require_torch(name: str) -> None:
    if importlib.util.find_spec("torch") is None:
        raise ModelError(f"model {name} runs in PyTorch, which is not installed: pip install torch")


class DecoderCore:
    """Decodes packets with whatever codec the model of the last keyframe asks for."""

    def __init__(
        self,
        find_model: Callable[[bytes], bytes | None],
        *,
        threads: int,
        analysis: bool,
        device: str = NATIVE,  # as in DecoderSettings
        gathering: Gathering | None = None,
    ) -> None:
        self._find_model = find_model
        self._threads = threads
        self._analysis = analysis
        self._accelerator = accelerator(device)
        self._device = torch_device(device)
        self._gathering = gathering
        self._native: _core.Decoder | None = None
        self._digest = b""  # of the model that the choice was made for
        self._diffusion: DiffusionDecoder | None = None  # None: the model is native

    def decode(self, packet: Any) -> _core.DecodedFrame | DecodedDiffusionFrame:
        """As `_core.Decoder.decode`; ModelError where PyTorch is needed and missing."""
        return self._chosen(packet).decode(packet)

    def conceal(self, packet: Any) -> _core.DecodedFrame | DecodedDiffusionFrame:
        """As `_core.Decoder.conceal`."""
        return self._chosen(packet).conceal(packet)

    def _chosen(self, packet: Any) -> _core.Decoder | DiffusionDecoder:
        head = bytes(memoryview(packet)[:4])
        if len(head) == 4 and head[3] & KEYFRAME_FLAG:
            self._choose(packet)
        if self._diffusion is not None:
            return self._diffusion
        if self._native is None:
            self._native = _core.Decoder(
                self._find_model, threads=self._threads, analysis=self._analysis, accelerator=self._accelerator
            )
        return self._native

    def _choose(self, packet: Any) -> None:
        """Finds out which codec a keyframe needs. Packets that cannot be read change nothing."""
        try:
            header = _core.parse_packet(packet)
        except _core.BitstreamError:
            return
        assert header.model_hash is not None
        digest = bytes.fromhex(header.model_hash)
        if digest == self._digest:
            return
        self._digest, self._diffusion = b"", None  # unless all goes well
        data = bytes(header.embedded_model) or self._find_model(digest)
        if data is None or (hashlib.sha256(data).digest() != digest and is_diffusion(data)):
            return  # the native codec reports that
        if not is_diffusion(data):
            self._digest = digest
            return
        _require_torch("diffusion")
        from pynlvc.codec.diffusion_decoder import DiffusionDecoder

        self._diffusion = DiffusionDecoder(
            data,
            threads=self._threads,
            analysis=self._analysis,
            device=self._device,
            gathering=self._gathering,
        )
        self._digest = digest
