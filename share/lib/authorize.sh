# authorize.sh - which other hosts may ask this one for what: `zumastor peer`.
#
# Needs core.sh, check.sh, config.sh, state.sh, lock.sh.   A peer is $ZUMASTOR_STATE/peers/PEER: key, and an empty file
# for each volume in volumes/ (.all for every one) and for each verb in verbs/, which zumastor-serve looks for; and a line in
# root's authorized_keys, known by its end, zumastor:PEER.
# shellcheck shell=bash disable=SC2154

readonly AUTHORIZED=~root/.ssh/authorized_keys

# authorize_open PEER - sets peer and peer_dir.
authorize_open() {
	is_name "$1" || die_usage "bad peer name '${1:0:80}'"
	need_root
	config_load
	state_open
	lock_take :peer
	peer=$1 peer_dir=$ZUMASTOR_STATE/peers/$1
}

# authorize_list - the names, one a line.
authorize_list() {
	state_entries name "$ZUMASTOR_STATE/peers"
}

# authorize_names LIST - sets REPLIES to what is in volumes/ or verbs/ of $peer_dir.
authorize_names() {
	local path
	REPLIES=()
	for path in "$peer_dir/$1"/*; do
		! is_name "${path##*/}" || REPLIES+=("${path##*/}")
	done
}

# authorize_key_read FILE - sets key to "TYPE BASE64" of the one public key there ('-': on stdin).  What ssh would take for
# options, a second line or a comment is none of it.
authorize_key_read() {
	local text type data more
	if [[ $1 == - ]]; then
		text=$(head -c 1001 | tr '\0' '\1')
	else
		[[ -f $1 && -r $1 ]] || die_with "$ABSENT" "no such key file '$1'"
		text=$(head -c 1001 -- "$1" | tr '\0' '\1')
	fi
	# shellcheck disable=SC2034 # the comment is not taken over
	IFS=' ' read -r type data more <<<"$text"
	[[ $text != *[^[:print:]]* && $data =~ ^[A-Za-z0-9+/]+=?=?$ &&
		$type =~ ^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp[0-9]+|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$ ]] ||
		die_usage "bad key in '$1': expected one line of a public key, as in id_ed25519.pub"
	key="$type $data"
	is_text "$key" || die_usage "bad key in '$1': too long"
	authorize_fingerprint "$key"
	[[ -n $REPLY ]] || die_usage "bad key in '$1': ssh-keygen does not know it"
}

# authorize_fingerprint KEY - sets REPLY, to nothing for what is no key.
authorize_fingerprint() {
	local text
	REPLY=
	text=$(ssh-keygen -l -f /dev/stdin <<<"$1" 2>/dev/null) || return 0
	read -r _ REPLY _ <<<"$text"
}

# authorize_line - sets REPLY to the line for $peer and $key.  The path is absolute: no function or PATH gets in between.
authorize_line() {
	REPLY="restrict,command=\"${ZUMASTOR_PROGRAM:?} serve --peer $peer\" $key zumastor:$peer"
}

# authorize_others - print authorized_keys without the line of $peer, every other byte as it is.
authorize_others() {
	[[ ! -e $AUTHORIZED ]] ||
		sed "/^restrict,command=\"[^\"]*\" [^ ]* [^ ]* zumastor:${peer//./\\.}\$/d" "$AUTHORIZED"
}

# authorize_alone - die when another line lets the same key in: ssh takes the first that fits.
authorize_alone() {
	local line
	line=$(authorize_others | grep -n -a -F -m 1 -- "${key#* }" || true)
	[[ -z $line ]] || die "cannot restrict this key: line ${line%%:*} of '$AUTHORIZED' without that of '$peer'" \
		"lets it in, too; take that out first"
}

# authorize_check - die when authorized_keys is not as we could replace it.
authorize_check() {
	local directory=${AUTHORIZED%/*}
	[[ -e $directory || -L $directory ]] || run mkdir -m 0700 -- "$directory"
	state_private "$directory"
	[[ ! -L $AUTHORIZED && (! -e $AUTHORIZED || -f $AUTHORIZED) ]] ||
		die "cannot change '$AUTHORIZED': it is no plain file; --print shows the line for it"
}

# authorize_install LINE|'' - make it the only line of $peer: one rename, so that at no time anybody is locked out.
authorize_install() {
	local new=$AUTHORIZED.zumastor
	authorize_check
	rm -f -- "$new"
	if [[ -e $AUTHORIZED ]]; then
		cp --attributes-only --preserve=all -- "$AUTHORIZED" "$new"
	fi
	authorize_others >"$new"
	if [[ -n $1 ]]; then
		[[ ! -s $new || -z $(tail -c 1 -- "$new" | tr -d '\n') ]] || printf '\n' >>"$new"
		printf '%s\n' "$1" >>"$new"
	fi
	sync -- "$new"
	run mv -T -- "$new" "$AUTHORIZED"
	sync -- "${AUTHORIZED%/*}"
}
