#include "shmem.h"

// Registers that swtch() saves. The caller of a C function expects only
// these to survive the call; the compiler has saved the others already.
struct context {
  uint64 ra, sp;
  uint64 s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
};

// What the kernel keeps for each hart. Only the hart itself uses its
// entry, with interrupts off, so that no lock is needed.
struct cpu {
  struct proc *proc;       // the process it runs, or 0
  struct context context;  // its scheduler(), to return to
  int noff;                // how many push_off() are open
  int intena;              // were interrupts on before the first of them?
};

extern struct cpu cpus[NCPU];

// A page per process, mapped at TRAPFRAME in its address space: what
// uservec (trampoline.S) needs on the way in, and room for the user's
// registers. The numbers are byte offsets (8 for each register after the
// first of a line), known to trampoline.S.
//
// It is mapped in the user page table because uservec must save registers
// before it can switch to the kernel's, having none free to compute with.
struct trapframe {
  uint64 kernel_satp;     //   0: the kernel's page table
  uint64 kernel_sp;       //   8: top of this process's kernel stack
  uint64 kernel_trap;     //  16: address of usertrap()
  uint64 epc;             //  24: the user's pc
  uint64 kernel_hartid;   //  32: value of tp in the kernel

  // x1 to x31, in the order of their numbers:
  uint64 ra, sp, gp, tp;                                  //  40
  uint64 t0, t1, t2;                                      //  72
  uint64 s0, s1;                                          //  96
  uint64 a0, a1, a2, a3, a4, a5, a6, a7;                  // 112
  uint64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;        // 176
  uint64 t3, t4, t5, t6;                                  // 256
};

// The life of a process table entry: UNUSED, then USED while it is being
// set up, then RUNNABLE <-> RUNNING <-> SLEEPING, and ZOMBIE from exit()
// until the parent's wait() makes it UNUSED again.
enum procstate { UNUSED, USED, SLEEPING, RUNNABLE, RUNNING, ZOMBIE };

struct proc {
  struct spinlock lock;

  // Hold p->lock to use these:
  enum procstate state;
  void *chan;                  // SLEEPING: what it waits for
  int killed;                  // not 0: it must exit soon
  int xstate;                  // ZOMBIE: exit status for the parent
  int pid;

  // Hold wait_lock (proc.c) to use this:
  struct proc *parent;

  // Private to the process itself, so no lock is needed:
  uint64 kstack;               // virtual address of its kernel stack
  uint64 sz;                   // bytes of user memory, from address 0
  pagetable_t pagetable;       // user page table
  struct trapframe *trapframe; // its page at TRAPFRAME, by kernel address
  struct context context;      // swtch() here to run it
  struct file *ofile[NOFILE];  // open files, by descriptor
  struct inode *cwd;           // current directory
  char name[16];               // for messages
  struct mapping mapping[NMAPPING];
};
