# served.sh - the answering end of a conversation with another host.   Needs core.sh; served_greet and served_offer also
# check.sh ... snap.sh, replica.sh, and the command's volume, partial and patience.
#
# Two processes: zumastor-VERB tells how zumastor-VERB-stream ended.
# shellcheck shell=bash disable=SC2034,SC2154

# served_run ARG... - the last line is "failed CODE message" where it failed, which is on stderr, too.   While nothing comes in, TCP
# does not notice that the sender is gone, and the volume would stay locked for it; what is sent to one that is gone ends
# the connection.
served_run() {
	local text code=0 stdout
	# A sender that is gone must not end us before the mount is as it should be.
	trap '' PIPE
	exec {stdout}>&1
	every 15 printf 'alive\n' 2>/dev/null &
	always kill "$!"
	text=$(become "${0##*/}-stream" -- "$@" 2>&1 >&"$stdout") || code=$?
	if ((code)); then
		text=$(one_line "${text##*$'\n'}")
		text=${text#"$program stream: "}
		printf '%s: %s\n' "$program" "$text" >&2 || true
		printf 'failed %d %s\n' "$code" "${text%; try *}" 2>/dev/null || true
		exit "$code"
	fi
	[[ -z $text ]] || printf '%s\n' "$text" >&2
}

# served_greet VERB - what there is here.  A sender that did not wait for it has said why: served_offer reads that.
served_greet() {
	local i
	local -a uuids=() lines=("zumastor-$1 1")
	snap_number origin_sectors
	lines+=("volume_bytes $((REPLY * 512))")
	replica_base	# first what the origin holds
	for ((i = ${#snap_ids[@]} - 1; i >= 0; i--)); do
		[[ ${snap_uuid[${snap_ids[i]}]} == "$REPLY" ]] || uuids+=("${snap_uuid[${snap_ids[i]}]}")
	done
	[[ $REPLY == none ]] || lines+=("holds $REPLY" "${uuids[@]/#/holds }")
	((${#partial[@]} == 0)) || lines+=("partial ${partial[*]}")
	printf '%s\n' "${lines[@]}" ready 2>/dev/null || true
}

# served_offer - sets offer, the words of what is wanted.  While the sender finds out what changed it says that it is alive;
# one that is silent, or that takes an hour, is not waited for.
served_offer() {
	local count
	for ((count = 0; count < 240; count++)); do
		read_line "$patience" 0 || die "the sender said nothing"
		IFS=' ' read -r -a offer <<<"$REPLY"
		[[ ${offer[0]-} == alive ]] || return 0
	done
	die "the sender says that it is alive, and nothing else"
}
