#include "threading/available_cpus.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace ne_torch {
namespace {

int processors_by_affinity() {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string whole;
    for (const std::string_view part : parts) whole += part;
    return whole;
}

// quota / period in microseconds; "max" or -1 stand for no limit
int quota_cpus(double quota, double period) {
    if (!(quota > 0) || !(period > 0)) return 0;
    return std::max(1, static_cast<int>(std::ceil(quota / period)));
}

// The smallest quota on the way from this process' cgroup up to the root, 0 for none.
int quota_v2(const std::string& root, std::string path) {
    int least = 0;
    for (;;) {
        std::ifstream file(joined({root, "/sys/fs/cgroup", path, "/cpu.max"}));
        std::string quota;
        double period = 0;
        if (file >> quota >> period && quota != "max") {
            const int cpus = quota_cpus(std::strtod(quota.c_str(), nullptr), period);
            if (cpus > 0) least = least == 0 ? cpus : std::min(least, cpus);
        }
        if (path.empty() || path == "/") return least;
        path.erase(path.find_last_of('/'));
    }
}

int quota_v1(const std::string& root, const std::string& path) {
    int least = 0;
    for (const char* mount : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
        for (const std::string& directory : {joined({root, mount, path}), joined({root, mount})}) {
            std::ifstream quota_file(directory + "/cpu.cfs_quota_us");
            std::ifstream period_file(directory + "/cpu.cfs_period_us");
            double quota = 0;
            double period = 0;
            if (!(quota_file >> quota) || !(period_file >> period)) continue;
            const int cpus = quota_cpus(quota, period);
            if (cpus > 0) least = least == 0 ? cpus : std::min(least, cpus);
        }
    }
    return least;
}

// /proc/self/cgroup has lines "id:controllers:path"; cgroup v2 has id 0 and no controllers.
int processors_by_quota(const std::string& root) {
    int least = 0;
    std::ifstream groups(root + "/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const std::string path = line.substr(second + 1);
        int cpus = 0;
        if (controllers == ",,") cpus = quota_v2(root, path);
        if (controllers.find(",cpu,") != std::string::npos) cpus = quota_v1(root, path);
        if (cpus > 0) least = least == 0 ? cpus : std::min(least, cpus);
    }
    return least;
}

}  // namespace

int available_cpus(const std::string& root) {
    const int affinity = processors_by_affinity();
    const int quota = processors_by_quota(root);
    return quota > 0 ? std::min(affinity, quota) : affinity;
}

}  // namespace ne_torch
