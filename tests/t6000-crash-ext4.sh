#!/bin/bash
# lab: --disk 20M --disk 256M --timeout 600
# ext4: snapshots under a writer stay right through stop, start and kill -9 of the host.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/crash.sh"

crash_test ext4 "$(long_or 3 2)"
