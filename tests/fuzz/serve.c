// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * serve.c - what a peer says first, heard as zumastor-serve does.
 *
 * It becomes another program only for one exact line, with that volume as the one argument, and only if the peer may that.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

static jmp_buf ended;
static char *volume;		/* what it was to become a receiver of */

static int become_nothing(const char *program, char *const argv[], char *const environment[]);
__attribute__((noreturn)) static void end(int code);

#define execve become_nothing
#define _exit end
#define close_range(...) ((void)0)
#define main serve_main
#pragma clang diagnostic ignored "-Wreturn-type"	/* that is no main() here */
#include "../../csrc/zumastor-serve.c"
#undef main

#include "fuzz.h"

static int become_nothing(const char *program, char *const argv[], char *const environment[])
{
	static const char start[] = "ZUMASTOR_PEER=host1";
	int i, peers = 0;

	must(strcmp(program, "/nowhere/zumastor-receive") == 0);
	must(strcmp(argv[0], "zumastor-receive") == 0 && argv[2] == NULL);
	for (i = 0; environment[i]; i++)
		peers += strcmp(environment[i], start) == 0;
	must(peers == 1);
	volume = argv[1];
	longjmp(ended, 1);
}

static void end(int code)
{
	must(code == EXIT_CORRUPT || code == EXIT_UNSUPPORTED || code == EXIT_FAILED);
	longjmp(ended, 1);
}

/* A peer that may receive into home, and no more. */
static void begin(void)
{
	static char state[] = "/tmp/zumastor-fuzz.XXXXXX";
	char command[256];

	if (getenv("ZUMASTOR_STATE"))
		return;
	must(mkdtemp(state));
	snprintf(command, sizeof(command), "cd %s && mkdir -p peers/host1/verbs peers/host1/volumes && chmod -R go= peers && "
		 "touch peers/host1/verbs/receive peers/host1/volumes/home", state);
	must(system(command) == 0);
	setenv("ZUMASTOR_STATE", state, 1);
	setenv("ZUMASTOR_LIBEXEC", "/nowhere", 1);
	must(freopen("/dev/null", "w", stdout));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] = "zumastor 1 receive home\n";
	static struct request request;
	static int input;

	begin();
	file_of(&input, data, size);
	must(dup2(input, STDIN_FILENO) == STDIN_FILENO);
	volume = NULL;
	memset(&request, 0, sizeof(request));
	if (setjmp(ended) == 0) {
		read_request(&request);
		if (!is_allowed(&request, "host1"))
			refuse(EXIT_FAILED, "this peer may not");
		become(&request, "host1");
	}
	must(!volume || strcmp(volume, "home") == 0);
	must(!volume == !(size >= strlen(good) && memcmp(data, good, strlen(good)) == 0));
	/* Not a byte behind the line is taken from the program that comes next. */
	must(!volume || lseek(input, 0, SEEK_CUR) == (off_t)strlen(good));
	return 0;
}
