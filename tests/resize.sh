# resize.sh - for tests of resizing in the lab: an origin and a store that are slices of the disks, so that they can
# grow.   Source it after stack.sh.
# shellcheck shell=bash disable=SC2154 # what lib.sh and stack.sh give
origin_disk=$origin store_disk=$store
origin=/dev/mapper/slice-origin store=/dev/mapper/slice-store

declare -A sizes=()	# id → bytes that the snapshot must have

# slice NAME DISK BYTES - make it that large, now.
slice() {
	local name=slice-$1 table
	table="0 $(($3 / 512)) linear $2 0"
	if [[ -e /dev/mapper/$name ]]; then
		dmsetup load "$name" --table "$table"
		dmsetup resume "$name"
	else
		dmsetup create "$name" --table "$table"
	fi
}

slice_origin() {
	slice origin "$origin_disk" "$1"
}

slice_store() {
	slice store "$store_disk" "$1"
}

resize() {
	"$helpers/dm-resize" "$@" home "$origin" "$store" "${metadev[@]}"
}
metadev=()

volume_size() {
	blockdev --getsize64 /dev/mapper/home
}

# write_end BYTES - noise across where a volume of that size ends.
write_end() {
	local at=$(($1 / 512 - 8)) count=16
	((($1 / 512 + 8) * 512 <= $(volume_size))) || count=8
	dd if=/dev/urandom of=/dev/mapper/home seek=$at count=$count oflag=direct conv=notrunc status=none
}

# wrong_sizes - ids of shown snapshots that have not the size they were taken at.
wrong_sizes() {
	local id wrong=()
	for id in "${!sizes[@]}"; do
		[[ $(blockdev --getsize64 "/dev/zumastor/home/$id") == "${sizes[$id]}" ]] || wrong+=("$id")
	done
	printf '%s' "${wrong[*]-}"
}

slice_origin "$(blockdev --getsize64 "$origin_disk")"
slice_store "$(blockdev --getsize64 "$store_disk")"
