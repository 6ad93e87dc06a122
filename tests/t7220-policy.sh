#!/bin/bash
# lab: --disk 16M --disk 8M --disk 3M --timeout 900
# Which snapshots go when the store is short, and which never; what status says of it; and metadata that runs out.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
helpers=/usr/libexec/zumastor
facts=$database/volumes/home
next=24

change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek="$1" count="$2" oflag=direct conv=notrunc status=none
}

fact() {
	"$helpers/dm-status" home "$DEV2NAME" | sed -n "s/^$1=//p"
}

# take KINDS - a snapshot, and then changes of the same chunks as ever.
take() {
	"$helpers/dm-snapshot" --kinds "$1" home "$DEV2NAME" >/dev/null
	change 0 24
}

# until_short - change more and more, as long as the store is not short.
until_short() {
	while [[ $(fact store_short) == no ]]; do
		change "$next" 8
		next=$((next + 8))
	done
}

# full - wait until writers wait.
full() {
	local n
	for ((n = 0; n < 300; n++)); do
		[[ $(fact store_mode) != out_of_data_space ]] || return 0
		sleep 0.1
	done
	fail 'the store is not full'
}

left() {
	"$helpers/store-show" "$DEV2NAME" | sed -n 's/^snapshot=\([0-9]*\) .*state=live .*/\1/p' | tr '\n' ' '
}

z define volume home "$DEV1NAME" "$DEV2NAME" -m "$DEV3NAME" >/dev/null
z define schedule home -h 100

now=$EPOCHSECONDS
mkdir -p /run/zumastor/space/home
printf '%s %s 8\n' $((now - 3000)) 1000 $((now - 2000)) 2000 $((now - 1000)) 3000 $now 4000 >/run/zumastor/space/home/used
like "$(z status)" 'FULL IN'$'\n''home .* [0-9]+d' 'status says when the store will be full'

take manual		# 1
take hourly		# 2
take hourly		# 3
take hourly,daily	# 4
take hourly		# 5
take expired		# 6
take hourly		# 7
z hold home 2 keep
z define target home away
"$helpers/store-show" "$DEV2NAME" | sed -n 's/^snapshot=3 uuid=\([0-9a-f-]*\) .*/\1/p' >"$facts/targets/away/base"
date +%s >"$facts/targets/away/last_success"
until_short
z define schedule home --on-full halt
expect 0 'short, policy halt' z monitor --once
is "$(<"$out") $(left)" 'home: store nearly full 1 2 3 4 5 6 7 ' 'none goes'
z define schedule home --on-full expire
expect 0 'short, policy expire' z monitor --once
like "$(<"$out")" '^home: store short \(data\): removed snapshot 5 of 20[0-9.-]+, hourly'$'\n''home: running$' 'it says what goes'
is "$(left)" '1 2 3 4 6 7 ' 'not a manual one, a held one, a base, one of a kind without limit'
until_short
z monitor --once >/dev/null
is "$(left)" '1 2 3 4 7 ' 'one that rotation had marked, the next time'

change 600 72 &
writer=$!
full
expect 0 'writers wait' z monitor --once
is "$(<"$out") $(left)" 'home: store full: writers wait 1 2 3 4 7 ' 'a live target keeps its base even so'
echo $((now - 8 * 86400)) >"$facts/targets/away/last_success"
expect 0 'a week without success' z monitor --once
like "$(<"$out")" "snapshot 3 of .*, hourly; target 'away' goes on from a bookmark" 'the base of a dead one is given up, and it says so'
is "$(z list home --json | jq -c '[.bookmarks[] | .id, .state, .next]')" '[3,"ok",4]' 'for a bookmark'
is "$(left)" '1 2 4 7 ' 'that one alone'
expect 0 'and the writer goes on' wait "$writer"

# Nothing that is removed can be copied to the manual one, since there is no room to copy: so no more is removed.
z release home 2 keep
for id in $(left); do
	"$helpers/dm-remove" home "$DEV2NAME" "$id"
done
for next in 0 100 200 300; do
	kinds=hourly
	((next)) || kinds=manual
	"$helpers/dm-snapshot" --kinds "$kinds" home "$DEV2NAME" >/dev/null
	((next == 300)) || change "$next" 48
done
change 300 450 &
writer=$!
full
before=$(left)
z monitor --once >/dev/null
z monitor --once >/dev/null
is "$(wc -w <<<"$before") $(left | wc -w)" '4 3' 'one that frees nothing is the only one that goes'
for id in $(left); do
	"$helpers/dm-remove" home "$DEV2NAME" "$id"
done
expect 0 'the writer goes on' wait "$writer"

z define schedule home --on-full halt
python3 - <<'END'
import fcntl, os, struct
control = os.open("/dev/mapper/control", os.O_RDWR)
for thin in range(1000000, 1000380):
    message = struct.pack("=3I2I28x128s136xQ", 4, 0, 0, 512, 312, b"home-store", 0) + b"create_thin %d" % thin
    fcntl.ioctl(control, 3 << 30 | 312 << 16 | 0xfd << 8 | 14, bytearray(message.ljust(512, b"\0")))
END
z monitor --once >/dev/null
like "$(z status)" 'store nearly full: metadata' 'metadata that runs out is told'
no_trace 'no injected command has run'
done_testing
