# schedule.sh - how many snapshots of each kind a volume keeps, and what goes when the store is full,
# as options and as facts.
#
# Needs core.sh, options.sh, check.sh, state.sh.   Works on the command's opt and dir.
# shellcheck shell=bash disable=SC2154

schedule_options=('h|hourly=' 'd|daily=' 'w|weekly=' 'm|monthly=' 'c|custom*' '|on-full=')

# schedule_check - sets schedule[KIND] to the limits given as options.
schedule_check() {
	local kind line
	declare -gA schedule=()
	[[ -z ${opt[on-full]+set} ]] || check policy "${opt[on-full]}" 'policy'
	for kind in hourly daily weekly monthly; do
		[[ -z ${opt[$kind]+set} ]] || schedule_add "$kind" "${opt[$kind]}"
	done
	[[ -n ${opt[custom]+set} ]] || return 0
	while IFS= read -r line; do
		kind=custom
		if [[ $line == *,* ]]; then
			kind=${line%%,*}
		fi
		check kind "$kind" 'kind'
		schedule_add "$kind" "${line#*,}"
	done <<<"${opt[custom]}"
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
}
