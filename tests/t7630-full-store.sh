#!/bin/bash
# lab: --disk 16M --disk 96M --disk 32M
# A store that is full grows while writers wait for room: they go on, and nothing is lost.  A volume does not grow before
# its store has.  Metadata grows, inside the store and on a device of its own.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/resize.sh"

slice_store $((8 << 20))
slice_origin $((14 << 20))
make_volume
take
slice_origin $((16 << 20))
{ ZUMASTOR_FAULT=kill:2 resize --origin $((15 << 20)); } &>/dev/null || true
dd if=/dev/urandom of=/dev/mapper/home bs=16k count=800 oflag=direct conv=notrunc status=none &
writer=$!
until_fact store_mode out_of_data_space 200 || true
is "$(fact store_mode)" out_of_data_space 'the store is full'
expect 0 'a resize on record keeps no command from making room' timeout 60 "$helpers/dm-settle" home "$store"
expect 1 'nor is another begun' timeout 60 "$helpers/dm-resize" --origin $((16 << 20)) home "$origin" "$store"
like "$(<"$err")" 'its store is full' 'and why'
is "$(volume_size)" $((14 << 20)) 'the volume waits'
slice_store $((24 << 20))
expect 0 'it grows' timeout 60 "$helpers/dm-resize" --store $((24 << 20)) home "$origin" "$store"
for ((n = 0; n < 200; n++)); do
	kill -0 "$writer" 2>/dev/null || break
	sleep 0.1
done
expect 0 'the writer goes on, without an error' wait "$writer"
is "$(fact store_mode) $(fact head_state)" 'rw ok' 'the store works, and the head was not given up'
is "$(($(fact store_total_bytes) > 20 << 20))" 1 'it has the room'
is "$(volume_size)" $((15 << 20)) 'and the volume the size on record'
is "$(differing)" '' 'the snapshot is right'

# Both at once, the metadata as far as such a store needs it.
meta=$(fact meta_total_bytes)
slice_store $((40 << 20))
expect 0 'metadata inside the store' resize --meta $((meta + (1 << 20)))
is "$(fact meta_total_bytes)" $((meta + (1 << 20))) 'is as large as told'
slice_store $((90 << 20))
expect 0 'the store once more' resize --store $((90 << 20))
like "$("$helpers/store-show" "$store" | tr '\n' ' ')" 'extent=meta [^ ]* extent=data ' 'the record says what lies where'
take; scribble 20
take
is "$(differing)" '' 'all snapshots are right'
"$helpers/dm-settle" home "$store"
expect 0 'check' "$helpers/dm-check" home "$origin" "$store"
is "$(<"$out")" 'state=running' 'finds the devices as they should be'
for id in 1 2; do
	"$helpers/dm-remove" home "$store" $id
	unset "taken[$id]"
done
expect 0 'stop' "$helpers/dm-stop" home "$store"
expect 0 'start' "$helpers/dm-start" home "$origin" "$store"
is "$(differing)" '' 'also after stop and start'
before=$("$helpers/store-show" "$store")
expect 1 'a store cannot shrink' resize --store $((89 << 20))
like "$(<"$err")" 'cannot make the store of .home. smaller than' 'and says so'
expect 1 'nor can its metadata' resize --meta $((1 << 20))
expect 1 'no more than its device' resize --store $((91 << 20))
expect 0 'the size it has' resize --store $((90 << 20))
is "$("$helpers/store-show" "$store" | grep -v sectors)" "$(grep -v sectors <<<"$before")" 'nothing has changed'
"$helpers/dm-stop" home "$store"
slice_store $((60 << 20))
expect 1 'a store that lost its end' "$helpers/dm-start" home "$origin" "$store"
like "$(<"$err")" "'$store' has $((60 << 20)) bytes, [0-9]* are needed" 'is not started'

# On a device of its own.
dmsetup create slice-meta --table "0 16384 linear $DEV3NAME 0"
metadev=(/dev/mapper/slice-meta)
slice_store $((16 << 20))
"$helpers/store-format" home "$origin" "$store" "${metadev[@]}" >/dev/null
"$helpers/dm-start" home "$origin" "$store" "${metadev[@]}"
taken=()
take; scribble 10
dmsetup load slice-meta --table "0 32768 linear $DEV3NAME 0"
dmsetup resume slice-meta
expect 0 'a metadata device' resize --meta $((16 << 20))
is "$(fact meta_total_bytes)" $((15 << 20)) 'is used but for its header'
slice_store $((64 << 20))
expect 0 'and the store' resize --store $((64 << 20))
take
is "$(differing)" '' 'the snapshots are right'
expect 0 'stop' "$helpers/dm-stop" home "$store"
expect 0 'start' "$helpers/dm-start" home "$origin" "$store" "${metadev[@]}"
is "$(fact meta_total_bytes) $(differing)" "$((15 << 20)) " 'and after stop and start'
done_testing
