// Settings as strings "name=value": one table for each kind of codec holds names, ranges, defaults and explanations.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "encoder.h"
#include "nlvc.h"

namespace nlvc {

enum class BridgeUse { kNever = 0, kWhereNeeded = 1, kAlways = 2 };

/// About the Python process that codes where this library cannot.
struct BridgeOptions {
    BridgeUse use = BridgeUse::kWhereNeeded;
    std::string python;         ///< the interpreter; empty: as NLVC_PYTHON says
    int timeout_seconds = 600;  ///< patience for one frame
};

/// The default of a member is the default of the option.
struct EncoderOptions {
    std::string model = "standard";  ///< a name, or a path that ends in .nlvm
    std::string model_path;
    EncoderSettings settings;
    std::optional<int> gop;    ///< frames from keyframe to keyframe; 0: no limit
    double gop_seconds = 2.0;  ///< the same in seconds, where gop is not given
    BridgeOptions bridge;
    std::vector<std::string> given;  ///< "name=value" as the application wrote them
};

struct DecoderOptions {
    std::string model_path;
    int threads = 0;
    BridgeOptions bridge;
    std::vector<std::string> given;
};

/// `options`: as in nlvc.h, also null. std::invalid_argument names what is wrong.
EncoderOptions parse_encoder_options(const char* const* options);
DecoderOptions parse_decoder_options(const char* const* options);

/// nullptr after the last one.
const nlvc_option* encoder_option(int index);
const nlvc_option* decoder_option(int index);

}  // namespace nlvc
