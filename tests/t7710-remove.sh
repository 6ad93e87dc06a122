#!/bin/bash
# lab: --disk 32M --disk 128M --timeout 600
# remove: several at once or none, ranges, --force, who is in the way, --no-wait.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/cli.sh"
files=/run/zumastor/volumes/home

ids() {
	z list home -H -o id | tr '\n' ' '
}

# take_all N - so many snapshots, each after some writing; what they show is remembered.
take_all() {
	local n
	for ((n = 1; n <= $1; n++)); do
		dd if=/dev/urandom of="$files/file.$((n % 2))" bs=64k count="$n" status=none
		sync -f "$files"
		"$helpers/dm-snapshot" home "$store" >/dev/null
	done
	for ((n = 1; n <= $1; n++)); do
		"$helpers/dm-show" home "$store" "$n" >/dev/null
		taken[$n]=$(content "/dev/zumastor/home/$n")
	done
	"$helpers/dm-hide" home "$store" "${!taken[@]}"
}

# gone ID... - removed: not to be compared any more.
gone() {
	local id
	for id in "$@"; do unset "taken[$id]"; done
}

mkfs.ext4 -q "$origin"
z define volume home "$origin" "$store" >/dev/null
take_all 10

z mount home 4
before=$(world)
refused 4 "no snapshot '77'" remove home 2 77
refused 2 'bad range' remove home 5..3
refused 3 "snapshot 4 of 'home': it is mounted on .*; --force unmounts it" remove home 2..5
exec {user}<"$(ls -d $files-snapshots/2*)/file.0"
refused 3 "snapshot 4 .* is in use by t7710.* \($$\)" remove home 2..5 --force
exec {user}<&-
exec {user}</dev/zumastor/home/4
refused 3 "snapshot 4 .* is in use by t7710.* \($$\)" remove home 4 --force
exec {user}<&-
mkdir -p /var/lib/zumastor/volumes/home/targets/host2
"$helpers/store-show" "$store" | sed -n 's/^snapshot=6 uuid=\([^ ]*\) .*/\1/p' \
	>/var/lib/zumastor/volumes/home/targets/host2/base
refused 3 "snapshot 6 of 'home': target 'host2' needs it" remove home 6..10 --force
rm -r /var/lib/zumastor/volumes/home/targets
is "$(world)" "$before" 'the refusals changed nothing'
expect 0 'a dry run' z remove home 2..4 9 --force --dry-run
is "$(cut -f1 "$out" | tr '\n' ' ')" '2 3 4 9 ' 'names them'
is "$(world)" "$before" 'and changes nothing'
expect 0 'a range and one more, one of them mounted' z remove home 3..4 8 --force
gone 3 4 8
is "$(ids)" '1 2 5 6 7 9 10 ' 'they are gone'
is "$(grep -c "$files-snap" /proc/mounts)" 0 'and not mounted'
is "$(differing)" '' 'the others are right'
"$helpers/dm-hide" home "$store" "${!taken[@]}"

expect 0 'no-wait' z remove home 6..7 --no-wait
gone 6 7
is "$(ids)" '1 2 5 9 10 ' 'they are gone at once'
for ((n = 0; n < 100; n++)); do
	[[ $("$helpers/store-show" "$store" | grep -c 'state=removed\|state=deleting') != 0 ]] || break
	sleep 0.2
done
is "$("$helpers/store-show" "$store" | grep -c ^snapshot=)" 5 'and their space is free by and by'
is "$(differing)" '' 'the others are right'
"$helpers/dm-hide" home "$store" "${!taken[@]}"

flock -o /run/zumastor/lock/home:remove sleep 1000 &
lock=$!
while flock -n /run/zumastor/lock/home:remove true; do sleep 0.1; done
expect 0 'no-wait, and the job does not come to it' z remove home 2 -n
gone 2
like "$(z status home)" 'snapshots +4, 1 being removed' 'status tells'
like "$(z status home --json)" '"removing":1,' 'for programs, too'
kill "$lock"
expect 0 'the newest and the oldest' z remove home 1 10
gone 1 10
is "$(ids)" '5 9 ' 'two are left'
is "$(differing)" '' 'they are right'
"$helpers/dm-hide" home "$store" "${!taken[@]}"
expect 0 'all' z remove home 5..9
is "$(ids)" '' 'none is left'

# Lost while they are mounted.
for n in 1 2; do
	id=$(z snapshot home | cut -f1)
done
is "$(grep -c "$files-snap" /proc/mounts)" 2 'two snapshots are mounted'
"$helpers/dm-lost" home "$store"
refused 6 'is lost' mount home "$id"
expect 0 'lost, one can be unmounted' z umount home "$id"
is "$(grep -c "$files-snap" /proc/mounts)" 1 'which it is then'
expect 0 'stop unmounts the other' z stop
is "$(dmsetup ls)" 'No devices found' 'nothing is left'
done_testing
