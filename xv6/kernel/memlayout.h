// Where things are: physical addresses of the board (QEMU's "virt"
// machine), and virtual addresses that kernel and user space agree on.
//
// Physical                          Kernel's use
//   0x02000000  core-local timers   none: the kernel uses stimecmp
//   0x0c000000  PLIC                interrupt routing      (plic.c)
//   0x10000000  16550 UART          console                (uart.c)
//   0x10001000  virtio block disk   file system            (virtio_disk.c)
//   0x80000000  RAM                 kernel image, then free pages up to PHYSTOP

#define UART0       0x10000000L
#define UART0_IRQ   10

#define VIRTIO0     0x10001000L
#define VIRTIO0_IRQ 1

// The platform-level interrupt controller. Hart h receives interrupts
// for supervisor mode through "context" 2*h + 1 (2*h is machine mode),
// which is what the strides below step over.
#define PLIC                 0x0c000000L
#define PLIC_SIZE            0x04000000L
#define PLIC_PRIORITY(irq)   (PLIC + 4*(irq))
#define PLIC_SENABLE(hart)   (PLIC + 0x2080 + (hart)*0x100)
#define PLIC_SPRIORITY(hart) (PLIC + 0x201000 + (hart)*0x2000)
#define PLIC_SCLAIM(hart)    (PLIC + 0x201004 + (hart)*0x2000)

// RAM that the kernel manages. The boot code enters the kernel at KERNBASE.
#define KERNBASE 0x80000000L
#define PHYSTOP  (KERNBASE + 128*1024*1024)

// The trampoline page is the topmost one in every address space, so that
// the code on it keeps running while satp changes under it.
#define TRAMPOLINE (MAXVA - PGSIZE)

// Kernel stacks lie below it, one page each. Every other page stays
// unmapped: a stack that overflows faults instead of writing on the next.
#define KSTACK(i) (TRAMPOLINE - ((i) + 1) * 2*PGSIZE)

// A user address space:
//   0            text, data, bss
//                unmapped guard page, user stack
//                heap, up to p->sz
//   ...
//   TRAPFRAME    this process's saved registers, for the kernel only
//   TRAMPOLINE   the same page as in the kernel
#define TRAPFRAME (TRAMPOLINE - PGSIZE)
