#!/bin/bash
# lab: --disk 512M --disk 512M --mem 1G --timeout 900
# The examples of hooks, with the servers themselves where there is time for it: what a snapshot shows starts and is
# whole, and nothing stays locked.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
hooks=/etc/zumastor/hooks.d

for example in "$hooks"/examples/*; do
	expect 0 "${example##*/} leaves other volumes alone" env ZUMASTOR_VOLUME=other "$example" pre-freeze
done
[[ -n ${ZUMASTOR_LONG-} ]] || { done_testing; exit; }

mkfs.ext4 -q "$DEV1NAME"
z define volume data "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master data -h 9
files=/var/run/zumastor/volumes/data
chmod 0755 "$files"

# use EXAMPLE - as an administrator would.
use() {
	sed "s/^volumes='[a-z]*'/volumes='data'/" "$hooks/examples/$1" >"$hooks/$1"
	chmod 0755 "$hooks/$1"
}

# scratch_copy DIR - DIR of the newest snapshot, writable, on /mnt.
scratch_copy() {
	mount -t tmpfs tmpfs /mnt
	mkdir /mnt/upper /mnt/work /mnt/data
	mount -t overlay overlay -o "lowerdir=$files-snapshots/hourly.0/$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/data
	chown --reference="$files/$1" /mnt/data
	chmod --reference="$files/$1" /mnt/data /mnt/upper
}

drop_copy() {
	umount /mnt/data
	umount /mnt
}

# PostgreSQL

bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
as_postgres() {
	runuser -u postgres -- "$@" >"$scratch/postgres.out" 2>&1
}
query() {
	runuser -u postgres -- psql -X -q -t -A -d postgres -h "$1" -c "$2"
}
mkdir -p /var/run/postgresql /mnt
install -d -o postgres -m 0700 "$files/pg"
chown postgres /var/run/postgresql
chmod 0755 "$scratch"
expect 0 'initdb' as_postgres "$bin/initdb" -D "$files/pg" -A trust --wal-segsize=1
server=("$bin/pg_ctl" -w -t 120 -l /var/run/postgresql/log)
expect 0 'PostgreSQL starts' as_postgres "${server[@]}" -D "$files/pg" -o "-c listen_addresses=''" start
query /var/run/postgresql 'create table t (n int)'
(for ((n = 1; ; n++)); do query /var/run/postgresql "insert into t values ($n)"; sleep 0.1; done) &>/dev/null &
writer=$!
use postgresql
for n in 1 2 3; do
	before=$(query /var/run/postgresql 'select count(*) from t')
	expect 0 "snapshot $n" z snapshot data hourly
	after=$(query /var/run/postgresql 'select count(*) from t')
done
kill "$writer"
scratch_copy pg
rm -f /mnt/data/postmaster.pid
install -d -o postgres /var/run/postgresql/copy
expect 0 'it starts on the snapshot' as_postgres "${server[@]}" -D /mnt/data \
	-o "-c listen_addresses='' -k /var/run/postgresql/copy" start
there=$(query /var/run/postgresql/copy 'select count(*) from t')
is "$((before <= there && there <= after))" 1 "what was committed is there: $before <= $there <= $after"
is "$(query /var/run/postgresql/copy 'select max(n) from t')" "$there" 'without a hole'
as_postgres "$bin/pg_ctl" -D /mnt/data -m immediate stop
drop_copy
as_postgres "$bin/pg_ctl" -D "$files/pg" -m fast stop
expect 0 'nothing hinders a snapshot of a server that is down' z snapshot data hourly
rm "$hooks/postgresql"

# MariaDB

sql() {
	mariadb --no-defaults -B -N -S "$1" -e "$2"
}
small=(--no-defaults --user=mysql --innodb-log-file-size=8M --innodb-buffer-pool-size=16M
	--loose-innodb-buffer-pool-size-max=16M)
# serve SOCKET DIR - start it, and wait for it.
serve() {
	local n
	mariadbd "${small[@]}" --datadir="$2" --socket="$1" --pid-file="$1.pid" --skip-networking --log-bin=bin &>"$scratch/mariadb.$1.log" &
	for ((n = 0; n < 300; n++)); do
		! sql "$1" 'select 1' &>/dev/null || return 0
		sleep 0.2
	done
	return 1
}
socket=/run/mysqld/mysqld.sock
install -d -o mysql /run/mysqld "$scratch/mariadb./run/mysqld"
expect 0 'mariadb-install-db' mariadb-install-db "${small[@]}" --datadir="$files/my"
expect 0 'MariaDB starts' serve "$socket" "$files/my"
sql "$socket" 'create database d; create table d.t (n int) engine=myisam; create table d.i (n int) engine=innodb'
(for ((n = 1; ; n++)); do sql "$socket" "insert into d.t values ($n); insert into d.i values ($n)"; sleep 0.1; done) &>/dev/null &
writer=$!
use mariadb
before=$(sql "$socket" 'select count(*) from d.t')
expect 0 'snapshot' z snapshot data hourly
uuid=$(cut -f 2 "$out")
is "$(sql "$socket" 'select count(*) from information_schema.processlist where info like "%sleep%" and id <> connection_id()')" 0 \
	'nothing is locked any more'
like "$(<"$database/volumes/data/hooks/$uuid/mariadb.binlog")" '^bin\.[0-9]+' 'the position of the binary log is with the snapshot'
scratch_copy my
expect 0 'it starts on the snapshot' serve /run/mysqld/copy.sock /mnt/data
is "$(sql /run/mysqld/copy.sock 'check table d.t' | cut -f 3,4)" $'status\tOK' 'the MyISAM table was closed properly'
t=$(sql /run/mysqld/copy.sock 'select count(*) from d.t') i=$(sql /run/mysqld/copy.sock 'select count(*) from d.i')
is "$((t >= before && (t == i || t == i + 1)))" 1 "both tables are of one instant: $t, $i"
kill "$(<"/run/mysqld/copy.sock.pid")"
sed -i 's/^limit=30/limit=5/' "$hooks/mariadb"
cat >"$hooks/zz-die" <<-'END'
#!/bin/bash
[[ $1 != pre-freeze ]] || kill -9 "$(ps -o ppid= -p "$PPID" | tr -d ' ')"
END
chmod 0755 "$hooks/zz-die"
z snapshot data hourly &>/dev/null || true
before=$(sql "$socket" 'select count(*) from d.i')
for ((n = 0; n < 300; n++)); do
	(($(sql "$socket" 'select count(*) from d.i') <= before + 1)) || break
	sleep 0.2
done
is "$((n < 300))" 1 'killed by -9 while it is frozen: it goes on by itself'
kill "$writer"
kill "$(<"$socket.pid")"
done_testing
