// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/testing/folder.hpp"
#include "harness/record/json_text.hpp"
#include "harness/record/record.hpp"

namespace waggle::answers::testing {

/// A folder of its own for each case, for records as well.
class Folder : public test::Folder {
 public:
  using test::Folder::write;
  std::filesystem::path write(const std::string& name, const record::Record& record) const {
    return write(name, record::json_text(record::to_json(record)));
  }
};

}  // namespace waggle::answers::testing
