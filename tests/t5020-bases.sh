#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# The base: kept from expiry, found by uuid, and never guessed.  It may be smaller, as soon as the replica has grown, too.
# shellcheck disable=SC2153 # the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"
disk=$DEV1NAME DEV1NAME=/dev/mapper/org
small=24586 large=40002		# sectors; the last chunk is a part of one

# slice ACTION SECTORS - how much of the disk the origin has, here;  far_slice - there.
slice() {
	dmsetup "$1" org --table "0 $2 linear $disk 0"
	dmsetup resume org
}

far_slice() {
	far dmsetup "$1" org --table "0 $2 linear $disk 0"
	far dmsetup resume org
}

modprobe dm-mod
far modprobe dm-mod
slice create $small
far_slice create $small
pair_make
z define master home --hourly 2
z snapshot home hourly >/dev/null
expect 0 'a full copy' z replicate home
base=$(newest)
for ((n = 0; n < 4; n++)); do
	pair_change 40
	z snapshot home hourly >/dev/null
done
is "$(z list home -H -o id | wc -l)" 3 'two are kept by the schedule, one as a base'
like "$(z list home -H -o uuid,kinds)" "$base.expired" 'the base is held though it expired'
expect 3 'and stays mounted' z remove home "$base"
like "$(<"$err")" 'it is mounted' 'which is all that keeps a person from removing it'
ssh host2 'cat >/etc/zumastor/hooks.d/note' <<-'END'
#!/bin/bash
printf '%s %s\n' "$1" "$ZUMASTOR_UUID" >>/run/told
END
far chmod 0755 /etc/zumastor/hooks.d/note
expect 0 'an incremental over it' z replicate home
uuid=$(newest)
is "$(far cat /run/told | xargs)" "pre-receive $uuid post-receive $uuid" 'hooks there are told before and after'
far rm /etc/zumastor/hooks.d/note
z snapshot home hourly >/dev/null
is "$(z list home -H -o uuid | grep -c "$base" || true)" 0 'then it goes'

# A base that is not ours: the replica took one of its own once it was a master.
far zumastor define master home --hourly 3
far touch "$files/theirs"
far zumastor snapshot home hourly >/dev/null
expect 1 'no replica any more' z replicate home
like "$(<"$err")" "is no replica here but was promoted, and has here 1 newer than .*; 'zumastor define source home HOST'" 'it says why'
far zumastor release home hourly.1 promoted
far_sh 'zumastor list home -H -o id | head -n -1 | xargs zumastor remove home --force'
far zumastor define source home host1 --yes
expect 6 'no common base' z replicate home
like "$(<"$err")" 'a full copy is needed; --full makes it' 'it says what helps'
dd if=/dev/urandom of="$files/big" bs=1M count=4 status=none
z snapshot home hourly >/dev/null
ZUMASTOR_SSH=$(broken_ssh 3000000) expect 7 'a full copy over it is cut' z replicate home --full
expect 0 'the next one' z replicate home
like "$(<"$out")" 'in full: .* from byte [0-9]+ on' 'goes on with it, unasked'
is "$(newest_hash)" "$(far_newest_hash)" 'and is right'
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'readers see it'

replicas=$(far zumastor list home -H -o id | wc -l)
slice load $large
expect 0 'the volume grows' z resize home -o max
resize2fs /dev/mapper/home &>/dev/null
pair_change 3000
z snapshot home hourly >/dev/null
expect 1 'its replica is too small' z replicate home
like "$(<"$err")" "refuses volume 'home': '/dev/mapper/org' has $((small * 512)) bytes, $((large * 512)) are needed: make it larger" \
	'which is said before anything is sent'
is "$(far zumastor list home -H -o id | wc -l) $(far blockdev --getsize64 /dev/mapper/home)" "$replicas $((small * 512))" \
	'and nothing is changed'
far_slice load $large
expect 0 'it would grow' z replicate home --dry-run
is "$(far blockdev --getsize64 /dev/mapper/home)" $((small * 512)) 'but does not by a dry run'
expect 0 'an incremental over the smaller base' z replicate home
like "$(<"$out")" ' on base ' 'is one'
is "$(far blockdev --getsize64 /dev/mapper/home)" $((large * 512)) 'for which the replica has grown'
is "$(newest_hash)" "$(far_newest_hash)" 'is right'
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'readers see it'

for method in $(long_or "none gzip lz4 zstd xz zstd:3 xz:1" "gzip"); do
	z define target home host2 -C "$method"
	pair_change 40
	z snapshot home hourly >/dev/null
	expect 0 "by $method" z replicate home
	is "$(newest_hash)" "$(far_newest_hash)" 'is right'
done

expect 0 'forget the target' z forget target home host2
expect 4 'then there is none' z replicate home host2
expect 0 'stop here' z stop
expect 0 'stop there' far zumastor stop
dmsetup remove org
far dmsetup remove org
is "$(dmsetup ls) $(far dmsetup ls)" 'No devices found No devices found' 'nothing is left'
done_testing
