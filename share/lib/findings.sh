# findings.sh - what a verify found, and how far it came, so that one that was cut goes on.
#
# Needs core.sh, check.sh, output.sh.   Works on the command's log, verdict, snap, uuid and from.
#
# $log has the line "snapshot UUID", and then what csrc/lib/findings.h tells.  It lasts until another verify
# begins.   $verdict has TIME UUID BYTES [repaired]: how the last one ended.
# shellcheck shell=bash disable=SC2034,SC2154

# findings_log - sets REPLIES to the snapshot's uuid, how far it was compared, and "end" or nothing.
findings_log() {
	REPLIES=('' 0 '')
	[[ -e $log ]] || return 0
	# A crash may have torn the last number: then it is too small, which does no harm.
	mapfile -t REPLIES < <(awk '
		NR == 1 && $1 == "snapshot" { uuid = $2 }
		$1 == "at" { at = int($2 / 65536) * 65536 }
		$1 == "end" { end = $1 }
		END { printf "%s\n%.0f\n%s\n", uuid, at, end }' "$log")
	is_uuid "${REPLIES[0]}" && is_number "${REPLIES[1]}" || REPLIES=('' 0 '')
}

# findings_begin - the log is that of $uuid, up to $from.
findings_begin() {
	if ((from)); then
		awk '{ text = text $0 "\n" } $1 == "at" { printf "%s", text; text = "" }' \
			"$log" >"$log.new"
	else
		printf 'snapshot %s\n' "$uuid" >"$log.new"
	fi
	sync -- "$log.new"
	mv -f -- "$log.new" "$log"
	sync -- "${log%/*}"
}

# findings_wait - dies unless it was compared to the end.
findings_wait() {
	local code=0 text where="'$volume'${host:+" on '$host'"}"
	wait "$stream_pid" || code=$?
	stream_pid=
	((code)) || return 0
	text=$(sed 's/^[a-z-]*: //;q' "$job/hash")
	[[ -z ${host-} || $text != 'it ends early' ]] || peer_lost 1
	die_with $((code <= 7 ? code : 1)) "cannot verify $where: ${text:-it was ended}"
}

# findings_result - sets ranges, an array of "OFFSET LENGTH", ascending, and bytes, their sum; they are the verdict.
findings_result() {
	local range
	mapfile -t ranges < <(sed -n 's/^differs \([0-9]\{1,18\}\) \([0-9]\{1,18\}\)$/\1 \2/p' "$log" |
		sort -n | awk '
		$1 <= end && NR > 1 { if ($1 + $2 > end) end = $1 + $2; next }
		NR > 1 { printf "%.0f %.0f\n", first, end - first }
		{ first = $1; end = $1 + $2 }
		END { if (NR) printf "%.0f %.0f\n", first, end - first }')
	bytes=0
	for range in "${ranges[@]}"; do
		bytes=$((bytes + ${range#* }))
	done
	state_set "$verdict" "$EPOCHSECONDS $uuid $bytes"
}

# findings_tell WHAT EQUAL DIFFERENT - for people, the counts last; DIFFERENT follows how much it is.
findings_tell() {
	local range what="$1"
	output_size "$volume_bytes"
	what+=": $REPLY compared"
	((${#ranges[@]})) || {
		say "$what, $2"
		return
	}
	for range in "${ranges[@]}"; do
		say "$range"
	done
	output_size "$bytes"
	what+=", $REPLY differ in ${#ranges[@]} ranges"
	((${#ranges[@]} > 1)) || what=${what%s}
	say "$what; $3"
}

findings_json() {
	local range separator=
	REPLY=null
	[[ -z ${host-} ]] || REPLY="\"$host\""
	printf '{"version":1,"volume":"%s","host":%s,"snapshot":%s,"uuid":"%s","bytes":%s' \
		"$volume" "$REPLY" "$snap" "$uuid" "$volume_bytes"
	printf ',"differing_bytes":%s,"repaired":%s,"ranges":[' "$bytes" "$repaired"
	for range in "${ranges[@]}"; do
		printf '%s{"offset":%s,"length":%s}' "$separator" "${range% *}" "${range#* }"
		separator=,
	done
	printf ']}\n'
}
