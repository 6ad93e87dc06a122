// SPDX-License-Identifier: GPL-2.0-or-later
/* shadow.c - see shadow.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io.h"
#include "shadow.h"

enum { PIECE_BYTES = 1 << 20 };

uint64_t noise_next(struct noise *noise)
{
	uint64_t z = noise->state += 0x9e3779b97f4a7c15;	/* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t noise_below(struct noise *noise, uint64_t limit)
{
	return noise_next(noise) % limit;
}

void noise_fill(struct noise *noise, void *buffer, uint64_t bytes)
{
	uint64_t *word = buffer, i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		word[i] = noise_next(noise);
}

static uint64_t place(const struct shadow *shadow, unsigned int slot, uint64_t offset)
{
	return slot * shadow->bytes + offset;
}

static uint64_t piece(uint64_t left)
{
	return left < PIECE_BYTES ? left : PIECE_BYTES;
}

/* From @from at @from_offset to a slot. */
static int fill_slot(const struct shadow *shadow, unsigned int slot, int from, uint64_t from_offset)
{
	void *buffer = io_alloc(PIECE_BYTES);
	uint64_t done;
	int r = buffer ? 0 : -ENOMEM;

	for (done = 0; done < shadow->bytes && r == 0; done += PIECE_BYTES) {
		uint64_t bytes = piece(shadow->bytes - done);

		r = io_pread(from, buffer, bytes, from_offset + done);
		if (r == 0)
			r = io_pwrite(shadow->fd, buffer, bytes, place(shadow, slot, done));
	}
	free(buffer);
	return r;
}

int shadow_open(struct shadow *shadow, uint64_t bytes, const char *device)
{
	int fd = io_open(device, O_RDONLY), r;

	if (fd < 0)
		return fd;
	shadow->bytes = bytes;
	shadow->fd = memfd_create("shadow", MFD_CLOEXEC);
	r = shadow->fd < 0 ? -errno : fill_slot(shadow, VOLUME_SLOT, fd, 0);
	close(fd);
	return r;
}

int shadow_write(struct shadow *shadow, const void *data, uint64_t bytes, uint64_t offset)
{
	return io_pwrite(shadow->fd, data, bytes, place(shadow, VOLUME_SLOT, offset));
}

int shadow_copy(struct shadow *shadow, unsigned int from, unsigned int to)
{
	return fill_slot(shadow, to, shadow->fd, place(shadow, from, 0));
}

static int compare_piece(const struct shadow *shadow, unsigned int slot, int fd, uint64_t offset,
			 uint64_t bytes, uint64_t *differs)
{
	char *got = io_alloc(bytes), *want = io_alloc(bytes);
	uint64_t i;
	int r = got && want ? io_pread(fd, got, bytes, offset) : -ENOMEM;

	if (r == 0)
		r = io_pread(shadow->fd, want, bytes, place(shadow, slot, offset));
	if (r == 0 && memcmp(got, want, bytes) != 0) {
		for (i = 0; got[i] == want[i]; i++)
			;
		*differs = offset + i;
	}
	free(got);
	free(want);
	return r;
}

int shadow_compare(const struct shadow *shadow, unsigned int slot, const char *device, uint64_t offset,
		   uint64_t bytes, uint64_t *differs)
{
	int fd = io_open(device, O_RDONLY), r = fd < 0 ? fd : 0;
	uint64_t done;

	*differs = UINT64_MAX;
	for (done = 0; done < bytes && r == 0 && *differs == UINT64_MAX; done += PIECE_BYTES)
		r = compare_piece(shadow, slot, fd, offset + done, piece(bytes - done), differs);
	if (fd >= 0)
		close(fd);
	return r;
}
