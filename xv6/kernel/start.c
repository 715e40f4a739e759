// The only code in machine mode: hand the machine over to supervisor mode
// and leave for main().

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "defs.h"

void main(void);
static void timerinit(void);

// entry.S needs a page of stack per hart.
__attribute__((aligned(4096))) char stack0[PGSIZE * NCPU];

// entry.S jumps here on stack0.
void
start(void)
{
  // "Return" to supervisor mode, at main.
  w_mstatus((r_mstatus() & ~MSTATUS_MPP_MASK) | MSTATUS_MPP_S);
  w_mepc((uint64)main);

  // No paging yet; kvminithart() turns it on.
  w_satp(0);

  // Machine mode has no trap handler: send every trap to supervisor mode.
  // Exception 11 (a call from machine mode) cannot be delegated; the
  // hardware ignores its bit.
  w_medeleg(0xffff);
  w_mideleg(0xffff);
  w_sie(r_sie() | SIE_SEIE | SIE_STIE);

  // Without a PMP entry supervisor mode may touch nothing. This one covers
  // all of memory ("top of range" 2^56) and allows read, write, execute.
  w_pmpaddr0(0x3fffffffffffffUL);
  w_pmpcfg0(0xf);

  timerinit();

  // cpuid() reads the hart number from tp, as mhartid is for machine mode.
  w_tp(r_mhartid());

  asm volatile("mret");
}

// Lets supervisor mode have a timer of its own (the Sstc extension).
static void
timerinit(void)
{
  w_mie(r_mie() | MIE_STIE);
  w_menvcfg(r_menvcfg() | MENVCFG_STCE);
  w_mcounteren(r_mcounteren() | MCOUNTEREN_TM);

  // The first tick; clockintr() asks for each of the following ones.
  w_stimecmp(r_time() + 1000000);
}
