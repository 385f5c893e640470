// _core: version, instruction sets, threads
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bindings/bindings.hpp"
#include "dispatch/cpu_features.hpp"
#include "dispatch/registry.hpp"
#include "threading/available_cpus.hpp"
#include "threading/thread_pool.hpp"

namespace ne_torch {

namespace py = pybind11;

void register_config(py::module_& m) {
    m.attr("__version__") = NE_TORCH_VERSION;
    m.def("available_isas", [] {
        std::vector<std::string> names;
        for (const KernelTable* table : available_tables()) names.emplace_back(table->name);
        return names;
    });
    m.def("active_isa", [] { return std::string(active_table().name); });
    m.def("select_isa", select_table, py::arg("name"));
    m.def("has_fma", cpu_has_fma);
    m.def("available_cpus", available_cpus, py::arg("root") = "");
    m.def("get_num_threads", num_threads);
    m.def("set_num_threads", set_num_threads, py::arg("threads"));
}

}  // namespace ne_torch
