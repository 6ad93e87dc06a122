# compress.sh - `--compress auto`: what suits a target, by what its last transfer waited for.
#
# Needs core.sh, check.sh, state.sh, volume.sh.   Works on the variables of zumastor-replicate: target_dir, job, compress.
#
# A step a transfer, kept in $target_dir/auto: up, when most of the time went by in waiting for the link and the next step's
# compressor would still keep pace with it; down, when most went by in the compressor.   What waits for the disk says nothing.
# shellcheck shell=bash disable=SC2154

# The ladder, and about how long each takes for the same bytes.
compress_steps=(none lz4 zstd:1 zstd:3 zstd:9)
compress_costs=(1 4 6 12 60)

# What fits into the buffers on the way tells nothing of the link.
readonly COMPRESS_LEAST_BYTES=$((4 << 20)) COMPRESS_LEAST_MS=1000

# compress_choose - sets compress where it is auto, and compress_auto.
compress_choose() {
	compress_auto=
	[[ $compress == auto ]] || return 0
	compress_auto=yes
	state_get compress "$target_dir/auto" zstd:1
	compress=$REPLY
}

# compress_learn - from what delta-pack says of the transfer that is over.
compress_learn() {
	local i next
	[[ -n $compress_auto ]] || return 0
	facts_read "$(<"$job/stats")"
	for i in "${!compress_steps[@]}"; do
		[[ ${compress_steps[i]} == "$compress" ]] || continue
		compress_step "$i"
		next=${compress_steps[REPLY]}
		if [[ $next != "$compress" ]] && "$ZUMASTOR_LIBEXEC/delta-pack" --can "$next" 2>/dev/null; then
			state_set "$target_dir/auto" "$next"
			compress=$next
		fi
		return
	done
}

# compress_step I - sets REPLY to the step after this one.
compress_step() {
	local link=${facts[write_ms]} total=${facts[total_ms]} busy
	busy=$((total - link - facts[read_ms]))
	REPLY=$1
	((total >= COMPRESS_LEAST_MS)) || return 0
	if ((link > total / 2)); then
		(($1 == ${#compress_steps[@]} - 1 ||
			busy * compress_costs[$1 + 1] >= link * compress_costs[$1])) || REPLY=$(($1 + 1))
	elif ((busy > total / 2 && facts[stream_bytes] >= COMPRESS_LEAST_BYTES && $1 > 0)); then
		REPLY=$(($1 - 1))
	fi
}
