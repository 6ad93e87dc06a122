# schedule.sh - how many snapshots of each kind a volume keeps, when they are taken, and what goes when the store is full,
# as options and as facts.
#
# Needs core.sh, options.sh, check.sh, config.sh, state.sh, calendar.sh.   Works on the command's opt and dir.
# shellcheck shell=bash disable=SC2034,SC2154

schedule_options=('h|hourly=' 'd|daily=' 'w|weekly=' 'm|monthly=' 'c|custom*' '|at*' '|on-full=')

# schedule_check - sets schedule[KIND] to the limits given as options, and schedule_when[KIND] to when they are taken.   Needs
# config_load.
schedule_check() {
	local kind line
	declare -gA schedule=() schedule_when=()
	[[ -z ${opt[on-full]+set} ]] || check policy "${opt[on-full]}" 'policy'
	for kind in hourly daily weekly monthly; do
		[[ -z ${opt[$kind]+set} ]] || schedule_add "$kind" "${opt[$kind]}"
	done
	if [[ -n ${opt[custom]+set} ]]; then
		while IFS= read -r line; do
			kind=custom
			[[ $line != *,* ]] || kind=${line%%,*}
			check kind "$kind" 'kind'
			schedule_add "$kind" "${line#*,}"
		done <<<"${opt[custom]}"
	fi
	[[ -z ${opt[at]+set} ]] || schedule_check_at
}

# schedule_check_at - [KIND=]EXPRESSION: without KIND it is the custom one's, where there is one.
schedule_check_at() {
	local line kind
	while IFS= read -r line; do
		kind=${line%%=*}
		if [[ $line != *=* ]]; then
			[[ -n ${opt[custom]-} && ${opt[custom]} != *$'\n'* ]] ||
				die_usage "--at '${line:0:80}' is of which kind? try --at KIND=EXPRESSION"
			kind=custom
			[[ ${opt[custom]} != *,* ]] || kind=${opt[custom]%%,*}
		fi
		check kind "$kind" 'kind'
		schedule_check_calendar "${line#*=}"
		schedule_when[$kind]=${line#*=}
	done <<<"${opt[at]}"
}

# schedule_check_calendar EXPRESSION - none is never by schedule; one that never comes is a mistake.
schedule_check_calendar() {
	[[ $1 != none ]] || return 0
	check calendar "$1" 'calendar expression'
	calendar_next "$1" "$EPOCHSECONDS" ||
		die_usage "bad calendar expression '$1': see systemd.time(7), or 'systemd-analyze calendar'"
	[[ -n $REPLY ]] || die_usage "calendar expression '$1' never comes"
}

schedule_add() {
	check number "$2" "number of $1 snapshots"
	((${#2} <= 4)) || die_usage "too many $1 snapshots: '$2'"
	schedule[$1]=$2
}

# schedule_store - what was not given stays as it is.
schedule_store() {
	local kind
	mkdir -p -- "$dir/schedule"
	[[ -z ${opt[on-full]-} ]] || state_set "$dir/on_full" "${opt[on-full]}"
	for kind in "${!schedule[@]}"; do
		state_set "$dir/schedule/$kind" "${schedule[$kind]}"
	done
	((${#schedule_when[@]} == 0)) || mkdir -p -- "$dir/at"
	for kind in "${!schedule_when[@]}"; do
		state_set "$dir/at/$kind" "${schedule_when[$kind]}"
	done
}

# schedule_at KIND - sets REPLY to when one is taken, a calendar expression, or to nothing.
schedule_at() {
	REPLY=
	[[ $1 != @(hourly|daily|weekly|monthly) ]] || REPLY=$1
	state_get calendar "$dir/at/$1" "$REPLY"
	[[ $REPLY != none ]] || REPLY=
}
