"""The NLVC codec in integers: packets in, planes out and back. Implements docs/bitstream.md.

Planes are in coding order (Y, U, V; G, B, R; grey; alpha last): uint8 at depth 8, else uint16. Wrong arguments raise
ValueError or TypeError, damaged streams `BitstreamError`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

# An object with the buffer protocol; C-contiguous where nothing else is said.
BytesLike = Buffer | NDArray[Any]

class BitstreamError(ValueError):
    """Bytes that break docs/bitstream.md; the message says what and where."""

class MissingModelError(LookupError):
    """A stream whose model is neither embedded nor known; the message names its SHA-256."""

class Format:
    """Size and sample layout of a picture, and the time base of its stream (§1, §9). Hashable."""

    def __init__(
        self,
        *,
        width: int,  # samples of plane 0, 1..16384
        height: int,  # samples of plane 0, 1..16384
        layout: str,  # "grey", "yuv" or "rgb"
        alpha: bool = False,  # a last plane of full size
        depth: int = 8,  # bits of a sample, 8..16
        sx: int = 0,  # log2 of the horizontal subsampling of planes 1 and 2, 0..2; 0 unless yuv
        sy: int = 0,  # log2 of the vertical subsampling
        time_base: tuple[int, int] = (1, 1),  # seconds per tick, numerator and denominator, each 1..2^31 - 1
        format_name: str = "",  # how the application calls the layout, up to 255 printable ASCII characters
    ) -> None: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def layout(self) -> str: ...
    @property
    def alpha(self) -> bool: ...
    @property
    def depth(self) -> int: ...
    @property
    def sx(self) -> int: ...
    @property
    def sy(self) -> int: ...
    @property
    def time_base(self) -> tuple[int, int]: ...
    @property
    def format_name(self) -> str: ...
    @property
    def plane_shapes(self) -> list[tuple[int, int]]:
        """(rows, columns) of each plane in coding order."""
    def slice_rows(self, plane: int, slice: int, count: int) -> tuple[int, int]:
        """Rows [start, stop) of a plane in slice `slice` of `count` (§2)."""

class EncodedFrame:
    """One coded frame."""

    @property
    def data(self) -> bytes:
        """The packet."""
    @property
    def is_keyframe(self) -> bool: ...
    @property
    def plane_bits(self) -> list[float]:
        """Bits spent on each plane, in coding order, without headers."""
    @property
    def motion_bits(self) -> float: ...
    @property
    def checksum(self) -> int:
        """CRC-32C of the samples (§9)."""
    @property
    def examples(self) -> list[Examples]:
        """By plane; [] where the encoder records none."""

class LearnerShape:
    """Sizes of a network, counting only the taps that one δ reveals, and where its numbers stand in the vectors that
    `learn` takes: for each dense layer (w1, w2, w3, w4, wo) the weights [rows, columns] and biases [rows] of the model
    file and then multiplier / 2^shift [rows]; after them wl [inputs], wm [h2], bl [1]."""

    def __init__(
        self,
        *,
        inputs: int,  # revealed taps of the first list, 1..255
        errors: int,  # revealed taps of the second list, 0..255
        h1: int,  # widths of the layers, 1..255
        h2: int,
        g: int,
    ) -> None: ...
    def layer_start(self, layer: int) -> int:
        """Where layer 0..4 begins."""
    @property
    def linear_start(self) -> int: ...
    @property
    def size(self) -> int: ...

def available_learners() -> list[str]:
    """Names of the implementations of `learn` that this processor can run, slowest first."""

def learn(
    shape: LearnerShape,
    values: NDArray[np.float32],  # [shape.size]
    inputs: NDArray[np.int8],  # [n, shape.inputs]
    errors: NDArray[np.int8],  # [n, shape.errors]
    anchors: NDArray[np.float32],  # [n], samples
    samples: NDArray[np.float32],  # [n]
    *,
    depth: int,  # bits of the samples, 8..16
    q: int,  # sample shift
    gradient: NDArray[np.float32] | None = None,  # [shape.size]; receives the derivative in addition
    threads: int = 1,  # that work, >= 1; the result does not depend on it
    learner: str = "",  # implementation; the fastest
) -> float:
    """Ideal code length of examples in bits. The derivative is that of the network without its roundings. The same
    arguments give the same result, bit for bit, with the same implementation."""

class Examples:
    """Samples of one plane of a frame, chosen at random, with all that the network knows of them."""

    @property
    def frame_type(self) -> int:
        """Of the network: 0 I, 1 P."""
    @property
    def plane_class(self) -> int: ...
    @property
    def depth(self) -> int:
        """Bits of the samples as they are coded (§1.1)."""
    @property
    def q(self) -> int:
        """Sample shift (§1.2)."""
    @property
    def input_taps(self) -> NDArray[np.int8]:
        """[n, revealed taps of the first list]"""
    @property
    def error_taps(self) -> NDArray[np.int8]:
        """[n, revealed taps of the second list], with the errors that the model leaves without corrections."""
    @property
    def anchors(self) -> NDArray[np.int32]:
        """Anchor A of each."""
    @property
    def samples(self) -> NDArray[np.uint16]: ...

class Accelerator(Protocol):
    """Evaluates the networks of one model and slope for an Encoder or Decoder (§5). Several threads may call at once.

    Values come in words of four for the sixteen samples of a batch: int8 or uint8 [batches, words, 16, 4], value i of a
    list at [:, i // 4, :, i % 4], taps that the slope does not reveal left out; what fills up a word means nothing.
    """

    def stage1(
        self, frame_type: int, plane_class: int, taps: NDArray[np.int8], /
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """`lin` without corrections, int32 [batches, 16], and h2 in words."""
    def stage2(
        self, frame_type: int, plane_class: int, hidden: NDArray[np.uint8], errors: NDArray[np.int8], /
    ) -> NDArray[np.int32]:
        """o, int32 [batches, 9, 16]"""

MakeAccelerator = Callable[[bytes, int], Accelerator]  # of a model file and a slope

class Encoder:
    """Codes the frames of one stream in display order. Releases the GIL; one thread at a time may use it."""

    def __init__(
        self,
        format: Format,
        model: BytesLike,  # a model file (§10)
        *,
        delta: int = 2,  # slope of the groups, 0..2 (§2)
        keyframe_interval: int = 0,  # frames between keyframes at most; 0: only where forced or at a scene cut
        slices: int = 0,  # 1..8, at most one for each 16 rows; 0: about one for each 144 rows
        threads: int = 0,  # 1..256; 0: one for each processor. Packets do not depend on it
        embed_model: bool = False,  # put the model file into the first keyframe and the sequence header
        scene_cuts: bool = True,  # start a keyframe where the content changes
        effort: int = 0,  # how much is fitted to the content, 0..9; 0: nothing
        kernels: str = "",  # one of kernel_names(), for tests; "": the fastest
        side: Mapping[int, BytesLike] = ...,  # side information of the stream by type 0..127 (§9.1)
        first_number: int = 0,  # frames of the stream that others coded before, 0..2^61
        difference: BytesLike = b"",  # stands for the model in the first keyframe, unless that is embedded (§10.1)
        examples: int = 0,  # one of so many samples is recorded to train with; 0: none
        accelerator: MakeAccelerator | None = None,  # evaluates the networks in place of the kernels
    ) -> None: ...
    def encode(
        self,
        planes: Sequence[BytesLike],  # 2-D, samples of a row contiguous, rows may have padding
        *,
        pts: int,  # ticks of the time base
        duration: int,  # ticks, >= 0
        force_keyframe: bool = False,
        side: Mapping[int, BytesLike] | None = None,  # all of this frame's; None: the stream's
    ) -> EncodedFrame: ...
    def skip(
        self,
        planes: Sequence[BytesLike],  # as for encode; looked at in keyframes alone
        *,
        pts: int,
        duration: int,
        force_keyframe: bool,  # as it was when the frame was encoded
        was_keyframe: bool,
    ) -> None:
        """Takes note of a frame that was coded before with these settings: every frame from the first one up to the one
        before a keyframe, which is encoded next and comes out as it would have then."""
    @property
    def sequence_header(self) -> bytes:
        """The container's extradata (§9)."""
    @property
    def model_hash(self) -> str:
        """Hexadecimal SHA-256 of the model file."""

class Damage:
    """What conceal() could not decode (§9.2)."""

    @property
    def kind(self) -> str:
        """damaged: the packet's own bytes; dependent: what it rests on; missing: frames before it."""
    @property
    def slice(self) -> int:
        """-1: the whole frame."""
    @property
    def offset(self) -> int:
        """Of the slice's payload in the packet, bytes; 0 for the whole frame."""
    @property
    def what(self) -> str: ...

class DecodedFrame:
    """One decoded frame; those of decode() always agree with the checksum that the encoder stored."""

    @property
    def planes(self) -> list[NDArray[np.uint8] | NDArray[np.uint16]]:
        """Copies of the planes [rows, columns] in coding order."""
    @property
    def pts(self) -> int: ...
    @property
    def duration(self) -> int: ...
    @property
    def is_keyframe(self) -> bool: ...
    @property
    def format(self) -> Format: ...
    @property
    def checksum(self) -> int: ...
    @property
    def slices(self) -> int: ...
    @property
    def model_hash(self) -> str: ...
    @property
    def delta(self) -> int: ...
    @property
    def side(self) -> dict[int, bytes]:
        """All side information that holds for this frame, by type (§9.1)."""
    @property
    def coded_depth(self) -> int:
        """Bits of the numbers that the samples were coded as (§1.1)."""
    @property
    def number(self) -> int:
        """Frames since the keyframe; in a keyframe frames of the stream before it (§9); -1: unknown."""
    @property
    def exact(self) -> bool:
        """Whether every sample is as it was encoded, proven by the frame's checksum."""
    @property
    def timed(self) -> bool:
        """Whether pts and duration are as they were encoded."""
    @property
    def damage(self) -> list[Damage]:
        """What conceal() found, also that frames before this one are missing."""
    @property
    def plane_bits(self) -> list[float]:
        """Bits spent on each plane, in coding order, without headers; of what decode() gives."""
    @property
    def motion_bits(self) -> float: ...
    @property
    def block_bits(self) -> NDArray[np.float32]:
        """Bits of all planes in each block of 16x16 samples of plane 0 [rows, columns]; empty without analysis."""

class Decoder:
    """Decodes packets in order. Releases the GIL; one thread at a time may use it.

    find_model: 32-byte SHA-256 -> model file or None; asked when a keyframe names a model that is neither embedded nor
    the one in use.
    """

    def __init__(
        self,
        find_model: Callable[[bytes], BytesLike | None],
        *,
        threads: int = 0,
        kernels: str = "",
        analysis: bool = False,  # find out what each block costs
        accelerator: MakeAccelerator | None = None,  # evaluates the networks in place of the kernels
    ) -> None: ...
    def decode(self, packet: BytesLike) -> DecodedFrame:
        """Decodes one packet. After an error, only a keyframe is accepted."""
    def conceal(self, packet: BytesLike) -> DecodedFrame:
        """The same, but shows something for damaged packets too; raises only where there is nothing to show yet."""
    def reset(self) -> None:
        """After a jump in the stream: only a keyframe is accepted."""

class SequenceInfo:
    """What extradata says."""

    @property
    def format(self) -> Format: ...
    @property
    def model_hash(self) -> str: ...
    @property
    def delta(self) -> int: ...
    @property
    def embedded_model(self) -> bytes:
        """The model file, b"" when it is not embedded."""
    @property
    def side(self) -> dict[int, bytes]:
        """Side information of the stream by type (§9.1)."""

class PacketInfo:
    """What a packet's header says. The values of the sequence are None in P-frames."""

    @property
    def is_keyframe(self) -> bool: ...
    @property
    def format(self) -> Format | None: ...
    @property
    def model_hash(self) -> str | None: ...
    @property
    def delta(self) -> int | None: ...
    @property
    def embedded_model(self) -> bytes:
        """The model file, b"" when it is not embedded."""
    @property
    def number(self) -> int:
        """Frames since the keyframe; in a keyframe frames of the stream before it."""
    @property
    def pts_difference(self) -> int:
        """The pts in a keyframe; else the difference to the previous pts + duration, ticks."""
    @property
    def duration(self) -> int: ...
    @property
    def q(self) -> int:
        """Sample shift (§1)."""
    @property
    def checksum(self) -> int: ...
    @property
    def side(self) -> dict[int, bytes]:
        """What changes with this frame, the sample map included (§9.1)."""
    @property
    def sequence_side(self) -> dict[int, bytes] | None: ...
    @property
    def sequence_header(self) -> bytes | None:
        """What extradata of this keyframe would be."""
    @property
    def slice_modes(self) -> list[str]:
        """How each slice is coded: "model", "raw" or "repeats" (§7.1)."""
    @property
    def slice_sizes(self) -> list[int]:
        """Bytes of each slice's payload."""

class ModelInfo:
    """What a model file holds."""

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str: ...
    @property
    def networks(self) -> list[tuple[int, int]]:
        """(frame type, plane class) of each network."""

def parse_packet(packet: BytesLike) -> PacketInfo:
    """Reads a packet's header and checks its slices' checksums, without decoding samples."""

def parse_sequence_header(extradata: BytesLike) -> SequenceInfo: ...
def parse_model(model: BytesLike) -> ModelInfo:
    """Reads a model file and proves its limits (§5, §10)."""

def crc32c(data: BytesLike, initial: int = 0) -> int:
    """CRC-32C of bytes that follow bytes of checksum `initial`."""

# For codecs whose network runs outside this module.

def write_sequence_header(
    format: Format,
    *,
    model_hash: BytesLike,  # 32 bytes
    delta: int,
    embedded_model: BytesLike,  # b"" when it is not embedded
    side: Mapping[int, BytesLike],
) -> bytes:
    """The container's extradata, and what stands at the head of each keyframe (§9)."""

def write_single_slice(
    sequence: BytesLike,  # as write_sequence_header made it; b"" makes a P-frame
    *,
    number: int,  # frames since the keyframe; in a keyframe frames of the stream before it
    pts_difference: int,  # to the previous packet's pts + duration; the pts itself in a keyframe, ticks
    duration: int,  # ticks, >= 0
    checksum: int,  # of the frame's samples
    side: Mapping[int, BytesLike],  # what changes with this frame
    raw: bool,  # whether the payload holds plain samples
    payload: BytesLike,
) -> bytes:
    """A packet of one slice, of sample shift 0."""

def slice_payloads(packet: BytesLike) -> list[bytes]:
    """The payload of each slice; all checksums but that of the samples are verified."""

class IntegerDense:
    """A dense layer of the transformer (docs/diffusion.md §3); both functions give int32 [B, n, outputs]."""

    def __init__(
        self,
        weight: NDArray[np.int8],  # [outputs, inputs], 1..1024 and 1..128, -127..127
        bias: NDArray[np.int32],  # [sets, outputs]
        multiplier: NDArray[np.int32],  # [outputs]
        shift: NDArray[np.int32],  # [outputs]
        *,
        kernels: str = "",
    ) -> None: ...
    @property
    def outputs(self) -> int: ...
    def of_activations(
        self,
        x: NDArray[np.float32],  # [B, n, inputs], integers -127..127
        kinds: NDArray[np.int64] | None = None,  # [B] which set of biases; None: the first
    ) -> NDArray[np.int32]: ...
    def of_stream(
        self,
        r: NDArray[np.int32],  # [B, n, inputs], 1/16 of an activation
        kinds: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int32]: ...

def feed_forward(r: NDArray[np.int32], inner: IntegerDense, outer: IntegerDense) -> NDArray[np.int32]:
    """The stream [B, n, width] after a feed-forward block."""

class AttentionMemory:
    """Keys and values of the revealed tokens of a batch of patches (docs/diffusion.md §3.3)."""

    def __init__(
        self,
        batch: int,
        *,
        key: int,  # elements of a head's key, 1..128
        falloff: NDArray[np.int32],  # [heads]
        width: int,  # of the stream
        distance: NDArray[np.int32],  # [1024, 1024] by rank, squared samples
        absent: NDArray[np.bool_] | None,  # [B, 1024] by rank, tokens outside the picture; None: there are none
        kernels: str = "",
    ) -> None: ...
    def remember(
        self,
        start: int,  # rank of the first token
        r: NDArray[np.int32],  # [B, n, width]
        content: NDArray[np.float32],  # [B, n, c], integers -127..127
        key: IntegerDense,
        values: IntegerDense,
    ) -> None:
        """Tokens that are known now."""

    def attend(self, start: int, r: NDArray[np.int32], query: IntegerDense, out: IntegerDense) -> NDArray[np.int32]:
        """r with what attention adds."""

class SampleDecoder:
    """Decodes 8-bit samples in parts, as their distributions become known (§6, §7)."""

    def __init__(self, data: BytesLike) -> None: ...
    def decode(
        self,
        outputs: NDArray[np.int32],  # [n, 9]
        mean: NDArray[np.int32],  # [n], 1/32 sample
    ) -> NDArray[np.uint16]:
        """The next n samples."""

def kernel_names() -> list[str]:
    """The sets of kernels that this processor can run, slowest first; the last is used. All give the same integers."""

# Single steps, for tests, training and benchmarks. Vectors are int16 [block rows, block columns, 2] (x, y).

def range_encode(lows: NDArray[np.uint32], highs: NDArray[np.uint32]) -> bytes:
    """Codes the intervals [low, high) of 2^24 (§7)."""

def range_decode(data: BytesLike, tables: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Symbols of cumulative tables [symbols, bounds] that rise from 0 to 2^24."""

def mixture_bounds(
    outputs: NDArray[np.int32],  # [n, 9]
    mean: NDArray[np.int32],  # [n], 1/32 sample
    values: NDArray[np.int32],  # [n, m], 0 .. maximum + 1
    *,
    depth: int,
    q: int,
) -> NDArray[np.uint32]:
    """C(v) [n, m] of §6."""

def encode_samples(
    outputs: NDArray[np.int32],  # [ceil(n / 16), 9, 16]
    mean: NDArray[np.int32],  # [ceil(n / 16), 16], 1/32 sample
    samples: NDArray[np.uint16],  # [n]
    *,
    depth: int,
    q: int,
    kernels: str = "",  # one of kernel_names()
) -> bytes:
    """Codes samples of which a network says `outputs` and `mean` (§6, §7)."""

def decode_samples(
    data: BytesLike,
    outputs: NDArray[np.int32],
    mean: NDArray[np.int32],
    count: int,  # n
    *,
    depth: int,
    q: int,
    kernels: str = "",
) -> tuple[NDArray[np.uint16], tuple[int, int, int]]:
    """The samples, and where the range decoder stands then: position, range, code."""

class PlaneEvaluation(TypedDict):
    """Arrays over the rows of the slice; unrevealed taps are 0."""

    taps: NDArray[np.int8]  # [first tap list, rows, columns]
    error_taps: NDArray[np.int8]  # [second tap list, rows, columns]
    anchor: NDArray[np.int32]  # [rows, columns], samples
    mean: NDArray[np.int32]  # [rows, columns], 1/32 sample
    hidden: NDArray[np.uint8]  # h2 [width, rows, columns]
    outputs: NDArray[np.int32]  # o [9, rows, columns]
    error: NDArray[np.int8]  # [rows, columns]

def evaluate_plane(
    model: BytesLike,
    samples: Mapping[int, NDArray[np.uint16]],  # context planes by id (§4) on the plane's grid; 0 is the plane itself
    errors: Mapping[int, NDArray[np.int8]],  # the context planes that hold prediction errors, without `err`
    *,
    frame_type: int,  # 0 I, 1 P
    plane_class: int,  # 0..4
    delta: int,
    depth: int,
    q: int,
    rows: tuple[int, int],  # rows [start, stop) of the slice
    kernels: str = "",  # one of kernel_names(), or "definition": sample by sample; "": the fastest
) -> PlaneEvaluation:
    """The network over one plane of one slice."""

def search_motion(
    current: NDArray[np.uint16],
    reference: NDArray[np.uint16],
    past: NDArray[np.int16] | None,  # the previous frame's field
    depth: int,
    *,
    slices: int = 1,
    kernels: str = "",
) -> NDArray[np.int16]:
    """Quarter-sample vectors in 8x8 blocks, as the encoder would choose them."""

def to_integer(field: NDArray[np.int16]) -> NDArray[np.int16]:
    """Quarter samples to full samples (§3)."""

def compensate_subsample(
    reference: NDArray[np.uint16],
    field: NDArray[np.int16],  # quarter samples
    block: int,  # 8 or 16, samples of plane 0
    width: int,  # of plane 0
    height: int,
    sx: int,  # log2 of the reference's subsampling
    sy: int,
    depth: int,
    *,
    kernels: str = "",
) -> NDArray[np.uint16]:
    """The reference displaced with interpolation (§3)."""

def compensate_integer(
    reference: NDArray[np.uint16], field: NDArray[np.int16], block: int, width: int, height: int, sx: int, sy: int
) -> NDArray[np.uint16]:
    """The reference displaced by full samples (§3)."""

def compensate_errors(
    errors: NDArray[np.int8], field: NDArray[np.int16], block: int, width: int, height: int, sx: int, sy: int
) -> NDArray[np.int8]:
    """Prediction errors displaced by full samples (§3)."""

def locate_older(
    prediction: NDArray[np.uint16],  # plane 0 of ref1_sub
    reference: NDArray[np.uint16],  # plane 0 of frame t-k
    depth: int,
    current: NDArray[np.int16],  # 8x8 field of frame t
    newer: NDArray[np.int16],  # vectors of frame t-k+1
    newer_block: int,  # its block: 8 for k = 2, else 16
    passed: NDArray[np.int16] | None,  # 8x8 field that frame t-k+1 was sent with, None for a keyframe
    *,
    kernels: str = "",
) -> NDArray[np.int16]:
    """Vectors of frame t-k in 16x16 blocks (§3)."""

def scene_change(current: NDArray[np.uint16], prediction: NDArray[np.uint16], depth: int) -> float:
    """How much worse `prediction` (plane 0 of ref1_sub) explains the frame than its own neighbourhood does: above 1 an
    encoder starts a keyframe."""

_Sets = Sequence[Sequence[int]]  # sets of weights -127..127: one for each revealed tap, then the constant's

def apply_correction(
    sets: _Sets,
    shift: int,  # 3..10
    classes: Sequence[int],  # the set of each of sixteen lanes
    taps: NDArray[np.int8],  # [taps, 16]
    *,
    kernels: str = "",  # one of kernel_names(), or "definition"
) -> list[int]:
    """What is added to `lin` in each lane (§5.1)."""

def products(rows: NDArray[np.int16], *, kernels: str = "") -> NDArray[np.int32]:
    """Sums of products of every two rows of 512 values: the lower triangle, row by row."""

def is_model_difference(file: BytesLike) -> bool:
    """Whether a model file is a difference to another one (§10.1)."""

def model_difference_base(difference: BytesLike) -> bytes:
    """The SHA-256 of the model file that a difference starts from."""

def apply_model_difference(difference: BytesLike, base: BytesLike) -> bytes:
    """The model file that a difference means. BitstreamError: either is malformed, or it starts from another model."""

def write_model_difference(base: BytesLike, fitted: BytesLike, *, delta: int) -> bytes:
    """The difference of `fitted` to `base`. ValueError where a difference cannot say it (§10.1)."""

def write_corrections(
    inputs: Sequence[int],  # revealed taps of each plane's network
    previous: Sequence[tuple[int, _Sets]],  # (shift, sets) of each plane in the frame before
    planes: Sequence[tuple[int, _Sets]],
) -> bytes:
    """The sets of a frame as side information of type 129 (§5.1)."""

def read_corrections(
    inputs: Sequence[int], previous: Sequence[tuple[int, _Sets]], data: BytesLike
) -> list[tuple[int, list[list[int]]]]:
    """The reverse of write_corrections."""

def solve(size: int, matrix: Sequence[float], right: Sequence[float]) -> list[float]:
    """Solves a symmetric positive definite system given by its lower triangle, row by row."""
