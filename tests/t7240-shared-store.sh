#!/bin/bash
# lab: --disk 8M --disk 8M --timeout 600
# A volume on a clone shares the store of the volume below: that one's snapshots go first, then its own, each by the policy
# of its volume; and its commands do not wait for room either.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
helpers=/usr/libexec/zumastor
under=/dev/zumastor/home/one

change() {
	dd if=/dev/urandom of="/dev/mapper/$1" bs=16k seek="$2" count="$3" oflag=direct conv=notrunc status=none
}

fact() {
	"$helpers/dm-status" home "$DEV2NAME" | sed -n "s/^$1=//p"
}

# take VOLUME STORE KINDS
take() {
	"$helpers/dm-snapshot" --kinds "$3" "$1" "$2" >/dev/null
	change "$1" 0 24
}

until_short() {
	while [[ $(fact store_short) == no ]]; do
		change home "$next" 8
		next=$((next + 8))
	done
}

# left - the snapshots of both.
left() {
	local store
	for store in "$DEV2NAME" "$under.store"; do
		"$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) .*state=live .*/\1/p' | tr '\n' ' '
	done
}

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define schedule home -h 100
take home "$DEV2NAME" manual
z clone home 1 one >/dev/null
z define volume above --clone home/one >/dev/null
z define schedule above -h 100
for n in 1 2 3; do
	take home "$DEV2NAME" hourly
	take above "$under.store" hourly
done
next=24
until_short
expect 0 'both say that the store is short, one makes room' z monitor --once
like "$(<"$out")" '^above: store nearly full'$'\n''home: store nearly full'$'\n''home: store short \(data\): removed snapshot 2 of [^ ]*, hourly'$'\n''home: running$' \
	'the volume below is the first to give one up'
is "$(left)" '1 3 4 1 2 3 ' 'the oldest that may go'
"$helpers/dm-remove" home "$DEV2NAME" 3
until_short
expect 0 'with nothing left below' z monitor --once
like "$(<"$out")" 'above: store short \(data\): removed snapshot 1 of [^ ]*, hourly'$'\n' 'the one above does'
is "$(left)" '1 4 2 3 ' 'its oldest'
change above 200 34 &
writer=$!
for ((n = 0; n < 300; n++)); do
	[[ $(fact store_mode) != out_of_data_space ]] || break
	sleep 0.1
done
expect 0 'its writer waits' kill -0 "$writer"
expect 1 'a snapshot of it is refused' timeout 60 "$helpers/dm-snapshot" above "$under.store"
like "$(<"$err")" 'store is full' 'and says why'
expect 0 'its oldest can be removed' timeout 60 "$helpers/dm-remove" above "$under.store" 2
expect 0 'so its writer goes on' wait "$writer"
done_testing
