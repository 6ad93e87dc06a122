# service.sh - what `start` and `stop` have in common.
#
# Needs core.sh, check.sh, state.sh, volume.sh; the command's start_volume or stop_volume.
# shellcheck shell=bash disable=SC2154

# service_dispatch start|stop [THING VOL [HOST]]
service_dispatch() {
	local verb=$1
	shift
	case $#:${1-} in
	0:)		service_all "$verb" ;;
	2:volume)	service_volume "$verb" "$2" ;;
	2:master | 2:source)
			service_role "$verb" "$1" "$2" ;;
	3:target)	service_target "$verb" "$2" "$3" ;;
	*)		die_usage "expected nothing, or volume, master, source or target by name" ;;
	esac
}

service_volume() {
	if [[ -n ${opt[wait]-} ]]; then
		service_these "$1" "$2"
	else
		"$1_volume" "$2"
	fi
}

service_all() {
	need_root
	state_open
	service_order "$1"
	service_these "$1" "${REPLIES[@]}"
}

# service_these VERB VOLUME... - each volume by a process of its own: one that fails does not stop the others.
service_these() {
	local ends failed=0 code=0
	local -a busy
	monotonic
	ends=$((REPLY + ${opt[wait]:-0}))
	service_each "$@"
	while ((${#busy[@]})) && monotonic && ((REPLY < ends)); do
		sleep 1
		service_each "$1" "${busy[@]}"
	done
	# Each has said why.
	failed=$((failed + ${#busy[@]}))
	((failed == 0)) || exit "$((failed == 1 ? code : SOME_FAILED))"
}

# service_each VERB VOLUME... - sets busy to those that are in use, counts in failed those that it never will work for, and
# sets code to what one of them ended with.
service_each() {
	local verb=$1 name status
	shift
	busy=()
	for name in "$@"; do
		status=0
		"$ZUMASTOR_LIBEXEC/zumastor-$verb" volume "$name" ${verbose:+-v} ${quiet:+-q} \
			${opt[no-mount]:+--no-mount} || status=$?
		case $status in
		0)	continue ;;
		"$BUSY")	busy+=("$name") ;;
		*)	failed=$((failed + 1)) ;;
		esac
		code=$status
	done
}

# service_order VERB - sets REPLIES to all volumes: those on clones after those they are clones of, or before.
service_order() {
	local name
	local -a below=() above=()
	while IFS= read -r name; do
		if [[ -e $ZUMASTOR_STATE/volumes/$name/parent ]]; then
			above+=("$name")
		else
			below+=("$name")
		fi
	done < <(volume_list)
	REPLIES=("${below[@]}" "${above[@]}")
	[[ $1 != stop ]] || REPLIES=("${above[@]}" "${below[@]}")
}

# service_role VERB ROLE VOL - whether the volume's schedule, or its source, is to be served.
service_role() {
	volume_claim "$3"
	[[ $role == "$2" ]] || die_with "$ABSENT" "volume '$volume' is no $2"
	service_flag "$1" "$dir/$2/stopped"
}

service_target() {
	local host port user
	volume_claim "$2"
	host_split "$3"
	[[ -d $dir/targets/$host ]] || die_with "$ABSENT" "volume '$volume' has no target '$host'"
	service_flag "$1" "$dir/targets/$host/stopped"
}

service_flag() {
	if [[ $1 == start ]]; then
		rm -f -- "$2"
	else
		state_set "$2" yes
	fi
}
