// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * confined - what a process that has given up its rights (csrc/lib/confine.h) can still do, which the test then judges.
 *
 *     confined FILE DIRECTORY      FILE is open before; in DIRECTORY anybody may write, and there is DIRECTORY/old
 *
 * Prints a word for each thing that could be done.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"

static const char *file, *directory;
static int fd;

static const char *in(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void tell(const char *what, int could)
{
	if (could)
		printf("%s\n", what);
	fflush(stdout);
}

static int forked(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static int raised(void)
{
	struct rlimit more = { 100, 100 };

	return setrlimit(RLIMIT_NOFILE, &more) == 0;
}

static void *try(void *where)
{
	char word[] = "word";

	(void)where;
	tell("write", pwrite(fd, word, 4, 0) == 4);
	tell("memory", mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	tell("code", mmap(NULL, 1 << 20, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	tell("read-any", open("/etc/passwd", O_RDONLY) >= 0);
	tell("read-file", open(file, O_RDONLY) >= 0);
	tell("create", open(in("new"), O_WRONLY | O_CREAT, 0600) >= 0);
	tell("remove", unlink(in("old")) == 0);
	tell("mkdir", mkdir(in("made"), 0700) == 0);
	tell("dup", dup(fd) >= 0);
	tell("pipe", pipe((int[2]){ 0 }) == 0);
	tell("socket", socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	tell("root", setuid(0) == 0 || seteuid(0) == 0);
	tell("kill", kill(1, 0) == 0 || kill(getppid(), 0) == 0);
	tell("trace", ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0);
	tell("limits", raised());
	tell("fork", forked());
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int r;

	if (argc != 3)
		return 2;
	file = argv[1];
	directory = argv[2];
	fd = open(file, O_RDWR);
	r = fd < 0 ? -1 : confine();
	if (r < 0 || pthread_create(&thread, NULL, try, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	execl("/bin/echo", "echo", "exec", (char *)NULL);
	return 0;
}
