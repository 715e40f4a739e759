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
  int which_dev = NO_DEVICE;

  if((r_sstatus() & SSTATUS_SPP) != 0)
    panic("usertrap: not from user mode");

  // We are in the kernel now: another trap is kernelvec's business.
  w_stvec((uint64)kernelvec);

  struct proc *p = myproc();

  // Keep the user's pc where a switch to another process cannot lose it.
  p->trapframe->epc = r_sepc();

  if(r_scause() == SCAUSE_ECALL_USER){
    if(killed(p))
      exit(-1);

    // sepc is the ecall itself: go on with the instruction after it.
    p->trapframe->epc += 4;

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

// Back to user space. Prepares everything the next trap will need, then
// lets userret (trampoline.S) switch page table and mode.
void
usertrapret(void)
{
  struct proc *p = myproc();

  // From here traps are meant for uservec, which is wrong for a trap in
  // the kernel: none may happen until sret has left it.
  intr_off();
  w_stvec(TRAMPOLINE + (uservec - trampoline));

  // What uservec loads on the way in.
  p->trapframe->kernel_satp = r_satp();
  p->trapframe->kernel_sp = p->kstack + PGSIZE;
  p->trapframe->kernel_trap = (uint64)usertrap;
  p->trapframe->kernel_hartid = r_tp();

  // What sret does: to user mode (SPP 0), interrupts on (SPIE), at epc.
  w_sstatus((r_sstatus() & ~SSTATUS_SPP) | SSTATUS_SPIE);
  w_sepc(p->trapframe->epc);

  // Call userret where the trampoline is mapped in both page tables, not
  // at its address in the kernel image.
  void (*ret)(uint64) = (void (*)(uint64))(TRAMPOLINE + (userret - trampoline));
  ret(MAKE_SATP(p->pagetable));
}

// kernelvec comes here with a trap from kernel code, interrupts off.
// It must be an interrupt: the kernel's own faults are bugs.
void
kerneltrap(void)
{
  uint64 sepc = r_sepc();
  uint64 sstatus = r_sstatus();
  uint64 scause = r_scause();

  if((sstatus & SSTATUS_SPP) == 0)
    panic("kerneltrap: not from supervisor mode");
  if(intr_get())
    panic("kerneltrap: interrupts enabled");

  int which_dev = devintr();
  if(which_dev == NO_DEVICE){
    printf("scause=0x%lx sepc=0x%lx stval=0x%lx\n", scause, sepc, r_stval());
    panic("kerneltrap");
  }

  // The time slice of the process is over, even while it is in the kernel.
  if(which_dev == TIMER && myproc() != 0)
    yield();

  // Other traps during yield() have changed these; kernelvec's sret needs
  // them as they were.
  w_sepc(sepc);
  w_sstatus(sstatus);
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
