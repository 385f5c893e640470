// How many threads are worth starting: the processors this process may run on, and its cgroup's CPU quota.
#pragma once

#include <string>

namespace ne_torch {

// root: of the file system in which /proc and /sys/fs/cgroup are looked for; tests give one of their own.
int available_cpus(const std::string& root = "");

}  // namespace ne_torch
