#include "dispatch/registry.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "dispatch/cpu_features.hpp"
#include "isa/tables.hpp"

namespace ne_torch {
namespace {

struct Entry {
    const char* name;
    const KernelTable* table;  // null: not part of this build
    bool (*runs_here)();
};

// Fastest first.
const Entry kEntries[] = {
#ifdef NE_TORCH_HAS_avx512
    {"avx512", &avx512_table, cpu_has_avx512},
#else
    {"avx512", nullptr, nullptr},
#endif
#ifdef NE_TORCH_HAS_avx2
    {"avx2", &avx2_table, cpu_has_avx2_fma},
#else
    {"avx2", nullptr, nullptr},
#endif
#ifdef NE_TORCH_HAS_neon
    {"neon", &neon_table, [] { return true; }},
#else
    {"neon", nullptr, nullptr},
#endif
    {"scalar", &scalar_table, [] { return true; }},
};

std::string names_available() {
    std::string names;
    for (const KernelTable* table : available_tables())
        names += (names.empty() ? "" : ", ") + std::string(table->name);
    return names;
}

const KernelTable& find_table(const std::string& name) {
    for (const KernelTable* table : available_tables()) {
        if (name == table->name) return *table;
    }
    for (const Entry& entry : kEntries) {
        if (name == entry.name) {
            throw std::runtime_error("NE_TORCH_ISA: this machine cannot run '" + name + "'; it can run " +
                                     names_available());
        }
    }
    throw std::invalid_argument("NE_TORCH_ISA: expected one of " + names_available() + ", got '" + name +
                                "'");
}

std::atomic<const KernelTable*> active{nullptr};

}  // namespace

const std::vector<const KernelTable*>& available_tables() {
    static const std::vector<const KernelTable*> tables = [] {
        std::vector<const KernelTable*> found;
        for (const Entry& entry : kEntries) {
            if (entry.table && entry.runs_here()) found.push_back(entry.table);
        }
        return found;
    }();
    return tables;
}

const KernelTable& active_table() {
    const KernelTable* table = active.load(std::memory_order_acquire);
    if (!table) {
        const char* name = std::getenv("NE_TORCH_ISA");
        table = name && *name ? &find_table(name) : available_tables().front();
        active.store(table, std::memory_order_release);
    }
    return *table;
}

void select_table(const std::string& name) { active.store(&find_table(name), std::memory_order_release); }

}  // namespace ne_torch
