# due.sh - what the schedules and periods of a volume want now.
#
# Needs core.sh ... volume.sh, snap.sh, target.sh, calendar.sh, schedule.sh.   Works on the caller's now, in seconds since 1970,
# and sets soonest, when something will be due next, or nothing.
#
# A kind's snapshot is due when one of its times has come since the last one was taken: however many were missed, one.
# When that was is $dir/due/KIND, and in the record, which has it even when whoever took it was killed before they noted it.
# A transfer is due once in each of its periods, at a moment of its own so that not all hosts send at once;
# in $ZUMASTOR_RUN/due, as none is missed by a reboot.
# shellcheck shell=bash disable=SC2034,SC2154

# due_by TIME - something will be due then.
due_by() {
	((${soonest:-$1} < $1)) || soonest=$1
}

# due_next KIND TIME - calendar_next of that kind.
due_next() {
	local when
	schedule_at "$1"
	when=$REPLY
	calendar_kept "$ZUMASTOR_RUN/due/$volume:$1${3-}" "$when" "$2" || die "bad calendar expression '$when' in '$dir/at/$1'"
}

# due_since KIND - sets REPLY to when the last one was taken, as noted, or to nothing where only the record can tell: the clock
# was ahead.  If by so little that the next one was taken, ahead is set: that is to stay noted.
due_since() {
	local last
	ahead=
	state_get number "$dir/due/$1"
	last=$REPLY
	[[ -n $last ]] && ((last > now)) || return 0
	due_next "$1" "$now" .ahead
	if [[ -z $REPLY ]] || ((last < REPLY)); then
		REPLY=$last
		return
	fi
	due_next "$1" "$REPLY" .ahead
	if [[ -z $REPLY ]] || ((last < REPLY)); then
		ahead=yes
	fi
	REPLY=
}

# due_kind KIND SINCE - is one due, when the last one was taken then?
due_kind() {
	[[ -n $2 ]] || return 0
	due_next "$1" "$2"
	[[ -n $REPLY ]] || return
	((REPLY > now)) || return 0
	due_by "$REPLY"
	return 1
}

# due_recorded KIND - sets REPLY to when the newest one was taken, by the record and not after now, or to nothing.   Needs snap_load.
due_recorded() {
	local id
	REPLY=
	for id in "${snap_ids[@]}"; do
		[[ ,${snap_kinds[id]}, != *",$1,"* ]] || ((snap_time[id] > now)) || REPLY=${snap_time[id]}
	done
}

# due_is_recorded KIND - was the one that is due taken, and not noted?   Then it is noted.
due_is_recorded() {
	due_recorded "$1"
	[[ -n $REPLY ]] || return
	[[ -n $ahead ]] || state_set "$dir/due/$1" "$REPLY"
	! due_kind "$1" "$REPLY"
}

# due_kinds - sets REPLIES to the kinds of which a snapshot is due.
due_kinds() {
	local kind ahead loaded=
	local -a kinds=()
	[[ -d $dir/due ]] || mkdir -- "$dir/due"
	for kind in "$dir"/schedule/*; do
		kind=${kind##*/}
		is_kind "$kind" || continue
		state_get number "$dir/schedule/$kind" 0
		[[ $REPLY != 0 ]] || continue
		schedule_at "$kind"
		[[ -n $REPLY ]] || continue
		due_since "$kind"
		due_kind "$kind" "$REPLY" || continue
		[[ -n $loaded ]] || snap_load
		loaded=yes
		! due_is_recorded "$kind" || continue
		kinds+=("$kind")
	done
	REPLIES=("${kinds[@]}")
}

# due_taken KIND... - a snapshot of these was taken.
due_taken() {
	local kind ahead
	local -a pairs=()
	for kind in "$@"; do
		due_since "$kind"
		[[ -n $ahead ]] || pairs+=("$dir/due/$kind" "$now")
	done
	((${#pairs[@]} == 0)) || state_set "${pairs[@]}"
}

# due_phase NAME PERIOD - sets REPLY to the seconds into its periods at which its moment is: always the same ones.
due_phase() {
	local spread=${config[jitter]}
	((spread * 10 <= $2)) || spread=$(($2 / 10))
	REPLY=$(cksum <<<"$HOSTNAME $1")
	REPLY=$((${REPLY%% *} % (spread + 1)))
}

# due_transfer HOST PERIOD - is the one with HOST due?  Sets REPLY to the number of the period.
due_transfer() {
	local slot
	[[ -n $2 && $2 != 0 ]] || return
	due_phase "$volume:$1" "$2"
	slot=$(((now - REPLY) / $2))
	due_by $(((slot + 1) * $2 + REPLY))
	state_get number "$ZUMASTOR_RUN/due/$volume:to:$1"
	[[ $slot != "$REPLY" ]] || return
	REPLY=$slot
}

# due_begun VOLUME HOST SLOT - in that period it needs no other one.
due_begun() {
	printf '%s\n' "$3" >"$ZUMASTOR_RUN/due/$1:to:$2"
}

# due_lacks HOST - does the target lack anything, as far as is known?  Once an hour it is asked.
due_lacks() {
	local newest
	state_get feature "$target_dir/test"
	[[ -z $REPLY && ! -e $target_dir/repair && ! -e $target_dir/last_error ]] || return 0
	state_get number "$target_dir/last_success" 0
	((now - REPLY < 3600 && REPLY <= now)) || return 0
	snap_load
	snap_newest
	newest=${REPLY:+${snap_uuid[REPLY]}}
	state_get uuid "$target_dir/base"
	[[ $REPLY != "$newest" ]]
}

# due_hosts - sets REPLIES to "HOST SLOT" of the transfers that are due.
due_hosts() {
	local target_dir host slot
	local -a hosts=()
	if [[ $role == source && ! -e $dir/source/stopped ]]; then
		state_get host "$dir/source/host"
		host=$REPLY
		state_get number "$dir/source/period"
		! due_transfer "$host" "$REPLY" || hosts+=("$host $REPLY")
	fi
	for target_dir in "$dir"/targets/*; do
		host=${target_dir##*/}
		if ! is_host "$host" || [[ -e $target_dir/stopped ]]; then
			continue
		fi
		state_get number "$target_dir/period"
		due_transfer "$host" "$REPLY" || continue
		slot=$REPLY
		! due_lacks "$host" || hosts+=("$host $slot")
	done
	REPLIES=("${hosts[@]}")
}
