// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/page.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/installed.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::answers {
namespace {

using nlohmann::json;

constexpr std::string_view kModelMark = "@@WAGGLE_MODEL@@";
constexpr std::string_view kRecordsMark = "@@WAGGLE_RECORDS@@";

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // a zero is written behind it
  const int length =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

/// As gzip(1) does it, without a time or a name.
std::string gzip(std::string_view text) {
  constexpr int kGzip = 16;
  z_stream stream{};
  ::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
  gz_header header{};
  header.os = 255;  // unknown
  ::deflateSetHeader(&stream, &header);
  std::string out(::deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib does not write to it
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

/// A script element ends at "</script", whatever is around it; in JSON "<" stands in strings only.
std::string for_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    out += c == '<' ? std::string_view("\\u003c") : std::string_view(&c, 1);
  }
  return out;
}

Result<> fill(std::string& page, std::string_view mark, std::string_view text) {
  const auto at = page.find(mark);
  if (at == std::string::npos) {
    return fail(Fault::corrupt, fmt::format("the page that was built has no place for {}", mark), "build it again");
  }
  page.replace(at, mark.size(), text);
  return {};
}

}  // namespace

Result<std::string> page_of(const RecordSet& set, std::string_view model) {
  const auto path = built("page.html", "results/page/page.html");
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(Fault::missing, "the page of reports was not built",
                "./testbed report builds it; or leave html out of --format");
  }
  std::string page{std::istreambuf_iterator<char>(file), {}};
  json records = json::array();
  for (const auto& source : set.sources) {
    const auto text = record::json_text(record::to_json(source.record)) + "\n";
    records.push_back({{"id", source.id}, {"file", source.file}, {"gzip", base64(gzip(text))}});
  }
  // The records first: what comes last cannot bring a mark of its own into the page.
  WAGGLE_TRY(fill(page, kRecordsMark, for_script(records.dump())));
  WAGGLE_TRY(fill(page, kModelMark, json({{"gzip", base64(gzip(model))}}).dump()));
  return page;
}

}  // namespace waggle::answers
