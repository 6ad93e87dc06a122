#!/bin/bash
# lab: --disk 16M --disk 32M --timeout 600
# Hooks: when they run and what they are told; one that fails, hangs, is not root's or is killed leaves nothing frozen.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
hooks=/etc/zumastor/hooks.d
log=$scratch/hooks.log

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home -h 1

# hook NAME <SCRIPT
hook() {
	cat >"$hooks/$1"
	chmod 0755 "$hooks/$1"
}

told() {
	cut -d' ' -f 1,2 "$log" 2>/dev/null | paste -sd' '
	rm -f "$log"
}

hook 10-one <<-END
#!/bin/bash
printf '%s %s\n' "\${0##*/}" "\$1" >>$log
declare -px >$scratch/env.\$1
[[ \$1 != pre-freeze ]] || printf 'state of %s' "\$ZUMASTOR_UUID" >"\$ZUMASTOR_HOOK_DIR/state"
[[ \$1 != pre-freeze ]] || find /proc/\$\$/fd -lname '*/lock/*' >$scratch/locks
END
hook 20-two <<-END
#!/bin/bash
printf '%s %s\n' "\${0##*/}" "\$1" >>$log
printf 'at work\n'
END
hook 30-not.me <<<'#!/bin/false'
printf '#!/bin/false\n' >"$hooks/40-off"
mkdir -p "$hooks/examples"

expect 0 'snapshot' z snapshot home hourly
IFS=$'\t' read -r id uuid _ <"$out"
is "$(told)" '10-one pre-freeze 20-two pre-freeze 20-two post-freeze 10-one post-freeze 10-one post-snapshot 20-two post-snapshot' \
	'they run in order, and thaw in reverse'
is "$(grep -c -x '20-two: at work' "$err")" 3 'what they say is passed on with their name'
is "$(<"$scratch/locks")" '' 'they hold no lock'
for fact in HOOK=post-snapshot VOLUME=home SNAPSHOT="$id" UUID="$uuid" KINDS=hourly MOUNTPOINT=/run/zumastor/volumes/home \
	DEVICE=/dev/mapper/home "SNAPSHOT_DEVICE=/dev/zumastor/home/$id" HOOK_DIR="$database/volumes/home/hooks/$uuid"; do
	like "$(<"$scratch/env.post-snapshot")" " ZUMASTOR_${fact%%=*}=\"${fact#*=}\"" "they know $fact"
done
like "$(<"$scratch/env.pre-freeze")" "ZUMASTOR_UUID=\"$uuid" 'the uuid is known before'
is "$(cat "$database/volumes/home/hooks/$uuid/state")" "state of $uuid" 'what they left is with the snapshot'

z snapshot home hourly >"$scratch/second" 2>/dev/null
like "$(told)" '20-two post-snapshot 10-one pre-expire 20-two pre-expire 10-one post-expire 20-two post-expire' 'rotation tells them'
is "$(ls "$database/volumes/home/hooks")" "$(cut -f 2 "$scratch/second")" 'what they left has gone with the snapshot'
expect 0 'exec' z exec home -- true
is "$(told)" "10-one pre-freeze 20-two pre-freeze 20-two post-freeze 10-one post-freeze 10-one post-snapshot 20-two post-snapshot \
10-one pre-expire 20-two pre-expire 10-one post-expire 20-two post-expire" 'exec tells them of its own snapshot'
is "$(ls "$database/volumes/home/hooks")" "$(cut -f 2 "$scratch/second")" 'and leaves nothing'

# Killed when the volume is back, but the last hook has not heard of it.
hook 15-kill <<-END
#!/bin/bash
[[ \$1 != post-revert || -e $scratch/killed ]] || { touch $scratch/killed; kill -9 \$(ps -o ppid= -p \$PPID); }
END
z revert home "$(cut -f 1 "$scratch/second")" &>/dev/null || true
is "$(told)" '10-one pre-revert 20-two pre-revert 10-one post-revert' 'revert tells them, until it is killed'
expect 0 'it goes on' z revert home --continue --wait
is "$(told)" '10-one post-revert 20-two post-revert' 'and tells them all'
is "$(compgen -G "$database/volumes/home/reverting")" '' 'and need not again'
rm "$hooks/15-kill"
like "$(<"$scratch/env.post-revert")" "HOOK_DIR=\"$database/volumes/home/hooks/$(cut -f 2 "$scratch/second")\"" \
	'and gives back what they left'
z remove -f home undo.0 &>/dev/null
like "$(told)" '^10-one pre-expire .*20-two post-expire$' 'remove tells them'

# Failures.
hook 15-bad <<-END
#!/bin/bash
printf '%s %s\n' "\${0##*/}" "\$1" >>$log
[[ \$1 != pre-* ]]
END
snapshots=$(z list home -H -o id)
expect 1 'a hook that fails stops it' z snapshot home
is "$(grep -v ': at work' "$err" | xargs)" \
	"zumastor snapshot: warning: hook 15-bad failed with 1 at pre-freeze of home zumastor snapshot: stopped by hook 15-bad at pre-freeze of home" \
	'it says which'
is "$(told)" '10-one pre-freeze 15-bad pre-freeze 15-bad post-freeze 10-one post-freeze' 'all that ran are thawed'
[[ -z ${ZUMASTOR_LONG-} ]] || expect 1 'it stops removal, too' z remove -f home hourly.0
is "$(z list home -H -o id)" "$snapshots" 'no snapshot came or went'
if [[ -n ${ZUMASTOR_LONG-} ]]; then
	sed -i 's/pre-\*/post-freeze/' "$hooks/15-bad"
	expect 1 'one that fails afterwards makes the command fail' z snapshot home
	like "$(<"$err")" 'failed with 1 at post-freeze' 'it says which'
	is "$(wc -l <"$out")" 1 'but the snapshot is there'
fi
printf 'hook_failure = continue\nhook_timeout = 1\nhook_size = 64K\n' >/etc/zumastor/zumastor.conf

# One that hangs, leaves a process that holds its output open, and too many files.
hook 15-bad <<-END
#!/bin/bash
trap '' TERM
setsid sleep 1000 &
printf 'no end\n'
[[ \$1 != post-snapshot ]] || head -c 200000 /dev/zero >"\$ZUMASTOR_HOOK_DIR/big"
[[ \$1 != pre-freeze ]] || sleep 1000
END
rm -f "$log"
expect 1 'one that hangs does not hang or stop us' z snapshot home
like "$(<"$err")" '15-bad: no end' 'what it said is heard'
like "$(<"$err")" "hook '15-bad' took longer than 1 s at pre-freeze" 'it says why'
like "$(told)" 'post-freeze 10-one post-snapshot' 'the others go on'
like "$(<"$err")" 'more than hook_size allows' 'they may not leave more than hook_size'
is "$(compgen -G "$database/volumes/home/hooks/$(cut -f 2 "$out")")" '' 'that is dropped'

# Killed while a hook is at it.
printf 'hook_timeout = 20\n' >/etc/zumastor/zumastor.conf
hook 15-bad <<-END
#!/bin/bash
[[ \$1 == pre-freeze ]] && touch $scratch/frozen && sleep 1
[[ \$1 != post-freeze ]] || touch $scratch/thawed
END
"$zumastor" snapshot home </dev/null &>/dev/null &
for ((n = 0; n < 200; n++)); do
	[[ ! -e $scratch/frozen ]] || break
	sleep 0.1
done
kill -TERM "$!"
wait "$!" || true
is "$(compgen -G "$scratch/thawed")" "$scratch/thawed" 'killed by TERM, it thaws all the same'

chmod 0775 "$hooks/15-bad"
expect 1 'one that others can write to is refused' z snapshot home
like "$(<"$err")" "refusing '$hooks/15-bad'" 'it says so'
[[ -n ${ZUMASTOR_LONG-} ]] || { done_testing; exit; }
rm "$hooks/15-bad"
ln -s /bin/true "$hooks/15-link"
expect 1 'so is a link' z snapshot home
rm "$hooks/15-link"
chmod 0777 "$hooks"
expect 1 'so is a directory that others can write to' z snapshot home
done_testing
