// The transformer's dense layers and attention over batches of patches (docs/diffusion.md section 3), with the kernels
// of this processor. pynlvc/model/diffusion/arithmetic.py defines the numbers; tests compare.
#include <pybind11/stl.h>

#include "integer_dense.h"

namespace nlvc {
namespace {

using Kinds = std::optional<Array<int64_t>>;  ///< which biases each patch has; none: the first

void expect_kinds(const Kinds& kinds, const IntegerDense& layer, py::ssize_t batch) {
    if (!kinds) return;
    expect(kinds->ndim() == 1 && kinds->shape(0) == batch, "kinds must be [B]");
    for (py::ssize_t b = 0; b < batch; ++b)
        expect(*kinds->data(b) >= 0 && *kinds->data(b) < layer.sets(), "a kind is beyond the sets of biases");
}

/// Calls fill(token, inputs) for each token and writes the layer's outputs.
template <class Fill>
Array<int32_t> each_token(const IntegerDense& layer, py::ssize_t batch, py::ssize_t tokens, const Kinds& kinds,
                          Fill fill) {
    expect_kinds(kinds, layer, batch);
    Array<int32_t> result({batch, tokens, py::ssize_t{layer.outputs()}});
    int32_t* out = result.mutable_data();
    const int64_t* set = kinds ? kinds->data() : nullptr;
    const py::gil_scoped_release release;
    DenseInputs x;
    DenseOutputs y;
    for (py::ssize_t t = 0; t < batch * tokens; ++t, out += layer.outputs()) {
        fill(t, x);
        layer.run(x, y, set == nullptr ? 0 : set[t / tokens]);
        std::copy_n(y.at, layer.outputs(), out);
    }
    return result;
}

Array<int32_t> of_activations(const IntegerDense& layer, const Array<float>& x, const Kinds& kinds) {
    expect(x.ndim() == 3, "expected [B, n, k]");
    expect_tokens(x, x.shape(0), x.shape(1), layer.inputs());
    const float* from = x.data();
    return each_token(layer, x.shape(0), x.shape(1), kinds, [&](py::ssize_t t, DenseInputs& inputs) {
        inputs.take(from + t * layer.inputs(), 0, layer.inputs());
    });
}

Array<int32_t> of_stream(const IntegerDense& layer, const Array<int32_t>& r, const Kinds& kinds) {
    expect(r.ndim() == 3, "expected [B, n, width]");
    expect_tokens(r, r.shape(0), r.shape(1), layer.inputs());
    const int32_t* from = r.data();
    return each_token(layer, r.shape(0), r.shape(1), kinds, [&](py::ssize_t t, DenseInputs& inputs) {
        inputs.take_stream(from + t * layer.inputs(), layer.inputs());
    });
}

Array<int32_t> feed_forward(const Array<int32_t>& r, const IntegerDense& inner, const IntegerDense& outer) {
    expect(r.ndim() == 3, "expected [B, n, width]");
    expect_tokens(r, r.shape(0), r.shape(1), inner.inputs());
    expect(inner.outputs() == outer.inputs() && outer.outputs() == inner.inputs(), "layers do not fit");
    Array<int32_t> result({r.shape(0), r.shape(1), r.shape(2)});
    const py::ssize_t count = r.shape(0) * r.shape(1);
    const int32_t* from = r.data();
    int32_t* out = result.mutable_data();
    const int width = inner.inputs();
    const py::gil_scoped_release release;
    DenseInputs x, hidden;
    DenseOutputs y;
    for (py::ssize_t t = 0; t < count; ++t, from += width, out += width) {
        x.take_stream(from, width);
        inner.run(x, y);
        hidden.take(y.at, inner.outputs(), 0);
        outer.run(hidden, y);
        for (int i = 0; i < width; ++i) out[i] = from[i] + y.at[i];
    }
    return result;
}

/// Keys and values of the revealed tokens of a batch of patches.
class AttentionMemory {
  public:
    AttentionMemory(py::ssize_t batch, int key, const Array<int32_t>& falloff, int width,
                    const Array<int32_t>& distance, const std::optional<Array<bool>>& absent,
                    const std::string& kernels)
        : kernels_(choose_kernels(kernels)),
          batch_(batch),
          heads_(static_cast<int>(falloff.size())),
          key_(key),
          value_(heads_ == 0 ? 0 : width / heads_),
          key_words_((key + 3) / 4),
          value_lanes_((value_ + kLanes - 1) / kLanes * kLanes),
          falloff_(falloff.data(), falloff.data() + falloff.size()),
          distance_(distance) {
        expect(batch > 0 && heads_ > 0 && key > 0 && key_words_ <= kMaxKeyWords && value_ > 0 &&
                   value_ * heads_ == width && width <= kMaxDenseInputs,
               "an attention memory cannot have these sizes");
        expect(distance.ndim() == 2 && distance.shape(0) == kTokens && distance.shape(1) == kTokens,
               "distance must be [1024, 1024]");
        keys_.assign(static_cast<size_t>(batch) * heads_ * key_bytes(), 128);
        values_.assign(static_cast<size_t>(batch) * heads_ * value_bytes(), 128);
        if (!absent) return;
        expect(absent->ndim() == 2 && absent->shape(0) == batch && absent->shape(1) == kTokens,
               "absent must be [B, 1024]");
        const bool* gone = absent->data();
        penalty_.resize(static_cast<size_t>(batch) * kTokens);
        std::transform(gone, gone + penalty_.size(), penalty_.begin(), [](bool is) { return is ? -kHidden : 0; });
    }

    /// Tokens of ranks from `start` on are known: r int32 [B, n, width], content float32 [B, n, c].
    void remember(py::ssize_t start, const Array<int32_t>& r, const Array<float>& content, const IntegerDense& key,
                  const IntegerDense& values) {
        const int width = heads_ * value_;
        expect(r.ndim() == 3 && content.ndim() == 3, "expected r [B, n, width] and content [B, n, c]");
        const py::ssize_t tokens = r.shape(1);
        expect_tokens(r, batch_, tokens, width);
        const auto more = static_cast<int>(content.shape(2));
        expect_tokens(content, batch_, tokens, more);
        expect(key.inputs() == width + more && values.inputs() == width + more && key.outputs() == heads_ * key_ &&
                   values.outputs() == width,
               "layers and memory do not fit");
        expect(start >= 0 && start + tokens <= kTokens, "ranks are beyond the patch");
        const int32_t* from = r.data();
        const float* beside = content.data();
        const py::gil_scoped_release release;
        DenseInputs x;
        DenseOutputs y;
        for (py::ssize_t b = 0; b < batch_; ++b)
            for (py::ssize_t rank = start; rank < start + tokens; ++rank, from += width, beside += more) {
                x.take_stream(from, width);
                x.take(beside, width, more);
                key.run(x, y);
                for (int h = 0; h < heads_; ++h) place_key(b, h, rank, y.at + h * key_);
                values.run(x, y);
                for (int h = 0; h < heads_; ++h) place_value(b, h, rank, y.at + h * value_);
            }
    }

    /// r with what attention adds, for ranks from `start` on.
    Array<int32_t> attend(py::ssize_t start, const Array<int32_t>& r, const IntegerDense& query,
                          const IntegerDense& out) const {
        const int width = heads_ * value_;
        expect(r.ndim() == 3, "expected r [B, n, width]");
        const py::ssize_t tokens = r.shape(1);
        expect_tokens(r, batch_, tokens, width);
        expect(query.inputs() == width && query.outputs() == heads_ * key_ && out.inputs() == width &&
                   out.outputs() == width,
               "layers and memory do not fit");
        expect(start >= 0 && start + tokens <= kTokens, "ranks are beyond the patch");
        Array<int32_t> result({batch_, tokens, py::ssize_t{width}});
        const int32_t* from = r.data();
        int32_t* to = result.mutable_data();
        const int32_t* distance = distance_.data();
        const py::gil_scoped_release release;
        DenseInputs x, mixed;
        DenseOutputs y;
        for (py::ssize_t b = 0; b < batch_; ++b)
            for (py::ssize_t rank = start; rank < start + tokens; ++rank, from += width, to += width) {
                x.take_stream(from, width);
                query.run(x, y);
                for (int h = 0; h < heads_; ++h)
                    mix(b, h, static_cast<int>(rank), y.at + h * key_, distance + rank * kTokens,
                        mixed.bytes + h * value_);
                out.run(mixed, y);
                for (int i = 0; i < width; ++i) to[i] = from[i] + y.at[i];
            }
        return result;
    }

  private:
    size_t key_bytes() const { return static_cast<size_t>(kTokens) * key_words_ * 4; }
    size_t value_bytes() const { return static_cast<size_t>(kTokens) * value_lanes_; }
    size_t place(py::ssize_t b, int h) const { return static_cast<size_t>(b) * heads_ + h; }

    void place_key(py::ssize_t b, int h, py::ssize_t rank, const int32_t* key) {
        uint8_t* to = keys_.data() + place(b, h) * key_bytes() + rank / kLanes * key_words_ * kLanes * 4;
        for (int e = 0; e < key_; ++e)
            to[(e / 4 * kLanes + rank % kLanes) * 4 + e % 4] = static_cast<uint8_t>(activation(key[e]) + 128);
    }
    void place_value(py::ssize_t b, int h, py::ssize_t rank, const int32_t* value) {
        uint8_t* to = values_.data() + place(b, h) * value_bytes() + rank / 4 * value_lanes_ * 4 + rank % 4;
        for (int i = 0; i < value_; ++i) to[4 * i] = static_cast<uint8_t>(activation(value[i]) + 128);
    }

    /// The weighted mean of what the token sees, rounded.
    void mix(py::ssize_t b, int h, int rank, const int32_t* query, const int32_t* distance, int8_t* mixed) const {
        alignas(64) int8_t bytes[4 * kMaxKeyWords] = {};
        for (int e = 0; e < key_; ++e) bytes[e] = activation(query[e]);
        const AttentionKeys keys = {key_words_,
                                    value_lanes_,
                                    keys_.data() + place(b, h) * key_bytes(),
                                    values_.data() + place(b, h) * value_bytes(),
                                    penalty_.empty() ? nullptr : penalty_.data() + b * kTokens,
                                    falloff_[static_cast<size_t>(h)]};
        DenseOutputs sums;
        const int32_t total = kernels_.attend(keys, bytes, rank, distance, sums.at);
        // Numerators below 2^26 with 127 added to each value: the quotient of doubles is never too large by rounding.
        const double divisor = 2.0 * total;
        for (int i = 0; i < value_; ++i) {
            const int32_t above = 2 * (sums.at[i] + kActivationLimit * total) + total;
            mixed[i] = static_cast<int8_t>(static_cast<int32_t>(above / divisor) - kActivationLimit);
        }
    }

    const Kernels& kernels_;
    py::ssize_t batch_;
    int heads_, key_, value_, key_words_, value_lanes_;
    std::vector<int32_t> falloff_;
    Array<int32_t> distance_;
    std::vector<uint8_t> keys_, values_;
    std::vector<int32_t> penalty_;
};

}  // namespace

void bind_transformer(py::module_& module) {
    using namespace py::literals;
    py::class_<IntegerDense>(module, "IntegerDense")
        .def(py::init<const Array<int8_t>&, const Array<int32_t>&, const Array<int32_t>&, const Array<int32_t>&,
                      const std::string&>(),
             "weight"_a.noconvert(), "bias"_a.noconvert(), "multiplier"_a.noconvert(), "shift"_a.noconvert(),
             py::kw_only(), "kernels"_a = "")
        .def_property_readonly("outputs", &IntegerDense::outputs)
        .def("of_activations", &of_activations, "x"_a.noconvert(), "kinds"_a = py::none())
        .def("of_stream", &of_stream, "r"_a.noconvert(), "kinds"_a = py::none());
    module.def("feed_forward", &feed_forward, "r"_a.noconvert(), "inner"_a, "outer"_a);
    py::class_<AttentionMemory>(module, "AttentionMemory")
        .def(py::init<py::ssize_t, int, const Array<int32_t>&, int, const Array<int32_t>&,
                      const std::optional<Array<bool>>&, const std::string&>(),
             "batch"_a, py::kw_only(), "key"_a, "falloff"_a, "width"_a, "distance"_a, "absent"_a, "kernels"_a = "")
        .def("remember", &AttentionMemory::remember, "start"_a, "r"_a.noconvert(), "content"_a.noconvert(), "key"_a,
             "values"_a)
        .def("attend", &AttentionMemory::attend, "start"_a, "r"_a.noconvert(), "query"_a, "out"_a);
}

}  // namespace nlvc
