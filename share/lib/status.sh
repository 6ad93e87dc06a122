# status.sh - what there is to know of one volume, and its forms.
#
# Needs core.sh ... snap.sh, target.sh, output.sh, forecast.sh, space.sh.   Takes no lock and touches
# no filesystem: it answers while a volume is suspended.
# shellcheck shell=bash disable=SC2154

# status_read VOLUME - sets s[] and targets.
status_read() {
	volume_load "$1"
	snap_load
	volume_status
	declare -gA s=([name]=$volume [role]=$role [state]=${facts[state]:-unknown}
		[snapshots]=${#snap_ids[@]} [lost]=${#snap_lost[@]} [held]=0
		[removing]=${#snap_going[@]}
		[head_state]=${facts[head_state]:-none} [store_mode]=${facts[store_mode]:-unknown}
		[store_short]=${facts[store_short]:-no} [needs_check]=${facts[needs_check]:-no}
		[revert]=${facts[revert_snapshot]-} [revert_state]=${facts[revert_state]:-ok})
	[[ -z ${s[revert]} ]] || check number "${s[revert]}" 'snapshot' "$CORRUPT"
	status_held
	snap_number origin_sectors
	s[volume_bytes]=$((REPLY * 512))
	snap_newest
	s[newest]=$REPLY
	s[newest_time]=${REPLY:+${snap_time[REPLY]}}
	status_number store_used_bytes
	status_number store_total_bytes
	status_number meta_used_bytes
	status_number meta_total_bytes
	status_number head_chunks
	status_number view_bytes
	status_shown
	forecast_read
	s[store_full_seconds]=$REPLY
	space_policy
	s[on_full]=$REPLY
	mapfile -t targets < <(target_list)
}

status_held() {
	local id
	for id in "${snap_ids[@]}"; do
		[[ -z ${snap_holds[id]} ]] || s[held]=$((s[held] + 1))
	done
}

# status_shown - s[shown], how many snapshots can be looked at, and s[view_most_bytes], the bound.
status_shown() {
	local -a ids
	IFS=, read -r -a ids <<<"${facts[shown]-}"
	s[shown]=${#ids[@]}
	snap_memory
	s[view_most_bytes]=$REPLY
}

# status_number KEY - s[KEY] from dm-status, 0 where a stopped volume has none.
status_number() {
	s[$1]=${facts[$1]:-0}
	is_number "${s[$1]}" || die_with "$CORRUPT" "bad $1 '${s[$1]}' from dm-status"
}

# status_target HOST - sets t[]: base (an id), behind (snapshots), success (a time), error, busy.
status_target() {
	local i
	target_load "$1"
	declare -gA t=([host]=$1 [base]='' [behind]=${#snap_ids[@]} [busy]='')
	state_get uuid "$target_dir/base"
	for i in "${!snap_ids[@]}"; do
		if [[ ${snap_uuid[${snap_ids[i]}]} == "$REPLY" ]]; then
			t[base]=${snap_ids[i]}
			t[behind]=$((${#snap_ids[@]} - 1 - i))
		fi
	done
	state_get number "$target_dir/last_success"
	t[success]=$REPLY
	state_get text "$target_dir/last_error"
	t[error]=$REPLY
	[[ ! -e $target_dir/stopped ]] || t[busy]=stopped
	! lock_held "$volume:target:$1" || t[busy]=sending
}

# status_age TIME - sets REPLY to how long ago, or to -.
status_age() {
	REPLY=-
	[[ -z $1 ]] || output_age $((EPOCHSECONDS - $1))
}

# status_summary - is something wrong?  Sets REPLY to the state, or to the worst that is known.
status_summary() {
	space_state
	[[ -z $REPLY ]] || return 0
	REPLY=${s[state]}
	[[ -n ${s[revert]} ]] || return 0
	revert_percent
	REPLY="reverting to ${s[revert]}${REPLY:+, $REPLY%}"
}

# status_full_in - sets REPLY to the time until the store is full, or to -.
status_full_in() {
	REPLY=-
	[[ -z ${s[store_full_seconds]} ]] || output_age "${s[store_full_seconds]}"
}

# status_row - one line of the table of volumes.
status_row() {
	local row
	status_summary
	row=${s[name]}$'\t'${s[role]}$'\t'$REPLY$'\t'${s[snapshots]}
	status_age "${s[newest_time]}"
	row+=$'\t'$REPLY
	output_percent "${s[store_used_bytes]}" "${s[store_total_bytes]}"
	row+=$'\t'$REPLY
	status_full_in
	printf '%s\t%s\n' "$row" "$REPLY"
}

# status_target_row - one line of the table of targets.
status_target_row() {
	local note=${t[busy]}
	[[ -z ${t[error]} ]] || note+="${note:+; }${t[error]}"
	# Of all volumes, the beginning; of one, the whole.
	((${#args[@]})) || note=${note:0:40}
	status_age "${t[success]}"
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$volume" "${t[host]}" "${t[base]:--}" "${t[behind]}" \
		"$REPLY" "${note:--}"
}

# status_used PART - sets REPLY to how much of the store's data or of its metadata is used.
status_used() {
	local used
	output_size "${s[$1_used_bytes]}"
	used=$REPLY
	output_size "${s[$1_total_bytes]}"
	used+=" of $REPLY used"
	output_percent "${s[$1_used_bytes]}" "${s[$1_total_bytes]}"
	REPLY="$used, $REPLY"
}

# status_details - everything about one volume, a fact a line.
status_details() {
	local used newest=none kind text='' count=${s[snapshots]}
	status_used store
	used=$REPLY
	if [[ -n ${s[newest]} ]]; then
		status_age "${s[newest_time]}"
		newest="${s[newest]}, $REPLY ago"
	fi
	for kind in "$dir"/schedule/*; do
		state_get number "$kind"
		text+="${text:+, }${kind##*/} $REPLY"
	done
	output_size "${s[volume_bytes]}"
	printf '%s\t%s\n' volume "${s[name]}, $REPLY" role "${s[role]}" origin "$origin" \
		store "$store, $used"
	status_used meta
	printf '%s\t%s\n' metadata "$REPLY"
	status_full_in
	printf '%s\t%s\n' 'full in' "$REPLY" 'on full' "${s[on_full]}"
	((s[held] == 0)) || count+=", ${s[held]} held"
	((${#snap_clones[@]} == 0)) || count+=", ${#snap_clones[@]} cloned"
	((s[removing] == 0)) || count+=", ${s[removing]} being removed"
	status_summary
	printf '%s\t%s\n' state "$REPLY" snapshots "$count, newest $newest" \
		schedule "${text:-none}"
	mount_where
	printf '%s\t%s\n' mounted "${REPLIES[0]:-no}"
	status_memory
	printf '%s\t%s\n' shown "$REPLY"
}

# status_memory - sets REPLY to how many snapshots are shown, and what that takes.
status_memory() {
	local text="${s[shown]} snapshots, kernel memory"
	output_size "${s[view_bytes]}"
	text+=" $REPLY"
	if ((s[view_most_bytes] > 0)); then
		output_size "${s[view_most_bytes]}"
		text+=" of $REPLY"
	fi
	REPLY=$text
}

# status_json - the same as an object.
status_json() {
	local key host separator=
	printf '{'
	for key in name role state head_state store_mode store_short needs_check on_full; do
		output_json "${s[$key]}"
		printf '"%s":%s,' "$key" "$REPLY"
	done
	for key in volume_bytes snapshots lost held removing newest newest_time revert shown view_bytes \
		view_most_bytes store_used_bytes store_total_bytes meta_used_bytes meta_total_bytes \
		store_full_seconds; do
		printf '"%s":%s,' "$key" "${s[$key]:-null}"
	done
	printf '"targets":['
	for host in "${targets[@]}"; do
		status_target "$host"
		output_json "$host"
		printf '%s{"host":%s,"base":%s,"behind":%s,' \
			"$separator" "$REPLY" "${t[base]:-null}" "${t[behind]}"
		output_json "${t[error]}"
		printf '"last_success":%s,"last_error":%s}' "${t[success]:-null}" "$REPLY"
		separator=,
	done
	printf ']'
	[[ -z ${usage[*]-} ]] || {
		printf ',"usage":'
		usage_json
	}
	printf '}'
}
