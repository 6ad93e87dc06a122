#!/bin/bash
# Root of any host gets into any other one by name and by address, and is in the same environment there.
. "$(dirname "$0")/lib.sh"

expect 0 --hosts 3 <<'END'
ssh host2 hostname
ssh "$IPADDR3" hostname
ssh host2 ssh host3 ssh host1 hostname
ssh host3 ssh "$IPADDR2" hostname
ssh host1 hostname
ssh host2 env | sort | grep -E '^(DEV|IPADDR|PATH|LAB_|DM_)' >/tmp/there
env | sort | grep -E '^(DEV|IPADDR|PATH|LAB_|DM_)' | diff - /tmp/there
echo x | ssh host2 "cat >$DEV1NAME; lab log from host 2"
[[ $(head -c 1 "$DEV1NAME" | od -An -tx1) == " 00" ]]
[[ $(ssh host2 head -c 1 "$DEV1NAME") == x ]]
[[ $(ssh host2 false; echo $?) == 1 ]]
END
expect_lines out host2 host3 host1 host2 host1
expect_lines err 'lab: from host 2'
