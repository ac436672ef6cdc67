#include "accelerator_object.h"

#include "arrays.h"

namespace nlvc {
namespace {

constexpr py::ssize_t words(int count) { return (count + 3) / 4; }

/// The codec's memory as an array, valid during a call.
template <class T>
py::array view(const T* values, std::vector<py::ssize_t> shape) {
    return py::array_t<T>(std::move(shape), values, py::capsule(values, [](void*) {}));
}

template <class T>
void take(const py::handle& found, size_t count, const char* what, T* values) {
    const auto array = py::cast<Array<T>>(found);
    if (static_cast<size_t>(array.size()) != count)
        throw std::invalid_argument(std::string("the accelerator gave ") + std::to_string(array.size()) +
                                    " values of " + what + ", expected " + std::to_string(count));
    std::copy_n(array.data(), count, values);
}

class ObjectAccelerator final : public Accelerator {
  public:
    explicit ObjectAccelerator(py::object object) : object_(std::move(object)) {}
    ~ObjectAccelerator() override {
        const py::gil_scoped_acquire acquire;
        object_ = py::object();
    }
    void stage1(const CompiledNetwork& network, int batches, const int8_t* taps, int32_t* linear,
                uint8_t* hidden) override {
        const py::gil_scoped_acquire acquire;
        const py::ssize_t hidden_words = words(network.layer2.outputs);
        const py::tuple found = object_.attr("stage1")(network.frame_type, network.plane_class,
                                                       view(taps, {batches, words(network.layer1.inputs), kLanes, 4}));
        take(found[0], static_cast<size_t>(batches) * kLanes, "linear", linear);
        take(found[1], static_cast<size_t>(batches) * hidden_words * kLanes * 4, "hidden", hidden);
    }
    void stage2(const CompiledNetwork& network, int batches, const uint8_t* hidden, const int8_t* errors,
                int32_t* outputs) override {
        const py::gil_scoped_acquire acquire;
        const py::object found = object_.attr("stage2")(
            network.frame_type, network.plane_class, view(hidden, {batches, words(network.layer2.outputs), kLanes, 4}),
            view(errors, {batches, words(static_cast<int>(network.errors.size())), kLanes, 4}));
        take(found, static_cast<size_t>(batches) * kOutputs * kLanes, "outputs", outputs);
    }

  private:
    py::object object_;
};

}  // namespace

MakeAccelerator accelerator_maker(const py::object& maker) {
    if (maker.is_none()) return nullptr;
    // The function object may be destroyed wherever its codec is: the reference is dropped under the lock.
    const std::shared_ptr<py::object> held(new py::object(maker), [](py::object* object) {
        const py::gil_scoped_acquire acquire;
        delete object;
    });
    return [held](ByteView model, int delta) -> std::unique_ptr<Accelerator> {
        const py::gil_scoped_acquire acquire;
        return std::make_unique<ObjectAccelerator>((*held)(from_bytes(model), delta));
    };
}

}  // namespace nlvc
