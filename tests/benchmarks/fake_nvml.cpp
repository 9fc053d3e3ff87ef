// SPDX-License-Identifier: MIT
// A management library that knows one GPU, at 0000:1B:00.0, whose clocks the test sets.
#include <cstring>

namespace {
unsigned long long reasons = 0;
int shut_downs = 0;
}  // namespace

extern "C" {
void fake_set_reasons(unsigned long long bits) { reasons = bits; }
int fake_shut_downs() { return shut_downs; }

int nvmlInit_v2() { return 0; }
int nvmlShutdown() {
  ++shut_downs;
  return 0;
}
int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  std::strncpy(version, "570.12", length);
  return 0;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** gpu) {
  *gpu = &reasons;
  return std::strcmp(bus, "0000:1B:00.0") == 0 ? 0 : 6;
}
int nvmlDeviceGetClockInfo(void*, int type, unsigned* megahertz) {
  *megahertz = type == 1 ? 1755 : 2619;
  return 0;
}
int nvmlDeviceGetMaxClockInfo(void*, int type, unsigned* megahertz) {
  *megahertz = type == 1 ? 1980 : 2619;
  return 0;
}
int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned*) { return 3; }  // it does not know
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* bits) {
  *bits = reasons;
  return 0;
}
}
