# verify.sh - what does not agree about a volume.   Needs core.sh ... volume.sh, snap.sh,
# mount.sh, share.sh, nfs.sh, target.sh.
#
# Fills kinds, ids and texts, one of each per finding: the kinds of csrc/lib/check.h and
#
#     thin      a thin volume of the pool (its id) that nothing belongs to
#     mount     something else is mounted where a snapshot should be
#     share     what is mounted is not shown as it should be
#     server    nor is there anybody who would show it
#
# Nothing is changed here.
# shellcheck shell=bash disable=SC2034 # what is found is used by the command

verify_found() {
	kinds+=("$1") ids+=("$2") texts+=("$3")
}

# verify_run - look at everything.
verify_run() {
	kinds=() ids=() texts=()
	verify_helper
	snap_load
	verify_thins
	verify_targets
	[[ $state == running ]] || return 0
	verify_mounts
	verify_shares
	[[ -z ${opt[full]-} ]] || verify_data
}

# verify_helper - what dm-check finds, and state: running or stopped.
verify_helper() {
	local text line kind id words
	text=$(run become dm-check "$volume" "$origin" "$store" "${metadev[@]}")
	while IFS= read -r line; do
		case $line in
		state=*)	state=${line#*=} ;;
		*)		IFS=$'\t' read -r kind id words <<<"$line"
				verify_found "$kind" "$id" "$words" ;;
		esac
	done <<<"$text"
}

# verify_has KIND - was something of that kind found?
verify_has() {
	[[ " ${kinds[*]-} " == *" $1 "* ]]
}

# verify_thins - the pool's metadata is whole, and names no thin volume but those of the record and of volumes on
# clones.  Such a volume leaves this to the one whose pool it is.
verify_thins() {
	local text id
	local -A recorded=()
	local -a ranges=()
	[[ ! -e $dir/parent ]] || return 0
	type -P thin_check thin_ls >/dev/null || {
		warn "thin_check and thin_ls are not installed: the pool's metadata is not checked"
		return 0
	}
	"verify_pool_$state" || return 0
	text=$REPLY
	verify_recorded
	for id in $text; do
		check number "$id" 'thin volume' "$CORRUPT"
		[[ -n ${recorded[$id]-} ]] || verify_of_clone "$id" ||
			verify_found thin "$id" "thin volume $id of the pool belongs to nothing"
	done
}

# verify_recorded - sets recorded[ID], for thin volumes of the record, and ranges: FIRST and END of the ids that
# volumes on clones have to themselves.
verify_recorded() {
	local line
	while IFS= read -r line; do
		[[ ! $line =~ ^(snapshot|clone|revert)=.*\ thin=([0-9]+) ]] || recorded[${BASH_REMATCH[2]}]=1
		[[ $line =~ \ store=([0-9]+)\ first=([0-9]+)\ end=([0-9]+)\  ]] || continue
		recorded[${BASH_REMATCH[1]}]=1
		ranges+=("${BASH_REMATCH[@]:2}")
	done < <(helper store-show "$store")
}

# verify_of_clone ID
verify_of_clone() {
	local i
	for ((i = 0; i < ${#ranges[@]}; i += 2)); do
		(($1 < ranges[i] || $1 >= ranges[i + 1])) || return 0
	done
	return 1
}

# verify_pool_stopped, verify_pool_running - set REPLY to the ids of the pool's thin volumes;
# false when they cannot be listed.
verify_pool_stopped() {
	local meta failed=
	# What is left over keeps the metadata in use.
	! verify_has devices || return 1
	meta=$(become dm-meta "$volume" "$store" "${metadev[@]}")
	thin_check -q -- "$meta" >/dev/null 2>&1 || failed=yes
	REPLY=$(thin_ls --no-headers -o DEV "$meta" 2>/dev/null) || failed=yes
	helper dm-stop "$volume" "$store"
	[[ -z $failed ]] || verify_found pool 0 "the pool's metadata is damaged"
	[[ -z $failed ]]
}

# Of a pool at work only a snapshot of its metadata can be read; somebody who died may have left
# one.
verify_pool_running() {
	local failed=
	! verify_has pool || return 1
	pool_message release_metadata_snap || true
	always pool_message release_metadata_snap
	pool_message reserve_metadata_snap || {
		warn "the pool's metadata is not checked: it cannot be read now"
		return 1
	}
	REPLY=$(thin_ls -m --no-headers -o DEV "/dev/mapper/$volume-store-meta" 2>/dev/null) ||
		failed=yes
	pool_message release_metadata_snap || true
	[[ -z $failed ]] || verify_found pool 0 "the pool's metadata is damaged"
	[[ -z $failed ]]
}

pool_message() {
	dmsetup message "$volume-store" 0 "$1" 2>/dev/null
}

# verify_targets - what is to be sent next builds on a snapshot that exists, or on a bookmark.
verify_targets() {
	local host base text
	bookmark_show
	while IFS= read -r host; do
		state_get uuid "$dir/targets/$host/base"
		base=$REPLY
		snap_of_uuid "$base"
		[[ -n $base && -z $REPLY ]] || continue
		[[ -n ${bookmark_facts[$base]-} ]] && bookmark_state "$base"
		text="snapshot $base, on which replication to '$host' builds, does not exist"
		[[ $REPLY == ok ]] || verify_found database 0 "$text${REPLY:+, and its bookmark is $REPLY}"
	done < <(target_list)
}

# verify_mounts - what is mounted under a snapshot's time is that snapshot.
verify_mounts() {
	local id path
	for id in "${snap_ids[@]}"; do
		snap_time_text "${snap_time[id]}"
		path=$snappath/$REPLY
		if ! mountpoint -q -- "$path"; then
			continue
		fi
		snap_device "$id"
		mount_is "$REPLY" "$path" ||
			verify_found mount "$id" "what is mounted on '$path' is not snapshot $id"
	done
}

# verify_shares - what is mounted is shown, to whom it should be.
verify_shares() {
	local root
	local -A at=()
	local -a shown=() entries
	[[ -d $dir/shares ]] || return 0
	share_look
	[[ -z $root || -n ${at[$root/.snapshot]-} ]] || ! is_shared dotsnapshot ||
		verify_found share 0 "snapshots are not shown in '$root/.snapshot'"
	nfs_read
	nfs_lines
	nfs_is_current || verify_found share 0 "the NFS server is not told to export what is mounted of '$volume'"
	! is_shared export || is_nfs_server || verify_found server 0 "no NFS server is running here"
}

# verify_data - all that snapshots are made of can be read: the origin and every exception store.
verify_data() {
	local device name cows=
	if ((${#snap_ids[@]})); then
		# Why they cannot be put up it has said, and so has what came before.
		cows=$(become dm-cows "$volume" "$store" "${snap_ids[0]}" head) || cows=
	fi
	for device in "/dev/mapper/$volume" $cows; do
		name=$(dmsetup info -c --noheadings -o name "$device")
		dd if="$device" of=/dev/null bs=1M iflag=direct status=none 2>/dev/null ||
			verify_found unread 0 "cannot read all of '$name'"
	done
	volume_settle
}

# verify_remedy KIND ID - sets REPLY to what mends it.
verify_remedy() {
	local again="'zumastor check $volume --repair'"
	case $1 in
	record)		REPLY="$again writes it again" ;;
	devices)	REPLY="$again settles it" ;;
	pool)		REPLY="'zumastor stop volume $volume' and $again repair it" ;;
	table | origin)
			REPLY="$again records what may be wrong as lost" ;;
	thin)		REPLY="$again deletes it"
			[[ $state == running ]] || REPLY="'zumastor start volume $volume', then $again, delete it" ;;
	lost)		REPLY="'zumastor remove $volume $2' frees its space" ;;
	revert)		REPLY="'zumastor stop volume $volume' and $again give it up: the volume shows its origin as it is" ;;
	mount)		REPLY="'zumastor umount $volume $2', then 'zumastor mount $volume $2'" ;;
	share)		REPLY="'zumastor mount $volume' puts it right" ;;
	server)		REPLY="'systemctl start nfs-server' starts it" ;;
	restart)	REPLY="'zumastor stop volume $volume', then 'zumastor start volume $volume'" ;;
	clone)		REPLY="'zumastor clone $volume --remove' frees its space" ;;
	database)	REPLY="'zumastor replicate $volume' looks for another" ;;
	*)		REPLY="the disk is at fault" ;;
	esac
}

# verify_report - print the findings, sets REPLY to the exit code.
verify_report() {
	local i code=0
	for i in "${!kinds[@]}"; do
		verify_remedy "${kinds[i]}" "${ids[i]}"
		printf '%s\n' "$(one_line "${texts[i]}; $REPLY")"
		case ${kinds[i]} in
		record | table | pool)	code=$CORRUPT ;;
		lost | origin | revert)	((code == CORRUPT)) || code=$LOST ;;
		*)			((code)) || code=$FAILED ;;
		esac
	done
	((${#kinds[@]})) || say "volume '$volume' is well, and $state"
	REPLY=$code
}
