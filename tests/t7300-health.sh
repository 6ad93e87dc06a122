#!/bin/bash
# lab: --disk 32M --disk 32M --timeout 300
# What is wrong is told: by status and its exit code, to Nagios, and to Prometheus; and what is not, is not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/faults.sh"
modprobe loop
conf=/etc/zumastor/zumastor.conf

# level CHECK - of volume home.
level() {
	z status home --json | jq -r --arg check "$1" '.volumes[0].checks[] | select(.name == $check) | .level'
}

# nagios CODE TEXT DESC [VOL]
nagios() {
	expect "$1" "nagios: $3" z monitor --nagios ${4:+"$4"}
	like "$(<"$out")" "^ZUMASTOR $2" 'it says so'
	is "$(wc -l <"$out")" 1 'in one line'
}

# ahead SECONDS - all is older, from now on.
ahead() {
	date -s "+$1 seconds" >/dev/null
}

# metrics - checked by Prometheus' own parser, and kept in $scratch/metrics as NAME{LABELS} VALUE.
metrics() {
	z monitor --metrics "$scratch/metrics.prom"
	is "$(stat -c %a "$scratch/metrics.prom")" 644 'metrics are for others to read'
	expect 0 'and in the right form' "$top/tests/metrics-check" "$scratch/metrics.prom"
	mv "$scratch/metrics.prom" "$scratch/metrics"
}

value() {
	grep -F "$1 " "$scratch/metrics" | sed 's/.* //'
}

date -u -s '2026-12-01 10:05:00' >/dev/null
expect 0 'nothing is wrong where nothing is' z status --check
nagios 0 'OK - 0 checks passed' 'no volume'
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home --hourly 3 --daily 2 --custom mine,4
z snapshot home hourly daily mine >/dev/null
expect 0 'all is well' z status home --check
expect 0 'of all' z status --check
is "$(grep -c WRONG "$out")" 0 'nothing is listed'
is "$(z status home --json | jq -r '.volumes[0].checks[] | select(.level != "ok")')" '' 'nor told to programs'
like "$(z status home)" $'\nschedule +daily 2, next in 13h; hourly 3, next in (54|55)m; mine 4\n' 'when the next ones are taken is told'
is "$(z status home --json | jq -c '.volumes[0].schedule')" "$(printf '[{"kind":"daily","keep":2,"next":%d},{"kind":"hourly","keep":3,"next":%d},{"kind":"mine","keep":4,"next":null}]' \
	"$(date -u -d '2026-12-02' +%s)" "$(date -u -d '2026-12-01 11:00' +%s)")" 'to programs, too'
nagios 0 "OK - [0-9]+ checks passed \| 'home_newest'=[0-9]+s;;;0 'home_store'=[0-9]+B;;;0;[0-9]+$" 'ok, and figures'
metrics
is "$(value 'zumastor_volume_up{volume="home"}')" 1 'it runs'
is "$(value 'zumastor_snapshots{volume="home"}')" 1 'with a snapshot'
is "$(value 'zumastor_snapshot_last_timestamp_seconds{volume="home",schedule="daily"}')" "$(z list home -H -o epoch)" 'of that time'
is "$(value 'zumastor_check_state{volume="home",check="room"}')" 0 'and room'
is "$(value 'zumastor_volume_size_bytes{volume="home"}')" $((32 << 20)) 'sizes are bytes'

# Late snapshots: to miss one is nothing.
ahead 3700
expect 0 'one hourly snapshot is due, and that is no reason' z status --check
like "$(z status home)" 'hourly 3, next now;' 'but told'
ahead 3700
expect 10 'a period late' z status home --check
like "$(<"$out")" 'WRONG +CHECK +LEVEL +WHAT.home +snapshot:hourly +warning +the newest is 2h old' 'it says what'
nagios 1 'WARNING - home: snapshot:hourly: the newest is 2h old' 'a warning'
ahead $((6 * 3600))
is "$(level snapshot:hourly) $(level snapshot:daily)" 'critical ok' 'six hours are critical; daily ones have time'
nagios 2 'CRITICAL - home: snapshot:hourly' 'critical'
ahead $((12 * 3600))
is "$(level snapshot:daily)" warning 'until four hours after their time'
is "$(level snapshot:mine)" '' 'a kind that nothing takes by itself is never late'
z snapshot home hourly daily >/dev/null
expect 0 'taken: all is well again' z status --check
z define schedule home --hourly 0

# A target that has a period, and nobody to serve it.
printf 'alarm_patience = 5\n' >"$conf"
z define target home 192.0.2.1 -p 2
is "$(level target:192.0.2.1)" ok 'a new target is not late'
ahead 8
is "$(level target:192.0.2.1)" warning 'it is later'
ahead 20
is "$(level target:192.0.2.1)" critical 'and worse'
z stop target home 192.0.2.1
is "$(level target:192.0.2.1)" ok 'unless it is stopped'
z start target home 192.0.2.1
printf 'connect_timeout = 1\nalarm_patience = 3600\n' >"$conf"
expect 1 'it fails' z replicate home 192.0.2.1
is "$(level target:192.0.2.1)" ok 'a cycle that fails is no reason, in an hour'
metrics
is "$(value 'zumastor_replication_failures_total{volume="home",target="192.0.2.1"}')" 1 'but it is counted'
is "$(value 'zumastor_replication_lag_snapshots{volume="home",target="192.0.2.1"}')" 2 'so is what it lacks'
z forget target home 192.0.2.1
z define target home 192.0.2.1
expect 1 'nor without a period' z replicate home 192.0.2.1
is "$(level target:192.0.2.1)" warning 'but then a failure is the only thing to tell by'
z forget target home 192.0.2.1
rm "$conf"

# The volume itself.
z stop volume home
is "$(level volume)" ok 'what is stopped is to be stopped'
rm /run/zumastor/space/home/stopped
is "$(level volume)" critical 'but not after a boot'
metrics
is "$(value 'zumastor_volume_up{volume="home"}')" 0 'metrics tell'
z start volume home

# The store: too small for what is written, and nothing may go.
z define schedule home --on-full halt
dd if=/dev/urandom of=/dev/mapper/home bs=1M oflag=direct status=none 2>/dev/null &
writer=$!
for ((n = 0; n < 300; n++)); do
	[[ $(level room) != critical ]] || break
	sleep 0.1
done
is "$(level room)" critical 'a full store'
nagios 2 'CRITICAL - home: room: store full' 'told while writers wait' home
z remove home 1 2 >/dev/null
wait "$writer" || true	# at the end of the device
is "$(level room)" ok 'there is room again'

# A snapshot that the kernel gives up.
z snapshot home daily >/dev/null
while_failing home-store-data dd if=/dev/urandom of=/dev/mapper/home bs=16k count=1 oflag=direct status=none
is "$(level head)" critical 'lost'
z snapshot home daily >/dev/null 2>&1
is "$(level head) $(level lost)" 'ok critical' 'and recorded'
like "$(z status)" 'home +lost +critical +snapshots 3 are lost' 'status says which'
z remove home 3
is "$(level lost)" ok 'until it is removed'

# A disk that does not answer.
blocks=$(blockdev --getsz "$DEV2NAME")
z stop volume home
dmsetup create slow --table "0 $blocks linear $DEV2NAME 0"
printf '/dev/mapper/slow\n' >/var/lib/zumastor/volumes/home/store
z start volume home
dmsetup suspend --nolockfs slow
start=$SECONDS
nagios 3 'UNKNOWN - home: volume: no answer in 20 seconds' 'a disk that does not answer'
is "$((SECONDS - start < 40))" 1 'in time'
dmsetup resume slow
is "$(level volume)" ok 'it does again'
z stop volume home
dmsetup remove --retry slow
printf '%s\n' "$DEV2NAME" >/var/lib/zumastor/volumes/home/store

# A disk that is gone.
mv /var/lib/zumastor/volumes/home/store "$scratch/store"
printf '/dev/gone\n' >/var/lib/zumastor/volumes/home/store
expect 10 'a disk is missing' z status --check
like "$(<"$out")" "home +devices +critical +'/dev/gone' missing" 'it says which'
nagios 2 "CRITICAL - home: devices: '/dev/gone' missing; home: volume: cannot open" 'nagios hears it'
metrics
is "$(value 'zumastor_check_state{volume="home",check="volume"}')" 3 'what is not known is 3'
printf 'foo = 1\n' >"$conf"
nagios 3 'UNKNOWN - .*unknown option' 'a broken configuration is unknown'
done_testing
