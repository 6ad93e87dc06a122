# peer.sh - the sender's end of the conversation with `zumastor receive` on another host, whoever has connected.
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
# then we, where our snapshot is larger than that volume:  grow BYTES,  and it:  volume_bytes BYTES;
# having said  alive  every few seconds until we know:  nothing  |  send BASE|none UUID [OFFSET],
# and the delta, or its rest from there on; and it:  done UUID written_bytes.
# Where the delta holds more than what changed, as something differs over there, we say  repair
# in place of send.
# And instead of receive:   zumastor 1 hash VOLUME   is answered the same way, then we:
# hash UUID OFFSET RATE,  and it:  a line for each 64 KiB from there on, as csrc/delta-hash.c has them.
# At any time it may end with:  failed CODE message; and every few seconds it says:  alive.
#
# Where that host has asked `zumastor serve` here to send, the connection goes on behind the delta.  We say,
# too:  goal UUID, what it will have when it has asked often enough;  framed  before  send, as the delta is in
# pieces (csrc/lib/frame.h); and  failed CODE message, before a delta.
# shellcheck shell=bash disable=SC2034,SC2154

here=	# not empty where the other side has connected to us

# remote HOST PORT CMD [ARG...] - becomes ssh, as $user.  No terminal, no question, no shared connection: a
# master connection would inherit what we hold open.
remote() {
	local host=$1 port=$2
	shift 2
	unlocked "${ZUMASTOR_SSH:-ssh}" -T -o BatchMode=yes \
		-o ControlMaster=no -o ControlPath=none -o ServerAliveInterval=15 \
		-o "ConnectTimeout=${config[connect_timeout]}" ${port:+-p "$port"} ${user:+-l "$user"} -- "$host" "$(sh_quote "$@")"
}

# peer_open - connect to $host; sets peer_in, peer_out and peer_pid.  What ssh and the other side
# complain about is kept in $job/ssh.
peer_open() {
	[[ -z $here ]] || return 0
	coproc PEER { remote "$host" "$port" zumastor serve 2>"$job/ssh"; }
	# shellcheck disable=SC2153 # coproc sets it
	peer_pid=$PEER_PID
	exec {peer_in}<&"${PEER[0]}" {peer_out}>&"${PEER[1]}"
	# The end of our stream is seen over there only when no copy of its descriptor is left.
	exec {PEER[0]}<&- {PEER[1]}>&-
}

# peer_accept - the other side has connected: our stdin and stdout are the conversation.  What people would
# read goes to stderr.
peer_accept() {
	here=yes peer_pid=
	exec {peer_in}<&0 {peer_out}>&1 >&2 </dev/null
	on_exit peer_refuse
}

# peer_refuse - undo of a conversation: say why it ends, unless that would be taken for a part of a delta.
peer_refuse() {
	[[ -n ${streaming-} ]] ||
		{ printf 'failed %d %s\n' "$status" "${last_words:-it failed}" >&"$peer_out"; } 2>/dev/null
}

peer_say() {
	# When it does not listen any more, it may have said why.
	{ printf '%s\n' "$*" >&"$peer_out"; } 2>/dev/null || peer_hear
}

# peer_murmur_begin - from here on what we have to find out may take long.
peer_murmur_begin() {
	peer_murmur 2>/dev/null &
	murmur_pid=$!
}

# peer_murmur - say that we are there, until peer_choose: who is silent for a minute is given up over there.  It ends with
# us, however we do.
peer_murmur() {
	lock_let_go
	every 15 peer_alive
}

peer_alive() {
	[[ -e /proc/$$ ]] && printf 'alive\n' >&"$peer_out"
}

# peer_choose WORD... - what we want of what the other side has.
peer_choose() {
	if [[ -n ${murmur_pid-} ]]; then
		kill "$murmur_pid" 2>/dev/null || true
		wait "$murmur_pid" 2>/dev/null || true
	fi
	murmur_pid=
	peer_say "$@"
}

peer_end_of_stream() {
	[[ -n $here ]] || exec {peer_out}>&-
}

# peer_hear - sets REPLY to a line of the other side; dies with its reason when that is a failure.  Our ssh
# knows when the other host is gone, our sshd does not; neither knows of a relay over there that has lost its program.
peer_hear() {
	REPLY=alive
	while [[ $REPLY == alive ]]; do
		read_line "${config[peer_timeout]}" "$peer_in" || peer_lost $?
	done
	if [[ $REPLY =~ ^failed\ ([1-7])\ (.*)$ ]]; then
		die_with "${BASH_REMATCH[1]}" \
			"'$host' refuses volume '$remote_name': ${BASH_REMATCH[2]}${peer_note:+; $peer_note}"
	fi
}

# peer_lost CODE - read ended with that: the connection ended without an answer, or there was none for too long; say why.
peer_lost() {
	local code=0 line reason=
	(($1 <= 128)) || die "'$host' was silent for ${config[peer_timeout]} s"
	[[ -z $here ]] || die "'$host' broke off"
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
	[[ -z $here ]] || return 0
	wait "$peer_pid" || true
	exec {peer_in}<&-
	while IFS= read -r line; do
		warn "'$host': ${line#*warning: }"
	done <"$job/ssh"
}

# peer_greeting VERB - say what we want; sets peer_bytes, peer_holds (uuids, newest first) and peer_partial
# (base, uuid and offset, or none).
peer_greeting() {
	local -a words
	peer_holds=() peer_partial=() peer_bytes=
	[[ -n $here ]] || peer_say zumastor 1 "$1" "$remote_name"
	peer_hear
	[[ $REPLY == "zumastor-$1 1" ]] ||
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
}

# peer_grow BYTES - its volume gets as large; dies with its reason where that cannot be.
peer_grow() {
	peer_say grow "$1"
	peer_hear
	[[ $REPLY == "volume_bytes $1" ]] ||
		die_with "$CORRUPT" "'$host' said something unexpected: '${REPLY:0:80}'"
	peer_bytes=$1
}
