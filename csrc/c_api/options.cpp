#include "c_api/options.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#include "decisions.h"

namespace nlvc {
namespace {

constexpr double kMostSeconds = 1e6;

template <class Settings>
struct OptionRow {
    nlvc_option description;
    std::function<void(const std::string& value, Settings& settings)> set;
};

/// A whole number in [low, high].
int integer(const std::string& text, int low, int high) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
        throw std::invalid_argument("must be a whole number from " + std::to_string(low) + " to " +
                                    std::to_string(high));
    return value;
}

bool boolean(const std::string& text) { return integer(text, 0, 1) == 1; }

double seconds(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value > 0 && value <= kMostSeconds))
        throw std::invalid_argument("must be a number of seconds above 0");
    return value;
}

using Encoding = EncoderOptions;
using Decoding = DecoderOptions;

const std::vector<OptionRow<Encoding>> kNativeEncoderOptions = {
    {{"effort", "3",
      "how much is fitted to the content, 0 to 9: 0 encodes fastest, 4 and more do as 3; decoding stays the same"},
     [](const std::string& v, Encoding& o) { o.settings.effort = integer(v, 0, kMaxEffort); }},
    {{"model", "standard", "name of a model (fast, standard, large), or path of an .nlvm file (pynlvc fit makes them)"},
     [](const std::string& v, Encoding& o) { o.model = v; }},
    {{"model_path", "", "folders and files, separated by ':', in which models are looked for first"},
     [](const std::string& v, Encoding& o) { o.model_path = v; }},
    {{"embed_model", "0", "1: the stream carries its model and needs none installed"},
     [](const std::string& v, Encoding& o) { o.settings.embed_model = boolean(v); }},
    {{"delta", "2", "slope of the sample groups, 0 to 2: 2 compresses best"},
     [](const std::string& v, Encoding& o) { o.settings.delta = integer(v, 0, 2); }},
    {{"gop", "", "frames from keyframe to keyframe at most, 1: keyframes only, 0: no limit; empty: see gop_seconds"},
     [](const std::string& v, Encoding& o) {
         o.gop = v.empty() ? std::nullopt : std::optional(integer(v, 0, INT32_MAX));
     }},
    {{"gop_seconds", "2", "seconds from keyframe to keyframe at most, where gop is not given"},
     [](const std::string& v, Encoding& o) { o.gop_seconds = seconds(v); }},
    {{"scene_cuts", "1", "1: a keyframe where the picture changes altogether"},
     [](const std::string& v, Encoding& o) { o.settings.scene_cuts = boolean(v); }},
    {{"slices", "0", "independent parts of a frame, 1 to 8: threads work on them; 0: chosen by the height"},
     [](const std::string& v, Encoding& o) { o.settings.slices = integer(v, 0, 8); }},
    {{"analysis", "0", "1: record what each block costs, for nlvc_encoder_analysis"},
     [](const std::string& v, Encoding& o) { o.settings.analysis = boolean(v); }},
    {{"threads", "0", "processor threads, 1 to 256; 0: one for each processor"},
     [](const std::string& v, Encoding& o) { o.settings.threads = integer(v, 0, 256); }},
};

const std::vector<OptionRow<Decoding>> kNativeDecoderOptions = {
    {{"model_path", "", "folders and files, separated by ':', in which models are looked for first"},
     [](const std::string& v, Decoding& o) { o.model_path = v; }},
    {{"threads", "0", "processor threads, 1 to 256; 0: one for each processor"},
     [](const std::string& v, Decoding& o) { o.threads = integer(v, 0, 256); }},
};

template <class Settings>
std::vector<OptionRow<Settings>> with_bridge_options(std::vector<OptionRow<Settings>> table) {
    table.push_back(
        {{"bridge", "1", "code in a Python process, 0: never, 1: where a model needs it, 2: always"},
         [](const std::string& v, Settings& o) { o.bridge.use = static_cast<BridgeUse>(integer(v, 0, 2)); }});
    table.push_back({{"python", "", "interpreter of that process; empty: NLVC_PYTHON of the environment"},
                     [](const std::string& v, Settings& o) { o.bridge.python = v; }});
    table.push_back({{"bridge_timeout", "600", "seconds to wait for an answer of that process, 1 to 86400"},
                     [](const std::string& v, Settings& o) { o.bridge.timeout_seconds = integer(v, 1, 86400); }});
    return table;
}

template <class Settings>
Settings parse(const char* const* options, const std::vector<OptionRow<Settings>>& table) {
    Settings settings;
    for (; options != nullptr && *options != nullptr; ++options) {
        const char* equals = std::strchr(*options, '=');
        if (equals == nullptr) throw std::invalid_argument(std::string("option '") + *options + "' is not name=value");
        const std::string name(*options, equals), value(equals + 1);
        const OptionRow<Settings>* row = nullptr;
        std::string known;
        for (const auto& candidate : table) {
            if (name == candidate.description.name) row = &candidate;
            known += (known.empty() ? "" : ", ") + std::string(candidate.description.name);
        }
        if (row == nullptr) throw std::invalid_argument("there is no option '" + name + "' (known: " + known + ")");
        try {
            row->set(value, settings);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument("option " + name + " is '" + value + "': it " + error.what());
        }
        settings.given.emplace_back(*options);
    }
    return settings;
}

const std::vector<OptionRow<Encoding>> kEncoderOptions = with_bridge_options(kNativeEncoderOptions);
const std::vector<OptionRow<Decoding>> kDecoderOptions = with_bridge_options(kNativeDecoderOptions);

template <class Settings>
const nlvc_option* item(const std::vector<OptionRow<Settings>>& table, int index) {
    return index >= 0 && static_cast<size_t>(index) < table.size() ? &table[index].description : nullptr;
}

}  // namespace

EncoderOptions parse_encoder_options(const char* const* options) {
    EncoderOptions parsed = parse(options, kEncoderOptions);
    parsed.settings.keyframe_interval = parsed.gop.value_or(0);
    return parsed;
}

DecoderOptions parse_decoder_options(const char* const* options) { return parse(options, kDecoderOptions); }

const nlvc_option* encoder_option(int index) { return item(kEncoderOptions, index); }

const nlvc_option* decoder_option(int index) { return item(kDecoderOptions, index); }

}  // namespace nlvc
