// The parts of the codec that exist for several instruction sets, as a table of functions chosen once per codec
// instance. All of them give the same integers as the definition in network.h (tests/test_network.py).
#pragma once
#include "context.h"
#include "correction.h"
#include "kernels/block_kernels.h"
#include "kernels/transformer.h"
#include "lanes.h"
#include "mixture.h"
#include "model.h"

namespace nlvc {

constexpr int kProductSamples = 512;  ///< columns of `products`

enum class TapKind : uint8_t {
    kDifference,  ///< a sample minus an anchor
    kError,       ///< a prediction error
    kByte,        ///< with narrow samples all of them: a byte minus the byte of an anchor, or of none
    kLevel,       ///< from anchor A alone
};

/// What four taps that become one word have in common. Lists are filled up to whole words.
enum class FourKind : uint8_t {
    kMixed,
    kDifferences,        ///< samples minus one anchor, or bytes minus one
    kMaskedDifferences,  ///< the same, some of them masked
    kErrors,             ///< prediction errors
    kAbsoluteErrors,     ///< their absolute values
};

/// Where a tap reads for one group: row y of the group at samples[y] or bytes[y].
struct TapSource {
    TapKind kind;
    bool absolute;
    bool masked;  ///< differences of `cur` are 0 outside the slice
    int8_t dx, dy;
    uint8_t anchor;
    FourKind four;  ///< of this tap and the next three, in every fourth of a list
    const uint16_t* samples;
    const int8_t* bytes;  ///< prediction errors, and narrow samples
};

constexpr int kMaxWords = (kMaxWidth + 3) / 4;

/// Four values of each of sixteen samples, side by side as one 32-bit word for each sample: value i of a list stands at
/// [i / 4][lane][i % 4]. What fills up the last word means nothing.
template <class T>
using Words4 = T[kLanes][4];

/// Inputs of sixteen samples and what becomes of them.
struct BatchValues {
    int32_t anchors[kAnchors][kLanes];
    alignas(64) Words4<int8_t> taps[kMaxWords];     ///< first tap list
    alignas(64) Words4<int8_t> errors[kMaxWords];   ///< second tap list
    alignas(64) Words4<uint8_t> hidden[kMaxWords];  ///< h2
    int32_t linear[kLanes];                         ///< lin
    int32_t mean[kLanes];                           ///< 1/32 sample
    int32_t outputs[kOutputs][kLanes];              ///< o
};

constexpr int kFirstWindow = 8;  ///< samples whose bounds are at hand when a search begins

/// Samples of a batch on their way from distributions to numbers. They come one after the other out of the range coder,
/// each waiting for the one before: other work is done beside it.
struct PendingSamples {
    int depth = 8, q = 0;
    int count = 0;  ///< lanes that have a sample
    DecoderState* coder = nullptr;
    uint16_t* samples = nullptr;  ///< receives `count` samples
    int next = 0;                 ///< the first lane that is not decoded yet
    // The search begins with kFirstWindow samples, base + i * stride, and their bounds (for a search's own use).
    alignas(64) uint32_t bounds[kLanes][kFirstWindow];
    alignas(64) int32_t base[kLanes], stride[kLanes];
    MixtureBatch mixture;
};

struct Kernels {
    const char* name;
    /// Lays out the weights as this table's functions read them.
    void (*pack)(CompiledNetwork& network);
    /// Tap values for a batch of a plane.
    void (*gather)(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
                   const int32_t (*anchors)[kLanes], Words4<int8_t>* values);
    /// taps -> hidden, linear. Beside it, samples of another batch may be decoded: as many of `pending` as suits.
    void (*stage1)(const CompiledNetwork& network, BatchValues& batch, PendingSamples* pending);
    /// Adds to linear what the set of each lane gives; classes == nullptr: set 0 in all lanes
    void (*correct)(const PackedCorrection& correction, const int8_t* classes, BatchValues& batch);
    /// anchors A, linear -> mean
    void (*means)(const int32_t* anchors, const int32_t* linear, int depth, int q, int32_t* mean);
    /// hidden, errors -> outputs; `pending` as in stage1
    void (*stage2)(const CompiledNetwork& network, BatchValues& batch, PendingSamples* pending);
    /// outputs, mean -> mixture
    void (*mixture)(const int32_t (*outputs)[kLanes], const int32_t* mean, int q, MixtureBatch& mixture);
    /// C(v) and C(v + 1) of the sample v in each lane
    void (*bounds)(const MixtureBatch& mixture, const uint16_t* samples, int depth, int q, uint32_t* low,
                   uint32_t* high);
    /// outputs, mean -> distributions of samples to be decoded, of which none is; depth to samples are set already.
    /// `before` as `pending` in stage1
    void (*open)(const int32_t (*outputs)[kLanes], const int32_t* mean, PendingSamples& pending,
                 PendingSamples* before);
    /// Decodes the samples that are left.
    void (*finish)(PendingSamples& pending);
    /// Prediction errors of sixteen samples
    void (*errors)(const uint16_t* samples, const int32_t* mean, int q, int8_t* errors);
    /// For motion
    const BlockKernels* blocks;
    /// Sums of products of every two of `count` rows of kProductSamples values: row i with rows 0 .. i, one row of
    /// results after another. No sum may leave 32 bits.
    void (*products)(const int16_t* rows, int count, int32_t* sums);
    /// A dense layer of the transformer for one token: `bias` and `out` have layer.lanes numbers.
    void (*transformer_dense)(const TransformerDense& layer, const int8_t* x, const int32_t* bias, int32_t* out);
    /// What the token of this rank sees: sums of weights times values, by dimension; returns the sum of the weights,
    /// sinks included. `distance`: squared, of each rank.
    int32_t (*attend)(const AttentionKeys& keys, const int8_t* query, int rank, const int32_t* distance, int32_t* sums);
    /// The same for batches of at most kLanes / 2 samples, which may be faster; nullptr: this one.
    const Kernels* half;

    /// The table for a batch of `count` samples.
    const Kernels& of(int count) const { return half != nullptr && count <= kLanes / 2 ? *half : *this; }
};

/// The tables that this processor can run, slowest first.
std::vector<const Kernels*> available_kernels();

/// Plain loops over the lanes, which any compiler turns into its baseline's vector instructions.
extern const Kernels kScalarKernels;

#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;    ///< needs AVX2
extern const Kernels kAvx512Kernels;  ///< needs AVX-512 F, BW, VL, DQ and VNNI
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

/// The table with this name, or the fastest one for an empty name; std::invalid_argument names those there are.
const Kernels& choose_kernels(const std::string& name = "");

}  // namespace nlvc
