// ne_torch._core: the table of contents.
#include <pybind11/pybind11.h>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "dispatch/registry.hpp"
#include "threading/thread_pool.hpp"

PYBIND11_MODULE(_core, m) {
    m.doc() = "C++ kernels of ne_torch. Use the functions and classes of ne_torch itself.";
    ne_torch::active_table();  // a wrong NE_TORCH_ISA or NE_TORCH_NUM_THREADS is an error at import,
    ne_torch::num_threads();   // not at the first call
    ne_torch::look_up_numpy();
    ne_torch::register_affine(m);
    ne_torch::register_activations(m);
    ne_torch::register_layers(m);
    ne_torch::register_data(m);
    ne_torch::register_loss_settings(m);
    ne_torch::register_losses(m);
    ne_torch::register_normalization(m);
    ne_torch::register_optimizers(m);
    ne_torch::register_random(m);
    ne_torch::register_schedule(m);
    ne_torch::register_serving(m);
    ne_torch::register_training(m);
    ne_torch::register_config(m);
}
