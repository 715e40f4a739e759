// The RISC-V privileged architecture, as far as an xv6 kernel needs it:
// control and status registers (CSRs), their bits, and Sv39 paging.
// Section numbers are those of the privileged specification.

#ifndef __ASSEMBLER__

// Defines an inline function that reads (or writes) one CSR. The name is
// a string, because some assemblers know the newer CSRs only by number.
#define CSR_READ(func, csr)                          \
  static inline uint64                               \
  func(void)                                         \
  {                                                  \
    uint64 x;                                        \
    asm volatile("csrr %0, " csr : "=r" (x));        \
    return x;                                        \
  }

// The memory clobber keeps the compiler from moving loads and stores
// across the write: switching satp or interrupts changes what they mean.
#define CSR_WRITE(func, csr)                                    \
  static inline void                                            \
  func(uint64 x)                                                \
  {                                                             \
    asm volatile("csrw " csr ", %0" : : "r" (x) : "memory");    \
  }

// --- machine mode: only start.c runs in it ---

CSR_READ(r_mhartid, "mhartid")          // which hart am I?

// Machine status: mret drops to the mode in MPP.
#define MSTATUS_MPP_MASK (3L << 11)
#define MSTATUS_MPP_S    (1L << 11)
CSR_READ(r_mstatus, "mstatus")
CSR_WRITE(w_mstatus, "mstatus")

CSR_WRITE(w_mepc, "mepc")               // where mret goes
CSR_READ(r_medeleg, "medeleg")          // exceptions that skip machine mode
CSR_WRITE(w_medeleg, "medeleg")
CSR_READ(r_mideleg, "mideleg")          // interrupts that skip machine mode
CSR_WRITE(w_mideleg, "mideleg")

#define MIE_STIE (1L << 5)              // supervisor timer
CSR_READ(r_mie, "mie")
CSR_WRITE(w_mie, "mie")

// Physical memory protection: what supervisor mode may touch at all.
CSR_WRITE(w_pmpaddr0, "pmpaddr0")
CSR_WRITE(w_pmpcfg0, "pmpcfg0")

#define MCOUNTEREN_TM (1L << 1)         // lets supervisor mode read `time`
CSR_READ(r_mcounteren, "mcounteren")
CSR_WRITE(w_mcounteren, "mcounteren")

#define MENVCFG_STCE (1L << 63)         // lets supervisor mode use stimecmp
CSR_READ(r_menvcfg, "0x30a")
CSR_WRITE(w_menvcfg, "0x30a")

// --- supervisor mode: the rest of the kernel ---

// Supervisor status. SPP: mode before the trap (1 = supervisor).
// SIE: interrupts on now. SPIE: interrupts on after sret.
#define SSTATUS_SPP  (1L << 8)
#define SSTATUS_SPIE (1L << 5)
#define SSTATUS_SIE  (1L << 1)
CSR_READ(r_sstatus, "sstatus")
CSR_WRITE(w_sstatus, "sstatus")

// Which kinds of interrupt are let through: external (PLIC), timer, software.
#define SIE_SEIE (1L << 9)
#define SIE_STIE (1L << 5)
#define SIE_SSIE (1L << 1)
CSR_READ(r_sie, "sie")
CSR_WRITE(w_sie, "sie")
CSR_READ(r_sip, "sip")                  // ... and which are pending
CSR_WRITE(w_sip, "sip")

CSR_READ(r_sepc, "sepc")                // pc of the trap; sret returns there
CSR_WRITE(w_sepc, "sepc")
CSR_WRITE(w_stvec, "stvec")             // where traps enter the kernel
CSR_READ(r_stvec, "stvec")
CSR_WRITE(w_sscratch, "sscratch")       // ours to keep a word in

// Why there was a trap (section 4.1.8). The top bit tells interrupts
// from exceptions.
#define SCAUSE_INTERRUPT  (1L << 63)
#define SCAUSE_TIMER      (SCAUSE_INTERRUPT | 5)
#define SCAUSE_EXTERNAL   (SCAUSE_INTERRUPT | 9)
#define SCAUSE_ECALL_USER 8
// (12, 13 and 15: page fault on an instruction fetch, a load, a store)
CSR_READ(r_scause, "scause")
CSR_READ(r_stval, "stval")              // the address that faulted, if any

CSR_READ(r_stimecmp, "0x14d")           // timer interrupt once time >= this
CSR_WRITE(w_stimecmp, "0x14d")
CSR_READ(r_time, "time")

// Root page table, and the paging mode in the top four bits (8 = Sv39).
#define SATP_SV39 (8L << 60)
#define MAKE_SATP(pagetable) (SATP_SV39 | (((uint64)(pagetable)) >> 12))
CSR_WRITE(w_satp, "satp")
CSR_READ(r_satp, "satp")

// Turns device and timer interrupts on for this hart. csrs and csrc touch
// one bit atomically: a read and a write apart could lose an interrupt
// handler's change between them.
static inline void
intr_on(void)
{
  asm volatile("csrs sstatus, %0" : : "r" (SSTATUS_SIE) : "memory");
}

static inline void
intr_off(void)
{
  asm volatile("csrc sstatus, %0" : : "r" (SSTATUS_SIE) : "memory");
}

static inline int
intr_get(void)
{
  return (r_sstatus() & SSTATUS_SIE) != 0;
}

// Stops the hart until an interrupt is pending, even one that is off.
static inline void
wait_for_interrupt(void)
{
  asm volatile("wfi" : : : "memory");
}

// Forgets cached translations of this hart, after page tables changed.
static inline void
sfence_vma(void)
{
  asm volatile("sfence.vma zero, zero" : : : "memory");
}

// tp holds the hart number while in the kernel (start.c sets it; the
// trampoline saves and restores it, since user code may use tp freely).
static inline uint64
r_tp(void)
{
  uint64 x;
  asm volatile("mv %0, tp" : "=r" (x));
  return x;
}

static inline void
w_tp(uint64 x)
{
  asm volatile("mv tp, %0" : : "r" (x));
}

static inline uint64
r_sp(void)
{
  uint64 x;
  asm volatile("mv %0, sp" : "=r" (x));
  return x;
}

typedef uint64 pte_t;
typedef uint64 *pagetable_t;   // 512 entries, one page

#endif // __ASSEMBLER__

#define PGSIZE  4096
#define PGSHIFT 12             // an address's bits within its page

#define PGROUNDUP(sz)  (((sz) + PGSIZE - 1) & ~(PGSIZE - 1))
#define PGROUNDDOWN(a) ((a) & ~(PGSIZE - 1))

// Bits of a page-table entry. An entry with V but none of R, W, X points
// to the next level; one with any of them is a leaf and maps a page.
#define PTE_V (1L << 0)        // valid
#define PTE_R (1L << 1)
#define PTE_W (1L << 2)
#define PTE_X (1L << 3)
#define PTE_U (1L << 4)        // user mode may use it (and only user mode)

// The page number sits at bit 12 of an address and at bit 10 of an entry.
#define PA2PTE(pa)     ((((uint64)(pa)) >> 12) << 10)
#define PTE2PA(pte)    (((pte) >> 10) << 12)
#define PTE_FLAGS(pte) ((pte) & 0x3ff)

// The nine bits of va that index the table at a level (2 is the root).
#define PXMASK          0x1ff
#define PXSHIFT(level)  (PGSHIFT + 9*(level))
#define PX(level, va)   ((((uint64)(va)) >> PXSHIFT(level)) & PXMASK)

// One beyond the highest address in use. Sv39 has 39 bits, but addresses
// with bit 38 set must be sign-extended; leaving that half alone avoids it.
#define MAXVA (1L << (9 + 9 + 9 + 12 - 1))
