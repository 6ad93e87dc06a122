#!/bin/bash
# memory.sh - the most memory that delta-pack and delta-apply take, for 1 TiB of which 1000 chunks of 16 KiB changed a little.
set -euo pipefail
helpers=$(cd "$(dirname "$0")/../../build/plain/bin" && pwd)
work=$(mktemp -d /var/tmp/zumastor-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

# peak CMD... - the most it took, in MiB, is in REPLY.
peak() {
	/usr/bin/time -o rss -f %M "$@"
	REPLY=$(($(tail -n 1 rss) / 1024 + 1))
}

base=$(</proc/sys/kernel/random/uuid)
truncate -s 1T old new onto
dd if=/dev/urandom of=noise bs=16K count=1 status=none
cp noise changed
printf changed | dd of=changed bs=1 seek=9000 conv=notrunc status=none
{
	printf '%s\n' "volume=$(</proc/sys/kernel/random/uuid)" name=home "base=$base" \
		"snapshot=$(</proc/sys/kernel/random/uuid)" time=1 kinds=manual "volume_bytes=$((1 << 40))" \
		chunk_bytes=16384 mode=xor ''
	for ((at = 7; at < 1 << 26; at += 67109)); do
		dd if=noise of=old bs=16K seek="$at" conv=notrunc status=none
		dd if=noise of=onto bs=16K seek="$at" conv=notrunc status=none
		dd if=changed of=new bs=16K seek="$at" conv=notrunc status=none
		echo "$at 1"
	done
	echo end
} >description
printf '%-44s %8s %8s\n' 'memory, MiB, 1 TiB, compared, differences' pack apply
for method in none lz4 zstd:1 zstd:3 zstd:9 zstd:19 xz:6; do
	peak "$helpers/delta-pack" --compress "$method" --old old --compare yes new <description >stream
	packed=$REPLY
	peak "$helpers/delta-apply" --base "$base" --old old onto <stream >/dev/null
	printf '%-44s %8s %8s\n' "$method" "$packed" "$REPLY"
done
