#!/bin/bash
# lab: --disk 16M --disk 512M --mem 1G --timeout 6000
# Snapshots of a mounted filesystem are taken, the host is reset, many are mounted at once, each with the files it was taken
# with, and they are removed in random order.   ZUMASTOR_LONG=yes: 512 of them, 64 at once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/stack.sh"
files=/run/zumastor/volumes/home
notes=/persist/taken		# ID HASH, of the files of each snapshot
count=$(long_or 512 8) batch=$(long_or 64 4)
wrong=() most_deep=0

tree() {
	(cd "$1" && cat f* now) | sha256sum | cut -c1-32
}

take_all() {
	local n
	mkfs.ext4 -q "$origin"
	z define volume home "$origin" "$store" -k 0 >/dev/null
	for ((n = 0; n < count; n++)); do
		dd if=/dev/urandom of="$files/f$((RANDOM % 40))" bs=4k count=$((RANDOM % 8 + 1)) status=none
		printf '%s\n' "$n" >"$files/now"
		printf '%s %s\n' "$("$helpers/dm-snapshot" home "$store" | sed -n 's/^id=//p')" "$(tree "$files")"
	done >"$notes"
	sync "$notes"
}

# available - KiB of memory that is not in use, once whatever still ends (udev, the settling of views) has ended.
available() {
	local n last=0 now=1
	sync
	for ((n = 0; n < 50 && now != last; n++)); do
		last=$now
		echo 3 >/proc/sys/vm/drop_caches
		sleep 0.2
		now=$(($(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) >> 10 << 10))
	done
	echo "$now"
}

# mount_some ID... - at once, and look at all of them.
mount_some() {
	local id path depth
	mounted=0
	for id in "$@"; do
		z mount home "$id" >/dev/null || wrong+=("$id is not mounted")
	done
	while read -r id path; do
		[[ $path != - ]] || continue
		[[ $(tree "$path") == "${taken[$id]}" ]] || wrong+=("$id has other files")
		mounted=$((mounted + 1))
	done < <(z list home -H -o id,path)
	depth=$(deepest)
	((depth <= most_deep)) || most_deep=$depth
}

unmount_all() {
	z umount home >/dev/null
	z mount home >/dev/null
}

mount_all() {
	local i before cost said
	local -a ids
	mapfile -t ids < <(shuf -e "${!taken[@]}")
	# The first time gives back 10 MiB that the boot took, or not: measured is what comes after.
	mount_some "${ids[@]:0:batch}"
	unmount_all
	for ((i = 0; i < ${#ids[@]}; i += batch)); do
		before=$(available)
		mount_some "${ids[@]:i:batch}"
		cost=$(((before - $(available)) >> 10))
		said=$(($(fact view_bytes) >> 20))
		diag "$mounted mounted, depth $most_deep, $cost MiB less, $said MiB said"
		((mounted == (i + batch > ${#ids[@]} ? ${#ids[@]} - i : batch))) || wrong+=("$mounted are mounted")
		# A mounted filesystem takes memory of its own, which is not ours to tell; that of everything else comes and goes.
		((said <= 2 * cost + 16 && cost <= 2 * said + 16 + batch)) || wrong+=("memory: $cost MiB less, $said said")
		unmount_all
	done
}

remove_all() {
	local i
	local -a ids
	mapfile -t ids < <(shuf -e "${!taken[@]}")
	for ((i = 0; i < ${#ids[@]}; i += batch / 2)); do
		z remove home "${ids[@]:i:batch / 2}" || wrong+=("cannot remove ${ids[*]:i:batch / 2}")
	done
}

if ((LAB_BOOT == 1)); then
	take_all
	lab restart-self
	sleep 600
fi
while read -r id hash; do
	taken[$id]=$hash
done <"$notes"
expect 0 'start after the reset' z start
is "${#taken[@]}" "$(z list home -H -o id | wc -l)" "all $count are there"
mount_all
expect 0 'check' z check home
remove_all
[[ -z ${wrong[*]-} ]] || diag "$(printf '%s\n' "${wrong[@]}")"
is "${#wrong[@]}" 0 "$count snapshots, $batch mounted at once: each has its files"
is "$((most_deep <= 12))" 1 "no path is deeper than 12 devices ($most_deep)"
is "$(fact store_used_bytes)" 0 'nothing of them is left in the store'
expect 0 'check' z check home
done_testing
