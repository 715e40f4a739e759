// What mmaptests and mmapstress have in common. Include user/user.h first.

#include "user/check.h"

#define RW (PROT_READ | PROT_WRITE)
#define FAILED ((char*)-1)

static inline char*
map(uint64 length, int prot, int flags)
{
  return mmap(0, length, prot, MAP_ANONYMOUS | flags, -1, 0);
}

// A check that fails is named by the line that calls it.
#define map_or_fail(length, flags) mapchecked(length, flags, __FILE__, __LINE__)

static inline char*
mapchecked(uint64 length, int flags, const char *file, int line)
{
  char *p = map(length, RW, flags);

  check(p != FAILED, "p != FAILED", file, line);
  return p;
}
