// What a stream says beside its samples: typed entries that a reader need not know (docs/bitstream.md section 9.1).
#pragma once
#include <map>
#include <set>

#include "bytes.h"

namespace nlvc {

/// Bytes by type. A type of kMandatory or above changes the samples; types below describe and may be skipped.
using SideInformation = std::map<int, Bytes>;

constexpr int kMandatory = 128;
constexpr int kSampleMapType = 128;    ///< docs/bitstream.md section 1.1, in keyframes alone
constexpr int kCorrectionsType = 129;  ///< docs/bitstream.md section 5.1

/// Reads entries up to the end of `in`; `known`: the mandatory types that may occur here.
SideInformation read_side_information(Reader& in, const std::set<int>& known);
Bytes write_side_information(const SideInformation& side);

/// Puts the entries of `changes` in place of those of `state`; an empty one takes its type away.
void change(SideInformation& state, const SideInformation& changes);
/// The entries that `change` needs to make `wanted` out of `state`.
SideInformation difference(const SideInformation& state, const SideInformation& wanted);

}  // namespace nlvc
