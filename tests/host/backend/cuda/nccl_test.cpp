// SPDX-License-Identifier: MIT
// What nccl.hpp declares, held against NCCL's own header, and NCCL itself as far as it answers without a GPU.
#include "host/backend/cuda/nccl.hpp"

#include <gtest/gtest.h>
#include <nccl.h>
#include <type_traits>

namespace impasto::cuda::nccl_test {
namespace {

/// The type by which nccl.hpp spells one of NCCL's.
template <class Theirs>
struct Spelled {
  using Type = Theirs;
};
template <>
struct Spelled<ncclResult_t> {
  using Type = NcclResult;
};
template <>
struct Spelled<ncclDataType_t> {
  using Type = NcclType;
};
template <>
struct Spelled<::ncclComm> {
  using Type = ncclComm;
};
template <>
struct Spelled<CUstream_st> {
  using Type = void;
};
template <class Theirs>
struct Spelled<Theirs*> {
  using Type = typename Spelled<Theirs>::Type*;
};
template <class Result, class... Parameters>
struct Spelled<Result(Parameters...)> {
  using Type = typename Spelled<Result>::Type(typename Spelled<Parameters>::Type...);
};

template <class Theirs, class Declared>
constexpr bool agree = std::is_same_v<typename Spelled<Theirs>::Type, Declared>;

static_assert(sizeof(ncclResult_t) == sizeof(NcclResult));
static_assert(static_cast<NcclResult>(ncclSuccess) == NcclResult::success);
static_assert(sizeof(ncclDataType_t) == sizeof(NcclType));
static_assert(static_cast<NcclType>(ncclInt8) == NcclType::int8);

static_assert(agree<decltype(&ncclGetVersion), decltype(Nccl::get_version)>);
static_assert(agree<decltype(&ncclGetErrorString), decltype(Nccl::get_error_string)>);
static_assert(agree<decltype(&ncclCommInitAll), decltype(Nccl::init_all)>);
static_assert(agree<decltype(&ncclCommGetAsyncError), decltype(Nccl::get_async_error)>);
static_assert(agree<decltype(&ncclCommDestroy), decltype(Nccl::destroy)>);
static_assert(agree<decltype(&ncclCommAbort), decltype(Nccl::abort)>);
static_assert(agree<decltype(&ncclGroupStart), decltype(Nccl::group_start)>);
static_assert(agree<decltype(&ncclGroupEnd), decltype(Nccl::group_end)>);
static_assert(agree<decltype(&ncclSend), decltype(Nccl::send)>);
static_assert(agree<decltype(&ncclRecv), decltype(Nccl::receive)>);
static_assert(agree<decltype(&ncclBroadcast), decltype(Nccl::broadcast)>);

TEST(Nccl, IsTheOneOfTheHeader) {
  int version = 0;
  EXPECT_EQ(nccl().get_version(&version), NcclResult::success);
  EXPECT_EQ(version, NCCL_VERSION_CODE);
}

TEST(Nccl, SaysWhatFailed) {
  EXPECT_STREQ(nccl().get_error_string(static_cast<NcclResult>(ncclInvalidArgument)),
               ncclGetErrorString(ncclInvalidArgument));
}

TEST(Nccl, HoldsGroupsToTheirOrder) {
  EXPECT_EQ(nccl().group_start(), NcclResult::success);
  EXPECT_EQ(nccl().group_end(), NcclResult::success);
  EXPECT_NE(nccl().group_end(), NcclResult::success);
}

TEST(Nccl, RefusesACommunicatorWithoutRanks) {
  NcclComm none = nullptr;
  EXPECT_NE(nccl().init_all(&none, 0, nullptr), NcclResult::success);
  EXPECT_EQ(none, nullptr);
}

}  // namespace
}  // namespace impasto::cuda::nccl_test
