#!/bin/bash
# lab: --disk 4M --disk 32M --timeout 400
# R20: whatever is wrong with a delta, applying it changes nothing that readers see: they look at the snapshot before.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/delta.sh"
helpers=/usr/libexec/zumastor
cd "$scratch"
seed=${ZUMASTOR_SEED:-$RANDOM}

make_volume
take
size=$(blockdev --getsize64 /dev/mapper/home)
"$helpers/dm-show" home "$store" "$id" >/dev/null
seen=/dev/zumastor/home/$id

# shown - is what readers see what was taken?
shown() {
	dd if="$seen" bs=1M iflag=direct status=none | cmp -s - before
}

dd if="$seen" of=before bs=1M status=none
cp before new
random 300000 new 1000000
zeros 100000 new 2000000
printf 'a little' | dd of=new bs=1 seek=3000000 conv=notrunc status=none
for method in none zstd; do
	describe "$BASE" "$size" 16384 '40 60' '110 60' '180 10' | "$helpers/delta-pack" --compress "$method" new >"increment.$method"
done
describe "$BASE" "$size" 16384 '0 256' | sed 's/^chunk_bytes=.*/&\nmode=xor/' |
	"$helpers/delta-pack" --compress zstd --old before --compare yes new | zstd -dc >increment.xor
grep -aq '^xor=' increment.xor
describe_full "$size" 16384 | "$helpers/delta-pack" --compress none new >full
count=$(long_or 3000 70)
mkdir mutants
"$top/tests/delta-mutants" "$count" "$seed" mutants increment.none increment.zstd increment.xor full

changed=() strange=()
for ((n = 1; n <= count; n++)); do
	base=$BASE code=0
	grep -aq '^base=none' "mutants/$n" && base=none
	"$helpers/delta-apply" --volume "$VOLUME" --base "$base" --old "$seen" /dev/mapper/home <"mutants/$n" >"$out" 2>"$err" || code=$?
	((code == 7 || code == 6 || code == 1 || code == 0)) || strange+=("$n: $code")
	shown || changed+=("$n")
done
diag "seed $seed: ${strange[*]-}; ${changed[*]-}"
is "${#strange[@]}" 0 'each ends as it should'
score R20 "$count" mutants "${#changed[@]}" 'changed what readers see'

[[ $(content /dev/mapper/home) != "${taken[$id]}" ]] || fail 'nothing was ever written'
thin=$("$helpers/store-show" "$store" | sed -n "s/^snapshot=$id .* thin=\([0-9]*\) .*/\1/p")
expect 0 'all that was written can be taken back' "$helpers/cow-rollback" 16384 "/dev/mapper/home-cow-$thin" /dev/mapper/home
is "$(content /dev/mapper/home)" "${taken[$id]}" 'it is the base again'
expect 0 'stop' "$helpers/dm-stop" home "$store"
done_testing
