#!/bin/bash
# lab: --disk 16M --disk 64M --timeout 900
# What a bookmark says has changed is never less than what has, in whatever way snapshots come and go.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
disk=$origin origin=/dev/mapper/org
count=$(long_or 20000 150)
seed=$(long_or $((RANDOM * 32768 + RANDOM)) 1)
marks=$scratch/marks

modprobe dm-mod
dmsetup create org --table "0 32768 linear $disk 0"
"$helpers/store-format" home "$origin" "$store" >/dev/null
"$helpers/dm-start" home "$origin" "$store"
"$helpers/dm-resize" --shrink --origin $((4 << 20)) home "$origin" "$store" >/dev/null
expect 0 'random operations' "$top/tests/bookmark-model" "$count" "$seed" "$helpers" home "$origin" "$store" "$marks"
diag "$(tail -n 1 "$out")"
is "$(sed '$d' "$out")" '' 'nothing that changed is missing, and nothing is refused without need'
for word in remove kill bare lost revert grow checked refused applied; do
	like "$(tail -n 1 "$out")" "\\b$word=[1-9]" "there was some $word"
done
done_testing
