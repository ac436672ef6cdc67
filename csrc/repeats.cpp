#include "repeats.h"

namespace nlvc {
namespace {

constexpr int kMatchContexts = 256, kRepeatContexts = 1024;
constexpr size_t kEntries = size_t{1} << 16;
constexpr int kMostConfident = 7;

/// Sample of a plane on the grid of a coarser one; -1 outside its part in the slice.
int sample_at(const Plane& plane, const RepeatPlane& geometry, int x, int y) {
    const int fx = std::min(x << geometry.sx, plane.width - 1);
    const int fy = std::min(geometry.rows.top + (y << geometry.sy), geometry.rows.bottom - 1);
    return plane.row(fy)[fx];
}

}  // namespace

void RepeatCoder::Key::mix(int value) {
    hash = (hash ^ static_cast<uint64_t>(value + 1)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
}

void code_copied_blocks(BitCoder& bits, CopiedBlocks& blocks) {
    CountingBit contexts[4];
    for (int y = 0; y < blocks.height; ++y)
        for (int x = 0; x < blocks.width; ++x) {
            const int left = x > 0 ? blocks.at(x - 1, y) : 0, above = y > 0 ? blocks.at(x, y - 1) : 0;
            blocks.at(x, y) = static_cast<uint8_t>(bits.code(blocks.at(x, y), contexts[left + 2 * above]));
        }
}

RepeatCoder::RepeatCoder(const PlaneContext& context, const std::vector<RepeatPlane>& planes,
                         const CopiedBlocks& blocks, const RepeatSettings& settings)
    : context_(context),
      blocks_(blocks),
      settings_(settings),
      own_(planes[0]),
      guides_(planes.begin() + 1, planes.end()),
      match_bits_(kMatchContexts),
      repeat_bits_(kRepeatContexts),
      marks_(context.layout.size()),
      known_(static_cast<size_t>(context.layout.height())),
      excluded_(static_cast<size_t>(context.layout.height())) {
    if (!settings.flags) return;
    for (std::vector<Entry>& table : tables_) table.resize(kEntries);
}

void RepeatCoder::start_group(int g) {
    group_ = g;
    pending_.clear();
}

bool RepeatCoder::code(int y, BitCoder& bits, uint16_t& sample) {
    uint8_t& marks = marks_[context_.layout.group(group_) + y];
    Excluded& excluded = excluded_[y];
    excluded.count = 0;
    known_[y] = 0;
    if (own_.reference != nullptr) {
        const int reference = sample_at(*own_.reference, own_, group_ - context_.layout.delta() * y, y);
        if (copied(y) || (settings_.flags && bits.code(sample == reference, match_bits_[match_context(y)]) == 1)) {
            sample = static_cast<uint16_t>(reference);
            marks = kMatched | kRepeated;
            known_[y] = 1;
            return true;
        }
        if (settings_.flags) excluded.add(reference);
    }
    if (!settings_.flags) return false;
    const Keys neighbours = keys(y);
    pending_.push_back({y, neighbours});
    const Candidate found = candidate(neighbours, y);
    if (found.value < 0) return false;
    if (bits.code(sample == found.value, repeat_bits_[found.context]) == 1) {
        sample = static_cast<uint16_t>(found.value);
        marks = kRepeated;
        known_[y] = 1;
        return true;
    }
    excluded.add(found.value);
    return false;
}

void RepeatCoder::finish_group() {
    const ptrdiff_t group = context_.layout.group(group_);
    const uint16_t* samples = context_.samples[kCur].data() + group;
    for (const Pending& pending : pending_) {
        const uint16_t sample = samples[pending.y];
        for (size_t i = 0; i < tables_.size(); ++i) {
            const Key& key = pending.keys[i];
            Entry& entry = tables_[i][key.slot()];
            const bool again = entry.confidence > 0 && entry.check == key.check() && entry.sample == sample;
            const int confidence = again ? std::min(entry.confidence + 1, kMostConfident) : 1;
            entry = {key.check(), sample, static_cast<uint8_t>(confidence)};
        }
        uint8_t& marks = marks_[group + pending.y];
        if (repeated(pending.y, -1, 0) == sample) marks |= kRepeatsWest;
        if (repeated(pending.y, 0, -1) == sample) marks |= kRepeatsNorth;
    }
}

int RepeatCoder::neighbour(int y, int dx, int dy) const {
    const SkewLayout& layout = context_.layout;
    const int groups = dx + layout.delta() * dy, x = group_ - layout.delta() * y + dx;
    if (groups >= 0 || x < 0 || x >= layout.width() || y + dy < 0 || y + dy >= layout.height()) return -1;
    return context_.samples[kCur][layout.group(group_ + groups) + y + dy];
}

int RepeatCoder::guide(size_t number, int y, int dx, int dy) const {
    const SkewLayout& layout = context_.layout;
    const int x = group_ - layout.delta() * y + dx;
    if (x < 0 || x >= layout.width() || y + dy < 0 || y + dy >= layout.height()) return -1;
    return sample_at(*guides_[number].samples, guides_[number], x, y + dy);
}

bool RepeatCoder::guide_matches(size_t number, int y, int dx, int dy) const {
    const SkewLayout& layout = context_.layout;
    const int x = group_ - layout.delta() * y + dx;
    if (x >= layout.width() || y + dy >= layout.height()) return false;
    const RepeatPlane& plane = guides_[number];
    return sample_at(*plane.samples, plane, x, y + dy) == sample_at(*plane.reference, plane, x, y + dy);
}

bool RepeatCoder::mark(Mark which, int y, int dx, int dy) const {
    const SkewLayout& layout = context_.layout;  // places outside the slice hold 0, as those of later groups do
    return (marks_[layout.group(group_ + dx + layout.delta() * dy) + y + dy] & which) != 0;
}

int RepeatCoder::repeated(int y, int dx, int dy) const {
    const int value = neighbour(y, dx, dy);
    if (value < 0 || !settings_.differences) return value;
    return std::clamp(value + guide(0, y, 0, 0) - guide(0, y, dx, dy), 0, (1 << context_.settings.depth) - 1);
}

int RepeatCoder::match_context(int y) const {
    int context = mark(kMatched, y, -1, 0) | mark(kMatched, y, 0, -1) << 1 | mark(kMatched, y, -1, -1) << 2 |
                  mark(kMatched, y, 1, -1) << 3;
    if (!guides_.empty())
        context |= guide_matches(0, y, 0, 0) << 4 | guide_matches(0, y, 1, 0) << 5 | guide_matches(0, y, 0, 1) << 6;
    if (guides_.size() > 1) context |= guide_matches(1, y, 0, 0) << 7;
    return context;
}

RepeatCoder::Keys RepeatCoder::keys(int y) const {
    Keys keys;
    auto& [few, many] = keys;
    const int west = neighbour(y, -1, 0), north = neighbour(y, 0, -1);
    if (guides_.empty()) {
        for (const int value : {west, north, neighbour(y, -1, -1), neighbour(y, 1, -1)})
            few.mix(value), many.mix(value);
        for (const int value : {neighbour(y, -2, 0), neighbour(y, 0, -2), neighbour(y, 1, -2)}) many.mix(value);
        return keys;
    }
    few.mix(guide(0, y, 0, 0));
    if (guides_.size() > 1) {
        few.mix(guide(1, y, 0, 0));
    } else {
        few.mix(west);
        few.mix(guide(0, y, -1, 0));
    }
    for (const int value :
         {west, north, guide(0, y, 0, 0), guide(0, y, -1, 0), guide(0, y, 0, -1), guide(0, y, 1, 0), guide(0, y, 0, 1)})
        many.mix(value);
    if (guides_.size() > 1)
        for (const int value : {guide(1, y, 0, 0), guide(1, y, -1, 0), guide(1, y, 0, -1)}) many.mix(value);
    return keys;
}

RepeatCoder::Neighbours RepeatCoder::neighbours(int y) const {
    const int west = repeated(y, -1, 0), north = repeated(y, 0, -1);
    // Chroma that was once doubled repeats in every other column and row: what the neighbours did tells which.
    const bool column = mark(kRepeatsWest, y, 0, -1), row = mark(kRepeatsNorth, y, -1, 0);
    const bool flat = !guides_.empty() && guide(0, y, -1, 0) == guide(0, y, 0, 0);
    const int history = column | row << 1 | flat << 2;
    if (west < 0 || north < 0) return {std::max(west, north), false, history};
    return {row && !column ? north : west, west == north, history};
}

RepeatCoder::Candidate RepeatCoder::candidate(const Keys& keys, int y) const {
    const int excluded = excluded_[y].count > 0 ? excluded_[y].values[0] : -1;
    Candidate best{-1, 0};
    uint32_t least = kProbabilityOne;  // probability that the candidate is wrong
    auto consider = [&](int value, int context) {
        if (value < 0 || value == excluded) return;
        const uint32_t wrong = repeat_bits_[context].split();
        if (wrong >= least) return;
        best = {value, context};
        least = wrong;
    };
    const int around = mark(kRepeated, y, -1, 0) << 5 | mark(kRepeated, y, 0, -1) << 6 | mark(kRepeated, y, 1, -1) << 7;
    const Neighbours near = neighbours(y);
    bool other[2] = {false, false};
    for (int i = 1; i >= 0; --i) {
        const Entry& entry = tables_[i][keys[i].slot()];
        if (entry.confidence == 0 || entry.check != keys[i].check()) continue;
        other[i] = entry.sample != near.value;
        consider(entry.sample, entry.confidence | (i + 1) << 3 | around | (entry.sample == neighbour(y, -1, 0)) << 8 |
                                   (entry.sample == neighbour(y, 0, -1)) << 9);
    }
    consider(near.value, near.history | (near.alike ? 3 : 0) << 3 | around | other[0] << 8 | other[1] << 9);
    return best;
}

}  // namespace nlvc
