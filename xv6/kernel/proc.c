// Processes: how they come to be, run, wait, and end.
//
// Locks, in the order in which they may be taken together:
//   wait_lock      who is whose parent; a child's exit against its parent's wait
//   p->lock        one process's state; held across swtch()
// A lock passed to sleep() comes before the sleeper's p->lock.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "proc.h"
#include "defs.h"

struct cpu cpus[NCPU];

struct proc proc[NPROC];

// The first process. Orphans become its children; it must never exit.
struct proc *initproc;

static int nextpid = 1;
static struct spinlock pid_lock;

static struct spinlock wait_lock;

extern char trampoline[];   // trampoline.S

static void forkret(void);
static void leave(struct proc *p, enum procstate state);
static void discard(struct proc *p);

// The machine code of user/initcode.S, to be run as the first process:
// exec("/init", argv), and if that returns, exit. After a change there,
// `make initcode-bytes` prints these lines.
static uchar initcode[] = {
  0x93, 0x08, 0x70, 0x00, 0x17, 0x05, 0x00, 0x00,
  0x13, 0x05, 0xc5, 0x02, 0x97, 0x05, 0x00, 0x00,
  0x93, 0x85, 0x45, 0x01, 0x73, 0x00, 0x00, 0x00,
  0x93, 0x08, 0x20, 0x00, 0x73, 0x00, 0x00, 0x00,
  0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
  0x2f, 0x69, 0x6e, 0x69, 0x74, 0x00, 0x01, 0x00,
};

// --- who am I ---

// This hart's number. Interrupts must be off: otherwise the thread may be
// on another hart by the time the caller uses the answer.
int
cpuid(void)
{
  return r_tp();
}

// This hart's struct cpu. Interrupts must be off, as above.
struct cpu*
mycpu(void)
{
  return &cpus[cpuid()];
}

// The process that this hart runs, or 0 (then we are in its scheduler).
struct proc*
myproc(void)
{
  push_off();
  struct proc *p = mycpu()->proc;
  pop_off();
  return p;
}

// --- the table ---

void
procinit(void)
{
  initlock(&pid_lock, "nextpid");
  initlock(&wait_lock, "wait_lock");
  for(int i = 0; i < NPROC; i++){
    initlock(&proc[i].lock, "proc");
    proc[i].kstack = KSTACK(i);
  }
}

// Gives each table entry a page for its kernel stack, at KSTACK(i) in the
// kernel's page table.
void
proc_mapstacks(pagetable_t kpgtbl)
{
  for(int i = 0; i < NPROC; i++){
    void *pa = kalloc();
    if(pa == 0)
      panic("kalloc");
    kvmmap(kpgtbl, KSTACK(i), (uint64)pa, PGSIZE, PTE_R | PTE_W);
  }
}

static int
allocpid(void)
{
  acquire(&pid_lock);
  int pid = nextpid++;
  release(&pid_lock);
  return pid;
}

// Takes an UNUSED entry for a new process. Returns it with p->lock held, or
// 0 if all are in use.
static struct proc*
takeentry(void)
{
  for(int i = 0; i < NPROC; i++){
    struct proc *p = &proc[i];
    acquire(&p->lock);
    if(p->state == UNUSED){
      p->state = USED;
      p->pid = allocpid();
      return p;
    }
    release(&p->lock);
  }
  return 0;
}

// Makes a process that, once RUNNABLE, starts in forkret(). Returns it with
// p->lock held, or 0 if there is no entry or no memory left.
static struct proc*
allocproc(void)
{
  struct proc *p = takeentry();

  if(p == 0)
    return 0;

  p->trapframe = kalloc();
  p->pagetable = p->trapframe ? proc_pagetable(p) : 0;
  if(p->pagetable == 0){
    discard(p);
    return 0;
  }

  // The scheduler's swtch() to it will "return" to forkret(), on an empty
  // kernel stack.
  p->context = (struct context){
    .ra = (uint64)forkret,
    .sp = p->kstack + PGSIZE,
  };
  return p;
}

// Frees all that a process holds, user memory included, and makes its entry
// UNUSED. Also for one that is only half set up. p->lock must be held.
static void
freeproc(struct proc *p)
{
  if(p->pagetable)
    proc_freepagetable(p->pagetable, p->sz);
  if(p->trapframe)
    kfree(p->trapframe);
  p->pagetable = 0;
  p->trapframe = 0;
  p->sz = 0;

  // Nothing may be found by its pid, name or parent that is not there.
  p->parent = 0;
  p->pid = 0;
  p->name[0] = 0;
  p->xstate = 0;
  p->killed = 0;
  p->chan = 0;
  p->state = UNUSED;
}

// Gives up a new process that cannot be completed, and its lock.
static void
discard(struct proc *p)
{
  freeproc(p);
  release(&p->lock);
}

// --- user memory ---

// Returns a user page table with no user memory yet, only the two pages of
// trampoline.S; 0 if memory has run out. Neither page is for user mode
// itself (no PTE_U).
pagetable_t
proc_pagetable(struct proc *p)
{
  pagetable_t new = uvmcreate();
  if(new == 0)
    return 0;

  int n = 0;   // pages mapped so far
  if(mappages(new, TRAMPOLINE, PGSIZE, (uint64)trampoline, PTE_R | PTE_X) == 0)
    n++;
  if(n == 1 && mappages(new, TRAPFRAME, PGSIZE, (uint64)p->trapframe, PTE_R | PTE_W) == 0)
    n++;
  if(n < 2){
    uvmunmap(new, TRAMPOLINE, n, 0);
    uvmfree(new, 0);
    return 0;
  }
  return new;
}

// Frees a user page table and the sz bytes of user memory in it. The two
// pages of trampoline.S have other owners and are only unmapped.
void
proc_freepagetable(pagetable_t pagetable, uint64 sz)
{
  uvmunmap(pagetable, TRAPFRAME, 1, 0);
  uvmunmap(pagetable, TRAMPOLINE, 1, 0);
  uvmfree(pagetable, sz);
}

// Adds n bytes to the current process's memory, or takes -n bytes away.
// Returns 0, or -1 with nothing changed.
int
growproc(int n)
{
  struct proc *p = myproc();
  uint64 sz = p->sz;

  if(n > 0){
    if(sz + n > TRAPFRAME)
      return -1;
    sz = uvmalloc(p->pagetable, sz, sz + n, PTE_W);
    if(sz == 0)
      return -1;
  } else if(n < 0){
    uint64 less = -(uint64)n;
    if(less > sz)
      return -1;
    sz = uvmdealloc(p->pagetable, sz, sz - less);
  }
  p->sz = sz;
  return 0;
}

// --- birth ---

// Sets up the first process.
void
userinit(void)
{
  struct proc *p = allocproc();
  if(p == 0)
    panic("userinit");

  p->cwd = namei("/");
  safestrcpy(p->name, "initcode", sizeof(p->name));

  uvmfirst(p->pagetable, initcode, sizeof(initcode));
  p->sz = PGSIZE;

  // The first "return" to user mode.
  p->trapframe->sp = PGSIZE;   // the end of initcode's page
  p->trapframe->epc = 0;       // its first instruction

  initproc = p;
  p->state = RUNNABLE;
  release(&p->lock);
}

// Gives np what p has open, and p's current directory.
static void
sharefiles(struct proc *p, struct proc *np)
{
  for(int fd = 0; fd < NOFILE; fd++)
    np->ofile[fd] = p->ofile[fd] ? filedup(p->ofile[fd]) : 0;
  np->cwd = idup(p->cwd);
}

// Makes a child that is a copy of the current process. Returns the child's
// pid to the parent and 0 to the child, or -1.
int
fork(void)
{
  struct proc *p = myproc();

  struct proc *np = allocproc();
  if(np == 0)
    return -1;

  if(uvmcopy(p->pagetable, np->pagetable, p->sz) < 0){
    discard(np);
    return -1;
  }
  np->sz = p->sz;

  // The child continues after the same ecall, with another result.
  *np->trapframe = *p->trapframe;
  np->trapframe->a0 = 0;

  sharefiles(p, np);
  safestrcpy(np->name, p->name, sizeof(np->name));

  // Once it runs it may end, and its entry be used again.
  int pid = np->pid;

  // wait_lock comes before any p->lock, so np->lock must go meanwhile.
  // Nobody takes np: it is USED, not UNUSED and not RUNNABLE.
  release(&np->lock);
  acquire(&wait_lock);
  np->parent = p;
  acquire(&np->lock);
  release(&wait_lock);

  np->state = RUNNABLE;
  release(&np->lock);
  return pid;
}

// Where a new process starts: scheduler() has just switched to it for the
// first time.
static void
forkret(void)
{
  static int first = 1;

  // The scheduler's; see there.
  release(&myproc()->lock);

  if(first){
    // Reading the disk means sleeping, which only a process can do: so
    // this cannot be done in main(). No other process exists yet, so
    // nobody else looks at `first`.
    first = 0;
    fsinit(ROOTDEV);
    // The next process may start on a hart that must see the 0.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }

  usertrapret();
}

// --- death ---

// Closes all that p has open, and leaves its current directory.
static void
closefiles(struct proc *p)
{
  for(struct file **f = p->ofile; f < p->ofile + NOFILE; f++){
    if(*f)
      fileclose(*f);
    *f = 0;
  }

  begin_op();   // iput() may free the directory on disk
  iput(p->cwd);
  end_op();
  p->cwd = 0;
}

// Hands p's children over to init. Caller holds wait_lock.
static void
reparent(struct proc *p)
{
  int any = 0;

  for(int i = 0; i < NPROC; i++){
    if(proc[i].parent == p){
      proc[i].parent = initproc;
      any = 1;
    }
  }
  if(any)
    wakeup(initproc);   // perhaps one is a zombie already
}

// Ends the current process. It stays a ZOMBIE, still holding its memory,
// until its parent asks for the status with wait().
void
exit(int status)
{
  struct proc *p = myproc();

  if(p == initproc)
    panic("init exiting");

  closefiles(p);

  acquire(&wait_lock);
  reparent(p);
  wakeup(p->parent);   // it may be in wait()

  // Held until the scheduler has left this stack. wait() needs the lock to
  // free us, so it cannot pull the stack away under our feet.
  acquire(&p->lock);
  release(&wait_lock);
  p->xstate = status;
  leave(p, ZOMBIE);
  panic("zombie exit");
}

// If p is a dead child of parent, copies its status to user address addr
// (unless that is 0) and frees it. Returns its pid, 0 if it is not dead, or
// -1 if addr is bad. Caller holds wait_lock.
static int
reap(struct proc *p, struct proc *parent, uint64 addr)
{
  int pid = 0;

  acquire(&p->lock);
  if(p->state == ZOMBIE){
    if(addr != 0 && copyout(parent->pagetable, addr, (char*)&p->xstate, sizeof(p->xstate)) < 0){
      pid = -1;
    } else {
      pid = p->pid;
      freeproc(p);
    }
  }
  release(&p->lock);
  return pid;
}

// Waits for a child to exit and returns its pid; -1 if there are none.
int
wait(uint64 addr)
{
  struct proc *p = myproc();

  // Held from the look at the children until sleep() has put us to sleep,
  // so that an exit() in between cannot be missed.
  acquire(&wait_lock);
  for(;;){
    int children = 0;

    for(struct proc *c = proc; c < &proc[NPROC]; c++){
      if(c->parent != p)
        continue;
      children++;
      int pid = reap(c, p, addr);
      if(pid != 0){
        release(&wait_lock);
        return pid;
      }
    }

    if(children == 0 || killed(p)){
      release(&wait_lock);
      return -1;
    }
    sleep(p, &wait_lock);
  }
}

// Marks a process as killed; it exits by itself, at the latest when it is
// about to return to user mode. To end it here and now would be unsafe: it
// may be in the middle of something in the kernel.
int
kill(int pid)
{
  int found = 0;

  for(int i = 0; i < NPROC && !found; i++){
    struct proc *p = &proc[i];
    acquire(&p->lock);
    found = p->state != UNUSED && p->pid == pid;
    if(found){
      p->killed = 1;
      if(p->state == SLEEPING)
        p->state = RUNNABLE;   // what it waits for may never come
    }
    release(&p->lock);
  }
  return found ? 0 : -1;
}

void
setkilled(struct proc *p)
{
  acquire(&p->lock);
  p->killed = 1;
  release(&p->lock);
}

int
killed(struct proc *p)
{
  acquire(&p->lock);
  int k = p->killed;
  release(&p->lock);
  return k;
}

// --- scheduling ---

// Runs p on this hart until it gives the hart back. Caller holds p->lock.
static void
run(struct cpu *c, struct proc *p)
{
  p->state = RUNNING;
  c->proc = p;
  // p takes over the lock and releases it (in yield, sleep or forkret);
  // when it comes back here, it has acquired it again. So no other hart
  // can start p while it is still on this hart's way out of its stack.
  swtch(&c->context, &p->context);
  c->proc = 0;
}

// Is there something to run? A look without locks, so only a hint.
static int
anyrunnable(void)
{
  for(struct proc *p = proc; p < &proc[NPROC]; p++){
    if(__atomic_load_n(&p->state, __ATOMIC_RELAXED) == RUNNABLE)
      return 1;
  }
  return 0;
}

// Each hart ends up here and never leaves: it takes the processes in turn
// and runs those that are RUNNABLE.
void
scheduler(void)
{
  struct cpu *c = mycpu();

  c->proc = 0;
  for(;;){
    // The last process may have switched here with interrupts off. If all
    // processes sleep, only an interrupt can wake one.
    intr_on();

    for(struct proc *p = proc; p < &proc[NPROC]; p++){
      acquire(&p->lock);
      if(p->state == RUNNABLE)
        run(c, p);
      release(&p->lock);
    }

    // Nothing to do: save power until the next interrupt. With interrupts
    // off, one that comes after the look cannot be handled before wfi, and
    // a pending one ends wfi at once; so no wake-up by this hart's own
    // interrupts is slept through. What another hart makes runnable, that
    // one runs itself, or this one after the next timer interrupt.
    intr_off();
    if(!anyrunnable())
      wait_for_interrupt();
  }
}

// Switches from the current process to this hart's scheduler. Caller holds
// p->lock, has changed p->state, and holds no other lock: this hart would
// run something else with that lock held, maybe for a long time.
void
sched(void)
{
  struct proc *p = myproc();
  struct cpu *c = mycpu();

  if(intr_get() || !holding(&p->lock))
    panic("sched without p->lock");
  if(c->noff > 1)
    panic("sched locks");
  if(p->state == RUNNING)   // it would never be left to anybody else
    panic("sched running");

  // intena says something about this thread, not about the hart: it would
  // be nicer in struct proc, but push_off() also runs without a process.
  int intena = c->intena;
  swtch(&p->context, &c->context);
  mycpu()->intena = intena;   // perhaps another hart by now
}

// Leaves the hart to others until p is scheduled again, from a state that
// is not RUNNING. Caller is p, and holds p->lock.
static void
leave(struct proc *p, enum procstate state)
{
  p->state = state;
  sched();
}

// Lets others run.
void
yield(void)
{
  struct proc *p = myproc();

  acquire(&p->lock);
  leave(p, RUNNABLE);
  release(&p->lock);
}

// Sleeps until wakeup(chan). chan is only a number to agree on: usually the
// address of what is waited for. lk guards the condition; it is released
// while sleeping and held again on return.
void
sleep(void *chan, struct spinlock *lk)
{
  struct proc *me = myproc();

  // wakeup() needs our lock to see us. Taking it before lk is released
  // means that a wakeup() after the caller's check of its condition
  // finds us asleep, rather than coming too early.
  acquire(&me->lock);
  release(lk);
  me->chan = chan;
  leave(me, me->killed ? RUNNABLE : SLEEPING);   // kill() may just have missed us
  me->chan = 0;
  release(&me->lock);

  acquire(lk);   // only now: it comes before our own
}

// Makes all that sleep on chan runnable. Call it without any p->lock, and
// with the lock that guards the condition.
void
wakeup(void *chan)
{
  struct proc *me = myproc();

  for(int i = 0; i < NPROC; i++){
    struct proc *p = &proc[i];
    if(p == me)
      continue;   // it is awake, and may hold its own lock
    acquire(&p->lock);
    if(p->chan == chan && p->state == SLEEPING)
      p->state = RUNNABLE;
    release(&p->lock);
  }
}

// --- odds and ends ---

// Copies to a user address or a kernel one, as user_dst says: for code
// that serves both, such as readi(). 0, or -1.
int
either_copyout(int user_dst, uint64 dst, void *src, uint64 len)
{
  if(user_dst)
    return copyout(myproc()->pagetable, dst, src, len);
  memmove((char*)dst, src, len);
  return 0;
}

// The same in the other direction.
int
either_copyin(void *dst, int user_src, uint64 src, uint64 len)
{
  if(user_src)
    return copyin(myproc()->pagetable, dst, src, len);
  memmove(dst, (char*)src, len);
  return 0;
}

// Ctrl-P: lists the processes. Takes no process's lock, to work even when
// the kernel is stuck on one.
void
procdump(void)
{
  static char *names[] = {
    [UNUSED]   = "unused",
    [USED]     = "used",
    [SLEEPING] = "sleep ",
    [RUNNABLE] = "runble",
    [RUNNING]  = "run   ",
    [ZOMBIE]   = "zombie",
  };

  printf("\n");
  for(struct proc *p = proc; p < &proc[NPROC]; p++){
    if(p->state != UNUSED)
      printf("%d %s %s\n", p->pid, p->state < NELEM(names) ? names[p->state] : "???", p->name);
  }
}
