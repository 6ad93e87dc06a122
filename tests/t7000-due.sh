#!/bin/bash
# lab: --hosts 2 --disk 16M --disk 48M --disk 16M --disk 48M --timeout 400
# What schedules and periods want is done when it is due, once: however often it is asked for, however long nobody asked,
# and whatever the clock does.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/pair.sh"
volume=$database/volumes/home

# at TIME - by the clock, UTC.
at() {
	date -u -s "$1" >/dev/null
}

# look - what there is, "ID<tab>KINDS" a line, is listed.
look() {
	z list home -H -o id,kinds >"$scratch/listed"
}

# due DESC KINDS... - what one run-due takes, of which kinds, beside what was listed before; nothing without.
due() {
	touch "$scratch/listed"
	mv "$scratch/listed" "$scratch/before"
	expect 0 "$1" z run-due
	look
	is "$(awk -F '\t' 'FILENAME ~ /before/ { old[$1]; next } !($1 in old) { gsub(",", " ", $2); print $2 }' \
		"$scratch/before" "$scratch/listed")" "${*:2}" "$1: ${*:2}"
}

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
at '2026-01-01 00:00:10'
refused 2 "bad calendar expression 'rubbish'" define master home -c quarter,4 --at rubbish
refused 2 'never comes' define master home -c quarter,4 --at '*-02-30'
refused 2 'of which kind' define master home -h 3 --at '*:0/15'
refused 2 'of which kind' define master home -c a,3 -c b,3 --at '*:0/15'
# shellcheck disable=SC2016 # that is it
refused 2 'bad calendar expression' define master home --at 'daily=$(id)'
refused 2 "bad kind 'day's'" define master home --at "day's=daily"
expect 0 'nothing of that is kept' test ! -e "$volume/at"
z define master home -h 9 -d 9 -c quarter,9 --at '*:0/15'
z define schedule home -w 0 --at monthly=none -m 5
expect 0 'what would be done' z run-due --dry-run
is "$(<"$out")" 'snapshot home daily hourly quarter' 'can be asked for'
is "$(z list home -H)" '' 'and is not done'

due 'at first' daily hourly quarter
due 'again'
at '2026-01-01 00:14:00'
due 'before its time'
at '2026-01-01 00:15:00'
due 'a quarter' quarter
printf '1767225610\n' >"$volume/due/quarter"
due 'one that was taken by somebody who was killed then'
at '2026-01-01 01:00:30'
due 'an hour' hourly quarter
z snapshot home quarter >/dev/null
look
at '2026-01-04 10:07:00'
due 'after days without power' daily hourly quarter
at '2026-01-04 10:45:00'
due 'a quarter again' quarter
at '2026-01-04 11:00:05'
due 'on' hourly quarter
at '2026-01-04 10:59:30'
due 'the clock is set back a little'
at '2026-01-04 11:00:10'
due 'and comes there again'
at '2026-01-04 11:15:01'
due 'and on' quarter
at '2026-01-04 11:31:00'
due 'and on' quarter
at '2026-01-04 11:29:50'
due 'back a little'
at '2026-01-04 11:32:00'
due 'and on again'
at '2027-06-01 00:00:00'
due 'a clock that is far ahead' daily hourly quarter
at '2026-01-04 12:00:05'
due 'and right again' hourly quarter
due 'is not behind for a year'
at '2026-01-04 12:30:05'
z stop master home
due 'a master that is stopped'
z start master home
due 'and started' quarter
rm -rf "$volume/due"
at '2026-01-04 12:44:00'
due 'what was noted is lost'
at '2026-01-04 12:46:00'
due 'but not the record' quarter

# Two volumes, one instant.
mkfs.ext4 -q "$DEV3NAME"
z define volume mail "$DEV3NAME" "$DEV4NAME" >/dev/null
z define master mail -h 9
z define group both home mail
at '2026-01-04 12:50:00'
expect 0 'another one' z run-due
is "$(z list mail -H -o kinds)" hourly 'begins for itself'
at '2026-01-04 13:00:01'
z define schedule home --at quarter=none
expect 0 'a group' z run-due
is "$(z list mail -H -o uuid | tail -n 1 | cut -c1-18)" "$(newest | cut -c1-18)" 'is taken at one instant'
z stop volume mail
at '2026-01-04 14:00:01'
expect 0 'one that is stopped' z run-due
is "$(z list home -H -o kinds | tail -n 1)" hourly 'does not keep the other from its own'
z forget group both

# Transfers: by periods, also of seconds.
z define target home host2 -p 3600
far zumastor define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
far zumastor define source home host1 -y
sent() {
	local n
	for ((n = 0; n < 100; n++)); do
		[[ $(far zumastor list home -H -o uuid | tail -n 1) != "$(newest)" ]] || return 0
		sleep 0.1
	done
	return 1
}
printf 'jitter = 0\n' >>/etc/zumastor/zumastor.conf
expect 0 'a period' z run-due
expect 0 'is served' sent
z snapshot home hourly >/dev/null
expect 0 'once' z run-due
sleep 1
is "$(z status home --json | jq '.volumes[0].targets[0].behind')" 1 'in a period'
at '2026-01-04 15:00:01'
z stop target home host2
expect 0 'one that is stopped' z run-due
sleep 1
is "$(z status home --json | jq '.volumes[0].targets[0].behind')" 2 'is left alone'
z start target home host2
expect 0 'the next' z run-due
expect 0 'comes' sent
until z define target home host2 -p 2 2>/dev/null; do sleep 0.2; done
zumastor run-due </dev/null &
runner=$!
sleep 1
for n in 1 2; do
	z snapshot home hourly >/dev/null
	expect 0 "seconds, $n" sent
done
expect 0 'another run-due meanwhile' z run-due
kill "$runner"
wait "$runner" || true
done_testing
