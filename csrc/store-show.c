// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store-show - print the record of a snapshot store.
 *
 *     store-show STORE
 *
 * One fact a line, key=value; a line per snapshot, oldest first.  Exit 4: there is no record on the device;
 * 7: there was one, and neither of its copies is whole; 1, 2.  Nothing is ever changed.
 */
#include <err.h>
#include <fcntl.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"
#include "record.h"

int main(int argc, char **argv)
{
	static struct record rec;
	int fd, r;

	if (argc != 2 || argv[1][0] == '-')
		errx(EXIT_USAGE, "usage: store-show STORE");
	fd = io_open(argv[1], O_RDONLY);
	if (fd < 0)
		errx(EXIT_FAILED, "cannot open '%s': %s", argv[1], reason(fd));
	r = record_load(fd, &rec);
	if (r < 0)
		errx(exit_code(r), "cannot read the record of '%s': %s", argv[1],
		     exit_code(r) == EXIT_ABSENT ? "there is none" : reason(r));
	r = record_print(&rec, stdout);
	if (r == 0)
		r = io_flush_stdout();
	if (r < 0)
		errx(EXIT_FAILED, "cannot print: %s", reason(r));
	close(fd);
	return EXIT_DONE;
}
