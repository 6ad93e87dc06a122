#!/bin/bash
# Links are cut, delayed and restored one by one, in both directions.
. "$(dirname "$0")/lib.sh"

expect 0 --hosts 3 <<'END'
reach() { ssh -o ConnectTimeout=3 "$@" true 2>/dev/null; }
reach host2; reach host3
lab cut 2 1
! reach host2
! ssh host3 ssh -o ConnectTimeout=3 host3 ssh -o ConnectTimeout=3 host2 ssh -o ConnectTimeout=3 host1 true 2>/dev/null
reach host3
ssh host3 ssh host2 true
lab restore 1 2
reach host2
lab delay 1 2 400
start=${EPOCHREALTIME/./}
reach -o ConnectTimeout=20 host2
((${EPOCHREALTIME/./} - start > 1600000))
lab restore 1 2
reach host2
# Host 3 dies while another host talks to it: nobody else notices.
( while :; do for n in {1..200}; do printf '%s' "$n" >/dev/udp/10.77.0.3/9; done 2>/dev/null; done ) &
sleep 1
lab kill 3
kill %1
reach host2
! lab cut 1 9
! lab cut 1 1
! lab nonsense
! lab kill x
END
expect_in out "lab cut: there is no host 9"
expect_in out "lab nonsense: unknown request"
