#!/bin/bash
# lab: --disk 8M --disk 64M
# A removed snapshot's exceptions go to the next older one, or the older one's to it where those are fewer; either way
# every older snapshot shows what it did, and the cost is that of the smaller.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

# change FIRST COUNT - write COUNT chunks from FIRST on.
change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek="$1" count="$2" oflag=direct conv=notrunc status=none
}

# written CMD [ARG...] - KiB that CMD writes to the store's disk.
written() {
	local before after file=/sys/block/${store##*/}/stat
	before=$(awk '{ print $7 }' "$file")
	"$@"
	after=$(awk '{ print $7 }' "$file")
	printf '%d' $(((after - before) / 2))
}

make_volume
take; change 0 10
take; change 5 300		# 2: many
take; change 8 5		# 3: few, partly the same chunks
take; change 0 512
kib=$(written "$helpers/dm-remove" home "$store" 3)
unset 'taken[3]'
is "$(differing)" '' 'few into many: the others are right'
is "$((kib < 1000))" 1 "it wrote little ($kib KiB)"
kib=$(written "$helpers/dm-remove" home "$store" 2)
unset 'taken[2]'
is "$(differing)" '' 'many below few: the others are right'
is "$((kib < 1000))" 1 "it wrote little ($kib KiB)"
# 305 chunks of the first and 512 of the newest, each with a header and an area.
is "$(fact store_used_bytes)" $(((77 + 129) << 16)) 'the store holds no block more than that takes'
is "$(stat -c %N /dev/zumastor/home/1 | grep -c dm-)" 1 'the oldest is shown'
"$helpers/dm-stop" home "$store"
"$helpers/dm-start" home "$origin" "$store"
is "$(differing)" '' 'all are right after stop and start'
done_testing
