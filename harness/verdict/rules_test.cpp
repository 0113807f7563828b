// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/rules.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "harness/verdict/testing/text_file.hpp"

namespace waggle::verdict {
namespace {

using testing::TextFile;

constexpr std::string_view kWhole = R"(
title = "a suite"
[defaults]
size = ["64KiB", "1GiB"]
[[experiment]]
id = "table"
clients = [1, 4]
[[experiment]]
id = "queues"
settings.udp.queues = [1, 2]
[[verdict]]
claim = "Z2"
says = "sendfile copies nothing"
experiment = "table"
at = {size = "1GiB", clients = 4}
link = "veth"
figure = "copies"
party = "sender"
place = "kernel"
of = "sendfile"
is = "about"
theirs = "copies_cpu"
within = 0.05
[[verdict]]
claim = "X6"
experiment = "queues"
figure = "goodput"
of = "udp"
is = "more than"
than_at = {"udp.queues" = 1}
times = 1.2
)";

/// A rule with one line more, or another one in the place of a line that begins alike.
std::string with(const std::string& line) {
  std::string text = "[[verdict]]\n";
  const auto key = line.substr(0, line.find(' '));
  for (const std::string usual : {"claim = 'Z2'", "experiment = 'table'", "figure = 'goodput'", "of = 'sendfile'",
                                  "is = 'more than'", "value = 1"}) {
    text += (usual.substr(0, usual.find(' ')) == key ? line : usual) + "\n";
  }
  text += text.find(line) == std::string::npos ? line + "\n" : "";
  return text + "[[experiment]]\nid = 'table'\nsize = ['64KiB', '1MiB']\n";
}

/// What is wrong with a suite of that text, without the name of the file; empty when nothing is.
std::string wrong(const std::string& text) {
  const TextFile file("copies.toml", text);
  const auto rules = read_rules(file.path());
  if (rules) {
    return {};
  }
  CHECK(rules.error().fault == Fault::usage);
  const auto whole = rules.error().text();
  const auto name = file.path().native();
  REQUIRE(whole.starts_with(name));
  CHECK(whole.find('\n') == std::string::npos);
  return whole.substr(name.size());
}

TEST_CASE("rules are read from a suite, whatever else is in it") {
  const TextFile file("copies.toml", kWhole);
  const auto rules = read_rules(file.path());
  REQUIRE(rules);
  REQUIRE(rules->size() == 2);
  const auto& copies = rules->front();
  CHECK(copies.claim == "Z2");
  CHECK(copies.suite == "copies");
  CHECK(copies.experiment == "table");
  CHECK(copies.at == Point{{"clients", "4"}, {"size", "1GiB"}});
  CHECK(copies.party == record::Role::sender);
  CHECK(copies.place == record::Place::kernel);
  CHECK(copies.is == Is::about);
  CHECK(copies.theirs == "copies_cpu");
  CHECK_FALSE(copies.compares());
  CHECK(copies.stands.line == 11);
  const auto& queues = rules->back();
  CHECK(queues.compares());
  CHECK(queues.than.empty());
  CHECK(queues.than_at == Point{{"udp.queues", "1"}});
  CHECK(text_of(queues) == "goodput of udp more than 1.2 times that at udp.queues=1");
}

TEST_CASE("a rule says itself what it asks") {
  const TextFile file("copies.toml", kWhole);
  Claims claims;
  claims.claims = {{.id = "Z2", .numbers = {{"copies_cpu", 1}}}, {.id = "X6"}};
  auto rules = settled(read_rules(file.path()).value(), claims);
  REQUIRE(rules);
  CHECK(rules->front().value == 1);
  CHECK(text_of(rules->front()) ==
        "copies (sender, kernel) of sendfile at clients=4, size=1GiB over veth about the documents' 1 (within 5 %)");
  CHECK(wrong(with("times = 2")) == ":8:9: 'times' is a factor above 0 of what 'than' or 'theirs' names");
}

TEST_CASE("whatever is wrong is told with its place and what was meant") {
  CHECK(wrong(with("claim = 'Z2'")).empty());
  CHECK(wrong(with("figur = 'copies'")) == ":8:1: a verdict has no 'figur'; did you mean 'figure'?");
  CHECK(wrong(with("figure = 'godput'")) == ":4:10: there is no figure 'godput'; did you mean 'goodput'?");
  CHECK(wrong(with("figure = 'copies.modelled'")).starts_with(":4:10: there is no figure 'copies.modelled'"));
  CHECK(wrong(with("is = 'more then'")) == ":6:6: 'is' cannot be 'more then'; did you mean 'more than'?");
  CHECK(wrong(with("is = 'x'")).starts_with(":6:6: 'is' cannot be 'x'; write one of: at least, at most, "));
  CHECK(wrong(with("value = 'much'")) == ":7:9: 'value' is a number, not a text");
  CHECK(wrong(with("of = 3")) == ":5:6: 'of' is a text, not a whole number");
  CHECK(wrong(with("at = 'size'")).starts_with(":8:6: 'at' is a table, not a text"));
  CHECK(wrong(with("at = {size = [1, 2]}")) == ":8:14: 'size' is a single value, not a list");
  CHECK(wrong(with("party = 'sende'")) == ":8:9: 'party' cannot be 'sende'; did you mean 'sender'?");
  CHECK(wrong(with("place = 'kernel'")).find("only copies of a party are at a place") != std::string::npos);
  CHECK(wrong(with("counter = 'naps'")).find("'counter' belongs to the figure") != std::string::npos);
  CHECK(wrong(with("figure = 'latency.p99'")).ends_with("ask for operations"));
}

TEST_CASE("a rule that nothing could fail is refused") {
  CHECK(wrong("[[verdict]]\nclaim = 'Z2'\n") == ":1:1: a verdict needs 'experiment'");
  CHECK(wrong(with("than = 'mmap'")).find("compares with one thing") != std::string::npos);
  CHECK(wrong(with("theirs = 'copies_cpu'")).find("compares with one thing") != std::string::npos);
  CHECK(wrong(with("within = 0.1")).find("'within' belongs to \"about\"") != std::string::npos);
  CHECK(wrong(with("is = 'about'")).find("'within' belongs to \"about\"") != std::string::npos);
  CHECK(wrong(with("value = inf")) == ":7:9: 'value' cannot be inf");
  CHECK(wrong(with("value = nan")) == ":7:9: 'value' cannot be nan");
  CHECK(wrong("[[verdict]]\nclaim = 'Z2'\nexperiment = 't'\nfigure = 'goodput'\nof = 'x'\nis = 'at most'\n")
            .find("compares with one thing") != std::string::npos);
}

TEST_CASE("a rule that could never find a record is refused") {
  CHECK(wrong(with("at = {size = '1MiB'}")).empty());
  CHECK(wrong("claims = ['Z3']\n" + with("at = {size = '1MiB'}")) ==
        ":3:9: the suite does not say that it speaks to Z2; add it to its 'claims'");
  CHECK(wrong(with("experiment = 'tables'")) == ":3:14: the suite has no experiment 'tables'; did you mean 'table'?");
  CHECK(wrong(with("at = {sizes = '1MiB'}")) ==
        ":8:6: the experiment table does not sweep 'sizes'; did you mean 'size'?");
  CHECK(wrong(with("at = {clients = 1}")) == ":8:6: the experiment table does not sweep 'clients'; it sweeps size");
  CHECK(wrong(with("at = {size = '1024KiB'}")).empty());
  CHECK(wrong(with("at = {size = '65KiB'}")) ==
        ":8:6: the experiment table has no point size=65KiB; did you mean '64KiB'?");
  // What an experiment says itself takes the place of a list that all sweep.
  CHECK(wrong("[defaults]\nclients = [1, 2]\n[[verdict]]\nclaim = 'Z2'\nexperiment = 'one'\nfigure = 'goodput'\n"
              "of = 'x'\nis = 'more than'\nvalue = 1\nat = {clients = 1}\n[[experiment]]\nid = 'one'\nclients = 1\n") ==
        ":10:6: the experiment one does not sweep 'clients'; it sweeps none");
  CHECK(wrong(with("than_experiment = 'other'")).find("compares with one thing") != std::string::npos);
  auto another = with("than_experiment = 'other'");
  another.replace(another.find("value = 1\n"), 10, "");
  CHECK(wrong(another) == ":7:19: the suite has no experiment 'other'; it has table");
}

TEST_CASE("what is no TOML, or no list of tables, is told with its place") {
  CHECK(wrong("[[verdict]]\nclaim = \n").starts_with(":2:"));
  CHECK(wrong("verdict = 3\n") == ":1:11: 'verdict' is a list of tables, not a whole number; write [[verdict]]");
  CHECK(wrong("verdict = [3]\n").starts_with(":1:12: 'verdict' holds tables"));
  const auto missing = read_rules("/nowhere/copies.toml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().fault == Fault::not_found);
  CHECK(wrong("").empty());
  CHECK_FALSE(read_rules("/tmp"));
}

TEST_CASE("rules and claims have to fit each other") {
  const auto problem = [](const Claim& claim) {
    const TextFile file("copies.toml", with("theirs = 'x'").replace(with("theirs = 'x'").find("value = 1\n"), 10, ""));
    Claims claims;
    claims.claims = {claim};
    const auto fit = settled(read_rules(file.path()).value(), claims);
    return fit ? std::string() : fit.error().text().substr(file.path().native().size());
  };
  CHECK(problem({.id = "Z2", .numbers = {{"x", 2}}}).empty());
  CHECK(problem({.id = "Z3"}) == ":1:1: there is no claim Z2; did you mean Z3?");
  CHECK(problem({.id = "Z2"}).find("the claim Z2 has no number 'x'") != std::string::npos);
  CHECK(problem({.id = "Z2", .waits = "sockmap"}).find("the claim Z2 waits for sockmap") != std::string::npos);
  CHECK(problem({.id = "Z2", .answer = "so"}).find("the claim Z2 has an answer already") != std::string::npos);
}

TEST_CASE("values are the same however they are written") {
  const Point point{{"size", "1MiB"}, {"queues", "2"}, {"loss", "0.01"}, {"mode", "native"}};
  CHECK(is_at(point, {}));
  CHECK(is_at(point, {{"size", "1024KiB"}}));
  CHECK(is_at(point, {{"size", "1048576"}, {"queues", "2"}}));
  CHECK(is_at(point, {{"loss", "0.010"}}));
  CHECK(is_at(point, {{"mode", "native"}}));
  CHECK_FALSE(is_at(point, {{"mode", "generic"}}));
  CHECK_FALSE(is_at(point, {{"size", "1MB"}}));
  CHECK_FALSE(is_at(point, {{"clients", "1"}}));
}

}  // namespace
}  // namespace waggle::verdict
