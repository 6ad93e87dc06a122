# stack.sh - for tests of the engine in the lab: a volume on the two disks, written and hashed.
#
# Source it after lib.sh.  The helpers are the installed ones.
# shellcheck shell=bash
helpers=/usr/libexec/zumastor
# shellcheck disable=SC2034 # as lib.sh gives it
asan=$helpers
volume=home
origin=${DEV1NAME:?runs in the lab only}
store=${DEV2NAME:?}
modprobe -a dm-snapshot dm-thin-pool loop

# content DEVICE - hash of all of it, past the page cache.
content() {
	local sum
	sum=$(dd if="$1" bs=1M iflag=direct status=none | sha256sum)
	printf '%s\n' "${sum:0:32}"
}

# scribble [COUNT] - COUNT writes of 4 to 60 KiB of noise at random places of the volume.
scribble() {
	local i size sectors
	size=$(blockdev --getsize64 "/dev/mapper/$volume")
	for ((i = 0; i < ${1:-10}; i++)); do
		sectors=$((size / 4096 - 16))
		dd if=/dev/urandom of="/dev/mapper/$volume" bs=4k count=$((RANDOM % 15 + 1)) \
			seek=$(((RANDOM * 32768 + RANDOM) % sectors)) oflag=direct conv=notrunc status=none
	done
}

# make_volume - random data, an empty store, running.
make_volume() {
	dd if=/dev/urandom of="$origin" bs=1M oflag=direct status=none \
		count=$(($(blockdev --getsize64 "$origin") >> 20))
	"$helpers/store-format" "$volume" "$origin" "$store" >/dev/null
	"$helpers/dm-start" "$volume" "$origin" "$store"
}

declare -A taken=()	# id → content when it was taken

# take - a snapshot; its id in $id, its content remembered.
take() {
	local hash
	hash=$(content "/dev/mapper/$volume")
	id=$("$helpers/dm-snapshot" "$volume" "$store" | sed -n 's/^id=//p')
	taken[$id]=$hash
}

# differing - ids whose content is not what it was when they were taken, or something else where that cannot be told.
differing() {
	local wrong=() id
	((${#taken[@]} == 0)) || "$helpers/dm-show" "$volume" "$store" "${!taken[@]}" >/dev/null || wrong+=(unseen)
	for id in "${!taken[@]}"; do
		[[ $(content "/dev/zumastor/$volume/$id") == "${taken[$id]}" ]] || wrong+=("$id")
	done
	printf '%s' "${wrong[*]-}"
}

# fact NAME - from dm-status.
fact() {
	"$helpers/dm-status" "$volume" "$store" | sed -n "s/^$1=//p"
}

# until_fact NAME VALUE TENTHS - wait for it; false when it has not come after so many tenths of a second.
until_fact() {
	local i
	for ((i = 0; i < $3; i++)); do
		[[ $(fact "$1") != "$2" ]] || return 0
		sleep 0.1
	done
	return 1
}

# not_suspended - the watchdog goes on after the command has died.
not_suspended() {
	local i
	for ((i = 0; i < 100; i++)); do
		dmsetup info -c --noheadings -o suspended | grep -q Suspended || return 0
		sleep 0.05
	done
	return 1
}

# at_rest FAULT - after that fault nothing is at work any more, and but for killboth nothing suspended.   The watchdog goes on after
# the helper has died, if only until it dies, too: a command waits for it, as it has the command's lock; a helper does not.
at_rest() {
	local i
	for ((i = 0; i < 500; i++)); do
		pidof dm-remove dm-resize dm-revert dm-settle dm-snapshot dm-start dm-stop >/dev/null || break
		sleep 0.01
	done
	[[ $1 == killboth* ]] || not_suspended
}

# stopped PID - it has come to the step where it is to wait; false when it ended before.
stopped() {
	local i state
	for ((i = 0; i < 2000; i++)); do
		state=$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null) || return 1
		[[ $state != T ]] || return 0
		[[ $state != Z ]] || return 1
		sleep 0.01
	done
	return 1
}

# live STORE - ids of the snapshots on record.
live() {
	"$helpers/store-show" "$1" | sed -n 's/^snapshot=\([0-9]*\) .*state=live.*/\1/p'
}

# deepest - the most dm devices on any path from one of them down to a disk.
deepest() {
	{
		dmsetup info -c --noheadings --separator ' ' -o name,major,minor
		dmsetup table
	} | awk '
		!/:/ { name[$2 ":" $3] = $1; next }
		{ sub(/:$/, "", $1); for (i = 5; i <= NF; i++) if ($i in name) under[$1] = under[$1] " " name[$i] }
		function depth(device,  n, i, most, each, list) {
			if (device in known) return known[device]
			n = split(under[device], list, " ")
			for (i = 1; i <= n; i++) {
				each = depth(list[i])
				if (each > most) most = each
			}
			return known[device] = most + 1
		}
		END {
			for (number in name) if (depth(name[number]) > most) most = depth(name[number])
			print most + 0
		}'
}
