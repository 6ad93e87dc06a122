#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --mem 384M --timeout 400
# While a transfer runs, status tells how far it is, and a terminal does; a killed one tells nothing.  And over a link
# that is slow, `--compress auto` compresses more the next time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

target=/var/lib/zumastor/volumes/home/targets/host2

sending() {
	z status home --json | jq -r ".volumes[0].targets[0].sending.$1?"
}

# under_way - wait until something has been sent.
under_way() {
	local n done_bytes
	for ((n = 0; n < 200; n++)); do
		done_bytes=$(sending done_bytes)
		[[ $done_bytes == null || $done_bytes == 0 ]] || return 0
		sleep 0.1
	done
	return 1
}

more_noise() {
	dd if=/dev/urandom of="$files/more" bs=1M count="$1" status=none
	z snapshot home hourly >/dev/null
}

pair_make
z snapshot home hourly >/dev/null
z replicate home -q
is "$(z status home --json | jq '.volumes[0].targets[0].sending')" null 'nothing is sent now'
z define target home host2 --rate 400K --compress auto

more_noise 6
zumastor replicate home -q </dev/null &
sender=$!
expect 0 'a transfer is seen' under_way
z status home >"$out"
like "$(<"$out")" 'host2 +1 +1 .*sending 2, [0-9]+% of [678](\.[0-9])?M, [0-9.]+K/s, [0-9]+[sm] left' 'in the table'
is "$(sending snapshot)" 2 'and its snapshot'
total=$(sending total_bytes)
like "$(($(sending done_bytes) <= total && total >= 6 << 20 && $(sending sent_bytes) > 0))" 1 'and its bytes, for programs'
kill -9 "$sender"
wait "$sender" 2>/dev/null || true
is "$(sending snapshot)" null 'one that was killed is not'
# The other host notices a while later.
again() {
	local n
	for ((n = 0; n < 100; n++)); do
		! z replicate home --wait -q || return 0
		sleep 0.2
	done
	return 1
}

expect 0 'it is sent after all' again
is "$(hashes)" "$(far_hashes)" 'and is right'
is "$(echo /run/zumastor/jobs/home:send:*)" '' 'nothing is left of either'

more_noise 2
expect 0 'by a slow link' z replicate home -q
like "$(<"$target/auto")" '^zstd:[39]$' 'more is compressed the next time'
step=$(<"$target/auto")
pair_change 1
z snapshot home hourly >/dev/null
expect 0 'a little' z replicate home -q
is "$(<"$target/auto")" "$step" 'tells nothing of it'
more_noise 1
expect 0 'what is told for once counts' z replicate home -q --compress none
is "$(<"$target/auto")" "$step" 'for once'

more_noise 2
expect 0 'on a terminal' script -qec 'zumastor replicate home' /dev/null
like "$(tr '\r' '\n' <"$out")" $'\n[0-9]+, [0-9]+% of [0-9.]+M, [0-9.]+K/s' 'it is seen coming'
is "$(hashes)" "$(far_hashes)" 'and is right'
done_testing
