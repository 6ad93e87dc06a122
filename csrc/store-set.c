// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store-set - change what the record says of one snapshot.
 *
 *     store-set STORE ID kinds=KIND[,KIND…]
 *
 * Exit 0: the change is on disk.  4: no record or no such snapshot; 7: the record is damaged; 1, 2.
 * The caller holds the volume's lock.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "exits.h"
#include "io.h"
#include "record.h"

static int set_kinds(int fd, struct record *rec, uint64_t id, const char *kinds)
{
	struct snapshot *snap;
	int r = record_load(fd, rec);

	if (r < 0)
		return r;
	snap = record_find(rec, id);
	if (!snap)
		return -ENOENT;
	strcpy(snap->kinds, kinds);
	return record_commit(fd, rec);
}

int main(int argc, char **argv)
{
	static struct record rec;
	const char *kinds;
	uint64_t id;
	int fd, r;

	if (argc != 4 || strncmp(argv[3], "kinds=", 6) != 0)
		errx(EXIT_USAGE, "usage: store-set STORE ID kinds=KIND[,KIND...]");
	kinds = argv[3] + 6;
	if (num_u64(argv[2], UINT32_MAX, &id) < 0 || !is_kinds(kinds))
		errx(EXIT_USAGE, "not an id and kinds: '%s' '%s'", argv[2], kinds);
	fd = io_open(argv[1], O_RDWR);
	if (fd < 0)
		errx(EXIT_FAILED, "cannot open '%s': %s", argv[1], reason(fd));
	r = io_close_synced(fd, set_kinds(fd, &rec, id, kinds));
	if (r < 0)
		errx(exit_code(r), "cannot change snapshot '%s' on '%s': %s", argv[2], argv[1],
		     reason(r));
	return EXIT_DONE;
}
