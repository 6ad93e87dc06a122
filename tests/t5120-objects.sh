#!/bin/bash
# lab: --disk 16M --disk 32M --disk 16M --disk 32M --mem 1G --timeout 600
# Through a pipe to a store of objects and back, by the lines of zumastor-export(8).
# shellcheck disable=SC2153 # the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
type -P rclone >/dev/null || skip_all 'rclone is not installed'
mkdir "$scratch/objects"
export RCLONE_CONFIG=$scratch/rclone.conf
cat >"$RCLONE_CONFIG" <<-'END'
	[remote]
	type = webdav
	url = http://127.0.0.1:8080
	vendor = other
END

ip link set lo up
rclone serve webdav --addr 127.0.0.1:8080 "$scratch/objects" 2>"$scratch/server" &
server=$!
for ((n = 0; n < 300; n++)); do
	! rclone mkdir remote:bucket 2>/dev/null || break
	sleep 0.2
done

dd if=/dev/urandom of="$DEV1NAME" bs=1M count=5 status=none
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define volume copy "$DEV3NAME" "$DEV4NAME" >/dev/null
z define source copy archive --yes >/dev/null
z snapshot home >/dev/null
dd if=/dev/urandom of=/dev/mapper/home bs=1M count=2 seek=4 oflag=direct status=none
z snapshot home >/dev/null

# The manual's lines; home's first snapshot is 1, and it comes back elsewhere.
sed -n '/rclone rcat/,/^\.Ed/p' "$top/man/zumastor-export.8" |
	sed '/^\./d; s/ 12 / 1 /; s/import home/import copy/' >"$scratch/lines"
is "$(wc -l <"$scratch/lines")" 5 'the manual has five lines'
while IFS= read -r line; do
	expect 0 "$line" bash -o pipefail -c "$line" </dev/null
done <"$scratch/lines"
is "$(rclone lsf remote:bucket | xargs)" 'home.1 home.full' 'the objects are there'
is "$(z list copy -H -o uuid)" "$(z list home -H -o uuid)" 'the snapshots are back'
for n in 1 2; do
	for volume in home copy; do
		# shellcheck disable=SC2016 # for the command
		z exec "$volume" "$n" -- sh -c 'dd if="$ZUMASTOR_SNAPSHOT_DEVICE" bs=1M iflag=direct status=none | sha256sum' >"$scratch/$volume"
	done
	is "$(<"$scratch/copy")" "$(<"$scratch/home")" "snapshot $n is the same"
done
expect 7 'what came only in part' bash -c 'rclone cat --head 3000000 remote:bucket/home.full | zumastor archive verify -'
kill "$server"
expect 0 'stop' z stop
done_testing
