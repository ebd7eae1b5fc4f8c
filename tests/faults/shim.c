/* Preloaded into the program by tests/cli/faults.rs: the FAULT_AT'th call that may change the file system kills the
 * process, or fails with the error number FAULT_ERROR. Wraps what Rust's standard library calls for that on Linux. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(void) {
    static atomic_int count;
    const char *at = getenv("FAULT_AT"), *error = getenv("FAULT_ERROR");
    if (!at || atomic_fetch_add(&count, 1) + 1 != atoi(at)) return 0;
    if (!error) raise(SIGKILL);
    errno = atoi(error);
    return 1;
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define WRAP(type, name, parameters, arguments) \
    type name parameters {                       \
        REAL(name);                              \
        return fails() ? -1 : real arguments;    \
    }
#define WRAP_OPEN(name, parameters, arguments)                        \
    int name parameters {                                             \
        REAL(name);                                                   \
        va_list rest;                                                 \
        va_start(rest, flags);                                        \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                 \
        return fails() ? -1 : real arguments;                         \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
WRAP_OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, rmdir, (const char *path), (path))
WRAP(int, fsync, (int file), (file))
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, (int file, mode_t mode), (file, mode))
WRAP(int, fchown, (int file, uid_t owner, gid_t group), (file, owner, group))
WRAP(int, symlink, (const char *target, const char *path), (target, path))
WRAP(int, flock, (int file, int operation), (file, operation))
WRAP(ssize_t, copy_file_range, (int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags), (in, from, out, to, count, flags))
WRAP(ssize_t, sendfile64, (int out, int in, off64_t *from, size_t count), (out, in, from, count))

ssize_t write(int file, const void *bytes, size_t count) {
    REAL(write);
    return file > 2 && fails() ? -1 : real(file, bytes, count);
}
