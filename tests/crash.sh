# crash.sh - snapshots of a mounted filesystem under a writer, through stop, start and the death of the kernel.
#
# crash_test FILESYSTEM CYCLES.  Each snapshot is held at the moment the volume is suspended, and the raw
# origin is hashed right then: that is what it must show for ever.  The host is then killed at random moments while
# writing and snapshotting goes on; this script runs again on the same disks (LAB_BOOT counts).
# shellcheck shell=bash disable=SC2154 # what lib.sh and stack.sh give
record=/persist/taken		# lines: UUID HASH, then UUID done when the command has returned
mount=/mnt/volume

# The step of dm-snapshot at which the volume is suspended and nothing else has happened.
suspended_step=8

make_filesystem() {
	case $1 in
	ext4)	mkfs.ext4 -q /dev/mapper/home ;;
	# A filesystem under 300 MiB is for testing only, and mkfs.xfs wants to hear that.
	xfs)	TEST_DIR=x TEST_DEV=x QA_CHECK_FS=x mkfs.xfs -q -f /dev/mapper/home ;;
	esac
}

# writer - change files for ever: many small, some large, with and without fsync.
writer() {
	local n
	for ((n = 0; ; n++)); do
		dd if=/dev/urandom of="$mount/f$((RANDOM % 40))" bs=4k count=$((RANDOM % 30 + 1)) status=none
		((n % 5)) || sync -f "$mount"
		((n % 7)) || rm -f "$mount/f$((RANDOM % 40))"
	done 2>/dev/null
}

# held_snapshot - take one; while the volume is suspended, remember what the origin holds.
held_snapshot() {
	local uuid pid
	uuid=$(</proc/sys/kernel/random/uuid)
	"$helpers/dm-settle" home "$store"
	ZUMASTOR_FAULT=stop:$suspended_step "$helpers/dm-snapshot" --uuid "$uuid" home "$store" >/dev/null &
	pid=$!
	stopped "$pid" || true
	held_while=$(dmsetup info -c --noheadings -o suspended home)
	printf '%s %s\n' "$uuid" "$(content "$origin")" >>"$record"
	sync "$record"
	kill -CONT "$pid"
	wait "$pid"
	printf '%s done\n' "$uuid" >>"$record"
	sync "$record"
}

# wrong_snapshots - those that do not show what was remembered, and those that are missing.
wrong_snapshots() {
	local uuid hash state id
	local -A live=() faults=()
	while read -r id uuid state; do
		[[ $state == live ]] || faults[$id:$state]=1
		live[$uuid]=$id
	done < <("$helpers/store-show" "$store" |
		sed -n 's/^snapshot=\([0-9]*\) uuid=\([^ ]*\) .*state=\([a-z]*\) .*/\1 \2 \3/p')
	while read -r uuid hash; do
		if [[ $hash == 'done' ]]; then
			[[ -n ${live[$uuid]-} ]] || faults[$uuid:missing]=1
			continue
		fi
		id=${live[$uuid]-}
		[[ -n $id ]] || continue	# the kernel died before it was taken
		"$helpers/dm-show" home "$store" "$id" >/dev/null
		[[ $(content "/dev/zumastor/home/$id") == "$hash" ]] || faults[$id:content]=1
	done <"$record"
	printf '%s' "${!faults[*]}"
}

# reads DEVICE - an xfs mounts without replaying its log, and all files can be read.  (A frozen xfs leaves a
# log that xfs_repair would want replayed.)
reads() {
	mkdir -p "$scratch/read"
	mount -t xfs -o ro,norecovery,nouuid "$1" "$scratch/read" || return
	find "$scratch/read" -type f -exec cat {} + >/dev/null
	umount "$scratch/read"
}

# unclean FILESYSTEM - snapshots that are no clean filesystem.
unclean() {
	local link wrong=()
	for link in /dev/zumastor/home/[0-9]*; do
		case $1 in
		ext4)	e2fsck -fn "$link" ;;
		xfs)	reads "$link" ;;
		esac >"$scratch/fsck" 2>&1 || wrong+=("${link##*/}")
	done
	printf '%s' "${wrong[*]-}"
}

start_writing() {
	mkdir -p "$mount"
	mount /dev/mapper/home "$mount"
	writer &
	writer_pid=$!
}

stop_writing() {
	kill "$writer_pid"
	wait "$writer_pid" 2>/dev/null || true
	until umount "$mount"; do sleep 0.1; done	# what it had begun goes on without it
}

# first_boot FILESYSTEM - ten snapshots under a writer, before and after stop and start.
first_boot() {
	local n
	make_volume
	make_filesystem "$1"
	start_writing
	for ((n = 0; n < 10; n++)); do
		sleep 0.2
		held_snapshot
	done
	is "$held_while" Suspended 'the origin was read while the volume was suspended'
	is "$(wrong_snapshots)" '' "$1: ten snapshots under a writer are right"
	is "$(unclean "$1")" '' "$1: each is a clean filesystem"
	stop_writing
	"$helpers/dm-stop" home "$store"
	"$helpers/dm-start" home "$origin" "$store"
	is "$(wrong_snapshots)" '' "$1: they are right after stop and start"
}

crash_test() {
	local filesystem=$1 cycles=$2
	if ((LAB_BOOT == 1)); then
		first_boot "$filesystem"
	else
		tap_count=$(</persist/tap_count)
		expect 0 "start after crash $((LAB_BOOT - 1))" "$helpers/dm-start" home "$origin" "$store"
		is "$(wrong_snapshots)" '' "$filesystem: all snapshots are right after crash $((LAB_BOOT - 1))"
	fi
	if ((LAB_BOOT > cycles)); then
		start_writing
		stop_writing
		is "$(unclean "$filesystem")" '' "$filesystem: each snapshot is a clean filesystem"
		"$helpers/dm-stop" home "$store"
		done_testing
		return
	fi
	printf '%s\n' "$tap_count" >/persist/tap_count
	sync
	start_writing
	lab killafter $((RANDOM % 1500 + 300))
	while :; do
		held_snapshot
	done
}
