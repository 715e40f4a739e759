// The platform-level interrupt controller: takes the devices' interrupt
// lines and passes each interrupt to one hart that is willing to handle it.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "defs.h"

static void
plicwrite(uint64 addr, uint32 value)
{
  *(volatile uint32*)addr = value;
}

// Once: a priority other than 0 switches a source on.
void
plicinit(void)
{
  plicwrite(PLIC_PRIORITY(UART0_IRQ), 1);
  plicwrite(PLIC_PRIORITY(VIRTIO0_IRQ), 1);
}

// On each hart: which sources it wants, and from which priority.
void
plicinithart(void)
{
  int hart = cpuid();

  plicwrite(PLIC_SENABLE(hart), 1 << UART0_IRQ | 1 << VIRTIO0_IRQ);
  plicwrite(PLIC_SPRIORITY(hart), 0);   // anything above 0
}

// Asks which interrupt this hart is to handle. 0: none, since another hart
// was faster.
int
plic_claim(void)
{
  return *(volatile uint32*)PLIC_SCLAIM(cpuid());
}

// Says that it is handled. Until then the source stays silent.
void
plic_complete(int irq)
{
  plicwrite(PLIC_SCLAIM(cpuid()), irq);
}
