#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "defs.h"

// Set once hart 0 has prepared what all harts use.
static volatile int started = 0;

// What every hart must do for itself.
static void
inithart(void)
{
  kvminithart();     // turn on paging
  trapinithart();    // say where traps go
  plicinithart();    // ask for device interrupts
}

// start() comes here in supervisor mode, on all harts.
void
main(void)
{
  if(cpuid() == 0){
    consoleinit();
    printfinit();
    printf("\nxv6 kernel is booting\n\n");

    // In this order: each line may use what the lines above it prepare.
    kinit();             // physical page allocator
    kvminit();           // kernel page table
    shmeminit();         // the shared page
    procinit();          // process table
    trapinit();          // clock
    plicinit();          // interrupt controller
    binit();             // buffer cache
    iinit();             // inode table
    fileinit();          // open file table
    virtio_disk_init();  // disk
    inithart();
    userinit();          // first process

    // The other harts must see all of that before they see `started`.
    __atomic_store_n(&started, 1, __ATOMIC_RELEASE);
  } else {
    while(__atomic_load_n(&started, __ATOMIC_ACQUIRE) == 0)
      ;
    printf("hart %d starting\n", cpuid());
    inithart();
  }

  scheduler();
}
