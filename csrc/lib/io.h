/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io.h - whole reads and writes, block devices, aligned memory.
 *
 * Everything returns 0 (or a descriptor, or a count where said) or -errno, and prints nothing.
 */
#ifndef ZUMASTOR_IO_H
#define ZUMASTOR_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SECTOR_SIZE = 512,
	IO_ALIGN = 4096,	/* for O_DIRECT: memory, offset and length, on any disk sold today */
};

/*
 * io_open - open a block device or a regular file (an image, in tests) past the page cache.
 *
 * @flags: O_RDONLY or O_RDWR, and O_EXCL to claim a block device.
 * O_DIRECT is used where the file system under a regular file has it.
 * Returns the descriptor; -ENOTBLK for anything that is neither.
 */
int io_open(const char *path, int flags);

/*
 * io_size - size in bytes of an open block device or regular file.
 */
int io_size(int fd, uint64_t *bytes);

/*
 * io_alloc - zeroed memory fit for O_DIRECT, @bytes rounded up to IO_ALIGN; NULL without memory.
 * Give it back with free().
 */
void *io_alloc(size_t bytes);

/*
 * io_pread, io_pwrite - the whole of it, at @offset.
 *
 * -ENODATA where the file ends first.
 */
int io_pread(int fd, void *buffer, size_t bytes, uint64_t offset);
int io_pwrite(int fd, const void *buffer, size_t bytes, uint64_t offset);

/*
 * io_close - close @fd after a flush; the first error of @r, the flush and the close.
 */
int io_close_synced(int fd, int r);

/*
 * io_sync_directory - flush the directory that has the file @path: what was made or renamed there is durable.
 */
int io_sync_directory(const char *path);

/*
 * io_close_stream - close what a stream was written to, a file or a pipe; exit 0 afterwards means that it has got there.
 */
int io_close_stream(int fd);

/*
 * io_flush_stdout - what was printed has reached its reader, or -errno.
 */
int io_flush_stdout(void);

#endif
