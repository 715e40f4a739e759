// Formatted output to the console, and the end of all things: panic().

#include <stdarg.h>

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "defs.h"

// Not 0 once a hart has panicked. uart.c looks at it, so that the other
// harts stop at their next output and leave the message readable.
volatile int panicked = 0;

// Keeps the lines of several harts apart. panic() switches it off, because
// it may come while this hart already holds the lock.
static struct {
  struct spinlock lock;
  int locking;
} pr;

void
printfinit(void)
{
  initlock(&pr.lock, "pr");
  pr.locking = 1;
}

static void
printstring(const char *s)
{
  if(s == 0)
    s = "(null)";
  for(; *s; s++)
    consputc(*s & 0xff);
}

// Prints x in the given base, filled up with zeros to `width` digits.
static void
printnumber(uint64 x, uint base, int width)
{
  char digits[20];   // 2^64 has 20 decimal digits
  int n = 0;

  do {
    digits[n++] = "0123456789abcdef"[x % base];
    x /= base;
  } while(x != 0);

  for(int pad = width - n; pad > 0; pad--)
    consputc('0');
  while(n > 0)
    consputc(digits[--n]);
}

static void
printsigned(long x)
{
  if(x < 0)
    consputc('-');
  // Negating as unsigned is right for the most negative number too.
  printnumber(x < 0 ? -(uint64)x : (uint64)x, 10, 1);
}

// Understands %c %d %u %x %p %s %%, and %ld %lu %lx (also with "ll").
int
printf(char *fmt, ...)
{
  va_list ap;
  int locking = pr.locking;

  if(locking)
    acquire(&pr.lock);

  va_start(ap, fmt);
  for(char *f = fmt; *f; f++){
    if(*f != '%'){
      consputc(*f & 0xff);
      continue;
    }

    // An `l` says that the argument has 64 bits, not 32.
    int wide = 0;
    for(f++; *f == 'l'; f++)
      wide = 1;

    switch(*f){
    case 'd':
      printsigned(wide ? va_arg(ap, long) : va_arg(ap, int));
      break;
    case 'u':
      printnumber(wide ? va_arg(ap, uint64) : va_arg(ap, uint), 10, 1);
      break;
    case 'x':
      printnumber(wide ? va_arg(ap, uint64) : va_arg(ap, uint), 16, 1);
      break;
    case 'p':
      printstring("0x");
      printnumber(va_arg(ap, uint64), 16, 16);
      break;
    case 'c':
      consputc(va_arg(ap, int));
      break;
    case 's':
      printstring(va_arg(ap, char*));
      break;
    case '%':
      consputc('%');
      break;
    case 0:
      f--;   // a lone % at the end: let the loop see the 0
      break;
    default:
      // Show what is not understood rather than drop it.
      consputc('%');
      consputc(*f & 0xff);
      break;
    }
  }
  va_end(ap);

  if(locking)
    release(&pr.lock);
  return 0;
}

// The kernel has found its own state to be wrong: say so and stop.
void
panic(char *s)
{
  // This hart is to stay here, with the stack that led here, not to go on
  // with another process at the next timer interrupt.
  intr_off();

  pr.locking = 0;
  printf("panic: %s\n", s);
  panicked = 1;
  for(;;)
    ;
}
