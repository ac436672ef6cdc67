// Models: the weights of the networks, read from a model file (docs/bitstream.md section 10) with every limit of
// section 5 proven, so that evaluation needs no checks.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "bytes.h"
#include "format.h"
#include "lanes.h"
#include "sha256.h"

namespace nlvc {

/// Ids of the context planes (section 4).
enum PlaneId : uint8_t {
    kCur = 0,
    kRef1Sub = 1,
    kRef1 = 2,
    kRef2 = 3,
    kRef3 = 4,
    kRef4 = 5,
    kErrPrev = 6,
    kErr = 7,
    kGuide1Cur = 8,
    kGuide1Ref = 9,
    kGuide1Err = 10,
    kGuide2Cur = 11,
    kGuide2Ref = 12,
    kGuide2Err = 13,
    kLevel = 14,
};
constexpr int kPlaneIds = 15;
constexpr int kReach = 3;  ///< largest |dx| and |dy| of a tap
constexpr int kDeltas = 3;

struct Tap {
    uint8_t plane;
    int8_t dx;
    int8_t dy;
    bool absolute;

    bool operator==(const Tap& o) const {
        return plane == o.plane && dx == o.dx && dy == o.dy && absolute == o.absolute;
    }
    bool causal() const { return plane == kCur || plane == kErr; }
    /// Whether the position is complete when a sample is coded in groups of slope `delta` (section 2).
    bool revealed(int delta) const { return !causal() || dx + delta * dy < 0; }
};

/// A dense layer; row j holds the weights of output j.
struct Layer {
    int inputs = 0;
    int outputs = 0;
    std::vector<int8_t> weights;  ///< [outputs][inputs]
    std::vector<int32_t> biases;  ///< [outputs], or [3][outputs] by δ where a layer reads taps
    std::vector<int32_t> multipliers;
    std::vector<uint8_t> shifts;

    bool operator==(const Layer& o) const;
};

/// One network as it stands in the file.
struct Network {
    int frame_type = 0;  ///< 0 I, 1 P
    int plane_class = 0;
    std::vector<Tap> inputs;
    std::vector<Tap> errors;
    Layer layer1;                        ///< taps -> h1
    Layer layer2;                        ///< h1 -> h2
    Layer layer3;                        ///< [h2, errors] -> g1
    Layer layer4;                        ///< g1 -> g2
    Layer output;                        ///< g2 -> o
    std::vector<int16_t> linear;         ///< wl [3][inputs]
    std::vector<int16_t> linear_hidden;  ///< wm [h2]
    std::array<int32_t, kDeltas> linear_bias{};

    bool operator==(const Network& o) const;
};

struct Model {
    std::string name;
    Hash hash{};
    std::array<std::array<std::optional<Network>, kPlaneClasses>, 2> networks;  ///< [frame type][plane class]
};

/// Reads a model file; a BitstreamError says what is wrong with it.
Model parse_model(ByteView file);
/// The file of a model, its networks by frame type and plane class.
Bytes write_model(const Model& model);

/// A network for one δ: only the revealed taps, one set of biases.
struct CompiledNetwork {
    int frame_type = 0, plane_class = 0;  ///< of the model's network
    std::vector<Tap> inputs;
    std::vector<Tap> errors;
    Layer layer1, layer2, layer3, layer4, output;
    std::vector<int16_t> linear;
    std::vector<int16_t> linear_hidden;
    int32_t linear_bias = 0;
    std::vector<int32_t> packed;  ///< weights in the order that a set of kernels reads them (kernels/kernels.h)
    size_t stage2_at = 0;         ///< where in `packed` the layers of stage 2 begin
    int steps = 0;                ///< in which the kernels go through the weights of both stages
};

CompiledNetwork compile(const Network& network, int delta);

}  // namespace nlvc
