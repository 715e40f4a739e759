/** wasi-libc's O_RDONLY is not 0, so that `open(path, 0)`, which mkfs does, fails with EINVAL: linked with --wrap=open. */
export const openShim = `
#include <fcntl.h>
#include <stdarg.h>

int __real_open(const char *path, int flags, ...);

int
__wrap_open(const char *path, int flags, ...)
{
  va_list ap;
  va_start(ap, flags);
  int mode = va_arg(ap, int);
  va_end(ap);
  if ((flags & (O_RDONLY | O_WRONLY)) == 0)
    flags |= O_RDONLY;
  return __real_open(path, flags, mode);
}
`;
