#include "fitting.h"

#include <cmath>

namespace nlvc {
namespace {

constexpr double kPriorDeviation = 0.05;  // of a weight, samples per sample; of the constant: its input times as much
constexpr double kMemory = 0.85;          // what a frame's statistics are worth a frame later
constexpr double kServes = 8;             // frames that new sets are expected to serve; content seldom stays longer
constexpr int kSeeds = 6;                 // blocks tried as the beginning of another set
constexpr int kRounds = 4;                // of assigning blocks and solving again
constexpr int kLargest = 127;

using Weights = std::vector<double>;  ///< samples per sample of difference

double unit_of(int shift) { return static_cast<double>(1 << shift) / 16384; }

Weights real_weights(const CorrectionSet& set, int shift) {
    Weights w(set.size());
    for (size_t i = 0; i < w.size(); ++i) w[i] = set[i] * unit_of(shift);
    return w;
}

/// Σ row[j] w[j], in an order that vectorises and is the same everywhere.
double row_sum(const int32_t* row, const double* w, size_t count) {
    constexpr size_t kParts = 8;
    double parts[kParts] = {};
    size_t j = 0;
    for (; j + kParts <= count; j += kParts)
        for (size_t k = 0; k < kParts; ++k) parts[k] += row[j + k] * w[j + k];
    for (; j < count; ++j) parts[0] += row[j] * w[j];
    return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

/// What w saves in the block, nats.
double saving(const BlockStatistics& block, const Weights& w) {
    double linear = 0, square = 0;
    const int32_t* row = block.products.data();
    for (size_t i = 0; i < w.size(); row += ++i) {
        const double sum = row_sum(row, w.data(), i);
        square += w[i] * (2 * sum + row[i] * w[i]);
        linear += block.right[i] * w[i];
    }
    return linear * kUnitB - square * kUnitG / 2;
}

/// About what the code of a weight costs that differs by d from the predicted one, nats.
double cost(double d) { return d == 0 ? 0.4 : 2.1 + 1.4 * std::floor(std::log2(std::fabs(d))); }

/// @param scale  how many blocks like this one it stands for
void add(const BlockStatistics& block, double scale, SymmetricSystem& to) {
    const double g = kUnitG * scale, b = kUnitB * scale;
    for (size_t i = 0; i < to.matrix.size(); ++i) to.matrix[i] += block.products[i] * g;
    for (size_t i = 0; i < to.right.size(); ++i) to.right[i] += block.right[i] * b;
}

using Blocks = std::vector<const BlockStatistics*>;

/// Every n-th block, so that there are not more than the search needs.
Blocks sampled(const std::vector<BlockStatistics>& blocks) {
    constexpr size_t kEnough = 250;
    Blocks out;
    const size_t step = (blocks.size() + kEnough - 1) / kEnough;
    for (size_t b = 0; b < blocks.size(); b += step) out.push_back(&blocks[b]);
    return out;
}

/// The set that saves most in each block, and how much that is.
struct Assignment {
    std::vector<int> classes;
    std::vector<double> saved;  ///< nats
};

Assignment assign(const Blocks& blocks, const std::vector<Weights>& sets) {
    Assignment out{std::vector<int>(blocks.size(), 0), {}};
    for (size_t b = 0; b < blocks.size(); ++b) {
        double best = saving(*blocks[b], sets[0]);
        for (size_t s = 1; s < sets.size(); ++s) {
            const double saved = saving(*blocks[b], sets[s]);
            if (saved > best) best = saved, out.classes[b] = static_cast<int>(s);
        }
        out.saved.push_back(best);
    }
    return out;
}

/// (G w)_i of a block
double row_product(const BlockStatistics& block, const Weights& w, int i) {
    const int32_t* row = block.products.data() + static_cast<size_t>(i) * (i + 1) / 2;
    double sum = 0;
    for (int j = 0; j <= i; ++j) sum += row[j] * w[j];
    for (size_t j = static_cast<size_t>(i) + 1; j < w.size(); ++j) sum += block.products[j * (j + 1) / 2 + i] * w[j];
    return sum;
}

}  // namespace

/// The search for one frame's sets.
class PlaneFitter::Search {
  public:
    /// @param scale  how many blocks of the plane each of `blocks` stands for
    Search(const PlaneFitter& state, const PlaneCorrection& old, const Blocks& blocks, double scale)
        : state_(state),
          old_(old),
          blocks_(blocks),
          scale_(scale),
          rows_(static_cast<int>(blocks[0]->right.size())),
          horizon_(state.horizon()) {}

    PlaneCorrection run() {
        PlaneCorrection best = old_;
        std::vector<Weights> sets;
        for (const CorrectionSet& set : best.sets) sets.push_back(real_weights(set, best.shift));
        if (sets.empty()) sets.emplace_back(rows_, 0.0);
        double best_score = 0;
        for (int failures = 0; failures < 2;) {
            double score = 0;
            const PlaneCorrection found = refreshed(sets, score);
            if (score > best_score)
                best_score = score, best = found, failures = 0;
            else
                ++failures;
            if (sets.size() == kMaxSets || blocks_.size() <= sets.size()) break;
            sets.push_back(another(sets));
            for (int round = 0; round < kRounds; ++round) {
                const std::vector<int> classes = assign(blocks_, sets).classes;
                for (size_t s = old_.sets.size(); s < sets.size(); ++s)
                    sets[s] = system(classes, static_cast<int>(s)).solution();
            }
        }
        return best;
    }

  private:
    /// Everything known about a set: what is remembered, the blocks that take it now, and the prior.
    SymmetricSystem system(const std::vector<int>& classes, int set) const {
        SymmetricSystem out(rows_);
        if (set < static_cast<int>(state_.memory_.size())) out = state_.memory_[set];
        for (size_t b = 0; b < blocks_.size(); ++b)
            if (classes[b] == set) add(*blocks_[b], scale_, out);
        add_prior(out);
        return out;
    }
    void add_prior(SymmetricSystem& to) const {
        for (int i = 0; i < rows_; ++i) to.diagonal(i) += 1 / (kPriorDeviation * kPriorDeviation);
    }

    /// The best of the sets that single blocks would like, for the blocks that the present sets serve worst.
    Weights another(const std::vector<Weights>& sets) const {
        const Assignment present = assign(blocks_, sets);
        std::vector<std::pair<double, size_t>> wishes;
        for (size_t b = 0; b < blocks_.size(); ++b) {
            const BlockStatistics& block = *blocks_[b];
            const Weights& w = sets[present.classes[b]];
            double wish = 0;
            for (int i = 0; i < rows_; ++i) {
                const double slope = block.right[i] * kUnitB - row_product(block, w, i) * kUnitG;
                wish += slope * slope / (block.products[static_cast<size_t>(i) * (i + 1) / 2 + i] * kUnitG + 1);
            }
            wishes.emplace_back(-wish, b);
        }
        std::sort(wishes.begin(), wishes.end());
        Weights best;
        double best_total = -1e300;
        for (size_t k = 0; k < wishes.size() && k < kSeeds; ++k) {
            SymmetricSystem one(rows_);
            add(*blocks_[wishes[k].second], 1, one);
            add_prior(one);
            const Weights tried = one.solution();
            double total = 0;
            for (size_t b = 0; b < blocks_.size(); ++b) total += std::max(present.saved[b], saving(*blocks_[b], tried));
            if (total > best_total) best_total = total, best = tried;
        }
        return best;
    }

    /// The sets solved again and in the stream's units where that pays. score: nats that they save over the sets in
    /// force while they serve, less what they cost.
    PlaneCorrection refreshed(const std::vector<Weights>& sets, double& score) const {
        const std::vector<int> classes = assign(blocks_, sets).classes;
        std::vector<SymmetricSystem> systems;
        for (size_t s = 0; s < sets.size(); ++s) systems.push_back(system(classes, static_cast<int>(s)));
        PlaneCorrection out;
        out.shift = old_.sets.empty() ? choose_shift(systems) : old_.shift;
        const double unit = unit_of(out.shift);
        score = 0;
        for (size_t s = 0; s < sets.size(); ++s) {
            const bool known = s < old_.sets.size();
            CorrectionSet predicted(rows_, 0);
            if (known) predicted = old_.sets[s];
            if (!known && s > 0) predicted = out.sets[0];
            double price = 0;
            CorrectionSet set = quantised(systems[s], predicted, unit, price);
            const Weights before = known ? real_weights(old_.sets[s], old_.shift) : Weights(rows_, 0.0);
            const double gain =
                horizon_ * (systems[s].saving(real_weights(set, out.shift)) - systems[s].saving(before) - rows_) -
                price;
            if (known && gain <= 0)
                set = old_.sets[s];
            else
                score += gain;
            out.sets.push_back(set);
        }
        return out;
    }

    CorrectionSet quantised(const SymmetricSystem& system, const CorrectionSet& predicted, double unit,
                            double& price) const {
        const std::vector<double> l = system.factor();
        const Weights x = system.solution(l);
        CorrectionSet out(rows_);
        int sum = 0;
        for (int i = rows_ - 1; i >= 0; --i) {
            // |L'(x - w)| is least in this coordinate when it makes up for the later ones
            const double pivot = l[static_cast<size_t>(i) * (i + 1) / 2 + i];
            double wanted = x[i];
            for (int k = i + 1; k < rows_; ++k)
                wanted += l[static_cast<size_t>(k) * (k + 1) / 2 + i] * (x[k] - out[k] * unit) / pivot;
            auto total = [&](double value) {
                const double miss = pivot * (wanted - value * unit);
                return horizon_ * miss * miss / 2 + cost(value - predicted[i]);
            };
            const double nearest = std::clamp(std::floor(wanted / unit + 0.5), -1.0 * kLargest, 1.0 * kLargest);
            out[i] = total(predicted[i]) <= total(nearest) ? predicted[i] : static_cast<int8_t>(nearest);
            price += cost(out[i] - predicted[i]);
            sum += std::abs(out[i]);
        }
        if (sum > kMaxCorrectionSum) return predicted;
        return out;
    }

    /// The unit at which finer weights would cost as much as they save.
    int choose_shift(const std::vector<SymmetricSystem>& systems) const {
        double log_sum = 0, largest = 0;
        for (const SymmetricSystem& s : systems) {
            const std::vector<double> l = s.factor();
            log_sum += s.mean_log_pivot(l);
            for (const double w : s.solution(l)) largest = std::max(largest, std::fabs(w));
        }
        const double energy = std::exp(log_sum / static_cast<double>(systems.size())) * horizon_;
        const double wanted = std::max(std::sqrt(12 / energy), largest / kLargest);
        int shift = kLeastShift;
        while (shift < kLeastShift + 7 && unit_of(shift) < wanted) ++shift;
        return shift;
    }

    const PlaneFitter& state_;
    const PlaneCorrection& old_;  ///< the sets in force
    const Blocks& blocks_;
    double scale_;
    int rows_;
    double horizon_;  ///< how much more the future is worth than what the systems hold
};

double PlaneFitter::horizon() const { return intra_ ? 1 : kServes / (frames_ * kMemory + 1); }

FittedPlane PlaneFitter::fit(const std::vector<BlockStatistics>& blocks, const PlaneCorrection& old) {
    const Blocks sample = sampled(blocks);
    const double scale = static_cast<double>(blocks.size()) / static_cast<double>(sample.size());
    FittedPlane out;
    out.correction = Search(*this, old, sample, scale).run();
    const int rows = static_cast<int>(blocks[0].right.size());
    std::vector<Weights> sets;
    for (const CorrectionSet& set : out.correction.sets) sets.push_back(real_weights(set, out.correction.shift));
    if (sets.empty()) sets.emplace_back(rows, 0.0);
    Blocks all;
    for (const BlockStatistics& block : blocks) all.push_back(&block);
    out.classes = sets.size() == 1 ? std::vector<int>(blocks.size(), 0) : assign(all, sets).classes;
    memory_.resize(sets.size(), SymmetricSystem(rows));
    for (SymmetricSystem& m : memory_) m.scale(kMemory);
    for (const BlockStatistics* block : sample) add(*block, scale, memory_[out.classes[block - blocks.data()]]);
    frames_ = frames_ * kMemory + 1;
    return out;
}

}  // namespace nlvc
