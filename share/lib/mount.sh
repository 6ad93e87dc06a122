# mount.sh - where people see a volume and its snapshots.
#
# Needs core.sh, check.sh, snap.sh; for all but one snapshot output.sh; to unmount and to publish nfs.sh, samba.sh, share.sh.
#
# The filesystem's type is asked of blkid, compared with the list below and always given to mount:
# neither a label nor the kernel's guess decides which driver reads a device.
# shellcheck shell=bash

# mount_type DEVICE - sets REPLY to its filesystem, or to nothing when there is none to mount.
mount_type() {
	local type
	REPLY=
	type=$(exec blkid -p -o value -s TYPE -- "$1" 2>/dev/null) || return 0
	case $type in
	ext2 | ext3 | ext4 | xfs | btrfs | vfat | exfat | f2fs | jfs | nilfs2 | squashfs | iso9660)
		REPLY=$type ;;
	esac
}

# mount_snapshot_options TYPE - sets REPLY.  A snapshot of a mounted filesystem was frozen, hence
# clean: its journal, which could not be written anyway, is left alone.  In a replica another host has put what is there.
mount_snapshot_options() {
	REPLY=ro,nosuid,nodev
	[[ $role != source ]] || REPLY+=,noexec
	case $1 in
	ext3 | ext4)	REPLY+=,noload ;;
	xfs)		REPLY+=,norecovery,nouuid ;;
	f2fs)		REPLY+=,norecovery ;;
	btrfs)		die "cannot mount a snapshot of '$volume': btrfs mixes up a snapshot" \
				"and its live original, which have the same id" ;;
	esac
}

# mount_targets DEVICE - sets REPLIES to the places where it is mounted.
mount_targets() {
	local number line target
	local -a field lines
	REPLIES=()
	number=$(exec stat -L -c %Hr:%Lr -- "$1" 2>/dev/null) || return 0
	mapfile -t lines </proc/self/mountinfo
	for line in "${lines[@]}"; do
		[[ $line == *" $number "* || $line == *" - btrfs $1 "* ]] || continue
		read -r -a field <<<"$line"
		# btrfs shows a device number of its own: there the name tells.
		if [[ ${field[2]} == "$number" || $line == *" - btrfs $1 "* ]]; then
			# The kernel writes a blank as \040.
			printf -v target %b "${field[4]}"
			REPLIES+=("$target")
		fi
	done
}

# mount_is DEVICE DIR - is DEVICE mounted on DIR?
mount_is() {
	local target
	mount_targets "$1"
	for target in "${REPLIES[@]}"; do
		[[ $target != "$2" ]] || return 0
	done
	return 1
}

# mount_is_point DIR - is anything mounted on it?   What mountpoint(1) tells, where DIR has no link in it.
mount_is_point() {
	local line target
	local -a lines
	mapfile -t lines </proc/self/mountinfo
	for line in "${lines[@]}"; do
		line=${line#* * * * }
		printf -v target %b "${line%% *}"
		[[ $target != "$1" ]] || return 0
	done
	return 1
}

# mount_device DEVICE DIR TYPE OPTIONS
mount_device() {
	if mount_is "$1" "$2"; then
		return
	fi
	if [[ ! -d $2 ]]; then
		run mkdir -p -m 0755 -- "$2"
	elif mountpoint -q -- "$2"; then
		die_with "$BUSY" "cannot mount '$1': something else is mounted on '$2'"
	fi
	mount_quietly -t "$3" ${4:+-o "$4"} -- "$1" "$2"
}

# mount_quietly ARG... - mount(8), its complaint in one line of ours.
mount_quietly() {
	local text
	text=$(run mount "$@" 2>&1) || die "cannot mount '${*: -2:1}': ${text%%$'\n'*}"
	[[ -z $text ]] || printf '%s\n' "$text" >&2
}

# mount_end DEVICE - unmount it wherever it is, the last mount first.   At shutdown systemd unmounts, too.
mount_end() {
	local i number
	local -a targets
	mount_targets "$1"
	targets=("${REPLIES[@]}")
	((${#targets[@]})) || return 0
	number=$(stat -L -c %Hr:%Lr -- "$1")
	share_leave "$number" "${targets[@]}"
	for ((i = ${#targets[@]} - 1; i >= 0; i--)); do
		mount_away "${targets[i]}" || ! mount_is "$1" "${targets[i]}" || mount_busy "$1" "${targets[i]}"
	done
	mount_wait "$1" "$number"
}

# mount_away TARGET - unmount it, or fail when somebody uses it.   As long as it can be found a NFS client may look for it, and
# the server then keeps hold of it, exported or not: there it goes first from where it is found, and then mount_wait waits.
mount_away() {
	! run umount -- "$1" 2>/dev/null || return 0
	[[ -d $dir/shares ]] && is_nfs_server || return 1
	mount_users_at "$1"
	[[ -z $REPLY ]] && ! grep -qF " $1/" /proc/self/mountinfo || return 1
	run umount -l -- "$1" 2>/dev/null
}

# mount_wait DEVICE NUMBER - until the NFS server lets go of what was unmounted.
mount_wait() {
	local try
	[[ -d $dir/shares ]] && is_nfs_server || return 0
	for ((try = 0; try < 50; try++)); do
		! mount_is_released "$2" || return 0
		((try % 5)) || nfs_release "$2"
		((try % 25)) || nfs_flush
		sleep 0.2
	done
	mount_users "$1"
	[[ -n $REPLY ]] || die_with "$BUSY" "cannot unmount '$1': something in the kernel, likely the NFS server, uses it"
}

# mount_is_released NUMBER - is it open to nothing but device-mapper?
mount_is_released() {
	local open
	local -a holders=("/sys/dev/block/$1/holders"/*)
	open=$(dmsetup info -c --noheadings -o open -j "${1%:*}" -m "${1#*:}" 2>/dev/null) || return 0
	! is_number "$open" || ((open <= ${#holders[@]}))
}

# mount_busy DEVICE TARGET - dies, and says who is in the way.
mount_busy() {
	mount_users "$1"
	die_with "$BUSY" "cannot unmount '$2': it is in use${REPLY:+ by $REPLY}"
}

# mount_users DEVICE - sets REPLY to the processes that use it, by a file or as a device: "bash (712),
# cp (803)".  What holds it in the kernel (a mount below, a loop device, an export) is none.
mount_users() {
	mount_targets "$1"
	mount_users_at "$(readlink -f -- "$1")" "${REPLIES[@]}"
}

# mount_users_at PATH... - the same of these, and of what is below them.
mount_users_at() {
	local path pid name text
	local -a match=()
	local -A seen=()
	for path in "$@"; do
		# shellcheck disable=SC2001 # older shells cannot put back what a pattern matched
		path=$(sed 's/[][*?\\]/\\&/g' <<<"$path")
		match+=(${match:+-o} -lname "$path" -o -lname "$path/*")
	done
	text=$(find /proc/[0-9]*/{cwd,root,exe,fd,map_files} -maxdepth 1 -type l \
		\( "${match[@]}" \) -print 2>/dev/null || true)
	while IFS=/ read -r _ _ pid _; do
		# What our caller has open, we have open, too.
		[[ -n $pid && $pid != "$$" && -z ${seen[$pid]-} ]] || continue
		{ read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
		seen[$pid]="$name ($pid)"
	done <<<"$text"
	printf -v REPLY '%s, ' "${seen[@]}"
	REPLY=${REPLY%, }
}

# mount_remember DEVICE - sets REPLIES to where and how it is mounted, as mount_restore wants it.
mount_remember() {
	local target root options
	REPLIES=()
	while read -r target root options; do
		REPLIES+=("$target" "$root" "$options")
	done < <(findmnt -rn -o TARGET,FSROOT,VFS-OPTIONS -S "$1")
}

# mount_restore DEVICE [TARGET ROOT OPTIONS]... - mount it there again.  findmnt writes a blank as \x20.
mount_restore() {
	local device=$1 type target root first=
	shift
	mount_type "$device"
	type=$REPLY
	while (($#)) && [[ -n $type ]]; do
		printf -v target %b "$1"
		printf -v root %b "$2"
		if mount_is "$device" "$target"; then
			:	# it never went
		elif [[ $root == / ]]; then
			mount_quietly -t "$type" -o "$3" -- "$device" "$target"
		else
			mount_quietly --bind -- "$first$root" "$target"
		fi
		[[ $root != / ]] || first=${first:-$target}
		shift 3
	done
}

# mount_where - sets REPLIES to the places where the volume's filesystem is mounted.
mount_where() {
	volume_device
	mount_targets "$REPLY"
}

# mount_need_none ACTION - die while the origin is mounted and lies on the volume.
mount_need_none() {
	volume_device
	[[ $REPLY == "$origin" ]] || return 0
	mount_targets "$origin"
	((${#REPLIES[@]} == 0)) || die_with "$BUSY" \
		"cannot $1 '$volume': '$origin', which lies on it, is mounted on '${REPLIES[0]}'"
}

# mount_volume - mount the volume, or on a replica its newest snapshot, where people look for it.
# Nothing is done where there is no filesystem.
mount_volume() {
	local device=/dev/mapper/$volume newest options type
	volume_device
	if [[ $REPLY == "$origin" ]]; then
		mount_targets "$origin"	# by whom it belongs to, or by nobody
		[[ -z ${REPLIES[0]-} ]] || mount_link "${REPLIES[0]}" "$ZUMASTOR_RUN/mount/$volume"
		return
	fi
	if [[ $role == source ]]; then
		snap_newest
		newest=$REPLY
		[[ -n $newest ]] || return 0
		snap_show "$newest"
		snap_device "$newest"
		device=$REPLY
	fi
	mount_type "$device"
	type=$REPLY
	[[ -n $type ]] || return 0
	if [[ $role == source ]]; then
		mount_snapshot_options "$type"
	else
		mount_is "$device" "$mountpoint" || volume_need_room mount
		state_get mountopts "$dir/mountopts"
	fi
	options=$REPLY
	mount_device "$device" "$mountpoint" "$type" "$options"
	mount_link "$mountpoint" "$ZUMASTOR_RUN/mount/$volume"
}

# mount_flush - write the volume's filesystem out now, so that little is left for when it is suspended, or die
# when its store is full.   It may take long: call it without a lock.
mount_flush() {
	volume_need_room 'take a snapshot of'
	[[ ${facts[state]} == running ]] || return 0	# suspended, it would wait for us
	mount_where
	[[ -z ${REPLIES[0]-} ]] || sync -f -- "${REPLIES[0]}" || true
}

# mount_place_end DIR - unmount and remove a private mount point; one that is in use stays.
mount_place_end() {
	! mountpoint -q -- "$1" || run umount -- "$1" 2>/dev/null || true
	rmdir -- "$1" 2>/dev/null || true
}

# mount_link TARGET LINK
mount_link() {
	[[ -L $2 && $2 -ef $1 ]] || run ln -sfT -- "$1" "$2"
}

# mount_snapshot ID - mount a shown snapshot at its creation time.
mount_snapshot() {
	local device path type
	snap_device "$1"
	device=$REPLY
	mount_type "$device"
	type=$REPLY
	[[ -n $type ]] || return 0
	snap_time_text "${snap_time[$1]}"
	path=$snappath/$REPLY
	mount_snapshot_options "$type"
	mount_device "$device" "$path" "$type" "$REPLY"
	mount_link "$snappath" "$ZUMASTOR_RUN/snapshot/$volume"
}

# mount_rotated - show and mount all but manual snapshots, as `start` does, as many of the newest as
# there is memory for.  One that cannot be mounted does not keep the others from it.
mount_rotated() {
	local i id
	local -a ids=()
	for ((i = ${#snap_ids[@]} - 1; i >= 0; i--)); do
		! is_rotated "${snap_ids[i]}" || ids+=("${snap_ids[i]}")
	done
	if ((${#ids[@]})); then
		snap_show_fitting "${ids[@]}"
		((${#REPLIES[@]} == ${#ids[@]})) || mount_warn_memory $((${#ids[@]} - ${#REPLIES[@]}))
		ids=("${REPLIES[@]}")
	fi
	[[ ! -e $dir/shares/nosnapmount ]] || ids=()
	for id in "${ids[@]}"; do
		(mount_snapshot "$id") || warn "snapshot $id of '$volume' is not mounted"
	done
	mount_publish
}

mount_warn_memory() {
	snap_memory
	output_size "$REPLY"
	warn "the $1 oldest rotated snapshots of '$volume' are not shown, to keep within" \
		"$REPLY of kernel memory; 'zumastor mount $volume --cachesize SIZE' allows more"
}

# mount_trim - each snapshot makes the views of older ones larger: hide the oldest rotated ones that
# nobody uses, until there is memory enough.
mount_trim() {
	local id
	facts=()
	for id in "${snap_ids[@]}"; do
		mount_is_tight || return 0
		if is_rotated "$id" && [[ ,${facts[shown]-}, == *",$id,"* ]]; then
			(mount_snapshot_end "$id") 2>/dev/null || true
			facts=()
		fi
	done
}

# mount_is_tight - do views take more memory than they may?  Asks again when facts are empty.
mount_is_tight() {
	((${#facts[@]})) || volume_status
	snap_memory
	check number "${facts[view_bytes]-}" 'view_bytes' "$CORRUPT"
	((REPLY > 0 && facts[view_bytes] > REPLY))
}

# mount_snapshot_leave ID - unmount one snapshot, wherever it is.
mount_snapshot_leave() {
	snap_device "$1"
	[[ -e $REPLY ]] || return 0
	mount_end "$REPLY"
	snap_time_text "${snap_time[$1]}"
	[[ ! -d $snappath/$REPLY ]] || run rmdir -- "$snappath/$REPLY" 2>/dev/null || true
}

# mount_snapshot_end ID... - unmount and hide snapshots.
mount_snapshot_end() {
	local id
	local -a shown=()
	for id in "$@"; do
		mount_snapshot_leave "$id"
		snap_device "$id"
		[[ ! -e $REPLY ]] || shown+=("$id")
	done
	((${#shown[@]} == 0)) || run helper dm-hide "$volume" "$store" "${shown[@]}"
}

# mount_publish - after a snapshot, or the volume, was mounted, or is not any more.
mount_publish() {
	mount_kind_links
	(share_update) || warn "what is mounted of '$volume' is not shown where it should be"
}

# mount_kind_links - hourly.0, hourly.1, ... beside the directories they point at.
mount_kind_links() {
	local id name
	local -a names links=()
	[[ -d $snappath ]] || return 0
	for id in "${snap_ids[@]}"; do
		snap_time_text "${snap_time[id]}"
		[[ -d $snappath/$REPLY ]] || continue
		read -r -a names <<<"${snap_names[id]}"
		for name in "${names[@]}"; do
			links+=("$name" "$REPLY")
		done
	done
	run helper link-set "$snappath" "${links[@]}"
}

# mount_volume_end - unmount the volume, its snapshots stay.
mount_volume_end() {
	mount_need_none unmount
	mount_targets "/dev/mapper/$volume"
	((${#REPLIES[@]} == 0)) || volume_need_room unmount
	mount_end "/dev/mapper/$volume"
	if [[ $role == source ]] && mountpoint -q -- "$mountpoint"; then
		share_leave "$(stat -c %Hd:%Ld -- "$mountpoint")" "$mountpoint"
		mount_away "$mountpoint" ||
			die_with "$BUSY" "cannot unmount '$mountpoint': it is in use"
	fi
}

# mount_all_end - unmount everything of the volume, and take the links and empty directories away.
mount_all_end() {
	share_end	# at once what would be one by one
	mount_volume_end
	mount_snapshot_end "${snap_ids[@]}" "${snap_lost[@]}"
	mount_kind_links
	rm -f -- "$ZUMASTOR_RUN/mount/$volume" "$ZUMASTOR_RUN/snapshot/$volume"
	rmdir -- "$ZUMASTOR_RUN/samba/$volume"/@GMT-* "$ZUMASTOR_RUN/samba/$volume" \
		"$ZUMASTOR_RUN/volumes/$volume"{,-snapshots} 2>/dev/null || true
}
