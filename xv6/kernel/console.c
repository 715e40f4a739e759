// The console: read() and write() on the UART, with line editing.
//
//   Ctrl-H, Delete  erase a character      Ctrl-D  end of file
//   Ctrl-U          erase the line         Ctrl-P  list the processes

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "fs.h"
#include "file.h"
#include "memlayout.h"
#include "proc.h"
#include "defs.h"

#define BACKSPACE 0x100         // to consputc; no byte has this value
#define CTRL(c)   ((c) - '@')
#define DELETE    0x7f

// Input. The numbers count bytes since boot, r <= w <= e <= r + size:
//   r..w  finished lines, for read() to take
//   w..e  the line being typed, which can still be changed
#define INPUT_BUF_SIZE 128
static struct {
  struct spinlock lock;
  char buf[INPUT_BUF_SIZE];
  uint r;
  uint w;
  uint e;
} cons;

// Prints one character at once: for printf(), and for the echo.
void
consputc(int c)
{
  if(c != BACKSPACE){
    uartputc_sync(c);
    return;
  }
  // A terminal's backspace only moves the cursor: overwrite, move again.
  uartputc_sync('\b');
  uartputc_sync(' ');
  uartputc_sync('\b');
}

// write() on the console. The user's bytes come over in small portions,
// each of which is then queued for the UART.
static int
consolewrite(int user_src, uint64 src, int n)
{
  char part[32];
  int done = 0;

  while(done < n){
    int m = n - done;
    if(m > sizeof(part))
      m = sizeof(part);
    if(either_copyin(part, user_src, src + done, m) == -1)
      break;
    for(int i = 0; i < m; i++)
      uartputc(part[i]);
    done += m;
  }
  return done;
}

// Sleeps until there is a finished line; 0 if killed before that. Caller
// holds cons.lock.
static int
awaitline(void)
{
  while(cons.r == cons.w){
    if(killed(myproc()))
      return 0;
    sleep(&cons.r, &cons.lock);
  }
  return 1;
}

// read() on the console: at most n bytes, and at most one line. Returns 0
// at end of file.
static int
consoleread(int user_dst, uint64 dst, int n)
{
  int got = 0;

  acquire(&cons.lock);
  while(got < n){
    if(!awaitline()){
      got = -1;
      break;
    }

    char c = cons.buf[cons.r % INPUT_BUF_SIZE];
    if(c == CTRL('D')){
      // Bytes before it count as a read of their own; the end of file is
      // then still there for the next read.
      if(got == 0)
        cons.r++;
      break;
    }

    if(either_copyout(user_dst, dst + got, &c, 1) == -1)
      break;
    cons.r++;
    got++;
    if(c == '\n')
      break;
  }
  release(&cons.lock);
  return got;
}

// Takes the last character off the line being typed.
static void
erase(void)
{
  cons.e--;
  consputc(BACKSPACE);
}

// Adds a character to the line being typed; hands the line over to read()
// when it is complete, or when the buffer is full.
static void
insert(int c)
{
  if(c == 0 || cons.e - cons.r >= INPUT_BUF_SIZE)
    return;
  if(c == '\r')      // what the Enter key sends
    c = '\n';

  cons.buf[cons.e % INPUT_BUF_SIZE] = c;
  cons.e++;
  consputc(c);       // the echo

  int full = cons.e - cons.r == INPUT_BUF_SIZE;
  if(full || c == '\n' || c == CTRL('D')){
    cons.w = cons.e;
    wakeup(&cons.r);
  }
}

// uartintr() calls this for each byte that is typed.
void
consoleintr(int c)
{
  acquire(&cons.lock);
  switch(c){
  case CTRL('P'):
    procdump();
    break;
  case CTRL('U'):
    while(cons.e != cons.w && cons.buf[(cons.e - 1) % INPUT_BUF_SIZE] != '\n')
      erase();
    break;
  case CTRL('H'):
  case DELETE:
    if(cons.e != cons.w)
      erase();
    break;
  default:
    insert(c);
    break;
  }
  release(&cons.lock);
}

void
consoleinit(void)
{
  initlock(&cons.lock, "cons");
  devsw[CONSOLE] = (struct devsw){ .read = consoleread, .write = consolewrite };
  uartinit();
}
