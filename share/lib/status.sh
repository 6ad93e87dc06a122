# status.sh - what there is to know of one volume, and its forms.
#
# Needs core.sh ... snap.sh, target.sh, hold.sh, bookmark.sh, output.sh, transfer.sh, forecast.sh, space.sh, damage.sh.   Takes
# no lock and touches no filesystem: it answers while a volume is suspended.
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
	status_scrub
	damage_list
	s[damaged]=${#REPLIES[@]}
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
	status_source
	mapfile -t targets < <(target_list)
}

# status_source - s[source], the host that a replica follows, s[source_period], s[source_success], a time, and s[source_error].
status_source() {
	s[source]='' s[source_period]='' s[source_success]='' s[source_error]=''
	[[ $role == source ]] || return 0
	state_get host "$dir/source/host"
	s[source]=$REPLY
	status_period "$dir/source"
	s[source_period]=$REPLY
	state_get number "$dir/source/last_success"
	s[source_success]=$REPLY
	state_get text "$dir/source/last_error"
	s[source_error]=$REPLY
}

# status_scrub - s[last_verify] and s[differing_bytes], of a replica against what it received.
status_scrub() {
	state_get verdict "$dir/source/verified"
	IFS=' ' read -r 's[last_verify]' _ 's[differing_bytes]' _ <<<"$REPLY"
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

# status_target HOST - sets t[]: base (an id), bookmark (the state of one, in its place), behind (snapshots), behind_seconds and
# behind_bytes, period, success (a time), error, failures (how many since it was defined), busy, held_bytes, held_seconds, base_days
# and base_bytes, and verified (a time), differ (bytes) and repaired, of the last verify.   Needs bookmark_show.
status_target() {
	target_load "$1"
	declare -gA t=([host]=$1 [base]='' [uuid]='' [bookmark]='' [behind]=${#snap_ids[@]} [behind_seconds]=''
		[behind_bytes]='' [lacks_since]='' [busy]='')
	status_base
	status_hold
	status_period "$target_dir"
	t[period]=$REPLY
	state_get number "$target_dir/last_success"
	t[success]=$REPLY
	state_get text "$target_dir/last_error"
	t[error]=$REPLY
	state_get number "$target_dir/failures" 0
	t[failures]=$REPLY
	state_get verdict "$target_dir/verified"
	IFS=' ' read -r 't[verified]' _ 't[differ]' 't[repaired]' <<<"$REPLY"
	[[ ! -e $target_dir/stopped ]] || t[busy]=stopped
	declare -gA transfer=()
	if lock_held "$volume:target:$1"; then
		t[busy]=sending
		status_transfer "$ZUMASTOR_RUN/jobs/$volume:send:$1"
	fi
}

# status_transfer JOB - what is being sent, in t[busy] and transfer[].
status_transfer() {
	if transfer_read "$1"; then
		transfer_text
		t[busy]+=" $REPLY"
	else
		transfer=()
	fi
}

# status_transfer_json - the same as an object, or null; sets REPLY.
status_transfer_json() {
	local key
	REPLY=
	for key in snapshot total_bytes done_bytes sent_bytes rate_bytes left_seconds; do
		REPLY+="${REPLY:+,}\"$key\":${transfer[$key]:-null}"
	done
	REPLY="{$REPLY}"
	[[ -n ${transfer[snapshot]-} ]] || REPLY=null
}

# status_period DIR - sets REPLY to the seconds between two replications to a target, or from a source, or to nothing.
status_period() {
	state_get number "$1/period"
	[[ $REPLY != 0 ]] || REPLY=
}

# status_base - the base, or its bookmark, and what is newer.
status_base() {
	state_get uuid "$target_dir/base"
	[[ -n $REPLY ]] || return 0
	t[uuid]=$REPLY
	snap_of_uuid "${t[uuid]}"
	t[base]=$REPLY
	if [[ -z $REPLY && -n ${bookmark_facts[${t[uuid]}]-} ]]; then
		bookmark_state "${t[uuid]}"
		t[bookmark]=$REPLY
		bookmark_fact "${t[uuid]}" id
	fi
	[[ -n $REPLY ]] || return 0
	snap_after "$REPLY"
	t[behind]=${#REPLIES[@]}
	((t[behind] == 0)) || t[lacks_since]=${snap_time[${REPLIES[0]}]}
	status_behind
}

# status_behind - how much older than the newest snapshot, REPLIES[-1], what the target has is, and what changed since at most.
status_behind() {
	local id since=0 chunks=0
	if [[ -n ${t[base]} ]]; then
		since=${snap_time[${t[base]}]} chunks=${snap_entries[${t[base]}]:-0}
	else
		bookmark_fact "${t[uuid]}" time
		since=${REPLY:-0}
		bookmark_fact "${t[uuid]}" chunks
		chunks=${REPLY:-0}
	fi
	t[behind_seconds]=0 t[behind_bytes]=0
	((t[behind])) || return 0
	# The newest one has what changes from now on.
	for id in "${REPLIES[@]:0:t[behind]-1}"; do
		chunks=$((chunks + ${snap_entries[id]:-0}))
	done
	t[behind_seconds]=$((snap_time[REPLIES[-1]] > since ? snap_time[REPLIES[-1]] - since : 0))
	snap_number chunk_sectors
	t[behind_bytes]=$((chunks * REPLY * 512))
}

# status_hold - what the target keeps here, and how long, and how much that may be.
status_hold() {
	local file=$target_dir/base
	[[ -e $file ]] || file=$target_dir/sending
	hold_caps "$target_dir"
	t[base_days]=${REPLIES[0]} t[base_bytes]=${REPLIES[1]} t[held_seconds]='' t[held_bytes]=0
	state_get uuid "$file"
	[[ -n $REPLY ]] || return 0
	snap_of_uuid "$REPLY"
	[[ -n $REPLY ]] || return 0
	hold_bytes "$REPLY"
	t[held_bytes]=$REPLY
	hold_age "$file"
	t[held_seconds]=$REPLY
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
	((s[damaged] == 0)) || REPLY="${s[damaged]} snapshots damaged"
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

# status_verdict TIME BYTES REPAIRED - sets REPLY to how the last verify ended, or to nothing.
status_verdict() {
	local age
	REPLY=
	[[ -n $1 ]] || return 0
	status_age "$1"
	age=$REPLY
	output_size "$2"
	if (($2 == 0)); then
		REPLY="verified $age ago"
	else
		REPLY="$REPLY differ${3:+ed, repaired}, verified $age ago"
	fi
}

# status_target_row - one line of the table of targets.
status_target_row() {
	local note=${t[busy]} base=${t[base]}
	[[ -z ${t[bookmark]} ]] || base='bookmark'
	[[ ${t[bookmark]:-ok} == ok ]] || note+="${note:+; }the bookmark is ${t[bookmark]}"
	[[ -z ${t[error]} ]] || note+="${note:+; }${t[error]}"
	status_verdict "${t[verified]}" "${t[differ]}" "${t[repaired]}"
	[[ -z $REPLY ]] || note+="${note:+; }$REPLY"
	# Of all volumes, the beginning; of one, the whole.
	((${#args[@]})) || note=${note:0:40}
	status_age "${t[success]}"
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$volume" "${t[host]}" "${base:--}" "${t[behind]}" \
		"$REPLY" "${note:--}"
}

# status_hold_row - one line of the table of what targets hold.
status_hold_row() {
	local row=${t[host]} uuid=${t[uuid]}
	output_size "${t[held_bytes]}"
	row+=$'\t'$REPLY
	output_size "${t[base_bytes]}"
	row+=$'\t'$REPLY
	REPLY=-
	[[ -z ${t[held_seconds]} ]] || output_age "${t[held_seconds]}"
	row+=$'\t'$REPLY$'\t'${t[base_days]}d$'\t'
	if [[ ${t[bookmark]} == ok ]]; then
		bookmark_fact "$uuid" chunks
		row+="$REPLY chunks"
		bookmark_fact "$uuid" bytes
		output_size "$REPLY"
		row+=" in $REPLY"
	else
		row+=${t[bookmark]:--}
	fi
	printf '%s\n' "$row"
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
	local used newest=none count=${s[snapshots]}
	status_used store
	used=$REPLY
	if [[ -n ${s[newest]} ]]; then
		status_age "${s[newest_time]}"
		newest="${s[newest]}, $REPLY ago"
	fi
	output_size "${s[volume_bytes]}"
	printf '%s\t%s\n' volume "${s[name]}, $REPLY" role "${s[role]}"
	if [[ -n ${s[source]} ]]; then
		status_age "${s[source_success]}"
		printf 'source\t%s\n' "${s[source]}, last $REPLY${s[source_error]:+; ${s[source_error]}}"
	fi
	printf '%s\t%s\n' origin "$origin" store "$store, $used"
	status_used meta
	printf '%s\t%s\n' metadata "$REPLY"
	status_full_in
	printf '%s\t%s\n' 'full in' "$REPLY" 'on full' "${s[on_full]}"
	((s[held] == 0)) || count+=", ${s[held]} held"
	((${#snap_clones[@]} == 0)) || count+=", ${#snap_clones[@]} cloned"
	((s[removing] == 0)) || count+=", ${s[removing]} being removed"
	status_summary
	printf '%s\t%s\n' state "$REPLY" snapshots "$count, newest $newest"
	status_schedule status_kind
	printf 'schedule\t%s\n' "${REPLY:-none}"
	mount_where
	printf '%s\t%s\n' mounted "${REPLIES[0]:-no}"
	status_memory
	printf '%s\t%s\n' shown "$REPLY"
	status_verdict "${s[last_verify]}" "${s[differing_bytes]}" ''
	[[ -z $REPLY ]] || printf '%s\t%s\n' received "$REPLY"
}

# status_schedule FUNCTION - sets REPLY to what FUNCTION KIND KEEP NEXT adds to text for each kind of snapshots; NEXT is the time of
# the next one, or nothing where none is taken here.   Needs health.sh.
status_schedule() {
	local file kind keep text=''
	health_newest
	for file in "$dir"/schedule/*; do
		kind=${file##*/}
		is_kind "$kind" || continue
		state_get number "$file"
		keep=$REPLY
		REPLY=
		((keep == 0)) || ! health_takes || status_next "$kind"
		"$1" "$kind" "$keep" "$REPLY"
	done
	REPLY=$text
}

# status_next KIND - sets REPLY to when the next one is taken, or to nothing where that cannot be told.
status_next() {
	local due='' period
	health_last "$1"
	health_due "$1" "$REPLY" || true
	REPLY=$due
}

status_kind() {
	text+="${text:+; }$1 $2"
	[[ -n $3 ]] || return 0
	if (($3 > EPOCHSECONDS)); then
		output_age $(($3 - EPOCHSECONDS))
		text+=", next in $REPLY"
	else
		text+=", next now"
	fi
}

status_kind_json() {
	output_json "$1"
	text+="${text:+,}{\"kind\":$REPLY,\"keep\":$2,\"next\":${3:-null}}"
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

# status_source_json - a member of that object.
status_source_json() {
	local source
	printf '"source":'
	if [[ -n ${s[source]} ]]; then
		output_json "${s[source]}"
		source=$REPLY
		output_json "${s[newest]:+${snap_uuid[${s[newest]:-0}]}}"
		printf '{"host":%s,"period":%s,"base":%s,"base_uuid":%s,' "$source" "${s[source_period]:-null}" \
			"${s[newest]:-null}" "$REPLY"
		output_json "${s[source_error]}"
		printf '"last_success":%s,"last_error":%s},' "${s[source_success]:-null}" "$REPLY"
	else
		printf 'null,'
	fi
}

# status_target_json - adds the target as an object to target_objects.
status_target_json() {
	local text
	output_json "${t[host]}"
	text="{\"host\":$REPLY"
	output_json "${t[error]}"
	text+=",\"period\":${t[period]:-null},\"base\":${t[base]:-null},\"behind\":${t[behind]}"
	text+=",\"behind_seconds\":${t[behind_seconds]:-null},\"behind_bytes\":${t[behind_bytes]:-null}"
	text+=",\"held_bytes\":${t[held_bytes]},\"held_seconds\":${t[held_seconds]:-null}"
	text+=",\"base_bytes\":${t[base_bytes]},\"base_days\":${t[base_days]}"
	text+=",\"last_success\":${t[success]:-null},\"last_error\":$REPLY,\"failures\":${t[failures]}"
	[[ -z ${t[repaired]} ]] || t[repaired]=true
	text+=",\"last_verify\":${t[verified]:-null},\"differing_bytes\":${t[differ]:-null}"
	status_transfer_json
	target_objects+="${target_objects:+,}$text,\"repaired\":${t[repaired]:-false},\"sending\":$REPLY}"
}

# status_json - the same as an object.   Needs health.sh.
status_json() {
	local key target_objects=''
	health_read status_target_json
	printf '{'
	for key in name role state head_state store_mode store_short needs_check on_full; do
		output_json "${s[$key]}"
		printf '"%s":%s,' "$key" "$REPLY"
	done
	for key in volume_bytes snapshots lost damaged held removing newest newest_time revert shown view_bytes \
		view_most_bytes store_used_bytes store_total_bytes meta_used_bytes meta_total_bytes \
		store_full_seconds last_verify differing_bytes; do
		printf '"%s":%s,' "$key" "${s[$key]:-null}"
	done
	status_source_json
	status_schedule status_kind_json
	printf '"schedule":[%s],"targets":[%s],"bookmarks":' "$REPLY" "$target_objects"
	bookmark_json
	printf ',"checks":'
	health_json
	[[ -z ${usage[*]-} ]] || {
		printf ',"usage":'
		usage_json
	}
	printf '}'
}
