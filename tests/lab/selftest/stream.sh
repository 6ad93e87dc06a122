#!/bin/bash
# What the script prints is there at once, and complete, whatever bytes it is made of.
. "$(dirname "$0")/lib.sh"

new_script script <<'END'
echo first
sleep 3
END
"$lab/run" --kernel "${LAB_SELFTEST_KERNEL:-uml}" --install "$scratch/nothing" "$scratch/script" | {
	read -r line
	start=$EPOCHREALTIME
	cat >/dev/null
	[[ $line == first ]] || die "read '$line'"
	((${EPOCHREALTIME/./} - ${start/./} > 2000000)) || die 'the first line came with the last'
}

head -c 3M /dev/urandom >"$scratch/noise"
printf 'not a mark: \0lab 123\n and half of one at the end \0lab' >>"$scratch/noise"
expect 0 <<END
cat "$scratch/noise"
END
cmp "$scratch/noise" "$scratch/out"
