// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/directory.hpp"

namespace waggle::store {

inline constexpr DigestKind kKind = DigestKind::xxh3_128;

/// A client's connection to a store in a directory of its own.
struct TestConnection {
  TestConnection() : store(RootedStore::open(top.path()).value()), files(store.connect()) {}

  TestDirectory top;
  RootedStore store;
  std::unique_ptr<protocol::FileService> files;
};

}  // namespace waggle::store
