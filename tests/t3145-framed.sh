#!/bin/bash
# A delta in a connection that goes on behind it: the same as any other, nothing that follows is read, and one that is cut, or
# whose pieces are none, is refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
size=$((3 << 20))
random $size new
describe_full $size 65536 >description

# rest - apply what comes, and keep what follows it.
rest() {
	"$apply" --framed device && cat >behind
}

for method in none gzip lz4 zstd xz; do
	expect 0 "pack, $method" "$pack" --framed --compress "$method" new <description
	mv "$out" stream
	rm -f device
	truncate -s $size device
	expect 0 'apply it' rest < <(cat stream; printf 'done\n')
	same device new 'all is there'
	is "$(<behind)" 'done' 'and what follows is untouched'
done

# cut BYTES - wrong unless the first bytes of the stream are refused.
cut() {
	local code=0
	head -c "$1" stream | "$apply" --framed --dry-run >said 2>&1 || code=$?
	((code == 7)) || wrong+=("$1: exit $code: $(<said)")
}

"$pack" --framed --compress none new <description >stream
bytes=$(stat -c %s stream) wrong=()
for at in 0 1 3 4 5 511 516 1000000 $((bytes / 2)) $((bytes - 2000)) $((bytes - 5)); do
	cut "$at"
done
is "${wrong[*]-}" '' 'a stream that is cut is refused'

# The first piece has a length of 64K.
for head in '\x00\x10\x00\x01' '\xff\xff\xff\xff' '\x80\x00\x00\x00' '\x00\x00\x00\x00' 'fail'; do
	expect 7 "a length of $head" "$apply" --framed --dry-run < <(printf '%b' "$head"; tail -c +5 stream)
done
expect 7 'a plain stream is none' "$apply" --framed --dry-run < <("$pack" new <description 2>/dev/null)
expect 7 'nor is that a plain one' "$apply" --dry-run <stream
expect 1 'silence in a length' "$apply" --framed --patience 1 --dry-run \
	< <(printf '\0\0'; read -r -t 3 <> <(:))
done_testing
