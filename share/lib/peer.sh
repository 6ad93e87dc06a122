# peer.sh - the sender's end of the conversation with `zumastor receive` on another host.
#
# Needs core.sh, check.sh, config.sh, lock.sh.   We ask `zumastor serve` there for it by a line of its own,
#
#     zumastor 1 receive VOLUME
#
# and the receiver speaks first:
#
#     zumastor-receive 1      volume_bytes N      holds UUID (newest first)      ready
#
# and before "ready", where a delta was cut:  partial BASE|none UUID OFFSET.
#
# then we, having said  alive  every few seconds until we know:  nothing  |  send BASE|none UUID [OFFSET], and the delta, or its rest from there on; and it:  done UUID written_bytes.
# At any time it may end with:  failed CODE message; and every few seconds it says:  alive.
# shellcheck shell=bash disable=SC2154

# remote HOST PORT CMD [ARG...] - becomes ssh.  No terminal, no question, no shared connection: a
# master connection would inherit what we hold open.
remote() {
	local host=$1 port=$2
	shift 2
	unlocked "${ZUMASTOR_SSH:-ssh}" -T -o BatchMode=yes \
		-o ControlMaster=no -o ControlPath=none -o ServerAliveInterval=15 \
		-o "ConnectTimeout=${config[connect_timeout]}" ${port:+-p "$port"} -- "$host" "$(sh_quote "$@")"
}

# peer_open - connect to $host; sets peer_in, peer_out and peer_pid.  What ssh and the other side
# complain about is kept in $job/ssh.
peer_open() {
	coproc PEER { remote "$host" "$port" zumastor serve 2>"$job/ssh"; }
	# shellcheck disable=SC2153 # coproc sets it
	peer_pid=$PEER_PID
	exec {peer_in}<&"${PEER[0]}" {peer_out}>&"${PEER[1]}"
	# The end of our stream is seen over there only when no copy of its descriptor is left.
	exec {PEER[0]}<&- {PEER[1]}>&-
}

peer_say() {
	# When it does not listen any more, it may have said why.
	{ printf '%s\n' "$*" >&"$peer_out"; } 2>/dev/null || peer_hear
}

# peer_murmur - say that we are there, until peer_choose: who is silent for a minute is given up over there.  It ends with
# us, however we do.
peer_murmur() {
	local never fd
	for fd in "${lock_fd[@]}"; do
		exec {fd}>&-
	done
	exec {never}<> <(:)
	while ! read -r -t 15 -u "$never" && [[ -e /proc/$$ ]]; do
		printf 'alive\n' >&"$peer_out" || return 0
	done
}

# peer_choose WORD... - what we want of what the other side has.
peer_choose() {
	kill "$murmur_pid" 2>/dev/null || true
	wait "$murmur_pid" 2>/dev/null || true
	murmur_pid=
	peer_say "$@"
}

peer_end_of_stream() {
	exec {peer_out}>&-
}

# peer_hear - sets REPLY to a line of the other side; dies with its reason when that is a failure.
peer_hear() {
	REPLY=alive
	while [[ $REPLY == alive ]]; do
		IFS= read -r -n 1000 -u "$peer_in" REPLY || peer_lost
	done
	if [[ $REPLY =~ ^failed\ ([1-7])\ (.*)$ ]]; then
		die_with "${BASH_REMATCH[1]}" \
			"'$host' refuses volume '$remote_name': ${BASH_REMATCH[2]}${peer_note:+; $peer_note}"
	fi
}

# peer_lost - the connection ended without an answer; say why.
peer_lost() {
	local code=0 line reason=
	wait "$peer_pid" || code=$?
	while IFS= read -r line; do
		line=${line%$'\r'}
		reason=${line:-$reason}
	done <"$job/ssh"
	((code == 255)) || die "'$host' broke off: ${reason:-exit $code}"
	die "cannot reach '$host': ${reason:-ssh exited 255}"
}

# peer_close - the other side is done; pass on what it warned of.
peer_close() {
	local line
	wait "$peer_pid" || true
	exec {peer_in}<&-
	while IFS= read -r line; do
		warn "'$host': ${line#*warning: }"
	done <"$job/ssh"
}

# peer_greeting - say what we want; sets peer_bytes, peer_holds (uuids, newest first) and peer_partial (base, uuid and offset, or none).
peer_greeting() {
	local -a words
	peer_holds=() peer_partial=() peer_bytes=
	peer_say zumastor 1 receive "$remote_name"
	peer_hear
	[[ $REPLY == 'zumastor-receive 1' ]] ||
		die "'$host' does not speak our language: '${REPLY:0:80}'"
	while peer_hear && [[ $REPLY != ready ]]; do
		if [[ $REPLY =~ ^volume_bytes\ ([1-9][0-9]{0,17})$ ]]; then
			peer_bytes=${BASH_REMATCH[1]}
		elif [[ $REPLY == 'holds '* ]] && is_uuid "${REPLY#holds }"; then
			peer_holds+=("${REPLY#holds }")
		elif [[ $REPLY == 'partial '* ]]; then
			read -r -a words <<<"${REPLY#partial }"
			check base "${words[0]-}" 'base' "$CORRUPT"
			check uuid "${words[1]-}" 'snapshot' "$CORRUPT"
			check number "${words[2]-}" 'offset' "$CORRUPT"
			peer_partial=("${words[@]:0:3}")
		else
			die_with "$CORRUPT" "'$host' said something unexpected: '${REPLY:0:80}'"
		fi
		((${#peer_holds[@]} <= 10000)) || die_with "$CORRUPT" "'$host' holds too much"
	done
	peer_murmur 2>/dev/null &
	murmur_pid=$!
}
