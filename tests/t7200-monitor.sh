#!/bin/bash
# lab: --disk 16M --disk 8M --timeout 600
# The monitor hears of events at once, says each thing one time, and lives through whatever volumes do.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/faults.sh"
modprobe loop
log=$scratch/log
helpers=/usr/libexec/zumastor
timeout_file=/sys/module/dm_thin_pool/parameters/no_space_timeout

# heard TEXT - the monitor's newest line is TEXT, now or soon; with a period of an hour only an event can be why.
heard() {
	local n
	for ((n = 0; n < 300; n++)); do
		[[ $(tail -n 1 "$log") != "$1" ]] || break
		sleep 0.1
	done
	is "$(tail -n 1 "$log")" "$1" "says '$1'"
}

write() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek="$1" count="$2" oflag=direct conv=notrunc status=none
}

take() {
	"$helpers/dm-snapshot" --kinds hourly home "$DEV2NAME" >/dev/null
}

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
expect 2 'halt or expire' z define schedule home --on-full stop
z define schedule home -h 100 --on-full halt
is "$(z status home --json | jq -r '.volumes[0].on_full')" halt 'the policy is told'

printf 60 >"$timeout_file"
expect 0 'one round' z monitor --once
is "$(<"$out")" 'home: a full store would fail writers' 'tells that writers would not wait'
expect 0 'another' z monitor --once
is "$(<"$out")" 'home: running' 'that is over'
is "$(<"$timeout_file")" 0 'since it was set right'
expect 0 'a third' z monitor --once
is "$(<"$out")" '' 'has no news'

"$zumastor" monitor --period 3600 </dev/null >"$log" 2>&1 &
monitor=$!
z stop volume home
heard 'home: stopped'
expect 3 'a second monitor is refused' z monitor
like "$(<"$err")" "^zumastor monitor: cannot lock ':monitor': another" 'it says why'
z start volume home
heard 'home: running'

take
take
write 0 500 &
writer=$!
heard 'home: store full: writers wait'
expect 0 'the writer waits' kill -0 "$writer"
like "$(z status)" 'home +plain +store full: writers wait +2 .* 100% ' 'status says the same'
expect 1 'a snapshot is refused' timeout 60 "$zumastor" snapshot home hourly
expect 0 'remove gets through' timeout 60 "$zumastor" remove home 1
z define schedule home --on-full expire
expect 0 'a round with the new policy' z monitor --once
like "$("$helpers/store-show" "$DEV2NAME")" 'snapshot=2 .*state=live' 'the newest stays, even so'
"$helpers/dm-remove" home "$DEV2NAME" 2
expect 0 'without snapshots the writer goes on' wait "$writer"
heard 'home: running'

take
good=$(dmsetup table home-store-data)
table_of home-store-data "${good/linear*/error}"
write 0 1
heard 'home: 1 snapshots lost'
like "$("$helpers/store-show" "$DEV2NAME")" 'state=lost' 'and this is on record, without a command'
table_of home-store-data "$good"
expect 0 'it can be removed' "$helpers/dm-remove" home "$DEV2NAME" 3
heard 'home: running'
z forget volume home >/dev/null
is "$(ls /run/zumastor/space)" '' 'what was noted of a forgotten volume is gone'
expect 0 'the monitor has lived through it' kill -0 "$monitor"
kill "$monitor"
expect 0 'and ends when told' wait "$monitor"
is "$(pgrep -x dm-wait)" '' 'so does what it waited with'
done_testing
