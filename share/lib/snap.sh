# snap.sh - the snapshots of a volume, as the store's record tells them.
#
# Needs core.sh, check.sh, config.sh, volume.sh.
# shellcheck shell=bash disable=SC2034 # snap_load fills in variables for the commands

# snap_load - sets snap_ids (live ones, oldest first), snap_uuid, snap_time, snap_sectors, snap_kinds, snap_names
# (by id), snap_holds and snap_clones (likewise), snap_entries (how many chunks changed until the next one, once no more do),
# snap_clone_store (by clone, the store of a volume that is or was on it), snap_lost (ids, older than any live one),
# snap_going (removed ones whose space is not free yet) and record[] (volume, origin_sectors, chunk_sectors, ...).
snap_load() {
	local text line
	text=$(become store-show "$store")
	declare -gA record=() snap_clone_store=()
	snap_ids=() snap_uuid=() snap_time=() snap_kinds=() snap_holds=() snap_lost=()
	snap_clones=() snap_going=() snap_sectors=() snap_entries=()
	while IFS= read -r line; do
		snap_parse "$line"
	done <<<"$text"
	snap_name_all
	[[ ${record[name]} == "$volume" ]] ||
		die "store '$store' belongs to volume '${record[name]}', not to '$volume'"
}

snap_parse() {
	local line=$1 id
	local entry='^snapshot=([0-9]{1,9}) uuid=([0-9a-f-]{36}) thin=[0-9]+ time=([0-9]{1,12})'
	local clone='^clone=([A-Za-z0-9_.-]{1,63}) snapshot=([0-9]{1,9}) .*store=([0-9]+) .*state=live$'
	entry+=' sectors=([0-9]{1,18}) state=([a-z]+) kinds=([A-Za-z0-9_,-]*) holds=([A-Za-z0-9_.,-]*) table=([0-9]{0,18})[0-9:]*$'
	if [[ $line =~ $entry ]]; then
		id=${BASH_REMATCH[1]}
		snap_uuid[id]=${BASH_REMATCH[2]}
		snap_time[id]=${BASH_REMATCH[3]}
		snap_sectors[id]=${BASH_REMATCH[4]}
		snap_kinds[id]=${BASH_REMATCH[6]}
		snap_holds[id]=${BASH_REMATCH[7]}
		snap_entries[id]=${BASH_REMATCH[8]:-0}
		case ${BASH_REMATCH[5]} in
		live)	snap_ids+=("$id") ;;
		lost)	snap_lost+=("$id") ;;
		removed | deleting)
			snap_going+=("$id") ;;
		esac
	elif [[ $line =~ $clone ]]; then
		snap_clones[BASH_REMATCH[2]]+=" ${BASH_REMATCH[1]}"
		[[ ${BASH_REMATCH[3]} == 0 ]] || snap_clone_store[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
	elif [[ $line =~ ^([a-z_]+)=([[:print:]]*)$ ]]; then
		record[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
	else
		die_with "$CORRUPT" "bad line '$line' from the record of '$store'"
	fi
}

# snap_lineage - sets REPLY to the uuid of the volume whose history this is: of the one where it began, also when it
# came here by way of another replica, or was a replica's that is a master now.  Needs snap_load.
snap_lineage() {
	state_get uuid "$dir/lineage" "${record[volume]}"
	[[ $role != source ]] || state_get uuid "$dir/source/uuid" "$REPLY"
}

# snap_number KEY - sets REPLY to a number of the record.
snap_number() {
	REPLY=${record[$1]-}
	is_number "$REPLY" || die_with "$CORRUPT" "bad $1 '$REPLY' in the record of '$store'"
}

# snap_warn_lost - the kernel gave snapshots up: say it each time until they are removed.
snap_warn_lost() {
	((${#snap_lost[@]} == 0)) ||
		warn "snapshots ${snap_lost[*]} of '$volume' are lost: their content cannot be trusted;" \
			"'zumastor remove $volume SNAP' frees their space"
}

# snap_newest - sets REPLY to the newest live snapshot, or to nothing.
snap_newest() {
	REPLY=
	((${#snap_ids[@]} == 0)) || REPLY=${snap_ids[-1]}
}

# snap_of_uuid UUID - sets REPLY to the live snapshot of that uuid, or to nothing.
snap_of_uuid() {
	local id
	REPLY=
	for id in "${snap_ids[@]}"; do
		[[ ${snap_uuid[id]} != "$1" ]] || REPLY=$id
	done
}

# snap_after ID - sets REPLIES to the live snapshots that are newer.
snap_after() {
	local id
	REPLIES=()
	for id in "${snap_ids[@]}"; do
		((id <= $1)) || REPLIES+=("$id")
	done
}

is_rotated()	{ [[ ${snap_kinds[$1]} != @(manual|expired|exec) ]]; }

# snap_name_all - sets snap_names[ID] to its names by kind: "hourly.0 daily.3", 0 being the newest.
snap_name_all() {
	local i id kind
	local -A seen=()
	local -a kinds
	snap_names=()
	for ((i = ${#snap_ids[@]} - 1; i >= 0; i--)); do
		id=${snap_ids[i]}
		snap_names[id]=
		IFS=, read -r -a kinds <<<"${snap_kinds[id]}"
		for kind in "${kinds[@]}"; do
			is_kind "$kind" || continue
			snap_names[id]+="${snap_names[id]:+ }$kind.${seen[$kind]:-0}"
			seen[$kind]=$((${seen[$kind]:-0} + 1))
		done
	done
}

# snap_time_text EPOCH - sets REPLY to what names the snapshot's directory.
snap_time_text() {
	if [[ ${config[utc]} == yes ]]; then
		TZ=UTC0 printf -v REPLY '%(%Y.%m.%d-%H.%M.%S)T' "$1"
	else
		printf -v REPLY '%(%Y.%m.%d-%H.%M.%S)T' "$1"
	fi
}

# snap_find SNAP - sets REPLY to the id meant by an id, KIND.INDEX, a creation time or the first
# digits of a uuid.  An all-digit SNAP is an id.
snap_find() {
	local wanted=$1 found=
	if is_number "$wanted"; then
		snap_find_id "$wanted"
	elif [[ $wanted =~ ^[A-Za-z][A-Za-z0-9_-]*\.(0|[1-9][0-9]{0,5})$ ]]; then
		snap_find_name "$wanted"
	elif [[ $wanted =~ ^[0-9]{4}(\.[0-9]{2}){2}-[0-9]{2}(\.[0-9]{2}){2}$ ]]; then
		snap_find_time "$wanted"
	elif [[ $wanted =~ ^[0-9a-f][0-9a-f-]{3,35}$ ]]; then
		snap_find_uuid "$wanted"
	else
		die_usage "bad snapshot '${wanted:0:80}'"
	fi
	[[ -n $found ]] || die_with "$ABSENT" "no snapshot '$wanted' of volume '$volume'"
	! is_lost "$found" || [[ -n ${find_lost-} ]] ||
		die_with "$LOST" "snapshot $found of '$volume' is lost: its content cannot be trusted"
	REPLY=$found
}

is_lost()	{ [[ " ${snap_lost[*]-} " == *" $1 "* ]]; }

# The four below set the caller's found.
snap_find_id() {
	local id
	for id in "${snap_lost[@]}" "${snap_ids[@]}"; do
		[[ $id != "$1" ]] || found=$id
	done
}

snap_find_name() {
	local id
	for id in "${snap_ids[@]}"; do
		[[ " ${snap_names[id]} " != *" $1 "* ]] || found=$id
	done
}

snap_find_time() {
	local id
	for id in "${snap_ids[@]}"; do
		snap_time_text "${snap_time[id]}"
		[[ $REPLY != "$1" ]] || found=$id
	done
}

snap_find_uuid() {
	local id
	for id in "${snap_ids[@]}"; do
		[[ ${snap_uuid[id]} == "$1"* ]] || continue
		[[ -z $found ]] || die_usage "'$1' begins the uuid of more than one snapshot"
		found=$id
	done
}

# snap_memory - sets REPLY to the bytes of kernel memory that views of the volume may take.
snap_memory() {
	local key value rest
	state_get number "$dir/cachesize"
	[[ -z $REPLY ]] || return 0
	REPLY=$((128 << 20))
	while read -r key value rest; do
		if [[ $key == MemTotal: ]] && is_number "$value" && ((value << 8 < REPLY)); then
			REPLY=$((value << 8))	# a quarter of that many KiB
		fi
	done </proc/meminfo
}

# snap_show ID... - make their devices.
snap_show() {
	snap_memory
	run helper dm-show --memory "$REPLY" "$volume" "$store" "$@" >/dev/null
}

# snap_show_fitting ID... - of those as many as may be shown at once, in that order; sets REPLIES.
snap_show_fitting() {
	local text
	snap_memory
	text=$(run become dm-show --memory "$REPLY" --fit "$volume" "$store" "$@")
	REPLIES=()
	[[ -z $text ]] || mapfile -t REPLIES <<<"$text"
	REPLIES=("${REPLIES[@]##*/}")
}

snap_device() {
	REPLY=/dev/zumastor/$volume/$1
}

# snap_drop ID [bare] - unmount and remove one snapshot, with bare also where no bookmark of it can be left; dies, with BUSY when
# it is in use.
# It may be run as ( snap_drop ) || ...: every step ends the process by itself.   Needs bookmark.sh.
snap_drop() {
	mount_snapshot_leave "$1"
	(bookmark_leave "$1") || [[ -n ${2-} ]] || exit 1
	run helper dm-remove --mark "$volume" "$store" "$1"
	volume_settle
}
