#!/bin/bash
# lab: --hosts 3 --disk 48M --disk 48M --mem 384M --timeout 900
# A target that is away keeps its base only so long; then a bookmark stays, and what it is sent next is an incremental all the
# same.  The other target never notices.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"
marks=/var/lib/zumastor/volumes/home/bookmarks
helpers=/usr/libexec/zumastor

# step KIB - something changes, and the target that is there gets it.
step() {
	pair_change "$1"
	z snapshot home hourly >/dev/null
	z replicate home host3 -q
}

ids() {
	z list home -H -o id | tr '\n' ' '
}

# same HOST - its newest snapshot is ours;  sent - bytes changed, by what replicate said.
same() {
	is "$(ssh -n host"$1" "$newest_script")" "$(newest_hash)" "host$1 has what is here"
}

sent() {
	sed -n 's/.*: \([0-9]*\) changed.*/\1/p' "$out"
}

# nexts - what the bookmarks rely on.
nexts() {
	z list home --json | jq '.bookmarks[].next' | xargs
}

# needed BASE_ID - bytes that changed since a snapshot that is there.
needed() {
	local -a cows
	mapfile -t cows < <("$helpers/dm-cows" home "$DEV2NAME" "$1" "$(z list home -H -o id | tail -n 1)")
	"$helpers/cow-chunks" 16384 3072 "${cows[@]}" | awk '{ n += $2 } END { print n * 16384 }'
}

pair_make
ssh -n host3 "zumastor define volume home $DEV1NAME $DEV2NAME && zumastor define source home host1" >/dev/null
z define target home host3
z define master home --hourly 2
z snapshot home >/dev/null
z snapshot home hourly >/dev/null
expect 0 'both have it' z replicate home -q
base=$(newest)
far zumastor stop

step 100
step 100
is "$(ids)" '1 2 3 4 ' 'a base is held, though it is to go'
like "$(z status home)" 'host2 +[0-9.]+[KM] +[0-9.]+[KM] +[0-9]+s +7d +-' 'status says what is held, and how much may be'
z define target home host2 --base-days 0
step 100
is "$(ids)" '1 4 5 ' 'beyond its cap it goes'
is "$(find $marks -type f -printf %f) $(stat -c %a $marks $marks/*)" "$base 700"$'\n'600 'and leaves a bookmark'
like "$(z status home)" $'home +host2 +bookmark +2 .*\n\n.*\nhost2 .* [0-9]+ chunks in [0-9]+' 'status shows it'
is "$(z status home --json | jq -c '[.volumes[0].bookmarks[] | .uuid, .state, .next, .id]')" "[\"$base\",\"ok\",4,2]" 'also to programs'
is "$(z list home --json | jq -c '[.bookmarks[].uuid]')" "[\"$base\"]" 'so does list'
z snapshot home >/dev/null
expect 0 'what it relies on may go, and what others rely on' z remove home 4..5 --force
is "$(nexts)" '6 6' 'and is made up for'
expect 0 'so may the newest' z remove home 6 --force
is "$(ids) $(nexts)" '1  1 1' 'and be made up for by an older one'
dd if=/dev/urandom of="$files/big" bs=1M count=4 status=none
z snapshot home hourly >/dev/null
expect 0 'to one of them' z replicate home host3
like "$(<"$out")" 'on base 5, which is gone, by its bookmark: [4-9](\.[0-9])?M changed' 'an incremental by it'
same 3

# A file that is not what was written.
cp $marks/"$base" "$scratch/good"
far zumastor start
printf 'x' | dd of=$marks/"$base" bs=1 seek=300 conv=notrunc status=none
expect 6 'a bookmark that is damaged' z replicate home host2
like "$(<"$err")" "warning: .* its bookmark is damaged.*--full makes it" 'is not used, and it says so'
like "$(z status home)" 'the bookmark is damaged' 'so does status'
sed "s/^next .*/next $base/" "$scratch/good" | sed '$d' >"$scratch/other"
printf 'sha256 %s\n' "$(sha256sum <"$scratch/other" | cut -c 1-64)" >>"$scratch/other"
cp "$scratch/other" $marks/"$base"
expect 6 'one that relies on what is gone' z replicate home host2
like "$(<"$err")" "its bookmark is useless" 'is not used, either'
cp "$scratch/good" $marks/"$base"

z define target home host2 --compress none
ZUMASTOR_SSH=$(broken_ssh 3000000) expect 7 'a delta by a bookmark is cut' z replicate home host2
expect 0 'and goes on' z replicate home host2 --bytes
like "$(<"$out")" 'on base 2, which is gone, by its bookmark: [0-9]+ changed, from byte [1-9]' 'where it was'
same 2
is "$(far_tree)" "$(tree /run/zumastor/volumes/home-snapshots/hourly.0)" 'readers see it'
is "$(find $marks -type f)" '' 'no bookmark is needed any more'

# By hand, without a cap; and all kinds of deaths between the bookmark and the removal.
z define target home host2 --base-days 999
base=$(z list home -H -o id | tail -n 1)
far zumastor stop
expect 3 'the newest cannot go while it is a base' z remove home "$base" --force
step 40
expect 3 'nor together with all that are newer' z remove home "$base..$((base + 1))" --force
uuid=$(z list home -H -o id,uuid | sed -n "s/^$base\t//p")
for ((n = 1; n < 20; n++)); do
	! (ZUMASTOR_FAULT=kill:$n exec "$helpers/dm-bookmark" keep --base "$uuid" home "$DEV2NAME" $marks "$base") || break
done
like "$n" '^[4-9]$' 'killed at every step of it'
is "$(find $marks -type f ! -name '.*' | wc -l)" 1 'there is one'
changed=$(needed "$base")
z define target home host2 --base-space 0
step 200
like "$(ids)" "^1 $((base + 1)) " 'a target may not keep more than so much, either'
far zumastor start
expect 0 'an incremental' z replicate home host2 --bytes
like "$(<"$out")" 'by its bookmark' 'by the bookmark'
is $(($(sent) < changed + 1000000)) 1 "is a small one: $(sent) bytes, of which $changed had changed before"
same 2
is "$(z list home --json | jq -c .bookmarks)" '[]' 'that is gone'

# What was being sent when the target died is held, too.
z define target home host2 --base-days '' --base-space ''
step 40
z list home -H -o uuid | sed -n 2p >/var/lib/zumastor/volumes/home/targets/host2/sending
expect 0 'by hand' z remove home "$(z list home -H -o id | sed -n 2p)" --force
is "$(find $marks -type f ! -name '.*' | wc -l)" 1 'a bookmark of what may be there'
expect 0 'forget the target' z forget target home host2
is "$(find $marks -type f)" '' 'and its bookmarks'
same 3
done_testing
