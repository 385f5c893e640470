// How many threads are worth starting: the processors this process may run on, and its cgroup's CPU quota.
#pragma once

namespace ne_torch {

int available_cpus();

}  // namespace ne_torch
