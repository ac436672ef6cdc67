// The integer softmax of the masked-diffusion transformer in one pass over each row (docs/diffusion.md section 3.3).
// pynlvc/model/diffusion/arithmetic.py defines the numbers; tests compare.
#include <algorithm>
#include <vector>

#include "arrays.h"

namespace nlvc {
namespace {

constexpr int kLag = 32;              ///< attention sees tokens whose rank is at least this much lower
constexpr int kOctave = 32;           ///< steps of a score
constexpr int kSteps = 13 * kOctave;  ///< weights are 0 from the last step on
constexpr int kSumBits = 17;          ///< weights of a row are scaled to sum below 2^17
constexpr int32_t kHidden = -(1 << 24);

int bit_length(uint32_t x) {
    int bits = 0;
    while (x != 0) ++bits, x >>= 1;
    return bits;
}

// One loop for each instruction set that is worth it; the compiler makes them from the same text.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define NLVC_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define NLVC_CLONES
#endif

/// 4096 * 2^(-below / 32), linear within an octave.
inline int32_t weight(int32_t below) {
    const int32_t t = std::min(below, kSteps - 1);
    return ((2 * kOctave - (t & (kOctave - 1))) << 6) >> (t >> 5);
}

/// Scores of `seen` keys from their products; returns the highest, at least 0.
NLVC_CLONES int32_t make_scores(const float* products, const int32_t* away, int32_t slope, py::ssize_t seen,
                                int32_t* scores) {
    int32_t highest = 0;
    for (py::ssize_t j = 0; j < seen; ++j) {
        scores[j] = (static_cast<int32_t>(products[j]) >> 5) - (slope * away[j] >> 11);
        highest = std::max(highest, scores[j]);
    }
    return highest;
}

/// Scores become weights; returns their sum.
NLVC_CLONES int32_t make_weights(int32_t* scores, int32_t highest, py::ssize_t seen) {
    int32_t total = 0;
    for (py::ssize_t j = 0; j < seen; ++j) {
        scores[j] = weight(highest - scores[j]);
        total += scores[j];
    }
    return total;
}

/// Weights scaled by 2^-shift; returns their sum.
NLVC_CLONES int32_t scale_weights(const int32_t* weights, int shift, py::ssize_t seen, float* out) {
    int32_t total = 0;
    for (py::ssize_t j = 0; j < seen; ++j) {
        const int32_t scaled = weights[j] >> shift;
        total += scaled;
        out[j] = static_cast<float>(scaled);
    }
    return total;
}

/// Products of queries and keys become weights in place; the sum of each row, sinks included, goes to `totals`.
void attention_weights(py::array_t<float, py::array::c_style>& products, Array<int32_t>& totals,
                       const Array<int32_t>& falloff, const Array<int32_t>& distance, py::ssize_t start,
                       const py::object& absent) {
    if (products.ndim() != 4 || totals.ndim() != 3 || falloff.ndim() != 1 || distance.ndim() != 2)
        throw std::invalid_argument("expected products [B, H, n, m], totals [B, H, n], falloff [H], distance [r, r]");
    const py::ssize_t batch = products.shape(0), heads = products.shape(1), rows = products.shape(2),
                      columns = products.shape(3);
    if (totals.shape(0) != batch || totals.shape(1) != heads || totals.shape(2) != rows || falloff.shape(0) != heads ||
        start < 0 || distance.shape(0) < start + rows || distance.shape(1) < columns)
        throw std::invalid_argument("shapes of products, totals, falloff and distance do not agree");
    Array<bool> hidden;
    if (!absent.is_none()) {
        hidden = absent.cast<Array<bool>>();
        if (hidden.ndim() != 2 || hidden.shape(0) != batch || hidden.shape(1) < columns)
            throw std::invalid_argument("absent must be [B, m]");
    }
    float* const all = products.mutable_data();
    int32_t* const sums = totals.mutable_data();
    const py::gil_scoped_release release;
    std::vector<int32_t> scores(static_cast<size_t>(columns));
    for (py::ssize_t row = 0; row < batch * heads * rows; ++row) {
        const py::ssize_t i = row % rows, head = row / rows % heads, b = row / rows / heads, rank = start + i;
        float* const line = all + row * columns;
        const py::ssize_t seen = std::clamp<py::ssize_t>(rank - kLag + 1, 0, columns);
        int32_t highest = make_scores(line, distance.data(rank, 0), falloff.data()[head], seen, scores.data());
        if (!absent.is_none()) {
            const bool* const gone = hidden.data(b, 0);
            highest = 0;
            for (py::ssize_t j = 0; j < seen; ++j) {
                if (gone[j]) scores[j] = kHidden;
                highest = std::max(highest, scores[j]);
            }
        }
        const auto sinks = static_cast<int32_t>(std::min<py::ssize_t>(rank + 1, kLag));
        const int32_t sum = make_weights(scores.data(), highest, seen) + sinks * weight(highest);
        const int shift = std::max(0, bit_length(static_cast<uint32_t>(sum)) - kSumBits);
        const int32_t total = scale_weights(scores.data(), shift, seen, line) + sinks * (weight(highest) >> shift);
        std::fill(line + seen, line + columns, 0.0f);
        sums[row] = total;
    }
}

}  // namespace

void bind_attention(py::module_& module) {
    using namespace py::literals;
    module.def("attention_weights", &attention_weights, "products"_a.noconvert(), "totals"_a.noconvert(),
               "falloff"_a.noconvert(), "distance"_a.noconvert(), "start"_a, "absent"_a);
}

}  // namespace nlvc
