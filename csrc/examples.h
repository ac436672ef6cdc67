// Samples with all that the network knows of them, to fit a model to (pynlvc/fitting). Nothing here is normative.
#pragma once
#include "slice_coding.h"

namespace nlvc {

/// Some samples of one plane, row by row of these arrays.
struct Examples {
    int frame_type = 0, plane_class = 0;  ///< of the network
    int inputs = 0, errors = 0;           ///< revealed taps of both lists
    int depth = 8, q = 0;                 ///< of the samples as they are coded
    std::vector<int8_t> input_taps;       ///< [n][inputs]
    std::vector<int8_t> error_taps;       ///< [n][errors]
    std::vector<int32_t> anchors;         ///< A of each
    std::vector<uint16_t> samples;
};

/// Examples of plane p of a slice that is coded: one of `interval` samples, at random but the same ones every time,
/// with the errors that the model leaves without corrections.
Examples collect_examples(const FrameCoding& coding, int slice, int p, int interval, uint32_t seed);

/// The examples of all slices of a frame, by plane.
std::vector<Examples> collect_examples(const FrameCoding& coding, ThreadPool& pool, int interval, uint32_t seed);

}  // namespace nlvc
