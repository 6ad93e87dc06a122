# instant.sh - a snapshot of one volume, or of all of a group, at one instant.
#
# Needs core.sh ... hook.sh, group.sh.   Works on the variables of zumastor-snapshot: members, group,
# instant, pairs, uuids, new_id and new_time; instant_claim on its check_member.
# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the arrays are associative, and the command's

# instant_members VOL|GROUP - sets members, and group.
instant_members() {
	need_root
	config_load
	state_open
	members=("$1")
	! is_group "$1" || group_load "$1"
}

# instant_flush - write them out, before they are locked.
instant_flush() {
	local name
	for name in "${members[@]}"; do
		volume_load "$name"
		mount_flush
	done
}

# instant_claim - lock and check them all.
instant_claim() {
	local name before=${members[*]}
	group_claim "${members[@]}"
	if [[ -n $group ]]; then
		group_load "$group"
		[[ ${members[*]} == "$before" ]] ||
			die_with "$BUSY" "group '$group' is another one by now"
	fi
	for name in "${members[@]}"; do
		check_member "$name"
	done
}

# instant_name VOLUME - choose its uuid, and what dm-snapshot is to be told.
instant_name() {
	volume_load "$1"
	group_uuid
	hook_uuid[$1]=$REPLY
	pairs+=("$1" "$store")
	uuids+=(--uuid "$REPLY")
}

# instant_take - the instant; sets new_id and new_time, by volume.
instant_take() {
	local text code=0 key value name=
	[[ -z $group ]] || group_begin
	text=$(run become dm-snapshot "${uuids[@]}" --kinds "$hook_kinds" "${pairs[@]}") || code=$?
	if ((code)); then
		[[ -z $group ]] || (group_mend) || true
		((code <= 125)) || die "cannot take a snapshot of '${args[0]}': dm-snapshot was killed"
		exit "$code"
	fi
	[[ -z $group ]] || group_end
	while IFS='=' read -r key value; do
		case $key in
		volume)	check name "$value" 'volume' "$CORRUPT"
			name=$value ;;
		id)	check number "$value" 'snapshot' "$CORRUPT"
			new_id[$name]=$value ;;
		time)	check number "$value" 'time' "$CORRUPT"
			new_time[$name]=$value ;;
		esac
	done <<<"$text"
}

instant_print() {
	local name
	for name in "${members[@]}"; do
		snap_time_text "${new_time[$name]}"
		[[ -z $group ]] || printf '%s\t' "$name"
		printf '%s\t%s\t%s\n' "${new_id[$name]}" "${hook_uuid[$name]}" "$REPLY"
	done
}
