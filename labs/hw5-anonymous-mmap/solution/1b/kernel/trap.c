// Traps: system calls, faults and interrupts.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "stat.h"
#include "spinlock.h"
#include "proc.h"
#include "defs.h"

// Clock ticks since boot, and who sleeps on them: see sys_sleep().
struct spinlock tickslock;
uint ticks;

#define TICK 1000000            // of the time CSR; 0.1 s at QEMU's 10 MHz

// devintr()'s answers.
#define NO_DEVICE 0
#define DEVICE    1
#define TIMER     2

extern char trampoline[], uservec[], userret[];   // trampoline.S
void kernelvec(void);                             // kernelvec.S

static int devintr(void);

void
trapinit(void)
{
  initlock(&tickslock, "time");
}

// On each hart: traps in kernel code go to kernelvec.
void
trapinithart(void)
{
  w_stvec((uint64)kernelvec);
}

// The region of p that va lies in, or 0. (HW5)
static struct mmr*
findregion(struct proc *p, uint64 va)
{
  for(struct mmr *m = p->mmr; m < &p->mmr[MAX_MMR]; m++){
    if(m->valid && va >= m->addr && va < m->addr + m->length)
      return m;
  }
  return 0;
}

// Process p, the current one, loads from va, or stores to it, and the page
// table does not allow it. If va lies in a mapped region that does, the
// reason is that the page has not been touched before: gives it a frame.
// Returns 0 if the access can be tried again; -1 if it is a mistake of the
// process, or if there is no memory. (HW5)
int
mmrfault(struct proc *p, uint64 va, int store)
{
  struct mmr *m = findregion(p, va);
  if(m == 0 || (m->prot & (store ? PROT_WRITE : PROT_READ)) == 0)
    return -1;

  va = PGROUNDDOWN(va);
  if(walkaddr(p->pagetable, va) != 0)
    return 0;   // it has one by now

  void *mem = kalloc();
  if(mem == 0)
    return -1;
  // m->prot has the bits of a page-table entry, see stat.h. Without PTE_U
  // the process would fault here for ever.
  if(mappages(p->pagetable, va, PGSIZE, (uint64)mem, m->prot | PTE_U) != 0){
    kfree(mem);
    return -1;
  }
  return 0;
}

// Is the trap a page fault that mmrfault() can do something about?
static int
pagefault(struct proc *p)
{
  uint64 cause = r_scause();

  if(cause != SCAUSE_LOAD_FAULT && cause != SCAUSE_STORE_FAULT)
    return 0;
  return mmrfault(p, r_stval(), cause == SCAUSE_STORE_FAULT) == 0;
}

// uservec (trampoline.S) comes here with a trap from user space.
void
usertrap(void)
{
  struct proc *p = myproc();
  int which_dev = NO_DEVICE;

  // We are in the kernel now: another trap is kernelvec's business.
  w_stvec((uint64)kernelvec);

  if(r_sstatus() & SSTATUS_SPP)
    panic("usertrap: not from user mode");

  // Keep the user's pc where a switch to another process cannot lose it.
  p->trapframe->epc = r_sepc();

  if(r_scause() == SCAUSE_ECALL_USER){
    // sepc is the ecall itself: go on with the instruction after it.
    p->trapframe->epc += 4;

    if(killed(p))
      exit(-1);

    // An interrupt overwrites scause, sepc and sstatus; by now we have
    // taken from them what we need.
    intr_on();
    syscall();
  } else if((which_dev = devintr()) != NO_DEVICE){
    // Handled.
  } else if(pagefault(p)){
    // Go on with the same instruction: epc still points to it.
  } else {
    printf("usertrap(): unexpected scause 0x%lx pid=%d\n", r_scause(), p->pid);
    printf("            sepc=0x%lx stval=0x%lx\n", r_sepc(), r_stval());
    setkilled(p);
  }

  if(killed(p))
    exit(-1);

  // Its time slice is over.
  if(which_dev == TIMER)
    yield();

  usertrapret();
}

// Where a part of trampoline.S is in every page table, which is not where
// it is in the kernel image.
static uint64
ontrampoline(char *label)
{
  return TRAMPOLINE + (label - trampoline);
}

// Back to user space. Prepares everything the next trap will need, then
// lets userret (trampoline.S) switch page table and mode.
void
usertrapret(void)
{
  struct proc *p = myproc();
  struct trapframe *tf = p->trapframe;

  // From here traps are meant for uservec, which is wrong for a trap in
  // the kernel: none may happen until sret has left it.
  intr_off();
  w_stvec(ontrampoline(uservec));

  // What uservec loads on the way in. The hart can be another each time.
  tf->kernel_hartid = r_tp();
  tf->kernel_satp = r_satp();
  tf->kernel_trap = (uint64)usertrap;
  tf->kernel_sp = p->kstack + PGSIZE;

  // What sret does: to user mode (SPP 0), interrupts on (SPIE), at epc.
  w_sepc(tf->epc);
  w_sstatus((r_sstatus() & ~SSTATUS_SPP) | SSTATUS_SPIE);

  void (*leave)(uint64 satp) = (void (*)(uint64))ontrampoline(userret);
  leave(MAKE_SATP(p->pagetable));
}

// kernelvec comes here with a trap from kernel code, interrupts off.
// It must be an interrupt: the kernel's own faults are bugs.
void
kerneltrap(void)
{
  // Read at once: yield() below lets other traps come and change these.
  uint64 sstatus = r_sstatus();
  uint64 sepc = r_sepc();

  if(intr_get() || (sstatus & SSTATUS_SPP) == 0)
    panic("kerneltrap: not from supervisor mode with interrupts off");

  switch(devintr()){
  case NO_DEVICE:
    printf("scause=0x%lx sepc=0x%lx stval=0x%lx\n", r_scause(), sepc, r_stval());
    panic("kerneltrap");
  case TIMER:
    // The time slice of the process is over, even while it is in the kernel.
    if(myproc() != 0)
      yield();
    break;
  }

  // As kernelvec's sret needs them.
  w_sstatus(sstatus);
  w_sepc(sepc);
}

// Asks the PLIC for the device, and runs its driver.
static void
externalintr(void)
{
  int irq = plic_claim();

  if(irq == 0)
    return;   // another hart has it
  if(irq == UART0_IRQ)
    uartintr();
  else if(irq == VIRTIO0_IRQ)
    virtio_disk_intr();
  else
    printf("unexpected interrupt irq=%d\n", irq);

  // Only now may the device interrupt again.
  plic_complete(irq);
}

static void
clockintr(void)
{
  // Every hart has its ticks, to end time slices; one of them counts.
  if(cpuid() == 0){
    acquire(&tickslock);
    ticks++;
    wakeup(&ticks);
    release(&tickslock);
  }

  // Asking for the next one also takes this one back.
  w_stimecmp(r_time() + TICK);
}

// Handles the interrupt that scause tells about, if it is one.
static int
devintr(void)
{
  switch(r_scause()){
  case SCAUSE_EXTERNAL:
    externalintr();
    return DEVICE;
  case SCAUSE_TIMER:
    clockintr();
    return TIMER;
  default:
    return NO_DEVICE;
  }
}
