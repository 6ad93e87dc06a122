# device.sh - may this block device become part of a volume?   Needs core.sh, check.sh, mount.sh.
#
# Nothing here writes.
# shellcheck shell=bash

# device_path PATH WHAT - dies unless PATH is a block device; sets REPLY to its absolute path.
device_path() {
	[[ $1 == /* ]] || set -- "$PWD/$1" "$2"
	is_path "$1" || die_usage "bad $2 '$1'"
	[[ -e $1 ]] || die "no such $2 '$1'"
	[[ -b $1 ]] || die "$2 '$1' is not a block device"
	REPLY=$1
}

# device_check PATH WHAT - dies unless PATH is a block device that nobody uses; sets REPLY to its
# absolute path.
device_check() {
	local number
	device_path "$@"
	set -- "$REPLY" "$2"
	number=$(stat -L -c %Hr:%Lr -- "$1")
	device_check_unused "$1" "$number" "$2"
	REPLY=$1
}

# device_check_unused PATH MAJOR:MINOR WHAT - a disk is in use, too, when one of its partitions is.
device_check_unused() {
	local sys=/sys/dev/block/$2 part
	device_check_idle "$@"
	for part in "$sys"/*/partition; do
		part=${part%/partition}
		device_check_idle "$1" "$(<"$part/dev")" "$3"
	done
}

device_check_idle() {
	local path=$1 number=$2 what=$3 swap
	local -a holders=("/sys/dev/block/$number/holders"/*)
	if device_is_mounted "$number"; then
		die_with "$BUSY" "$what '$path' is mounted"
	fi
	((${#holders[@]} == 0)) || die_with "$BUSY" "$what '$path' is in use by ${holders[0]##*/}"
	while read -r swap _; do
		[[ $(stat -L -c %Hr:%Lr -- "$swap" 2>/dev/null) != "$number" ]] ||
			die_with "$BUSY" "$what '$path' is in use as swap"
	done </proc/swaps
}

device_is_mounted() {
	local table
	table=$(</proc/self/mountinfo)
	[[ $table == *" $1 "* ]]
}

# device_is_linear PATH - is it a dm device of linear segments, writable and under no other?
device_is_linear() {
	local number table
	local -a holders
	number=$(stat -L -c %Hr:%Lr -- "$1")
	[[ -d /sys/dev/block/$number/dm && $(<"/sys/dev/block/$number/ro") == 0 ]] || return 1
	holders=("/sys/dev/block/$number/holders"/*)
	((${#holders[@]} == 0)) || return 1
	table=$(dmsetup table --major "${number%:*}" --minor "${number#*:}" 2>/dev/null) || return 1
	[[ -n $table ]] && ! grep -qv '^[0-9]* [0-9]* linear ' <<<"$table"
}

# device_lies_on PATH MAJOR:MINOR - does it, if only in a file in the filesystem there?
device_lies_on() {
	local number file under
	local -a below
	under=$(lsblk -srno MAJ:MIN -- "$1" 2>/dev/null) || under=$(stat -L -c %Hr:%Lr -- "$1")
	mapfile -t below <<<"$under"
	for number in "${below[@]}"; do
		[[ $number != "$2" ]] || return 0
		[[ -e /sys/dev/block/$number/loop/backing_file ]] || continue
		file=$(<"/sys/dev/block/$number/loop/backing_file")
		number=$(stat -L -c %Hd:%Ld -- "$file" 2>/dev/null) || continue
		[[ $number != "$2" ]] || return 0
		[[ ! -e /sys/dev/block/$number ]] || ! device_lies_on "/dev/block/$number" "$2" ||
			return 0
	done
	return 1
}

# device_check_distinct PATH... - the same disk under two names is one disk.
device_check_distinct() {
	local path number
	local -A seen=()
	for path in "$@"; do
		number=$(stat -L -c %Hr:%Lr -- "$path")
		[[ -z ${seen[$number]-} ]] ||
			die_usage "'$path' and '${seen[$number]}' are the same device"
		seen[$number]=$path
	done
}

# device_check_undefined PATH... - no device of another volume.
device_check_undefined() {
	local path file number mine
	for path in "$@"; do
		mine=$(stat -L -c %Hr:%Lr -- "$path")
		for file in "$ZUMASTOR_STATE"/volumes/*/{origin,store,metadev}; do
			state_get path "$file"
			number=$(stat -L -c %Hr:%Lr -- "$REPLY" 2>/dev/null) || continue
			[[ $number != "$mine" ]] ||
				die_with "$BUSY" \
					"'$path' belongs to volume '$(basename "${file%/*}")'"
		done
	done
}

# device_sectors PATH - sets REPLY to its size.
device_sectors() {
	REPLY=$(blockdev --getsz "$1")
	is_number "$REPLY" || die "cannot learn the size of '$1'"
}

# device_signature PATH - sets REPLY to the name of what a device holds (ext4, LVM2_member, gpt),
# or to nothing.
device_signature() {
	local text
	REPLY=
	text=$(blkid -p -o value -s TYPE -s PTTYPE -- "$1" 2>/dev/null) || {
		# 8: more than one signature, which is still more than none.
		(($? != 8)) || REPLY="several signatures"
		return 0
	}
	REPLY=${text%%$'\n'*}
}

# device_names_collide VOLUME OTHER - would a device or directory of one have the other's name?
device_names_collide() {
	local inner='-(snapshots|store|store-meta|store-data|lower|(base|snap|cow|absorb|map|view)-[0-9]+)$'
	[[ $1 == "$2" ]] || [[ $1 == "$2"-* && ${1#"$2"} =~ ^$inner ]] ||
		[[ $2 == "$1"-* && ${2#"$1"} =~ ^$inner ]]
}

# device_check_name VOLUME - dies when dm or the database has a name that gets in the way.
device_check_name() {
	local other
	while IFS= read -r other; do
		! device_names_collide "$1" "$other" ||
			die "volume name '$1' collides with volume '$other'"
	done < <(volume_list)
	while read -r other _; do
		! device_names_collide "$1" "$other" ||
			die_with "$BUSY" "volume name '$1' collides with '/dev/mapper/$other'"
	done < <(dmsetup ls 2>/dev/null)
}

# device_check_kernel - has it the targets that the stack is made of?
device_check_kernel() {
	local targets name
	modprobe -q -a dm-snapshot dm-thin-pool || true
	targets=$(dmsetup targets 2>/dev/null) ||
		die_with "$UNSUPPORTED" "this kernel has no device mapper"
	for name in linear error snapshot snapshot-origin thin thin-pool; do
		[[ $'\n'$targets =~ $'\n'${name}[[:space:]] ]] ||
			die_with "$UNSUPPORTED" "this kernel lacks the device-mapper target '$name'"
	done
}
