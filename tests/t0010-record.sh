#!/bin/bash
# The store record: one copy may rot, a torn commit leaves the old one, anything else is refused.
. "$(dirname "$0")/lib.sh"

slot0=65536 slot1=557056
store=$scratch/store
truncate -s 16M "$store" "$scratch/origin"

# poke FILE OFFSET - change one byte.
poke() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf %x $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

expect 4 'a blank device has no record' "$asan/store-show" "$store"
like "$(<"$err")" "cannot read the record of '$store': there is none" 'and says so'
expect 4 'a device too small for a header has none either' "$asan/store-show" "$top/LICENSE"
expect 0 'format' "$asan/store-format" home "$scratch/origin" "$store"
like "$(<"$out")" '^volume=[0-9a-f-]{36}$' 'prints the uuid'
expect 0 'show' "$asan/store-show" "$store"
good=$(<"$out")
like "$good" 'name=home' 'the name is in it'
like "$good" 'origin_sectors=32768' 'and the size of the origin'
missing=
while read -r word; do
	grep -qE "^\.It .*\b$word\b|^\.Cm $word=" "$top/man/zumastor-store.5" || missing+=" $word"
done < <(sed -n '/^static void print_seen/,/^}/p;/^int record_print/,/^}/p' "$top/csrc/lib/record.c" |
	sed 's/\\n/ /g' | grep -oE '\b[a-z_]+=' | tr -d = | sort -u)
is "$missing" '' 'zumastor-store(5) knows every key'
is "$(dd if="$store" bs=64K skip=1 count=1 status=none | tr -d '\0' | head -1 | cut -c1-17)" 'zumastor-record 1' \
	'dd shows text'

used=$(($(dd if="$store" bs=4k skip=16 count=1 status=none | tr -d '\0' | wc -c)))
bad=0
for ((n = 0; n < used; n++)); do
	cp "$store" "$scratch/cut"
	poke "$scratch/cut" $((slot0 + n))
	[[ $("$helpers/store-show" "$scratch/cut") == "$good" ]] || bad=$((bad + 1))
	poke "$scratch/cut" $((slot1 + n))
	status=0
	"$helpers/store-show" "$scratch/cut" >/dev/null 2>&1 || status=$?
	# Without the magic in either it is no record of ours; otherwise it is a damaged one.
	((status == 7 || (status == 4 && n < 18))) || bad=$((bad + 1))
done
is "$bad" 0 "each of $used bytes changed in one copy is harmless, in both is refused"

expect 4 'no such snapshot' "$asan/store-set" "$store" 1 kinds=hourly
expect 2 'not kinds' "$asan/store-set" "$store" 1 'kinds=a b'
expect 2 'nothing but kinds' "$asan/store-set" "$store" 1 state=live
for chunk in 0 1000 4095 12288 1048576 x ''; do
	expect 2 "not a chunk size: '$chunk'" "$asan/store-format" --chunk "$chunk" home "$scratch/origin" "$store"
done
for name in '' .x -x 'a b' 'a/b' "$(printf 'n%.0s' {1..64})"; do
	expect 2 "not a name: '$name'" "$asan/store-format" -- "$name" "$scratch/origin" "$store"
done
truncate -s 7M "$scratch/small"
expect 2 'a store too small' "$asan/store-format" home "$scratch/origin" "$scratch/small"
is "$("$helpers/store-show" "$store")" "$good" 'after all that the store is as it was'
truncate -s 8M "$scratch/small"
expect 0 '8 MiB are enough' "$asan/store-format" home "$scratch/origin" "$scratch/small"

# A record whose text is wrong although its crc is right: the parser has to see it.
forge() {
	python3 - "$store" "$scratch/forged" "$1" "$2" <<-'END'
	import sys, zlib
	source, target, old, new = sys.argv[1:]
	data = bytearray(open(source, "rb").read())
	for slot in (65536, 557056):
	    head, _, rest = bytes(data[slot:slot + 491520]).partition(b"\n")
	    text = rest.rstrip(b"\0").decode().replace(old.replace("\\n", "\n"), new.replace("\\n", "\n")).encode()
	    line = "zumastor-record 1 generation=%016x bytes=%08x crc=%%s\n" % (1, len(text))
	    crc = zlib.crc32((line % "00000000").encode() + text)
	    blob = (line % ("%08x" % crc)).encode() + text
	    data[slot:slot + 491520] = blob + bytes(491520 - len(blob))
	open(target, "wb").write(data)
	END
}
uuid=12345678-1234-4123-8123-123456789abc
forge 'next_snapshot=1\nnext_thin=1' "next_snapshot=9\\nnext_thin=9\\nsnapshot=1 uuid=$uuid thin=1 time=1 sectors=9 state=live kinds=a holds= table=7:1"
expect 0 'a forged snapshot is one' "$asan/store-show" "$scratch/forged"
like "$(<"$out")" 'holds= table=7:1$' 'and all of it is printed'
forge 'next_snapshot=1' 'next_snapshot=1'
expect 0 'a forged record that says the same is a record' "$asan/store-show" "$scratch/forged"
while IFS='|' read -r old new; do
	forge "$old" "$new"
	expect 7 "refused: '${new:0:60}' for '$old'" "$asan/store-show" "$scratch/forged"
done <<END
name=home|name=../home
name=home|name=home\nname=home extra=1
origin_sectors=32768|origin_sectors=0
origin_sectors=32768|origin_sectors=-1
origin_sectors=32768|origin_sectors=99999999999999999999
chunk_sectors=32|chunk_sectors=33
meta_device=store|meta_device=elsewhere
next_thin=1|next_thin=01
next_thin=1|next_thin=4294967296
next_thin=1|next_thin=1\nsnapshot=1
next_thin=1|next_thin=1\nsnapshot=1 uuid=$uuid thin=1 time=1 sectors=9 state=live kinds=a holds= table=
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=1 uuid=$uuid thin=0 time=1 sectors=9 state=live kinds=a holds= table=
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=1 uuid=$uuid thin=1 time=1 sectors=32769 state=live kinds=a holds= table=
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=2 uuid=$uuid thin=1 time=1 sectors=9 state=pending kinds=a holds= table=\nsnapshot=3 uuid=${uuid%c}d thin=2 time=1 sectors=9 state=live kinds=a holds= table=
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=1 uuid=$uuid thin=1 time=1 sectors=9 state=asleep kinds=a holds= table=
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=1 uuid=$uuid thin=1 time=1 sectors=9 state=live kinds=a,,b holds= table=
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=1 uuid=${uuid^^} thin=1 time=1 sectors=9 state=live kinds=a holds= table=
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=1 uuid=$uuid thin=1 time=1 sectors=9 state=live kinds=a holds= table=7
next_snapshot=1\nnext_thin=1|next_snapshot=9\nnext_thin=9\nsnapshot=1 uuid=$uuid thin=1 time=1 sectors=9 state=live kinds=a holds= table=7:4294967296
pool=|extent=data sectors=0\npool=
pool=|extent=data sectors=99999999999\npool=
pool=|extent=elsewhere sectors=8\npool=
pool=|extent=meta sectors=8 more=1\npool=
next_snapshot=1|next_snapshot=1\nrevert=open snapshot=1 thin=1
next_snapshot=1|next_snapshot=1\nrevert=asleep snapshot=1 thin=0
next_snapshot=1|next_snapshot=1\nclone=a snapshot=1 thin=0 store=0 first=0 end=0 state=live\nclone=b snapshot=1 thin=0 store=0 first=0 end=0 state=live
next_snapshot=1|next_snapshot=1\norigin_seen=once boot= disk=0 written=0 samples=0 digest=
next_snapshot=1|next_snapshot=1\norigin_seen=running boot=x disk=0 written=0 samples=0 digest=
next_snapshot=1|next_snapshot=1\norigin_seen=running boot=$uuid disk=0 written=-1 samples=0 digest=
next_snapshot=1|next_snapshot=1\norigin_seen=stopped boot=$uuid disk=0 written=0 samples=9 digest=
next_snapshot=1|next_snapshot=1\norigin_seen=stopped boot=$uuid disk=0 written=0 samples=9 digest=abc
next_snapshot=1|next_snapshot=1\nclone=a/b snapshot=1 thin=0 store=0 first=0 end=0 state=live
END
done_testing
