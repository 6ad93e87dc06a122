// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zumastor-serve - what another host runs here over ssh: hear what it wants and, if it may, become that.
 *
 *     zumastor serve [--peer PEER] <request
 *     zumastor serve --verbs
 *
 * The request is one line, "zumastor 1 VERB VOLUME".  Nothing behind it is read: that belongs to the program this one
 * becomes, with an argument and an environment of ours.  What ssh was asked to run (SSH_ORIGINAL_COMMAND) is not looked at.
 *
 * With --peer, as in the command="" of an authorized_keys line, only what `zumastor peer add` has allowed PEER; without, all:
 * whoever can run this as root can run anything.
 *
 * It refuses with "failed CODE message" on stdout and that exit status, before anything was changed: 7 no request of ours,
 * or none within 20 seconds; 5 an unknown verb; 1 not allowed; 2 usage, on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "exits.h"
#include "num.h"

#define GREETING "zumastor 1 "

enum { LINE = 128, LINE_MS = 20000, KEPT_MAX = 16 };

struct verb {
	const char *name;
	const char *program;
};

/* All that another host can ask for. */
static const struct verb verbs[] = {
	{ "receive", "zumastor-receive" },
	{ "hash", "zumastor-hash" },
	{ "send", "zumastor-send" },
};

/* What bin/zumastor has set, having cleared all else. */
static const char *const kept[] = {
	"ZUMASTOR_LIBEXEC=", "ZUMASTOR_LIB=", "ZUMASTOR_CONF=", "ZUMASTOR_STATE=", "ZUMASTOR_RUN=", "ZUMASTOR_LOG=",
	"ZUMASTOR_VERSION=",
};

struct request {
	const struct verb *verb;
	const char *volume;
	char line[LINE];
};

__attribute__((noreturn, format(printf, 2, 3)))
static void refuse(int code, const char *format, ...)
{
	va_list args;

	printf("failed %d ", code);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(code);
}

__attribute__((noreturn))
static void die_usage(const char *what, const char *word)
{
	const char *at;

	fprintf(stderr, "zumastor serve: %s", what);
	for (at = word; *at != '\0' && at < word + LINE; at++)
		fputc(*at < ' ' || *at > '~' ? '?' : *at, stderr);
	fprintf(stderr, "'; try 'zumastor serve --help'\n");
	exit(EXIT_USAGE);
}

/* Reading the request. */

/* One byte at a time: what is behind the line is not ours. */
static int read_line(char line[LINE])
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t end = clock_ms() + LINE_MS, left;
	int i, r;

	for (i = 0; i < LINE; i++) {
		do {
			left = end - clock_ms();
			r = left > 0 ? poll(&in, 1, (int)left) : 0;
		} while (r < 0 && errno == EINTR);
		if (r == 0)
			return -ETIMEDOUT;
		r = r < 0 ? r : (int)read(STDIN_FILENO, &line[i], 1);
		if (r <= 0)
			return r < 0 ? -errno : -ENODATA;
		if (line[i] == '\n') {
			line[i] = '\0';
			return strlen(line) == (size_t)i ? 0 : -EBADMSG;
		}
	}
	return -EBADMSG;
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static void read_request(struct request *request)
{
	char *verb = request->line + strlen(GREETING), *blank;
	int r = read_line(request->line);

	if (r < 0 && r != -EBADMSG)
		refuse(EXIT_CORRUPT, "no request: %s", reason(r));
	blank = r == 0 && strncmp(request->line, GREETING, strlen(GREETING)) == 0 ? strchr(verb, ' ') : NULL;
	if (!blank || !is_name(blank + 1))
		refuse(EXIT_CORRUPT, "that is no request of this version");
	*blank = '\0';
	request->volume = blank + 1;
	request->verb = find_verb(verb);
	if (!request->verb)
		refuse(EXIT_UNSUPPORTED, "nothing here does what is asked for");
}

/* May it? */

/* A file of that name says so: there is nothing to be read wrongly. */
static bool has(int dir, const char *list, const char *name)
{
	char path[2 * NAME_TEXT];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", list, name);
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static bool is_allowed(const struct request *request, const char *peer)
{
	const char *state = getenv("ZUMASTOR_STATE");
	char path[PATH_MAX];
	struct stat st;
	int dir;

	if (!state || snprintf(path, sizeof(path), "%s/peers/%s", state, peer) >= (int)sizeof(path))
		return false;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return false;
	return has(dir, "verbs", request->verb->name) &&
	       (has(dir, "volumes", request->volume) || has(dir, "volumes", ".all"));
}

/* Becoming it. */

/* Of duplicates the first, which is the one that getenv() sees. */
static char *find_variable(const char *start)
{
	char **at;

	for (at = environ; *at; at++)
		if (strncmp(*at, start, strlen(start)) == 0)
			return *at;
	return NULL;
}

static void become(const struct request *request, const char *peer)
{
	char program[PATH_MAX], whose[NAME_TEXT + 16];
	char *argv[] = { (char *)request->verb->program, (char *)request->volume, NULL };
	char *environment[KEPT_MAX] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root", whose };
	const char *libexec = getenv("ZUMASTOR_LIBEXEC"), *no_udev = getenv("DM_DISABLE_UDEV");
	size_t n = 4, i;

	if (!libexec || snprintf(program, sizeof(program), "%s/%s", libexec, argv[0]) >= (int)sizeof(program))
		refuse(EXIT_FAILED, "not run as 'zumastor serve'");
	snprintf(whose, sizeof(whose), "ZUMASTOR_PEER=%s", peer ? peer : "");
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		environment[n] = find_variable(kept[i]);
		if (environment[n])
			n++;
	}
	if (no_udev && strcmp(no_udev, "1") == 0)
		environment[n] = "DM_DISABLE_UDEV=1";	/* it is not the peer that knows whether there is a udevd */
	umask(077);
	close_range(3, ~0U, 0);
	execve(program, argv, environment);
	refuse(EXIT_FAILED, "cannot run '%s': %s", argv[0], reason(-errno));
}

/* --peer's argument, or NULL. */
static const char *parse(int argc, char **argv)
{
	const char *peer = NULL;
	size_t v;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: zumastor serve [--peer PEER] <request\n       zumastor serve --verbs\n");
			exit(EXIT_DONE);
		} else if (strcmp(argv[i], "--verbs") == 0) {
			for (v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++)
				puts(verbs[v].name);
			exit(EXIT_DONE);
		} else if (strcmp(argv[i], "--peer") == 0 && i + 1 < argc) {
			peer = argv[++i];
			if (!is_name(peer))
				die_usage("bad peer name '", peer);
		} else if (argv[i][0] == '-') {
			die_usage("unknown option '", argv[i]);
		}
	}
	if (argc != (peer ? 3 : 1))
		die_usage("expected no argument, got '", argv[1]);
	return peer;
}

int main(int argc, char **argv)
{
	static struct request request;
	const char *peer = parse(argc, argv);

	read_request(&request);
	if (peer && !is_allowed(&request, peer))
		refuse(EXIT_FAILED, "this peer may not %s '%s'", request.verb->name, request.volume);
	become(&request, peer);
}
