// SPDX-License-Identifier: BSD-2-Clause
//
// rte_eth_dev_stop() takes the driver's descriptor out of the list that EAL's interrupt thread watches, but not while
// that thread is at work for it (rte_intr_callback_unregister() says EAGAIN, and the driver does not look). And
// net_virtio_user, when its peer comes or goes, sets an alarm that takes one descriptor out and puts another in,
// whether the device has been stopped or not. Either way a closed descriptor stays in the list, and the thread ends
// the whole process with rte_panic(). So the thread itself has to stop the device, when no such alarm is pending.
// (DPDK 22.11: lib/eal/linux/eal_interrupts.c, drivers/net/virtio/virtio_user/virtio_user_dev.c.)
#include "datapaths/packet/dpdk/stop.hpp"

#include <rte_alarm.h>
#include <rte_ethdev.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>

#include "datapaths/packet/dpdk/eal.hpp"

namespace waggle::packet::dpdk {
namespace {

/// A peer that comes and goes faster than this often does not keep a device from being stopped.
constexpr int kMostTries = 100;
/// Nor does one that has the thread wait for an answer.
constexpr std::chrono::seconds kPatience{2};

struct Stop {
  std::uint16_t id;
  std::atomic<unsigned> changes = 0;  // of the link
  std::atomic<bool> taken = false;    // by whoever stops the device
};

int count_change(std::uint16_t /*id*/, rte_eth_event_type /*event*/, void* of, void* /*result*/) {
  ++static_cast<Stop*>(of)->changes;
  return 0;
}

/// Has EAL's interrupt thread do it, after all alarms that were set before. No future: it cannot be told.
std::future<void> on_interrupt_thread(std::function<void()> work) {
  using Task = std::packaged_task<void()>;
  auto task = std::make_unique<Task>(std::move(work));
  auto done = task->get_future();
  const auto run = [](void* raw) {
    const std::unique_ptr<Task> mine(static_cast<Task*>(raw));
    (*mine)();
  };
  // When it fails the alarm may be set all the same, so the task is not destroyed.
  return rte_eal_alarm_set(1, run, task.release()) == 0 ? std::move(done) : std::future<void>();
}

bool done_in_time(const std::future<void>& errand) {
  return errand.valid() && errand.wait_for(kPatience) == std::future_status::ready;
}

void stop(std::uint16_t id) {
  const NoPipeSignal no_pipe;
  const QuietErrors quiet_errors;
  rte_eth_dev_stop(id);
}

void stop_when_settled(const std::shared_ptr<Stop>& state) {
  for (int tries = 1; !state->taken; ++tries) {
    const unsigned seen = state->changes;
    // The driver sets its alarms from one event on until the first of them has run. Those of events before `seen` are
    // set by the end of the first errand, so they have run by the second; later events change the count.
    if (!done_in_time(on_interrupt_thread([] {}))) {
      break;
    }
    const auto errand = on_interrupt_thread([state, seen, tries] {
      if ((state->changes == seen || tries == kMostTries) && !state->taken.exchange(true)) {
        stop(state->id);
      }
    });
    if (!done_in_time(errand)) {
      if (state->taken.exchange(true)) {
        if (errand.valid()) {
          errand.wait();  // it is at it
        }
        return;
      }
      stop(state->id);
      return;
    }
  }
  if (!state->taken.exchange(true)) {
    stop(state->id);
  }
}

}  // namespace

void stop_settled(std::uint16_t id) {
  const auto state = std::make_shared<Stop>(id);
  if (rte_eth_dev_callback_register(id, RTE_ETH_EVENT_INTR_LSC, count_change, state.get()) != 0) {
    return stop(id);
  }
  stop_when_settled(state);
  if (rte_eth_dev_callback_unregister(id, RTE_ETH_EVENT_INTR_LSC, count_change, state.get()) != 0) {
    static_cast<void>(new std::shared_ptr(state));  // the thread hangs in a call of it
  }
}

}  // namespace waggle::packet::dpdk
