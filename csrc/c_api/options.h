// Settings as strings "name=value": one table for each kind of codec holds names, ranges, defaults and explanations.
#pragma once
#include <optional>
#include <string>

#include "encoder.h"
#include "nlvc.h"

namespace nlvc {

/// The default of a member is the default of the option.
struct EncoderOptions {
    std::optional<std::string> model;  ///< a name, or a path that ends in .nlvm
    int effort = 1;                    ///< chooses the model where none is named
    std::string model_path;
    EncoderSettings settings;
    std::optional<int> gop;    ///< frames from keyframe to keyframe; 0: no limit
    double gop_seconds = 2.0;  ///< the same in seconds, where gop is not given
    std::string model_name() const;
};

struct DecoderOptions {
    std::string model_path;
    int threads = 0;
};

/// `options`: as in nlvc.h, also null. std::invalid_argument names what is wrong.
EncoderOptions parse_encoder_options(const char* const* options);
DecoderOptions parse_decoder_options(const char* const* options);

/// nullptr after the last one.
const nlvc_option* encoder_option(int index);
const nlvc_option* decoder_option(int index);

}  // namespace nlvc
