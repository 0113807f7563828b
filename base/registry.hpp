// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace waggle {

/// All T of this build, sorted by their name(). T is an interface whose implementations add themselves by a static
/// Registration, before main() and in an unknown order; they live as long as the program.
template <typename T>
class Registry {
 public:
  static Registry& instance() {
    static Registry registry;
    return registry;
  }
  const std::vector<const T*>& all() const { return all_; }
  const std::vector<std::unique_ptr<T>>& owned() const { return owned_; }
  /// nullptr when there is none of this name.
  const T* find(std::string_view name) const {
    const auto found = std::ranges::find(all_, name, [](const T* each) { return each->name(); });
    return found != all_.end() ? *found : nullptr;
  }
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> names;
    std::ranges::transform(all_, std::back_inserter(names), [](const T* each) { return each->name(); });
    return names;
  }
  void add(std::unique_ptr<T> one) {
    const auto at = std::ranges::lower_bound(owned_, one->name(), {}, [](const auto& each) { return each->name(); }) -
                    owned_.begin();
    all_.insert(all_.begin() + at, one.get());
    owned_.insert(owned_.begin() + at, std::move(one));
  }

 private:
  std::vector<std::unique_ptr<T>> owned_;
  std::vector<const T*> all_;
};

/// Adds a T for as long as the program runs: `const Registration mine_registration{std::make_unique<Mine>()};`, where T
/// names itself Registered.
template <typename T>
class Registration {
 public:
  explicit Registration(std::unique_ptr<T> one) { Registry<T>::instance().add(std::move(one)); }
};
template <typename Mine>
Registration(std::unique_ptr<Mine>) -> Registration<typename Mine::Registered>;

}  // namespace waggle
