#!/bin/bash
# lab: --hosts 3 --disk 32M --disk 64M --mem 384M --timeout 600
# Two targets, one of which is late: each has its own base, and one that fails does not stop the other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

pair_make
ssh -n host3 "zumastor define volume copy $DEV1NAME $DEV2NAME && zumastor define source copy host1 -n home" >/dev/null
z define target home host3 --name copy
z define master home --hourly 2
z snapshot home hourly >/dev/null
expect 0 'to both' z replicate home
is "$(wc -l <"$out")" 2 'one line each'

ssh -n host3 zumastor stop
for ((n = 0; n < 3; n++)); do
	pair_change 40
	z snapshot home hourly >/dev/null
	expect 10 'one of two fails' z replicate home -q
done
like "$(z status home)" 'host3 +1 +2 .*stopped' 'status shows who is late, and why'
like "$(z status home)" 'host2 +4 +0' 'and who is not'
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'the other has all'
ssh -n host3 zumastor start
expect 0 'both again' z replicate home
expect 0 'a stopped target' z stop target home host3
pair_change 40
z snapshot home hourly >/dev/null
expect 0 'is left out' z replicate home
is "$(wc -l <"$out")" 1 'of all'
expect 0 'but not when it is named' z replicate home host3
is "$(ssh -n host3 'cat /run/zumastor/volumes/copy/stamp')" "$(cat "$files/stamp")" 'and has it'

# One that is slow keeps neither the other nor the volume waiting, and goes on when it is ended.
z define target home host3 --name copy --rate 20K
z start target home host3
head -c 4M /dev/urandom >"$files/big"
z snapshot home hourly >/dev/null
zumastor replicate home host3 -q </dev/null &>/dev/null &
slow=$!
until [[ $(z status home) == *'host3 '*' sending '* ]]; do read -r -t 0.3 <> <(:) || true; done
expect 0 'a fast target' z replicate home host2
pair_change 40
sync -f "$files"
expect 0 'and the next for it' z snapshot home hourly
expect 0 'too' z replicate home host2
kill "$slow" 2>"$err"
is "$(<"$err")" '' 'are done before the slow one is'
wait "$slow" || true
is "$(pgrep -x 'delta-pack|pv')$(flock -n /run/zumastor/lock/home:target:host3 true || echo locked)" '' 'of which nothing is left'
z define target home host3 --name copy --rate 100M
expect 0 'which goes on' z replicate home host3
expect 0 'to the newest' z replicate home host3
is "$(ssh -n host3 'cat /run/zumastor/volumes/copy/stamp')" "$(cat "$files/stamp")" 'and has it'
done_testing
