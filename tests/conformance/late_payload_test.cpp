// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/directory.hpp"
#include "protocol/server.hpp"
#include "tests/conformance/dialogue.hpp"
#include "tests/conformance/lanes.hpp"

/// Payload that comes when nobody waits for it any more must go nowhere: the descriptor that it was meant for may be
/// somebody else's by now.
namespace waggle::conformance {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kAnnounced = 2U << 20U;
constexpr std::uint64_t kInTime = 16 * 1024;
constexpr std::uint64_t kLate = 250'000;
constexpr std::uint32_t kFiles = 8;

/// Numbers of this process's descriptors of partial uploads, whatever they are called.
std::set<int> partial_uploads() {
  std::set<int> numbers;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    // Without a name it is "/path/#inode (deleted)".
    if (!gone && target.find("conformance-late") != std::string::npos &&
        !std::filesystem::is_directory(entry.path(), gone)) {
      numbers.insert(std::stoi(entry.path().filename()));
    }
  }
  return numbers;
}

Bytes bytes_of(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

TEST_CASE("payload that comes after its session has ended goes into nobody's file") {
  for (const Lane& lane : lanes_for_outlaws()) {
    INFO(lane.name);
    const store::TestDirectory directory;
    std::filesystem::create_directory(directory / "conformance-late");
    const auto rooted = store::RootedStore::open(directory / "conformance-late");
    REQUIRE(rooted);
    ChannelOptions options = lane.options;
    options.timeout = milliseconds(300) * patience();
    auto listener = lane.listen(options);
    INFO((listener ? "" : listener.error().text()));
    REQUIRE(listener);
    const Endpoint at = (*listener)->endpoint();
    protocol::Server server(*std::move(listener), [&] { return rooted->connect(); }, {});

    const auto honest = outlaw(lane, at);
    const auto late = outlaw(lane, at);
    Dialogue b(*honest);
    Dialogue a(*late);
    REQUIRE(b.introduce(""));
    REQUIRE(a.introduce(""));

    // A announces a WRITE, sends its beginning and stalls. What it leaves unacknowledged keeps a closing connection
    // waiting for it.
    if (auto* packets = dynamic_cast<PacketOutlaw*>(late.get())) {
      packets->raw().acknowledges = false;
    }
    const Bytes wrong(kLate, std::byte{0xBA});
    const ExtentId extent{1, 0, kAnnounced};
    REQUIRE(a.create(1, "a", kAnnounced));
    a.announce(extent);
    late->pay(extent, 0, ByteView(wrong).first(kInTime));
    const auto was = partial_uploads();
    REQUIRE(was.size() == 1);
    for (int i = 0; i < 1000 && !partial_uploads().empty(); ++i) {
      late->linger(milliseconds(20) * patience());
    }
    REQUIRE(partial_uploads().empty());

    // B takes what numbers are free, and is served.
    std::vector<std::string> sent;
    for (std::uint32_t i = 0; i < kFiles; ++i) {
      sent.push_back(store::random_text(300'000 + i, i + 1));
      REQUIRE(b.upload(i + 1, "b" + std::to_string(i), bytes_of(sent.back())));
    }
    CHECK(partial_uploads().contains(*was.begin()));
    // Now the rest of A's payload.
    late->pay(extent, kInTime, ByteView(wrong).subspan(kInTime));
    late->linger(milliseconds(100));
    for (std::uint32_t i = 0; i < kFiles; ++i) {
      CHECK(b.commit(i + 1));
      const std::string stored = store::read_file(directory / ("conformance-late/b" + std::to_string(i)));
      const auto differ = std::ranges::mismatch(stored, sent[i]);
      INFO("b" << i << " differs from byte " << differ.in1 - stored.begin() << " on");
      CHECK(stored.size() == sent[i].size());
      CHECK((stored == sent[i]));
    }
    late->close_half();
  }
}

}  // namespace
}  // namespace waggle::conformance
