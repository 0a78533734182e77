/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control sessions for tests: commands, reports, and roles that are processes.
 * A helper that cannot do its own work aborts; commands return 0 or -errno.
 */
#ifndef SESSION_H
#define SESSION_H

#include <poll.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "dax.h"
#include "slow.h"

#define CONTROL	DXL_DEBUGFS "/control"
#define REPORT	(1 << 15)

static inline int session_open(void)
{
	int fd = open(CONTROL, O_RDWR | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

/* Look until it is so, for that long at most. */
#define within_seconds(seconds, cond) ({				\
	int left = (seconds) * 100;					\
									\
	while (!(cond) && --left)					\
		usleep(10000);						\
	left > 0;							\
})

/* For ten seconds at most, and longer on slow kernels. */
#define eventually(cond) within_seconds(10 * slow_factor(), cond)

/* The state of a task, as ps shows it; '?': it is gone. */
static inline char task_state(pid_t pid)
{
	char path[64], text[512] = "", *at;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	at = got > 0 ? strrchr(text, ')') : NULL;
	return at && strlen(at) > 2 ? at[2] : '?';
}

/* Does a task sleep, with a function of this name on its stack? */
static inline bool sleeps_in(pid_t pid, const char *function)
{
	char path[64], text[4096] = "";
	ssize_t got;
	int fd;

	if (!strchr("DSI", task_state(pid)))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got < 0 ? 0 : got] = '\0';
	return strstr(text, function);
}

/* A command to a session. On slow kernels a "wait" that names no time has longer. */
__attribute__((format(printf, 2, 3)))
static inline int say(int session, const char *fmt, ...)
{
	const char *state;
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	state = strncmp(line, "wait ", 5) ? NULL : strchr(line + 5, ' ');
	if (state && !strchr(state + 1, ' ') && slow_factor() > 1)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %u", slow_ms(10000));
	return write(session, line, strlen(line)) < 0 ? -errno : 0;
}

/* Text of a file from its beginning. */
static inline char *text_of(int fd, char *text)
{
	ssize_t got = pread(fd, text, REPORT - 1, 0);

	must(got >= 0);
	text[got] = '\0';
	return text;
}

/* Does the report say this anywhere? */
static inline bool reports(int session, const char *what)
{
	char text[REPORT];

	return strstr(text_of(session, text), what);
}

/* A session with @action armed at @window for @fd's inode. */
static inline int session_at(int fd, const char *window, const char *action)
{
	int session = session_open();
	struct stat st;

	must(!fstat(fd, &st) && !say(session, "bind daxlab0"));
	must(!say(session, "arm %s %s{ino=%lu}", window, action, st.st_ino));
	return session;
}

/* The same where its record is stored. */
static inline int session_at_record(int fd, const char *action)
{
	return session_at(fd, "slot.before_store", action);
}

/* Does the report have a line that begins with this? */
__attribute__((format(printf, 2, 3)))
static inline bool told(int session, const char *fmt, ...)
{
	char *text = malloc(REPORT), *line;
	char want[256];
	bool found = false;
	va_list ap;

	must(text);
	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	text_of(session, text);
	for (line = text; line && !found; line = strchr(line, '\n')) {
		line += *line == '\n';
		found = !strncmp(line, want, strlen(want));
	}
	if (!found)
		printf("# no line '%s' in:\n%s", want, text);
	fflush(stdout);
	free(text);
	return found;
}

/*
 * A role: a process of its own that registers itself, and does its deed each
 * time it is told to. It says that it begins before role_go() returns.
 */
struct role {
	pid_t pid;
	int fd;
};

static inline void role_loop(int session, const char *name, int fd,
			     void (*deed)(void *arg), void *arg)
{
	char c;

	must(!say(session, "role %s", name));
	must(write(fd, "r", 1) == 1);
	while (read(fd, &c, 1) == 1 && c == 'g') {
		must(!say(session, "begin %s", name));
		must(write(fd, "b", 1) == 1);
		deed(arg);
		say(session, "end");
	}
	_exit(0);
}

static inline struct role role_start(int session, const char *name,
				     void (*deed)(void *arg), void *arg)
{
	struct role role;
	int fd[2];
	char c;

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	role.pid = fork();
	must(role.pid >= 0);
	if (!role.pid) {
		close(fd[0]);
		role_loop(session, name, fd[1], deed, arg);
	}
	close(fd[1]);
	role.fd = fd[0];
	must(read(role.fd, &c, 1) == 1);
	return role;
}

static inline void role_go(struct role *role)
{
	char c;

	must(write(role->fd, "g", 1) == 1 && read(role->fd, &c, 1) == 1);
}

/* The wait status of a role that is told to end, or was killed. */
static inline int role_join(struct role *role)
{
	int status;

	send(role->fd, "q", 1, MSG_NOSIGNAL);
	close(role->fd);
	must(waitpid(role->pid, &status, 0) == role->pid);
	return status;
}

#endif
