#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# Of chunks that changed, what is equal is not sent, and as a difference what is nearly so; the base is shown for it, and
# hidden again.  Differences go on where they were cut.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

pair_make
dd if=/dev/urandom of="$files/big" bs=1M count=2 status=none
z snapshot home hourly >/dev/null
z replicate home -q

# change - 4 KiB of each 16 of the file.
change() {
	local n
	sync "$files/big"
	for ((n = 0; n < 128; n++)); do
		printf '%s' "$((RANDOM))$n" | dd of="$files/big" bs=4K seek=$((n * 4)) conv=notrunc status=none
	done
	sync "$files/big"
	z snapshot home hourly >/dev/null
}

change
z umount home 1 >/dev/null
/usr/libexec/zumastor/dm-hide home "$DEV2NAME" 1
expect 0 'with the base hidden' z replicate home
like "$(<"$out")" 'on base 1: [0-9.]+M changed, [0-9.]+M of it equal, [0-9.]+[MK] sent' 'three quarters are equal'
is "$([[ -e /dev/zumastor/home/1 ]] || echo hidden)" hidden 'it is hidden again'
change
expect 0 'not compared' z replicate home --compare no
is "$(grep -c equal "$out" || true)" 0 'sends all'
expect 0 'of a target' z define target home host2 --compare yes
change
expect 0 'compared' z replicate home
like "$(<"$out")" ' of it equal' 'sends less'

# The rate is that of what is sent, behind the compression, and not passed over in silence.
z define target home host2 --rate 1M
change
expect 0 'with a rate' z replicate home -q
pv=$(type -P pv)
mv "$pv" "$scratch/pv"
change
expect 5 'without what keeps to it' z replicate home
like "$(<"$err")" "cannot keep to a rate of '1M': pv is not installed" 'says so'
mv "$scratch/pv" "$pv"

# Noise in every second block of 5 MiB, and a byte in the others.
change_more() {
	python3 - "$files/more" <<-'END'
		import os, sys
		with open(sys.argv[1], "r+b") as file:
		    for at in range(0, 5 << 20, 8192):
		        file.seek(at)
		        file.write(os.urandom(4096) + b"x")
		    os.fsync(file)
	END
	z snapshot home hourly >/dev/null
}

dd if=/dev/urandom of="$files/more" bs=1M count=5 status=none
z snapshot home hourly >/dev/null
z replicate home -q
change_more
ZUMASTOR_SSH=$(broken_ssh 1700000) expect 7 'cut among differences' z replicate home -q
expect 0 'the next one' z replicate home
like "$(<"$out")" 'changed, from byte [0-9]+ on, ([0-9.]+[KM]? of it equal, )?[0-9.]+[KM]? sent' 'goes on there'
like "$(z status home)" 'host2 +[0-9]+ +0' 'to the end'
/usr/libexec/zumastor/dm-show home "$DEV2NAME" 1 >/dev/null
is "$(hashes | tail -n 2)" "$(far_hashes | tail -n 2)" 'all is right'
done_testing
