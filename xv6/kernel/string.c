// Memory and string functions: the kernel has no C library.
// memset, memmove, memcpy and memcmp must exist under these names in any
// case, since the compiler inserts calls to them on its own.

#include "types.h"
#include "riscv.h"
#include "defs.h"

void*
memset(void *dst, int c, uint n)
{
  uchar *d = dst;

  while(n-- > 0)
    *d++ = c;
  return dst;
}

int
memcmp(const void *a, const void *b, uint n)
{
  const uchar *x = a, *y = b;

  for(uint i = 0; i < n; i++){
    if(x[i] != y[i])
      return x[i] - y[i];
  }
  return 0;
}

// Works for overlapping areas: if dst lies inside src's bytes, copying
// upward would overwrite bytes that are yet to be read, so copy downward.
void*
memmove(void *dst, const void *src, uint n)
{
  const uchar *s = src;
  uchar *d = dst;

  if(s < d && d < s + n){
    while(n-- > 0)
      d[n] = s[n];
  } else {
    for(uint i = 0; i < n; i++)
      d[i] = s[i];
  }
  return dst;
}

void*
memcpy(void *dst, const void *src, uint n)
{
  return memmove(dst, src, n);
}

int
strncmp(const char *s, const char *t, uint n)
{
  for(uint i = 0; i < n; i++){
    if(s[i] != t[i] || s[i] == 0)
      return (uchar)s[i] - (uchar)t[i];
  }
  return 0;
}

// Copies at most n bytes and fills the rest of them with 0. As everywhere
// in C, there is no final 0 if src has n bytes or more.
char*
strncpy(char *dst, const char *src, int n)
{
  int i = 0;

  for(; i < n && src[i]; i++)
    dst[i] = src[i];
  for(; i < n; i++)
    dst[i] = 0;
  return dst;
}

// Like strncpy, but the result always ends in 0 (and is not padded).
char*
safestrcpy(char *dst, const char *src, int size)
{
  int i = 0;

  if(size <= 0)
    return dst;
  for(; i < size - 1 && src[i]; i++)
    dst[i] = src[i];
  dst[i] = 0;
  return dst;
}

int
strlen(const char *s)
{
  int n = 0;

  while(s[n])
    n++;
  return n;
}
