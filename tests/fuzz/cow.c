// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cow.c - an exception store as a crash, or somebody, may have left it: 16 bytes of the header, then entries.
 *
 * What loads is in bounds, is the same once its tail was mended, and can be absorbed into its neighbour and the other way.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cow.h"
#include "fuzz.h"

enum {
	CHUNK = 512,
	HEADER = 16,
	AREA = CHUNK / 16,	/* entries */
	CHUNKS = 3 * (AREA + 1),
	ORIGIN = 2 * AREA,	/* chunks */
};

static uint8_t image[CHUNKS * CHUNK];

/* The input, laid out. */
static void lay_out(int *fd, const uint8_t *data, size_t size)
{
	size_t area, n;

	memset(image, 0, sizeof(image));
	n = size < HEADER ? size : HEADER;
	memcpy(image, data, n);
	for (area = 0, data += n, size -= n; size > 0 && area < 3; area++, data += n, size -= n) {
		n = size < CHUNK ? size : CHUNK;
		memcpy(image + (1 + area * (AREA + 1)) * CHUNK, data, n);
	}
	file_of(fd, image, sizeof(image));
}

static int open_cow(struct cow *cow, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return cow_open(cow, path, O_RDWR, CHUNK, ORIGIN);
}

static void check(const struct cow *cow, const struct exceptions *all)
{
	uint64_t i;

	must(all->count <= ORIGIN);
	for (i = 0; i < all->count; i++)
		must(all->list[i].old_chunk < ORIGIN && all->list[i].new_chunk < cow->cow_chunks);
}

static void mend(const struct cow *cow)
{
	struct exceptions first, second;

	if (cow_load(cow, &first) < 0)
		return;
	check(cow, &first);
	must(cow_mend_tail(cow) == 0 && cow_load(cow, &second) == 0);
	must(first.count == second.count);
	must(first.count == 0 || memcmp(first.list, second.list, first.count * sizeof(*first.list)) == 0);
	exceptions_free(&first);
	exceptions_free(&second);
}

/* With one that has the chunks 0 to 7. */
static void absorb(const uint8_t *data, size_t size, bool older)
{
	static int fd, other_fd;
	struct { uint32_t header[4]; uint64_t entry[8][2]; } other = { .header = { 0x70416e53, 1, 1, CHUNK / 512 } };
	struct cow cow, neighbour;
	struct exceptions all;
	struct slice slice;
	bool swapped;
	uint64_t i;

	for (i = 0; i < 8; i++) {
		other.entry[i][0] = i;
		other.entry[i][1] = 2 + i;
	}
	lay_out(&other_fd, (uint8_t *)&other, sizeof(other));
	lay_out(&fd, data, size);
	if (open_cow(&cow, fd) < 0)
		return;
	must(open_cow(&neighbour, other_fd) == 0);
	slice_begin(&slice, 1000000);
	if (cow.valid && cow_absorb(older ? &cow : &neighbour, older ? &neighbour : &cow, UINT64_MAX, &swapped, &slice) == 0) {
		must(cow_load(swapped == older ? &neighbour : &cow, &all) == 0);
		check(&cow, &all);
		must(all.count >= 8);
		exceptions_free(&all);
	}
	cow_close(&cow);
	cow_close(&neighbour);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd;
	struct cow cow;

	lay_out(&fd, data, size);
	if (open_cow(&cow, fd) < 0)
		return 0;
	mend(&cow);
	cow_close(&cow);
	absorb(data, size, true);
	absorb(data, size, false);
	return 0;
}
