// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-sums - lay the check sums of a delta that has arrived over those of its base.
 *
 *     delta-sums [--fresh] TABLE NEW BYTES
 *
 * NEW is what delta-apply --sums has made, of a volume of BYTES.  --fresh makes TABLE, of zeros first: the delta was a full one.
 * A table of a smaller volume grows.  It may be done again.   Exit 0: TABLE is right and on disk; 7: a file has a wrong size; 1, 2, 4.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"
#include "num.h"
#include "sums.h"

static void grow(const char *path, uint64_t bytes)
{
	off_t wanted = (off_t)((bytes + DELTA_BLOCK - 1) / DELTA_BLOCK * sizeof(uint32_t));
	struct stat st;

	if (stat(path, &st) == 0 && st.st_size < wanted && truncate(path, wanted) < 0)
		err(EXIT_FAILED, "cannot grow '%s'", path);
}

int main(int argc, char **argv)
{
	bool fresh = argc > 1 && strcmp(argv[1], "--fresh") == 0;
	struct sums sums, news;
	uint64_t bytes;
	int r;

	argv += fresh;
	argc -= fresh;
	if (argc != 4 || num_u64(argv[3], INT64_MAX, &bytes) < 0)
		errx(EXIT_USAGE, "usage: delta-sums [--fresh] TABLE NEW BYTES");
	if (!fresh)
		grow(argv[1], bytes);
	r = sums_open(&sums, argv[1], O_RDWR, bytes, fresh);
	if (r < 0)
		errx(exit_code(r), "cannot use '%s': %s", argv[1], reason(r));
	r = sums_open_new(&news, argv[2], O_RDONLY, bytes, false);
	if (r < 0)
		errx(exit_code(r), "cannot use '%s': %s", argv[2], reason(r));
	r = sums_lay(&sums, &news);
	close(news.fd);
	r = io_close_synced(sums.fd, r);
	if (r < 0)
		errx(exit_code(r), "cannot write '%s': %s", argv[1], reason(r));
	return EXIT_DONE;
}
