#!/bin/bash
# lab: --disk 16M --disk 64M --timeout 600
# A held snapshot is removed by nobody: not by remove, not by rotation, not by the helper; released, it goes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
helpers=/usr/libexec/zumastor

ids() {
	z list home -H -o id,holds | tr '\n' ' '
}

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home --hourly 1
z snapshot home hourly >/dev/null
expect 0 'hold' z hold home hourly.0
expect 0 'by another, too' z hold home 1 backup.2
expect 0 'the same again is no failure' z hold home 1 manual
is "$(ids)" $'1\tmanual,backup.2 ' 'list shows who'
like "$(z list home --json)" '"holds":"manual,backup.2"' 'for programs, too'
like "$(z status home 1)" $'holds +manual,backup.2' 'so does status'
like "$(z status home)" 'snapshots +1, 1 held' 'and of the volume'
is "$(z status home --json | jq '.volumes[0].held')" 1 'for programs, too'
long=$(printf 't%.0s' {1..60})
"$helpers/store-set" "$DEV2NAME" 1 "holds=manual,backup.2,a$long,b$long,c$long"
before=$(world)
refused 1 'too many tags' hold home 1 "d$long"
refused 3 "'manual', 'backup.2', 'a.* hold it, until 'zumastor release home 1 --all'" remove home 1
expect 3 'the helper refuses, too' "$helpers/dm-remove" home "$DEV2NAME" 1
refused 4 "not held by 'backup'" release home 1 backup
is "$(world)" "$before" 'the refusals changed nothing'
"$helpers/store-set" "$DEV2NAME" 1 holds=manual,backup.2

expect 0 'a second hourly one' z snapshot home hourly
is "$(z list home -H -o id | tr '\n' ' ')" '1 2 ' 'rotation leaves the held one'
expect 0 'a restart' z stop
expect 0 'hold and release do not need the volume to run' z release home 1
is "$(ids)" $'1\tbackup.2 2\t- ' 'one hold is left'
z start
expect 0 'release' z release home 1 --all
expect 0 'which may find none' z release home 1 --all
expect 0 'a third hourly one' z snapshot home hourly
is "$(ids)" $'3\t- ' 'now the released one is rotated, and the second'
expect 0 'hold' z hold home 3
expect 0 'release' z release home 3
expect 0 'remove' z remove home 3
is "$(ids)" '' 'none is left'
done_testing
