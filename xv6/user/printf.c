// printf for user programs: %d %u %x %p %s %c %%, and l or ll before d, u, x.

#include <stdarg.h>
#include "kernel/types.h"
#include "user/user.h"

// One write() for a batch of characters: a system call for each would be slow,
// and lines of two processes would mix letter by letter.
struct out {
  int fd;
  int n;
  char buf[64];
};

static void
flush(struct out *o)
{
  if(o->n > 0)
    write(o->fd, o->buf, o->n);
  o->n = 0;
}

static void
put(struct out *o, char c)
{
  o->buf[o->n++] = c;
  if(o->n == sizeof(o->buf) || c == '\n')
    flush(o);
}

static void
put_string(struct out *o, const char *s)
{
  if(s == 0)
    s = "(null)";
  for(; *s; s++)
    put(o, *s);
}

// At least `width` digits, with zeros in front.
static void
put_number(struct out *o, uint64 value, uint base, int width)
{
  char digits[20];
  int n = 0;

  do {
    digits[n++] = "0123456789abcdef"[value % base];
    value /= base;
  } while(value > 0);
  for(int i = n; i < width; i++)
    put(o, '0');
  while(n > 0)
    put(o, digits[--n]);
}

static void
put_signed(struct out *o, long value)
{
  uint64 size = value;

  if(value < 0){
    put(o, '-');
    size = -size;
  }
  put_number(o, size, 10, 1);
}

static void
format(struct out *o, const char *fmt, va_list ap)
{
  for(; *fmt; fmt++){
    if(*fmt != '%'){
      put(o, *fmt);
      continue;
    }
    int longs = 0;
    while(*++fmt == 'l')
      longs++;
    switch(*fmt){
    case 'd':
      put_signed(o, longs ? va_arg(ap, long) : va_arg(ap, int));
      break;
    case 'u':
      put_number(o, longs ? va_arg(ap, uint64) : va_arg(ap, uint), 10, 1);
      break;
    case 'x':
      put_number(o, longs ? va_arg(ap, uint64) : va_arg(ap, uint), 16, 1);
      break;
    case 'p':
      put_string(o, "0x");
      put_number(o, va_arg(ap, uint64), 16, 16);
      break;
    case 's':
      put_string(o, va_arg(ap, char*));
      break;
    case 'c':
      put(o, va_arg(ap, int));
      break;
    case '%':
      put(o, '%');
      break;
    case 0:
      return;
    default:
      // An unknown letter is shown, so that the mistake is seen.
      put(o, '%');
      put(o, *fmt);
    }
  }
}

void
fprintf(int fd, const char *fmt, ...)
{
  struct out o = { .fd = fd };
  va_list ap;

  va_start(ap, fmt);
  format(&o, fmt, ap);
  va_end(ap);
  flush(&o);
}

void
printf(const char *fmt, ...)
{
  struct out o = { .fd = 1 };
  va_list ap;

  va_start(ap, fmt);
  format(&o, fmt, ap);
  va_end(ap);
  flush(&o);
}
