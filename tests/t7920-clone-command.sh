#!/bin/bash
# lab: --disk 16M --disk 64M --timeout 600
# zumastor clone, and a volume defined on a clone: order of start and stop, who is in the way, check leaves it alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"

origin=$DEV1NAME store=$DEV2NAME
mkfs.ext4 -q "$origin"
z define volume home "$origin" "$store" >/dev/null
files=/run/zumastor/volumes/home
echo old >"$files/file"
z snapshot home >/dev/null
echo new >"$files/file"
z snapshot home >/dev/null

expect 0 'a clone' z clone home 1 work
like "$(<"$out")" '^/dev/zumastor/home/work is a clone of snapshot 1$' 'says where it is'
like "$(z clone home)" 'work +1 +[0-9.-]+ +/dev/zumastor/home/work +-' 'is listed'
expect 0 'for programs' z clone home --json
is "$(jq -r '.clones[0] | .name, .snapshot, .device, .volume' "$out" | paste -sd,)" 'work,1,/dev/zumastor/home/work,' 'too'
like "$(z status home)" 'snapshots +2, 1 cloned' 'status counts it'
mkdir -p "$scratch/m"
mount /dev/zumastor/home/work "$scratch/m"
is "$(<"$scratch/m/file")" old 'it has the old content'
echo changed >"$scratch/m/file"
refused 3 "clone 'work' is mounted" clone home --remove work
refused 3 "clone 'work' is mounted" stop volume home
umount "$scratch/m"
refused 3 "clone 'work' is made of it" remove home 1
refused 1 'work' clone home 2 work
refused 4 'no snapshot' clone home 9 other
refused 4 'no clone' clone home --remove other
for name in 1 origin x.store a/b "$(printf 'n%.0s' {1..33})" "${injections[@]:0:6}"; do
	refused 2 'bad clone' clone home 1 "$name"
	refused 2 'bad clone' define volume other --clone "home/$name"
done
no_trace 'nothing was run'

refused 4 'no clone' define volume other --clone home/other
refused 4 'no such volume' define volume other --clone other/work
refused 2 'exclude' define volume other --clone home/work -i
refused 2 'needs no other' define volume other --clone home/work "$origin" "$store"
expect 0 'a volume on the clone' z define volume work --clone home/work
is "$(</run/zumastor/volumes/work/file)" changed 'it shows what was written'
like "$(z clone home)" 'work +1 .* work$' 'the list tells'
z snapshot work >/dev/null
echo again >/run/zumastor/volumes/work/file
is "$(z list work -H -o id)" 1 'it has a snapshot of its own'
refused 3 "clone 'work' is under volume 'work'" stop volume home
refused 3 "is on its clone 'work'" forget volume home
refused 3 "volume 'work' is on it" clone home --remove work
refused 1 "it is another volume's" resize work --snapshot 128M
for name in home work; do
	expect 0 "check $name" z check "$name"
done
expect 0 'stop both' z stop
is "$(dmsetup ls)" 'No devices found' 'the upper first'
refused 1 "must be started first" start volume work
expect 0 'start both' z start
is "$(</run/zumastor/volumes/work/file)" again 'the lower first'
expect 0 'stop the upper' z stop volume work
for name in home work; do
	expect 0 "check $name, --repair" z check "$name" --repair
done
expect 0 'stop the lower' z stop volume home
expect 0 'check it, stopped' z check home --repair
expect 0 'start both' z start
z mount work 1 >/dev/null
is "$(cat /run/zumastor/volumes/work-snapshots/*/file)" changed 'nothing of the upper volume was lost'
z snapshot work >/dev/null
expect 0 'remove one of its snapshots' z remove work 1 --force
expect 0 'revert the lower volume' z revert home 1 --wait
is "$(<"$files/file")" old 'it went back'
is "$(</run/zumastor/volumes/work/file)" again 'the upper one did not notice'

expect 0 'forget the upper' z forget volume work
refused 3 'holds the snapshots' clone home --remove work
expect 0 'take it over again' z define volume work --clone home/work
is "$(z list work -H -o id)" 2 'with its snapshots'
expect 0 'forget it' z forget volume work
expect 0 'remove the clone' z clone home --remove work --force
is "$(z clone home -H)" '' 'it is gone'
expect 0 'and its snapshot can be removed' z remove home 1
expect 0 'check' z check home
done_testing
