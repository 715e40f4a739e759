// The physical page allocator. Everything that needs whole 4096-byte pages
// gets them here: user memory, page tables, kernel stacks, pipe buffers.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "defs.h"

extern char end[];   // first byte after the kernel image (kernel.ld)

// A free page needs no memory to be kept track of: its own first bytes
// hold the pointer to the next free page.
struct run {
  struct run *next;
};

struct {
  struct spinlock lock;
  struct run *freelist;
} kmem;

// Frees every whole page between two addresses.
static void
freerange(void *start, void *stop)
{
  for(uint64 pa = PGROUNDUP((uint64)start); pa + PGSIZE <= (uint64)stop; pa += PGSIZE)
    kfree((void*)pa);
}

void
kinit(void)
{
  initlock(&kmem.lock, "kmem");
  freerange(end, (void*)PHYSTOP);
}

// Is pa the address of a page that this allocator can have handed out?
static int
ispage(void *pa)
{
  return (uint64)pa % PGSIZE == 0 && (char*)pa >= end && (uint64)pa < PHYSTOP;
}

// Gives a page back. Every byte becomes 1, so that code that still uses the
// page is likely to fail at once, and visibly, instead of now and then.
void
kfree(void *pa)
{
  if(!ispage(pa))
    panic("kfree");

  memset(pa, 1, PGSIZE);

  struct run *page = pa;
  acquire(&kmem.lock);
  page->next = kmem.freelist;
  kmem.freelist = page;
  release(&kmem.lock);
}

// Returns the kernel address of a page, or 0 if there is none left.
// Every byte is 5: code that relies on fresh memory being zero fails.
void*
kalloc(void)
{
  acquire(&kmem.lock);
  struct run *page = kmem.freelist;
  if(page)
    kmem.freelist = page->next;
  release(&kmem.lock);

  if(page == 0)
    return 0;
  // Without the lock: the page is ours, and filling it takes long.
  return memset(page, 5, PGSIZE);
}
