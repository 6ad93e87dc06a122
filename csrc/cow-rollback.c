// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cow-rollback - give a device back what the exception store of its newest snapshot kept.
 *
 *     cow-rollback CHUNK_BYTES COW DEVICE
 *
 * DEVICE is the volume itself: the chunks written were copied out already, so the snapshot stays as it is.
 * Nobody else may write to the volume meanwhile.  Exit 0: DEVICE holds what the snapshot shows, on disk; it
 * can be run again after any failure.  7: the table is damaged, 6: the kernel gave it up; 1, 2.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "cow.h"
#include "exits.h"
#include "io.h"
#include "num.h"
#include "step.h"

static int copy_back(const struct cow *cow, const struct exceptions *all, int device, uint64_t bytes)
{
	void *chunk = io_alloc(cow->chunk_bytes);
	uint64_t i;
	int r = chunk ? 0 : -ENOMEM;

	for (i = 0; i < all->count && r == 0; i++) {
		uint64_t offset = all->list[i].old_chunk * cow->chunk_bytes;
		uint64_t length = cow->chunk_bytes;

		if (offset + length > bytes)
			length = bytes - offset;	/* the last chunk of the volume may be short */
		r = io_pread(cow->fd, chunk, cow->chunk_bytes,
			     all->list[i].new_chunk * cow->chunk_bytes);
		if (r == 0)
			r = io_pwrite(device, chunk, length, offset);
		if (r == 0)
			r = step();
	}
	free(chunk);
	return r;
}

static int rollback(const char *path, uint64_t chunk_bytes, int device, uint64_t bytes)
{
	struct exceptions all = { 0 };
	struct cow cow;
	int r = cow_open(&cow, path, O_RDONLY, chunk_bytes, (bytes + chunk_bytes - 1) / chunk_bytes);

	if (r < 0)
		return r;
	r = cow.valid ? cow_load(&cow, &all) : -ESTALE;
	if (r == 0)
		r = copy_back(&cow, &all, device, bytes);
	exceptions_free(&all);
	cow_close(&cow);
	return r;
}

int main(int argc, char **argv)
{
	uint64_t chunk_bytes, bytes;
	int device, r;

	step_arm();
	if (argc != 4 || num_u64(argv[1], 1 << 30, &chunk_bytes) < 0 ||
	    !is_power_of_two(chunk_bytes) || chunk_bytes < IO_ALIGN)
		errx(EXIT_USAGE, "usage: cow-rollback CHUNK_BYTES COW DEVICE");
	device = io_open(argv[3], O_RDWR | O_EXCL);
	if (device < 0)
		errx(exit_code(device), "cannot open '%s': %s", argv[3], reason(device));
	r = io_size(device, &bytes);
	if (r == 0)
		r = rollback(argv[2], chunk_bytes, device, bytes);
	r = io_close_synced(device, r);
	if (r < 0)
		errx(exit_code(r), "cannot roll '%s' back from '%s': %s", argv[3], argv[2], reason(r));
	return EXIT_DONE;
}
