#!/bin/bash
# Facts of the database are durable in their order, and links are replaced without being missed.
. "$(dirname "$0")/lib.sh"
cd "$scratch"
umask 077

expect 0 'facts' "$asan/state-set" a 1 b 'two words'
is "$(<a) $(<b)" '1 two words' 'are written'
is "$(stat -c %a a)" 600 'for root alone'
printf 'left by a crash, and longer' >a.new
expect 0 'again' "$asan/state-set" a 2 b '' c ''
is "$(<a)" 2 'over what was left'
is "$(echo *)" 'a' 'an empty one is no file'
mkdir d
expect 1 'one that cannot be written' "$asan/state-set" a 3 missing/b 1 c 1
is "$(<"$err")" "state-set: cannot write 'missing/b': No such file or directory" 'is told'
is "$(<a) $(echo *)" '3 a d' 'those behind it are as they were'
ln -s /nonexistent/trap a.new
expect 1 'no link is followed' "$asan/state-set" a 4
is "$(<a)" 3 'and the fact stays'
rm a.new
expect 2 'usage' "$asan/state-set" a

if type -P strace >/dev/null; then
	strace -o trace -e trace=fsync,rename,unlink "$helpers/state-set" "$PWD/a" 5 "$PWD/b" ''
	is "$(sed -n 's/^\([a-z]*\)(.*/\1/p' trace | tr '\n' ' ')" 'fsync rename fsync unlink fsync ' \
		'content, name, and then the next'
fi

printf x >d/file.0
ln -s elsewhere d/mine
ln -s old d/hourly.1
ln -s old d/daily.0
ln -s junk d/.link.new
expect 0 'links' "$asan/link-set" d hourly.0 new hourly.1 old tick-1.12 new
is "$(cd d && find . -type l -printf '%f=%l\n' | sort | tr '\n' ' ')" \
	'hourly.0=new hourly.1=old mine=elsewhere tick-1.12=new ' 'are these, and no others'
is "$(<d/file.0)" x 'files stay'
expect 0 'they move' "$asan/link-set" d hourly.0 newest hourly.1 new
is "$(readlink d/hourly.0 d/hourly.1 d/tick-1.12 | tr '\n' ' ')" 'newest new ' 'each by a rename'
expect 1 'what is no link is not replaced' "$asan/link-set" d mine/x y
expect 1 'no directory' "$asan/link-set" missing
is "$(<"$err")" "link-set: cannot make the links in 'missing': No such file or directory" 'is told'
expect 2 'usage' "$asan/link-set" d hourly.0
done_testing
