// The small library that is linked with every user program: its entry point,
// strings, and reading a line.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

// The linker script starts programs here, so that a main() that returns
// exits, with what it returned, and does not run into whatever lies behind it.
void
start(int argc, char **argv)
{
  extern int main(int argc, char **argv);
  exit(main(argc, argv));
}

char*
strcpy(char *to, const char *from)
{
  int i;

  for(i = 0; from[i]; i++)
    to[i] = from[i];
  to[i] = 0;
  return to;
}

int
strcmp(const char *a, const char *b)
{
  // As unsigned bytes: characters beyond ASCII sort after it.
  while(*a && *a == *b){
    a++;
    b++;
  }
  return (uchar)*a - (uchar)*b;
}

uint
strlen(const char *s)
{
  const char *end = s;

  while(*end)
    end++;
  return end - s;
}

char*
strchr(const char *s, char c)
{
  for(; *s != c; s++)
    if(*s == 0)
      return 0;
  return (char*)s;
}

void*
memset(void *at, int c, uint n)
{
  char *p = at;

  for(uint i = 0; i < n; i++)
    p[i] = c;
  return at;
}

// Right for overlapping areas: copies from the end that is not overwritten.
void*
memmove(void *to, const void *from, int n)
{
  char *d = to;
  const char *s = from;

  if(s < d){
    while(n-- > 0)
      d[n] = s[n];
  } else {
    for(int i = 0; i < n; i++)
      d[i] = s[i];
  }
  return to;
}

void*
memcpy(void *to, const void *from, uint n)
{
  return memmove(to, from, n);
}

int
memcmp(const void *a, const void *b, uint n)
{
  const uchar *p = a, *q = b;

  for(uint i = 0; i < n; i++)
    if(p[i] != q[i])
      return p[i] - q[i];
  return 0;
}

int
atoi(const char *s)
{
  int n = 0;

  for(; '0' <= *s && *s <= '9'; s++)
    n = 10*n + *s - '0';
  return n;
}

// Reads a line with its line feed, or what came before the end of the input.
// The result is terminated; an empty one means that there was nothing left.
char*
gets(char *buf, int max)
{
  int n = 0;

  while(n < max - 1 && read(0, &buf[n], 1) == 1){
    char c = buf[n++];
    if(c == '\n' || c == '\r')
      break;
  }
  buf[n] = 0;
  return buf;
}

int
stat(const char *path, struct stat *st)
{
  int fd = open(path, O_RDONLY);

  if(fd < 0)
    return -1;
  int result = fstat(fd, st);
  close(fd);
  return result;
}
