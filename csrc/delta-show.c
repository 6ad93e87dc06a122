// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-show - what a delta is of: the facts of its header.
 *
 *     delta-show <stream
 *
 * Prints them, key=value a line: exit 0.  It reads no more than the beginning, so what follows may be cut or wrong:
 * delta-apply --dry-run verifies all of it.  7: it is no delta, or its header is wrong; 2: usage; 1: anything else.
 */
#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include "confine.h"
#include "delta_read.h"
#include "exits.h"
#include "io.h"

int main(int argc, char **argv)
{
	static struct delta_reader in;
	char text[DELTA_HEADER_TEXT];
	int r;

	(void)argv;
	if (argc != 1)
		errx(EXIT_USAGE, "usage: delta-show <stream");
	if (isatty(STDIN_FILENO))
		errx(EXIT_USAGE, "the stream cannot come from a terminal");
	r = delta_read_limit(DELTA_READ_MEMORY);
	if (r == 0)
		r = confine();
	if (r < 0)
		errx(exit_code(r), "cannot give up rights: %s", reason(r));
	r = delta_read_open(&in, STDIN_FILENO);
	if (r < 0)
		errx(exit_code(r), "cannot use the stream: %s", in.fault[0] ? in.fault : reason(r));
	delta_facts_text(&in.facts, text);
	fputs(text, stdout);
	r = io_flush_stdout();
	if (r < 0)
		errx(EXIT_FAILED, "cannot print: %s", reason(r));
	delta_read_close(&in);
	return EXIT_DONE;
}
