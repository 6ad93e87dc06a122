// SPDX-License-Identifier: GPL-2.0-or-later
/* log.c - see log.h. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

#define LOG_MAGIC UINT64_C(0x6a736677736872)

struct disk_super {
	uint64_t magic, version, nr_entries;
	uint32_t sectorsize;
};

struct disk_entry {
	uint64_t sector, nr_sectors, flags, data_len;
};

static_assert(sizeof(struct disk_entry) == 32, "dm-log-writes entry");

/* At @at: the entry, and where the next one begins. */
static int entry_read(struct log *log, struct log_entry *e, uint64_t *at)
{
	uint8_t sector[SECTOR_SIZE];
	struct disk_entry disk;

	if (pread(log->fd, sector, sizeof(sector), (off_t)*at) != sizeof(sector))
		return -EIO;
	memcpy(&disk, sector, sizeof(disk));
	*e = (struct log_entry){ .sector = le64toh(disk.sector), .sectors = le64toh(disk.nr_sectors),
				 .flags = le64toh(disk.flags), .data = *at + SECTOR_SIZE };
	*at += SECTOR_SIZE;
	if (e->flags & LOG_MARK) {
		e->mark = strndup((char *)sector + sizeof(disk), sizeof(sector) - sizeof(disk));
		return e->mark ? 0 : -ENOMEM;
	}
	if (!(e->flags & LOG_DISCARD))
		*at += e->sectors * SECTOR_SIZE;
	return 0;
}

int log_read(struct log *log, const char *path)
{
	struct disk_super super;
	uint64_t at = SECTOR_SIZE;
	size_t i;
	int r = 0;

	log->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (log->fd < 0)
		return -errno;
	if (pread(log->fd, &super, sizeof(super), 0) != sizeof(super))
		return -EIO;
	if (le64toh(super.magic) != LOG_MAGIC || le64toh(super.version) != 1 ||
	    le32toh(super.sectorsize) != SECTOR_SIZE)
		return -EBADMSG;
	log->count = le64toh(super.nr_entries);
	log->entry = calloc(log->count + 1, sizeof(*log->entry));
	if (!log->entry)
		return -ENOMEM;
	for (i = 0; i < log->count && r == 0; i++)
		r = entry_read(log, &log->entry[i], &at);
	return r;
}
