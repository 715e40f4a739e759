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

// HW5: memory regions that mmap() has made.
//
// A shared region belongs to a family: the process that called mmap(), and
// all its descendants that inherited the region through fork(). Each member
// has a struct mmr for it in its own table; the mmr_nodes in those are
// linked in a circle, so that from each member all others can be found.
// A node alone in its circle points to itself.
struct mmr_node {
  int listid;                  // family number, an index of mmr_list[]; -1
                               // for a private region, which has no family
  struct proc *proc;           // the member that this node belongs to
  struct mmr_node *next;       // hold mmr_list[listid].lock to follow
  struct mmr_node *prev;       // or to change these two
};

// A family.
struct mmr_list {
  struct spinlock lock;        // guards its circle, and which frames its
                               // members have mapped in the region
  int valid;                   // is this number in use? (listid_lock)
};

// A region: one entry of a process's table.
struct mmr {
  uint64 addr;                 // first address; a multiple of PGSIZE
  int length;                  // bytes; a multiple of PGSIZE
  int prot;                    // PROT_*: what the process may do there
  int flags;                   // MAP_*: shared or private
  int valid;                   // is this entry in use?
  struct file *file;           // unused: for regions with a file's content
  int fd;                      // unused, too
  struct mmr_node mmr_family;
};

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
  struct mmr mmr[MAX_MMR];     // mapped regions (HW5)
  uint64 cur_max;              // they lie at and above this address; the
                               // next one goes below it
};
