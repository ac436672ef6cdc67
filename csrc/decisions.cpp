#include "decisions.h"

#include <algorithm>
#include <cstdlib>

namespace nlvc {

int automatic_slices(const PictureFormat& format) {
    constexpr int kSingle = 216, kPair = 288;  // rows: fewer are not cut; of two slices
    return format.height < kSingle ? 1 : std::clamp((format.height + kPair / 2) / kPair * 2, 2, 8);
}

int choose_shift(const Plane& luma, int depth) {
    // What the median edge predictor leaves, in the mean: the networks know it as some six levels of 8 bits.
    constexpr int64_t kUsual = 6;
    int64_t sum = 0, count = 0;
    for (int y = 1; y < luma.height; ++y) {
        const uint16_t* row = luma.row(y);
        const uint16_t* above = luma.row(y - 1);
        for (int x = 1; x < luma.width; ++x) {
            const int w = row[x - 1], n = above[x], c = above[x - 1];
            sum += std::abs(row[x] - std::clamp(w + n - c, std::min(w, n), std::max(w, n)));
        }
        count += luma.width - 1;
    }
    // the nearest power of two, 1.4 being the middle between two of them
    int q = 0;
    while (q < depth - 8 && 10 * sum > 14 * count * (kUsual << q)) ++q;
    return q;
}

double scene_change(const Plane& current, const Plane& prediction, int depth, ThreadPool& pool) {
    // Mean differences, from the previous frame and from the left and upper neighbours. A cut costs far more than the
    // noise of the picture and several levels of 8 bits; a fade or a fast pan does not.
    // Where half of the samples are the same nothing was cut, however much a window on a screen changes.
    constexpr int kBand = 64;  // rows of a job
    struct Sums {
        int64_t temporal = 0, spatial = 0, equal = 0;
    };
    std::vector<Sums> bands(static_cast<size_t>((current.height + kBand - 1) / kBand));
    pool.run(static_cast<int>(bands.size()), [&](int band) {
        Sums& sums = bands[band];
        const int bottom = std::min((band + 1) * kBand, current.height);
        for (int y = std::max(band * kBand, 1); y < bottom; ++y) {
            const uint16_t* row = current.row(y);
            const uint16_t* above = current.row(y - 1);
            const uint16_t* predicted = prediction.row(y);
            int temporal = 0, spatial = 0, equal = 0;  // 16384 samples of 16 bits fit
            for (int x = 1; x < current.width; ++x) {
                temporal += std::abs(int{row[x]} - int{predicted[x]});
                equal += row[x] == predicted[x];
                spatial += std::abs(int{row[x]} - (int{row[x - 1]} + int{above[x]} + 1) / 2);
            }
            sums.temporal += temporal, sums.spatial += spatial, sums.equal += equal;
        }
    });
    Sums all;
    for (const Sums& band : bands) all.temporal += band.temporal, all.spatial += band.spatial, all.equal += band.equal;
    const int64_t count = int64_t{current.height - 1} * (current.width - 1), levels = int64_t{6} << (depth - 8);
    if (2 * all.equal >= count) return 0;
    const auto sum = static_cast<double>(all.temporal);
    return std::min(sum / static_cast<double>(count * levels), 2 * sum / static_cast<double>(3 * all.spatial));
}

Repetition find_repetition(const Plane& current, const Plane* reference, const Plane* base, RowRange rows) {
    // by parity of the column or row: how often the left or upper neighbour repeats
    int64_t same = 0, west[2] = {}, north[2] = {};
    for (int y = rows.top + 1; y < rows.bottom; ++y) {
        const uint16_t* row = current.row(y);
        const uint16_t* above = current.row(y - 1);
        const uint16_t* displaced = reference != nullptr ? reference->row(y) : nullptr;
        const uint16_t* base_row = base != nullptr ? base->row(y) : nullptr;
        const uint16_t* base_above = base != nullptr ? base->row(y - 1) : nullptr;
        for (int x = 1; x < current.width; ++x) {
            int to_west = row[x] - row[x - 1], to_north = row[x] - above[x];
            same += displaced != nullptr ? row[x] == displaced[x] : to_west == 0 && to_north == 0;
            if (base != nullptr) to_west -= base_row[x] - base_row[x - 1], to_north -= base_row[x] - base_above[x];
            west[x & 1] += to_west == 0;
            north[y & 1] += to_north == 0;
        }
    }
    const auto samples = static_cast<double>(int64_t{rows.count()} * current.width);
    const int64_t columns = std::abs(west[0] - west[1]), lines = std::abs(north[0] - north[1]);
    return {static_cast<double>(same) / samples, 2 * static_cast<double>(std::max(columns, lines)) / samples};
}

bool is_fitted(int effort, int64_t position) {
    constexpr int kIntervals[] = {0, 8, 4, 1};  // frames, by effort
    const int interval = kIntervals[std::min(effort, 3)];
    return interval != 0 && (position <= 2 || position % interval == 0);
}

}  // namespace nlvc
