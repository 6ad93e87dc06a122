#!/bin/bash
# Full, incremental, with differences, cut and resumed: by each compression.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
size=$((4 << 20)) chunk=16384

random "$size" old
cp old new
random 2000000 new 1000000
zeros 300000 new 3200000
printf 'a little' | dd of=new bs=1 seek=3700000 conv=notrunc status=none
describe "$BASE" "$size" "$chunk" '61 123' '195 19' '220 20' >incremental
sed 's/^chunk_bytes=.*/&\nmode=xor/' incremental >differences
describe_full "$size" "$chunk" >full

# by METHOD KIND BASE - whole, then cut in the middle and resumed: the device is the new one.
by() {
	local from
	cp old device
	expect 0 "$1, $2" "$pack" --compress "$1" --old old new <"$2"
	mv "$out" stream
	expect 0 'is applied' "$apply" --base "$3" --old old device <stream
	same device new 'and right'
	cp old device
	rm -f quick durable
	head -c $(($(stat -c %s stream) * 2 / 3)) stream >short
	expect 7 'cut' "$apply" --base "$3" --old old --progress quick --durable durable device <short
	from=$(fact offset durable)
	like "$from" '^[1-9][0-9]{5}' 'it knows how far it came'
	sed "s/^chunk_bytes=.*/&\nmust-resume=$from/" "$2" >rest
	expect 0 'the rest' "$pack" --compress "$1" --old old new <rest
	mv "$out" stream
	expect 0 'goes on' "$apply" --base "$3" --old old --resume "$SNAPSHOT:$from" --progress quick --durable durable device <stream
	same device new 'and is right'
}

for method in none gzip lz4 zstd xz; do
	by "$method" full none
	by "$method" incremental "$BASE"
	by "$method" differences "$BASE"
done
done_testing
