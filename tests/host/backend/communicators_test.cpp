// SPDX-License-Identifier: MIT
// Devices that hand each other values: through the host, and by NCCL's rules.
#include "host/backend/communicators.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

#include "host/backend/registry.hpp"
#include "tests/support/made_up_nccl.hpp"

namespace impasto::communicators_test {
namespace {

using test::MadeUpNccl;
using testing::HasSubstr;

/// A row of devices, and one tensor of values on each.
class Row {
 public:
  explicit Row(const std::string& backend, int count) : group(count) {
    for (int i = 0; i < count; ++i) {
      devices.push_back(
          make_backend(backend == "simt" ? fmt::format("simt:{}", i) : backend, Precision::fp32));
      all.push_back(devices.back().get());
    }
  }

  RankGroup group;
  std::vector<std::unique_ptr<Backend>> devices;
  std::vector<Backend*> all;
};

/// Values on a device.
class Values {
 public:
  Values(Backend& device, std::int64_t rows, float value)
      : device_(device), memory_(device.allocate(static_cast<std::size_t>(rows) * 4 * 4)) {
    tensor = {memory_.get(), {1, rows, 4, 1}, DataType::f32};
    device.write(tensor, std::vector<float>(static_cast<std::size_t>(rows) * 4, value));
  }
  [[nodiscard]] std::vector<float> read(const Tensor& part) const {
    std::vector<float> values(static_cast<std::size_t>(part.shape.count()));
    device_.read(values, part);
    return values;
  }

  Tensor tensor;

 private:
  Backend& device_;
  Buffer memory_;
};

/// Exchanges and gathers, which every communicator does alike.
void expect_to_communicate(Row& row,
                           const std::vector<std::unique_ptr<Communicator>>& communicators) {
  const int size = row.group.size();
  row.group.run([&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    Communicator& own = *communicators[r];
    EXPECT_EQ(own.rank(), rank);
    EXPECT_EQ(own.size(), size);
    // A halo above, two rows, a halo below.
    const Values map(*row.all[r], 4, static_cast<float>(rank));
    const auto line = [&](std::int64_t top) { return rows_of(map.tensor, top, 1); };
    own.exchange(rank == 0 ? Handover() : Handover{line(1), line(0)},
                 rank + 1 == size ? Handover() : Handover{line(2), line(3)});
    row.all[r]->synchronize();
    const auto value = [](int of) { return std::vector<float>(4, static_cast<float>(of)); };
    EXPECT_EQ(map.read(line(0)), value(std::max(rank - 1, 0)));
    EXPECT_EQ(map.read(line(1)), value(rank));
    EXPECT_EQ(map.read(line(2)), value(rank));
    EXPECT_EQ(map.read(line(3)), value(std::min(rank + 1, size - 1)));

    own.broadcast(line(1));
    row.all[r]->synchronize();
    EXPECT_EQ(map.read(line(1)), value(0));

    // Uneven parts: rank r has r + 1 rows.
    const Values all(*row.all[r], size * (size + 1) / 2, static_cast<float>(rank));
    std::vector<Tensor> parts;
    for (int part = 0; part < size; ++part) {
      parts.push_back(rows_of(all.tensor, part * (part + 1) / 2, part + 1));
    }
    own.gather(parts);
    row.all[r]->synchronize();
    for (int part = 0; part < size; ++part) {
      EXPECT_EQ(
          map.read(parts[static_cast<std::size_t>(part)]),
          std::vector<float>(4 * (static_cast<std::size_t>(part) + 1), static_cast<float>(part)));
    }
  });
}

TEST(Communicators, HandValuesOverThroughTheHost) {
  for (const char* backend : {"cpu", "simt"}) {
    for (const int count : {1, 2, 4}) {
      Row row(backend, count);
      expect_to_communicate(row, communicators_through_host(row.group, row.all));
    }
  }
}

TEST(Communicators, HandValuesOverByNccl) {
  for (const int count : {2, 4}) {
    MadeUpNccl made_up;
    const cuda::Nccl functions = MadeUpNccl::functions();
    Row row("cpu", count);
    const auto communicators = cuda::nccl_communicators(functions, row.group, row.all);
    EXPECT_EQ(communicators[0]->description(), "NCCL 2.28.9");
    EXPECT_TRUE(communicators[0]->recordable());
    expect_to_communicate(row, communicators);
    EXPECT_EQ(made_up.sends, 2 * (count - 1));
    EXPECT_EQ(made_up.broadcasts, count * (count + 1));
  }
}

TEST(Communicators, NameTheCallOfNcclThatFails) {
  for (const auto& [failing, call] :
       {std::pair("init", "ncclCommInitAll"), std::pair("async", "ncclCommGetAsyncError"),
        std::pair("later", "NCCL"),  // what was enqueued before
        std::pair("start", "ncclGroupStart"), std::pair("send", "ncclSend"),
        std::pair("receive", "ncclRecv"), std::pair("broadcast", "ncclBroadcast"),
        std::pair("end", "ncclGroupEnd"), std::pair("version", "ncclGetVersion")}) {
    MadeUpNccl made_up;
    made_up.failing = failing;
    const cuda::Nccl functions = MadeUpNccl::functions();
    Row row("cpu", 2);
    try {
      const auto communicators = cuda::nccl_communicators(functions, row.group, row.all);
      static_cast<void>(communicators[0]->description());
      expect_to_communicate(row, communicators);
      ADD_FAILURE() << failing;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::backend);
      EXPECT_EQ(error.what(), fmt::format("{}: internal error", call));
    }
  }
}

TEST(Communicators, OfNcclEndWhenADeviceFails) {
  MadeUpNccl made_up;
  const cuda::Nccl functions = MadeUpNccl::functions();
  Row row("cpu", 2);
  const auto communicators = cuda::nccl_communicators(functions, row.group, row.all);
  try {
    row.group.run([&](int rank) {
      if (rank == 1) fail(ErrorKind::out_of_memory, "too little");
      const Values map(*row.all[0], 2, 0);
      communicators[0]->exchange({}, {rows_of(map.tensor, 0, 1), rows_of(map.tensor, 1, 1)});
      ADD_FAILURE() << "nobody was there";
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "too little");
  }
  EXPECT_THROW(communicators[0]->check(), Error);  // before a recording would be replayed
}

TEST(Communicators, OfNcclEndTheRunWhileRecordingsAreThere) {
  // NCCL's abort returns when they are gone, which is after the run.
  MadeUpNccl made_up;
  const cuda::Nccl functions = MadeUpNccl::functions();
  Row row("cpu", 3);
  const auto communicators = cuda::nccl_communicators(functions, row.group, row.all);
  row.group.run([&](int rank) { communicators[static_cast<std::size_t>(rank)]->check(); });
  made_up.begin_recording();
  for (int time = 0; time < 2; ++time) {
    EXPECT_THROW(row.group.run([&](int rank) {
      if (rank == 1) fail(ErrorKind::backend, "a device is lost");
      communicators[static_cast<std::size_t>(rank)]->check();
    }),
                 Error);
  }
  made_up.end_recording();
}

TEST(Communicators, LoadNcclOrSayWhyNot) {
  try {
    int version = 0;
    EXPECT_EQ(cuda::nccl().get_version(&version), cuda::NcclResult::success);
    EXPECT_GE(version, 2700);  // which brought ncclSend
  } catch (const cuda::NoNccl& error) {
    EXPECT_EQ(error.kind(), ErrorKind::backend);
    EXPECT_THAT(error.what(), HasSubstr("cannot load libnccl.so.2"));
  }
}

}  // namespace
}  // namespace impasto::communicators_test
