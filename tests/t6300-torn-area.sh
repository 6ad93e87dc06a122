#!/bin/bash
# lab: --disk 1M --disk 1M --timeout 900 --mem 768M
# A metadata area of the head is torn at each of its sectors, so that entries lie behind a hole; the
# hole is filled again, and then the power fails once more.  The snapshot shows what it did, each time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

fact() {
	sed -n "s/^$1=//p" "$scratch/torn"
}

tears=0 violations=0
for chunk in $(long_or '4096 8192 16384 32768' 16384); do
	modprobe brd rd_nr=2 rd_size=$((chunk * chunk / 16384 + (24 << 10)))
	"$top/build/plain/powercut/torn" /dev/ram0 /dev/ram1 "$chunk" >"$scratch/torn"
	rmmod brd
	diag "$(grep '^violation:' "$scratch/torn" || true)"
	tears=$((tears + $(fact tears)))
	violations=$((violations + $(fact violations)))
done
score R6 "$tears" tears "$violations" wrong
done_testing
