// One register_* function per file bind_*.cpp; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

namespace ne_torch {

void register_activations(pybind11::module_& m);
void register_affine(pybind11::module_& m);
void register_config(pybind11::module_& m);
void register_data(pybind11::module_& m);
void register_layers(pybind11::module_& m);
void register_loss_settings(pybind11::module_& m);
void register_losses(pybind11::module_& m);
void register_normalization(pybind11::module_& m);
void register_optimizers(pybind11::module_& m);
void register_random(pybind11::module_& m);
void register_schedule(pybind11::module_& m);
void register_serving(pybind11::module_& m);
void register_training(pybind11::module_& m);

}  // namespace ne_torch
