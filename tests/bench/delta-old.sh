#!/bin/bash
# delta-old.sh [MIB] - what comparing with the base, and differences, save on realistic changes: bytes of the stream and
# processor seconds of delta-pack, by compression.  Needs no lab; python3 with sqlite3 makes the database.
set -euo pipefail
shopt -s inherit_errexit
top=$(cd "$(dirname "$0")/../.." && pwd)
pack=$top/build/plain/bin/delta-pack
mib=${1:-64}
chunk=16384
work=$(mktemp -d /var/tmp/zumastor-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

# database: a table of customers, of which one in fifty gets another balance and date.
make_database() {
	python3 - "$mib" <<-'END'
		import random, shutil, sqlite3, sys
		random.seed(1)
		size = int(sys.argv[1]) << 20
		words = ["".join(random.choice("etaoinshrdlucmfwypvbgkjqxz") for _ in range(random.randint(3, 9)))
		         for _ in range(5000)]
		db = sqlite3.connect("old")
		db.execute("pragma page_size=4096")
		db.execute("create table c (id integer primary key, name text, note text, balance real, seen text)")
		rows = size // 330
		db.executemany("insert into c values (?,?,?,?,?)", (
		    (i, " ".join(random.choices(words, k=3)).title(), " ".join(random.choices(words, k=35)),
		     random.random() * 10000, f"2026-{random.randint(1,12):02}-{random.randint(1,28):02}")
		    for i in range(rows)))
		db.commit()
		db.close()
		shutil.copy("old", "new")
		db = sqlite3.connect("new")
		for i in random.sample(range(rows), rows // 50):
		    db.execute("update c set balance=?, seen=? where id=?", (random.random() * 10000, "2026-11-22", i))
		db.commit()
		db.close()
	END
}

# noise: one 4 KiB block of each chunk is new noise.
make_noise() {
	head -c "${mib}M" /dev/urandom >old
	python3 - <<-'END'
		import os
		data = bytearray(open("old", "rb").read())
		for at in range(0, len(data), 16384):
		    data[at + 4096:at + 8192] = os.urandom(4096)
		open("new", "wb").write(data)
	END
}

# counters: noise with a counter of 16 bytes in each 4 KiB that changes, as encrypted records with a header do.
make_counters() {
	head -c "${mib}M" /dev/urandom >old
	python3 - <<-'END'
		import os
		data = bytearray(open("old", "rb").read())
		for at in range(0, len(data), 4096):
		    data[at:at + 16] = os.urandom(16)
		open("new", "wb").write(data)
	END
}

# text: sources, in which some words are others of the same length.
make_text() {
	find /usr/include /usr/share/perl /usr/lib/python3* -type f -name '*.h' -o -name '*.p[lmy]' | sort | xargs cat 2>/dev/null |
		head -c "${mib}M" >old || true
	sed -e 's/\<return\>/reTurn/g' -e 's/\<define\>/deFine/' old >new
}

# moved: sources into which lines were put, so that all behind them moved.
make_moved() {
	find /usr/include /usr/share/perl /usr/lib/python3* -type f -name '*.h' -o -name '*.p[lmy]' | sort | xargs cat 2>/dev/null |
		head -c "${mib}M" >old || true
	sed -e '1~2000i/* a line more */' old >new
	truncate -s "$(stat -c %s old)" new
}

# other: new content with nothing of the old: other programs.
make_other() {
	find /usr/lib /usr/bin -type f -size +100k 2>/dev/null | sort | xargs cat 2>/dev/null | head -c "$((2 * mib))M" >both || true
	head -c "${mib}M" both >old
	tail -c "${mib}M" both >new
	rm both
}

# changed - the chunks that differ, as a snapshot store would list them.
changed() {
	python3 - "$chunk" <<-'END'
		import sys
		chunk = int(sys.argv[1])
		old, new = open("old", "rb"), open("new", "rb")
		at = 0
		while True:
		    a, b = old.read(chunk), new.read(chunk)
		    if not b:
		        break
		    if a != b:
		        print(at, 1)
		    at += 1
	END
}

describe() {
	printf '%s\n' volume=11111111-2222-4333-8444-555555555555 name=bench base=b0000000-2222-4333-8444-555555555555 \
		snapshot=5a000000-2222-4333-8444-555555555555 time=1 kinds=manual "volume_bytes=$size" "chunk_bytes=$chunk" \
		"$@" ''
	cat ranges
	echo end
}

# measure METHOD OPTION... - MiB of the stream and processor seconds.
measure() {
	local method=$1
	shift
	env time -f '%U %S' -o time "$pack" --compress "$method" --stats 3 "$@" new <description 3>stats >/dev/null
	awk -v b="$(sed -n 's/^stream_bytes=//p' stats)" '{ printf " %8.2f %5.2f", b / 1048576, $1 + $2 }' time
}

printf '%-10s %-8s %14s %14s %14s\n' '' '' 'chunks' 'compared' 'differences'
for data in ${ZUMASTOR_BENCH:-database noise counters text moved other}; do
	rm -f old new
	"make_$data"
	size=$(($(stat -c %s new) / 512 * 512))
	truncate -s "$size" old new
	changed >ranges
	for method in none lz4 zstd:1 zstd:3 zstd:9 xz; do
		printf '%-10s %-8s' "$data" "$method"
		describe >description
		measure "$method"
		measure "$method" --old old
		describe mode=xor >description
		measure "$method" --old old
		printf '\n'
	done
done
