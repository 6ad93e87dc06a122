# delta.sh - for the t3 tests: descriptions, volumes with known content, packing and applying.
#
# Sourced behind lib.sh.  The programs are those with AddressSanitizer.
# shellcheck shell=bash disable=SC2034,SC2154  # lib.sh gives $asan, the tests use what is set here

helpers=$asan
pack=$helpers/delta-pack
apply=$helpers/delta-apply

readonly VOLUME=11111111-2222-4333-8444-555555555555
readonly BASE=b0000000-2222-4333-8444-555555555555
readonly SNAPSHOT=5a000000-2222-4333-8444-555555555555

# describe BASE VOLUME_BYTES CHUNK_BYTES [RANGE...] - a description with the ranges, "FIRST COUNT"
# each.
describe() {
	local base=$1 volume_bytes=$2 chunk_bytes=$3
	shift 3
	printf '%s\n' "volume=$VOLUME" name=home "base=$base" "snapshot=$SNAPSHOT" \
		time=1795000000 kinds=hourly,daily "volume_bytes=$volume_bytes" \
		"chunk_bytes=$chunk_bytes" '' "$@" end
}

# describe_full VOLUME_BYTES CHUNK_BYTES
describe_full() {
	describe none "$1" "$2" "0 $((($1 + $2 - 1) / $2))"
}

# fill SOURCE BYTES FILE [OFFSET] - in place
fill() {
	head -c "$2" "$1" |
		dd of="$3" bs=64K iflag=fullblock oflag=seek_bytes seek="${4:-0}" \
			conv=notrunc status=none
}

# random BYTES FILE [OFFSET]
random() {
	fill /dev/urandom "$@"
}

# zeros BYTES FILE [OFFSET]
zeros() {
	fill /dev/zero "$@"
}

# fact KEY FILE - its value in key=value lines
fact() {
	sed -n "s/^$1=//p" "$2"
}

# same FILE FILE DESC
same() {
	if cmp -s "$1" "$2"; then
		pass "$3"
	else
		fail "$3" "$(cmp "$1" "$2" 2>&1)"
	fi
}
