// The addon of TensorFlow.js with one function more: `labKernels` gives what the lab's kernels are called through.
//
// Their numbers lie in TensorFlow's own tensors, which the addon keeps in a map by number. A kernel is called without
// TensorFlow's dispatch, which takes longer than many a kernel: JavaScript writes the call into an array that both
// sides see, and only then calls.
#include <node_api.h>

#include <cmath>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <unordered_map>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

// Its own start is replaced by the one below.
#undef NAPI_MODULE
#define NAPI_MODULE(name, start)
#include "binding/tfjs_binding.cc"
#undef NAPI_MODULE
#include "kernels.h"
#include "pool.h"
#include "processor.h"
#include "tensorflow/c/eager/c_api_experimental.h"

// Counted up when kernels or their arguments change: an addon of another number is not used.
#define LAB_KERNELS 1

namespace tfnodejs {

// What a template is explicitly instantiated with may be private: this is how the addon's map is reached.
typedef std::unordered_map<int32_t, TFE_TensorHandle *> Handles;
Handles &handles_of(TFJSBackend &backend);
int32_t insert_into(TFJSBackend &backend, TFE_TensorHandle *handle);
template <Handles TFJSBackend::*member, int32_t (TFJSBackend::*insert)(TFE_TensorHandle *)>
struct Reach {
  friend Handles &handles_of(TFJSBackend &backend) { return backend.*member; }
  friend int32_t insert_into(TFJSBackend &backend, TFE_TensorHandle *handle) { return (backend.*insert)(handle); }
};
template struct Reach<&TFJSBackend::tfe_handle_map_, &TFJSBackend::InsertHandle>;

namespace {

struct Entry {
  const char *name;
  Kernel *kernel;
};

const Entry ENTRIES[] = {
    {"matmul", kernel_matmul},
    {"attention", kernel_attention},
    {"attention gradient", kernel_attention_gradient},
    {"attention bias gradient", kernel_attention_bias_gradient},
    {"map", kernel_map},
    {"map gradient", kernel_map_gradient},
    {"gated", kernel_gated},
    {"gated gradient", kernel_gated_gradient},
    {"combine", kernel_combine},
    {"adamw", kernel_adamw},
    {"norm", kernel_norm},
    {"norm gradient", kernel_norm_gradient},
    {"softmax", kernel_softmax},
    {"softmax gradient", kernel_softmax_gradient},
    {"cross entropy", kernel_cross_entropy},
    {"cross entropy gradient", kernel_cross_entropy_gradient},
    {"sum rows", kernel_sum_rows},
    {"sum columns", kernel_sum_columns},
    {"segment sum", kernel_segment_sum},
    {"gather", kernel_gather},
    {"permute", kernel_permute},
    {"write", kernel_write},
    {"rotary", kernel_rotary},
};

constexpr int SLOTS = 128, MOST = 16;

std::mutex running;  // a process may have several JavaScript threads, but there is one pool

struct Open {
  TFJSBackend *backend;
  double *slots;
};

struct Status {
  TF_Status *at = TF_NewStatus();
  ~Status() { TF_DeleteStatus(at); }
  bool ok() const { return TF_GetCode(at) == TF_OK; }
};

// A new tensor on the processor, its numbers not set yet.
TFE_TensorHandle *make_tensor(const int64_t *shape, int rank, float **numbers, Status &status) {
  size_t bytes = sizeof(float);
  for (int axis = 0; axis < rank; axis++) bytes *= shape[axis];
  TF_Tensor *tensor = TF_AllocateTensor(TF_FLOAT, shape, rank, bytes);
  if (tensor == nullptr) throw std::bad_alloc();
  *numbers = static_cast<float *>(TF_TensorData(tensor));
  TFE_TensorHandle *handle = TFE_NewTensorHandle(tensor, status.at);
  TF_DeleteTensor(tensor);
  return handle;
}

// The slots hold: kernel; inputs and their numbers (-1 for none); integers; numbers; outputs, each with rank and sizes.
// Every list follows its count. The numbers of the outputs are written back from the start.
const char *run(Open &open) {
  const double *next = open.slots;
  const auto read = [&] { return static_cast<int64_t>(*next++); };
  const Entry &entry = ENTRIES[read()];
  const float *inputs[MOST] = {};
  float *outputs[MOST] = {};
  TFE_TensorHandle *made[MOST] = {};
  int64_t integers[SLOTS], shape[MOST];
  Status status;
  const int input_count = read();
  for (int i = 0; i < input_count; i++) {
    const int64_t id = read();
    if (id < 0) continue;
    const auto found = handles_of(*open.backend).find(id);
    if (found == handles_of(*open.backend).end()) return "a tensor of the call is not there";
    inputs[i] = static_cast<const float *>(TFE_TensorHandleDevicePointer(found->second, status.at));
    if (!status.ok()) return "a tensor of the call is not in memory";
  }
  const int integer_count = read();
  for (int i = 0; i < integer_count; i++) integers[i] = read();
  const int number_count = read();
  const double *numbers = next;
  next += number_count;
  const int output_count = read();
  for (int i = 0; i < output_count; i++) {
    const int rank = read();
    for (int axis = 0; axis < rank; axis++) shape[axis] = read();
    made[i] = make_tensor(shape, rank, &outputs[i], status);
    if (!status.ok()) return "TensorFlow refuses a new tensor";
  }
  const Call call{inputs, outputs, integers, numbers, nullptr};
  entry.kernel(call);
  if (call.problem != nullptr) {
    for (int i = 0; i < output_count; i++) TFE_DeleteTensorHandle(made[i]);
    return call.problem;
  }
  for (int i = 0; i < output_count; i++) open.slots[i] = insert_into(*open.backend, made[i]);
  return nullptr;
}

napi_value run_call(napi_env env, napi_callback_info info) {
  void *data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  try {
    const std::lock_guard<std::mutex> lock(running);
    if (const char *problem = run(*static_cast<Open *>(data))) napi_throw_error(env, nullptr, problem);
  } catch (const std::bad_alloc &) {
    napi_throw_error(env, nullptr, "there is no memory left for a tensor");
  }
  return nullptr;
}

// Another tensor over the same numbers: slots 0 its number, 1 the rank, then the sizes. Its number goes to slot 0.
napi_value alias_call(napi_env env, napi_callback_info info) {
  void *data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  Open &open = *static_cast<Open *>(data);
  const auto found = handles_of(*open.backend).find(static_cast<int32_t>(open.slots[0]));
  if (found == handles_of(*open.backend).end()) {
    napi_throw_error(env, nullptr, "a tensor to be reshaped is not there");
    return nullptr;
  }
  int64_t shape[MOST];
  const int rank = static_cast<int>(open.slots[1]);
  for (int axis = 0; axis < rank; axis++) shape[axis] = static_cast<int64_t>(open.slots[2 + axis]);
  Status status;
  TF_Tensor *tensor = TFE_TensorHandleResolve(found->second, status.at);
  TFE_TensorHandle *handle = nullptr;
  if (status.ok()) {
    TF_Tensor *shaped = TF_AllocateTensor(TF_TensorType(tensor), nullptr, 0, TF_DataTypeSize(TF_TensorType(tensor)));
    TF_TensorBitcastFrom(tensor, TF_TensorType(tensor), shaped, shape, rank, status.at);
    if (status.ok()) handle = TFE_NewTensorHandle(shaped, status.at);
    TF_DeleteTensor(shaped);
    TF_DeleteTensor(tensor);
  }
  if (!status.ok()) {
    napi_throw_error(env, nullptr, TF_Message(status.at));
    return nullptr;
  }
  open.slots[0] = insert_into(*open.backend, handle);
  return nullptr;
}

// labKernels(threads) → { version, names, slots, run, alias }, or null on a processor that they are not for
napi_value open_kernels(napi_env env, napi_callback_info info) {
  if (!processor_fits()) {
    napi_value nothing;
    return napi_get_null(env, &nothing) == napi_ok ? nothing : nullptr;
  }
  size_t count = 1;
  napi_value argument, result, slots, buffer, names, value;
  int32_t threads = 1;
  Open *open = new Open{GetTFJSBackend(env), nullptr};
  void *memory = nullptr;
  napi_ref kept;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_get_value_int32(env, argument, &threads) != napi_ok || napi_create_object(env, &result) != napi_ok ||
      napi_create_arraybuffer(env, SLOTS * sizeof(double), &memory, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float64_array, SLOTS, buffer, 0, &slots) != napi_ok ||
      napi_create_reference(env, slots, 1, &kept) != napi_ok || napi_create_array(env, &names) != napi_ok) {
    napi_throw_error(env, nullptr, "the lab's kernels could not be opened");
    return nullptr;
  }
  open->slots = static_cast<double *>(memory);
  open_pool(threads);
#if defined(__GLIBC__)
  // Freed tensors stay in the heap for the next ones: giving their pages back and fetching them anew takes longer than
  // the kernels that fill them.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  uint32_t at = 0;
  for (const Entry &entry : ENTRIES) {
    napi_create_string_utf8(env, entry.name, NAPI_AUTO_LENGTH, &value);
    napi_set_element(env, names, at++, value);
  }
  napi_set_named_property(env, result, "names", names);
  napi_set_named_property(env, result, "slots", slots);
  napi_create_int32(env, LAB_KERNELS, &value);
  napi_set_named_property(env, result, "version", value);
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, run_call, open, &value);
  napi_set_named_property(env, result, "run", value);
  napi_create_function(env, "alias", NAPI_AUTO_LENGTH, alias_call, open, &value);
  napi_set_named_property(env, result, "alias", value);
  return result;
}

napi_value start(napi_env env, napi_value exports) {
  napi_value started = InitTFNodeJSBinding(env, exports), function;
  if (napi_create_function(env, "labKernels", NAPI_AUTO_LENGTH, open_kernels, nullptr, &function) == napi_ok)
    napi_set_named_property(env, exports, "labKernels", function);
  return started;
}

}  // namespace

}  // namespace tfnodejs

NAPI_MODULE_INIT() { return tfnodejs::start(env, exports); }
