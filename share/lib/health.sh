# health.sh - what is wrong with a volume, or a group: checks, each with a level and a text.
#
# Needs status.sh, calendar.sh, schedule.sh, and what those need.
#
#     volume    does it run, though nobody stopped it?          devices   are its disks there?
#     store     can the pool be written?                        room      is there any left in it?
#     forecast  until when, where nothing makes room?           head      is the newest snapshot what it should be?
#     lost      and the older ones?                             damaged   were some found to differ from that?
#     revert    does it go on?                                  group     does every member have what the group was given?
#     snapshot:KIND  is the newest one that a schedule takes too old?
#     target:HOST    is it served in time?                      copy:HOST     is what it has what it was given?
#     source    is it heard of?
#
# Levels: ok, warning, critical, and unknown where it could not be told.   What does not apply has no check.
# shellcheck shell=bash disable=SC2034,SC2154

# health_say LEVEL CHECK TEXT
health_say() {
	[[ -n ${check_level[$2]+set} ]] || checks+=("$2")
	check_level[$2]=$1
	check_text[$2]=$3
}

health_begin() {
	checks=()
	declare -gA check_level=() check_text=()
}

# health_read [FUNCTION] - sets checks, check_level[] and check_text[], after status_read; FUNCTION is called for each
# target, with t[] set.
health_read() {
	local host
	health_begin
	health_devices
	health_volume
	if [[ ${s[state]} != stopped ]]; then
		health_store
		health_head
		health_revert
		health_kinds
	fi
	health_content
	bookmark_show
	for host in "${targets[@]}"; do
		status_target "$host"
		health_target
		health_copy
		[[ -z ${1-} ]] || "$1"
	done
	[[ -z ${s[source]} ]] || health_source
}

# health_unknown VOLUME [WHY] - the same where status_read has failed; in a process of its own.
health_unknown() {
	health_begin
	health_say unknown volume "${2:-its state cannot be told}"
	(volume_load "$1") 2>/dev/null || return 0
	volume_load "$1"
	health_devices
}

# health_wrong - sets REPLIES to the checks that are not ok, the worst first.
health_wrong() {
	local level name
	REPLIES=()
	for level in critical unknown warning; do
		for name in "${checks[@]}"; do
			[[ ${check_level[$name]} != "$level" ]] || REPLIES+=("$name")
		done
	done
}

# health_json - all of them, as an array.
health_json() {
	local name text separator=
	printf '['
	for name in "${checks[@]}"; do
		output_json "${check_text[$name]}"
		text=$REPLY
		output_json "$name"
		printf '%s{"name":%s,"level":"%s","text":%s}' "$separator" "$REPLY" "${check_level[$name]}" "$text"
		separator=,
	done
	printf ']'
}

health_devices() {
	local path missing=
	for path in "$origin" "$store" "${metadev[@]}"; do
		[[ -b $path ]] || missing+=", '$path'"
	done
	if [[ -n $missing ]]; then
		health_say critical devices "${missing#, } missing"
	else
		health_say ok devices 'all there'
	fi
}

# What `stop` has stopped since the last boot is to be stopped.
health_volume() {
	case ${s[state]} in
	running)	health_say ok volume running ;;
	stopped)	if [[ -e $ZUMASTOR_RUN/space/$volume/stopped ]]; then
				health_say ok volume 'stopped, as it was told to'
			else
				health_say critical volume 'not running'
			fi ;;
	suspended)	if lock_held "$volume"; then
				health_say ok volume 'a command is at work'
			else
				health_say warning volume 'suspended, and no command is at work'
			fi ;;
	detached)	health_say critical volume "'$origin' does not lie on it any more, and is written past it" ;;
	*)		health_say unknown volume "state '${s[state]}'" ;;
	esac
}

health_store() {
	space_broken
	if [[ -n $REPLY ]]; then
		health_say critical store "$REPLY"
	else
		health_say ok store 'can be written'
	fi
	space_fullness
	case $REPLY in
	'')		health_say ok room 'not short' ;;
	'store full'*)	health_say critical room "$REPLY" ;;
	*)		health_say warning room "$REPLY" ;;
	esac
	health_forecast
}

# Where snapshots are removed to make room, a store is always about to be full.
health_forecast() {
	local level=ok seconds=${s[store_full_seconds]}
	[[ -n $seconds ]] || return 0
	output_age "$seconds"
	if [[ ${s[on_full]} == halt ]] && ((seconds < config[alarm_full])); then
		level=warning
	fi
	health_say "$level" forecast "full in $REPLY, then: ${s[on_full]}"
}

health_head() {
	if [[ ${s[head_state]} == @(ok|none) ]]; then
		health_say ok head "${s[head_state]}"
	else
		health_say critical head "the newest snapshot is ${s[head_state]}"
	fi
}

health_content() {
	health_say ok lost none
	((s[lost] == 0)) || health_say critical lost "snapshots ${snap_lost[*]} are lost: their content cannot be trusted"
	health_say ok damaged none
	damage_list
	((${#REPLIES[@]} == 0)) || health_say critical damaged "snapshots ${REPLIES[*]} differ from what they should be"
	[[ ${s[differing_bytes]:-0} == 0 ]] || {
		output_size "${s[differing_bytes]}"
		health_say critical damaged "$REPLY of this replica differ from what it received"
	}
}

health_revert() {
	[[ -n ${s[revert]} ]] || return 0
	if [[ ${s[revert_state]} != ok ]]; then
		health_say critical revert "the revert to ${s[revert]} has failed: ${s[revert_state]}"
	elif lock_held "$volume:revert"; then
		health_say ok revert "to ${s[revert]}"
	else
		health_say warning revert \
			"the revert to ${s[revert]} does not go on; 'zumastor revert $volume --continue' continues it"
	fi
}

# health_late SECONDS PERIOD - sets REPLY to how bad it is to be that late, if something should happen once in a PERIOD: to miss it
# once is nothing.   sanoid warns of hourly snapshots after 90 minutes, of daily ones after 28 hours, and calls 6 and 32 hours critical.
health_late() {
	local grace=$2 worst=$((5 * $2)) least=${config[alarm_patience]} most=${config[alarm_overdue]}
	((grace <= most)) || grace=$most
	((grace >= least)) || grace=$least
	((worst <= 2 * most)) || worst=$((2 * most))
	((worst >= 4 * least)) || worst=$((4 * least))
	REPLY=ok
	if (($1 > worst)); then
		REPLY=critical
	elif (($1 > grace)); then
		REPLY=warning
	fi
}

# health_since FILE - sets REPLY to when it was written: that something has never happened counts from then.
health_since() {
	REPLY=$(stat -c %Y -- "$1" 2>/dev/null) || REPLY=$EPOCHSECONDS
}

# health_newest - sets newest_of[KIND] to the newest snapshot of each.
health_newest() {
	local id kind
	declare -gA newest_of=()
	for id in "${snap_ids[@]}"; do
		for kind in ${snap_kinds[id]//,/ }; do
			newest_of[$kind]=$id
		done
	done
}

# health_takes - does the schedule take snapshots here?
health_takes() {
	[[ $role != source && ! -e $dir/master/stopped ]]
}

# health_kinds - those that the schedule takes here.
health_kinds() {
	local file kind
	health_newest
	health_takes || return 0
	for file in "$dir"/schedule/*; do
		kind=${file##*/}
		is_kind "$kind" || continue
		state_get number "$file"
		((REPLY == 0)) || health_kind "$kind"
	done
}

# health_last KIND - sets REPLY to when the newest one was taken, or to since when there could have been one.
health_last() {
	if [[ -n ${newest_of[$1]-} ]]; then
		REPLY=${snap_time[${newest_of[$1]}]}
	else
		health_since "$dir/schedule/$1"
	fi
}

health_kind() {
	local since due period level
	health_last "$1"
	since=$REPLY
	health_due "$1" "$since" || return 0
	health_late $((EPOCHSECONDS - due)) "$period"
	level=$REPLY
	output_age $((EPOCHSECONDS - since))
	if [[ -n ${newest_of[$1]-} ]]; then
		REPLY="the newest is $REPLY old"
	else
		REPLY="none, for $REPLY"
	fi
	health_say "$level" "snapshot:$1" "$REPLY"
}

# health_due KIND TIME - sets due, to when the next one after that of TIME is due, and period, to what is between that and the one
# after it.  False for a kind without a schedule.
health_due() {
	local when file=$ZUMASTOR_RUN/due/$volume:$1
	schedule_at "$1"
	when=$REPLY
	[[ -n $when ]] && type -P systemd-analyze >/dev/null || return 1
	calendar_kept "$file.told" "$when" "$2" && [[ -n $REPLY ]] || return 1
	due=$REPLY
	calendar_kept "$file.period" "$when" "$due" && [[ -n $REPLY ]] || return 1
	period=$((REPLY - due))
}

# health_target - of t[].  What is being sent for the first time, or after a success, takes the time it takes.
health_target() {
	local level=ok text
	health_served
	level=$REPLY
	status_age "${t[success]}"
	text="served $REPLY ago${t[period]:+, every ${t[period]}s}"
	[[ -n ${t[success]} ]] || text='never served'
	((t[behind] == 0)) || text+="; lacks ${t[behind]} snapshots"
	if [[ ${t[busy]} == stopped ]]; then
		level=ok text=stopped
	elif [[ ${t[busy]} == sending* && -z ${t[error]} ]]; then
		level=ok text+="; ${t[busy]}"
	elif [[ -z ${t[period]} && -n ${t[error]} ]]; then
		level=warning
	fi
	health_say "$level" "target:${t[host]}" "$text${t[error]:+; ${t[error]}}"
}

# health_served - sets REPLY to how bad it is that the target was not served since.  What lacks nothing is asked once an hour
# (due.sh); else it counts from when the first snapshot was there that it lacks.
health_served() {
	local since=${t[success]} every=${t[period]}
	REPLY=ok
	[[ -n $every ]] || return 0
	if [[ -z $since ]]; then
		((t[behind])) || return 0
		health_since "$target_dir/period"
		since=$REPLY
	fi
	((t[behind] || every >= 3600)) || every=3600
	((${t[lacks_since]:-0} <= since)) || since=${t[lacks_since]}
	health_late $((EPOCHSECONDS - since - every)) "$every"
}

health_copy() {
	[[ -n ${t[verified]} ]] || return 0
	if [[ ${t[differ]} == 0 || -n ${t[repaired]} ]]; then
		health_say ok "copy:${t[host]}" equal
	else
		status_verdict "${t[verified]}" "${t[differ]}" ''
		health_say critical "copy:${t[host]}" "$REPLY"
	fi
}

# health_source - a source that sends when it likes is silent after alarm_silent, if that is not 0.
health_source() {
	local level=ok text period=${s[source_period]}
	status_age "${s[source_success]}"
	text="heard of $REPLY ago${period:+, asked every ${period}s}"
	[[ -n ${s[source_success]} ]] || text='never heard of'
	if [[ -e $dir/source/stopped ]]; then
		text=stopped
	elif [[ -n $period ]]; then
		REPLY=${s[source_success]}
		[[ -n $REPLY ]] || health_since "$dir/source/period"
		health_late $((EPOCHSECONDS - REPLY - period)) "$period"
		level=$REPLY
	elif ((config[alarm_silent])); then
		health_silent
		level=$REPLY
	fi
	health_say "$level" source "$text${s[source_error]:+; ${s[source_error]}}"
}

health_silent() {
	local seconds
	REPLY=${s[source_success]}
	[[ -n $REPLY ]] || health_since "$dir/source/host"
	seconds=$((EPOCHSECONDS - REPLY))
	REPLY=ok
	((seconds <= config[alarm_silent])) || REPLY=warning
	((seconds <= 2 * config[alarm_silent])) || REPLY=critical
}

# health_group - of the group that group_load has loaded.
health_group() {
	health_begin
	health_say ok group whole
	if [[ -e $group_dir/taking ]] && ! lock_held "${members[0]}"; then
		health_say warning group "a snapshot of '$group' was cut off; the next one, or start, mends it"
	fi
}
