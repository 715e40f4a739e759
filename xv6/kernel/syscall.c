// System calls: how arguments come in from user space, and which function
// does what.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "proc.h"
#include "syscall.h"
#include "defs.h"

// Reads the 64-bit word at user address addr. 0, or -1.
int
fetchaddr(uint64 addr, uint64 *value)
{
  struct proc *p = myproc();

  // Not addr + 8 > sz: the sum may wrap around.
  if(p->sz < sizeof(*value) || addr > p->sz - sizeof(*value))
    return -1;
  return copyin(p->pagetable, (char*)value, addr, sizeof(*value));
}

// Reads the string at user address addr, at most max bytes with its 0.
// Returns its length, or -1.
int
fetchstr(uint64 addr, char *buf, int max)
{
  int bad = copyinstr(myproc()->pagetable, buf, addr, max) < 0;

  return bad ? -1 : strlen(buf);
}

// The n-th argument: uservec saved the registers it came in.
static uint64
argraw(int n)
{
  struct trapframe *tf = myproc()->trapframe;

  switch(n){
  case 0: return tf->a0;
  case 1: return tf->a1;
  case 2: return tf->a2;
  case 3: return tf->a3;
  case 4: return tf->a4;
  case 5: return tf->a5;
  }
  panic("argraw");
}

// The n-th argument as an int. Cannot fail; it returns 0 so that all the
// arg functions can be called in the same way.
int
argint(int n, int *value)
{
  *value = argraw(n);
  return 0;
}

// The n-th argument as an address. Cannot fail either: code that uses the
// address (copyin, copyout) finds out whether it is a good one.
int
argaddr(int n, uint64 *value)
{
  *value = argraw(n);
  return 0;
}

// The n-th argument as a string, copied to buf. Its length, or -1.
int
argstr(int n, char *buf, int max)
{
  uint64 addr;

  argaddr(n, &addr);
  return fetchstr(addr, buf, max);
}

// sysproc.c
extern uint64 sys_fork(void);
extern uint64 sys_exit(void);
extern uint64 sys_wait(void);
extern uint64 sys_getpid(void);
extern uint64 sys_kill(void);
extern uint64 sys_sbrk(void);
extern uint64 sys_sleep(void);
extern uint64 sys_uptime(void);

// sysfile.c
extern uint64 sys_open(void);
extern uint64 sys_close(void);
extern uint64 sys_read(void);
extern uint64 sys_write(void);
extern uint64 sys_dup(void);
extern uint64 sys_pipe(void);
extern uint64 sys_fstat(void);
extern uint64 sys_link(void);
extern uint64 sys_unlink(void);
extern uint64 sys_mkdir(void);
extern uint64 sys_mknod(void);
extern uint64 sys_chdir(void);
extern uint64 sys_exec(void);

// A call's number is its place in this table.
static uint64 (*syscalls[])(void) = {
  [SYS_fork]   = sys_fork,
  [SYS_exit]   = sys_exit,
  [SYS_wait]   = sys_wait,
  [SYS_pipe]   = sys_pipe,
  [SYS_read]   = sys_read,
  [SYS_kill]   = sys_kill,
  [SYS_exec]   = sys_exec,
  [SYS_fstat]  = sys_fstat,
  [SYS_chdir]  = sys_chdir,
  [SYS_dup]    = sys_dup,
  [SYS_getpid] = sys_getpid,
  [SYS_sbrk]   = sys_sbrk,
  [SYS_sleep]  = sys_sleep,
  [SYS_uptime] = sys_uptime,
  [SYS_open]   = sys_open,
  [SYS_write]  = sys_write,
  [SYS_mknod]  = sys_mknod,
  [SYS_unlink] = sys_unlink,
  [SYS_link]   = sys_link,
  [SYS_mkdir]  = sys_mkdir,
  [SYS_close]  = sys_close,
};

// usertrap() comes here with an ecall: number in a7, result to a0.
void
syscall(void)
{
  struct proc *p = myproc();
  int num = p->trapframe->a7;

  // The number is the user's, so it may be anything; and the table may
  // have gaps.
  if(num < 0 || num >= NELEM(syscalls) || syscalls[num] == 0){
    printf("%d %s: unknown sys call %d\n", p->pid, p->name, num);
    p->trapframe->a0 = -1;
    return;
  }
  p->trapframe->a0 = syscalls[num]();
}
