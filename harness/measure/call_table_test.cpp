// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/call_table.hpp"

#include <sys/syscall.h>

#include <catch2/catch.hpp>

using namespace waggle::measure;

TEST_CASE("system calls and operations have their names") {
  CHECK(call_name(SYS_sendfile, WAGGLE_PLAIN) == "sendfile");
  CHECK(call_name(SYS_sendto, WAGGLE_ZEROCOPY) == "sendto+zerocopy");
  CHECK(call_name(SYS_recvmsg, WAGGLE_TRUNCATE) == "recvmsg+truncate");
  CHECK(call_name(9999, WAGGLE_PLAIN) == "syscall_9999");
  CHECK(call_name(WAGGLE_URING + 4, WAGGLE_PLAIN) == "io_uring:read_fixed");
  CHECK(call_name(WAGGLE_URING + 47, WAGGLE_PLAIN) == "io_uring:send_zc");
  CHECK(call_name(WAGGLE_URING + 200, WAGGLE_PLAIN) == "io_uring:operation_200");
}

TEST_CASE("shapes say which argument is the source and which the destination") {
  const Shapes calls = system_call_shapes();
  CHECK(calls[SYS_sendfile].from == 2);
  CHECK(calls[SYS_sendfile].to == 1);
  CHECK(calls[SYS_splice].from == 1);
  CHECK(calls[SYS_splice].to == 3);
  CHECK(calls[SYS_recvfrom].to == WAGGLE_USER);
  CHECK(calls[SYS_recvfrom].flags == 4);
  CHECK(calls[SYS_sendmsg].flags == 3);
  CHECK(calls[SYS_sendmmsg].moves == WAGGLE_MESSAGES);
  CHECK(calls[SYS_close].moves == 0);
  const Shapes operations = uring_shapes();
  CHECK(operations[22].from == 1);
  CHECK(operations[47].to == 1);
  CHECK(operations[0].moves == 0);
}
