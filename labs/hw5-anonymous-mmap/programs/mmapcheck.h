// What mmaptests and mmapstress have in common. Include user/user.h first.

#include "user/check.h"

#define RW (PROT_READ | PROT_WRITE)
#define FAILED ((char*)-1)

static inline char*
map(uint64 length, int prot, int flags)
{
  return mmap(0, length, prot, MAP_ANONYMOUS | flags, -1, 0);
}

static inline char*
map_or_fail(uint64 length, int flags)
{
  char *p = map(length, RW, flags);

  CHECK(p != FAILED);
  return p;
}
