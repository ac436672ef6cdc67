// Byte strings with bounds: little-endian fields and LEB128 variable-length integers (docs/bitstream.md, preamble).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "error.h"

namespace nlvc {

using Bytes = std::vector<uint8_t>;

/// Bytes owned by someone else.
struct ByteView {
    const uint8_t* data = nullptr;
    size_t size = 0;

    ByteView() = default;
    ByteView(const uint8_t* d, size_t n) : data(d), size(n) {}
    ByteView(const Bytes& bytes) : data(bytes.data()), size(bytes.size()) {}
    Bytes copy() const { return Bytes(data, data + size); }
};

/// Reads fields from front to back; reading past the end is a BitstreamError that names the field.
class Reader {
  public:
    /// @param what  the whole being read, for messages: "packet", "model file"
    Reader(ByteView bytes, const char* what) : bytes_(bytes), what_(what) {}

    size_t position() const { return position_; }
    size_t remaining() const { return bytes_.size - position_; }

    ByteView take(size_t count, const char* field) {
        if (count > remaining()) fail(field, "is cut off");
        const ByteView view(bytes_.data + position_, count);
        position_ += count;
        return view;
    }
    uint8_t u8(const char* field) { return *take(1, field).data; }
    int8_t i8(const char* field) { return static_cast<int8_t>(u8(field)); }
    uint16_t u16(const char* field) { return static_cast<uint16_t>(little_endian(2, field)); }
    int16_t i16(const char* field) { return static_cast<int16_t>(u16(field)); }
    uint32_t u32(const char* field) { return static_cast<uint32_t>(little_endian(4, field)); }
    int32_t i32(const char* field) { return static_cast<int32_t>(u32(field)); }

    uint64_t varint(const char* field) {
        uint64_t value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            const uint8_t byte = u8(field);
            if (shift == 63 && byte > 1) break;
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        fail(field, "is longer than 64 bits");
    }
    /// A varint in [low, high].
    int64_t varint_in(int64_t low, int64_t high, const char* field) {
        const uint64_t value = varint(field);
        if (value > static_cast<uint64_t>(high) || static_cast<int64_t>(value) < low) out_of_range(field, low, high);
        return static_cast<int64_t>(value);
    }
    int64_t svarint(const char* field) {
        const uint64_t v = varint(field);
        return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
    }
    int u8_in(int low, int high, const char* field) {
        const int value = u8(field);
        if (value < low || value > high) out_of_range(field, low, high);
        return value;
    }
    /// A string of printable ASCII characters after its length in one byte.
    std::string name(const char* field) {
        const ByteView view = take(u8(field), field);
        for (size_t i = 0; i < view.size; ++i)
            if (view.data[i] < 0x20 || view.data[i] > 0x7e) fail(field, "is not printable ASCII");
        return std::string(view.data, view.data + view.size);
    }
    void expect_end() {
        if (remaining() != 0) fail(std::to_string(remaining()).c_str(), "bytes are left over");
    }
    [[noreturn]] void fail(const char* field, const char* problem) const {
        throw BitstreamError(std::string(what_) + ", byte " + std::to_string(position_) + ": " + field + " " + problem);
    }

  private:
    uint64_t little_endian(int count, const char* field) {
        const ByteView view = take(count, field);
        uint64_t value = 0;
        for (int i = 0; i < count; ++i) value |= static_cast<uint64_t>(view.data[i]) << (8 * i);
        return value;
    }
    [[noreturn]] void out_of_range(const char* field, int64_t low, int64_t high) const {
        fail(field, ("is not " + std::to_string(low) + " to " + std::to_string(high)).c_str());
    }

    ByteView bytes_;
    const char* what_;
    size_t position_ = 0;
};

/// Appends fields to a byte string.
class Writer {
  public:
    Bytes bytes;

    void u8(int value) { bytes.push_back(static_cast<uint8_t>(value)); }
    void u16(uint16_t value) {
        u8(value & 0xff);
        u8(value >> 8);
    }
    void u32(uint32_t value) {
        for (int i = 0; i < 4; ++i) u8(static_cast<int>(value >> (8 * i) & 0xff));
    }
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) u8(static_cast<int>(value & 0x7f) | 0x80);
        u8(static_cast<int>(value));
    }
    void svarint(int64_t value) { varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)); }
    void append(ByteView view) { bytes.insert(bytes.end(), view.data, view.data + view.size); }
    void name(const std::string& text) {
        u8(static_cast<int>(text.size()));
        bytes.insert(bytes.end(), text.begin(), text.end());
    }
};

}  // namespace nlvc
