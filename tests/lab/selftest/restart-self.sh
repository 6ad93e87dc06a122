#!/bin/bash
# The first host kills itself; the script runs anew and knows that.
. "$(dirname "$0")/lib.sh"

expect 5 --hosts 2 <<'END'
echo "boot $LAB_BOOT: $(cat /persist/note 2>/dev/null)"
case $LAB_BOOT in
1)
	echo one >/persist/note
	sync /persist/note
	lab restart-self
	echo never
	;;
2)
	echo two >/persist/note
	sync /persist/note
	lab killafter 300
	while :; do echo "$RANDOM" >/persist/noise; done
	;;
3)
	ssh host2 'ssh host1 hostname'
	exit 5
	;;
esac
END
expect_lines out 'boot 1: ' 'boot 2: one' 'boot 3: two' host1
